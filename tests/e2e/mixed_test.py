"""Ranks that would not compute the same bits are refused; --allow-mixed lets them run and marks the file."""

import json
import os
import re
import subprocess
import unittest
from pathlib import Path

import h5py
import numpy as np
from support.harness import MPIEXEC, POLYHEAD, SECONDS, EndToEnd, environment, polyhead, results

CONFIG = 78
# oneDNN then leaves AVX2 and later alone on rank 1, which changes the last digits of convolutions.
OTHER = ["env", "ONEDNN_MAX_CPU_ISA=AVX"]
LIBTORCH, WINOGRAD = "backbone.engine=libtorch", "backbone.engine=winograd"
SETS = ["avx", "fma", "avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile", "amx_bf16"]
OTHER_PROCESSOR = """#!/bin/sh
# Runs the arguments on a "host" whose processor calls itself another one: another mount namespace, with another /proc/cpuinfo.
file=$(mktemp)
sed -e 's/^vendor_id.*/vendor_id : CentaurHauls/' -e 's/^model name.*/model name : another one/' -e 's/ fma / /' /proc/cpuinfo > "$file"
exec unshare --mount sh -c 'mount --bind "$0" /proc/cpuinfo && rm "$0" && exec "$@"' "$file" "$@"
"""


class Mixed(EndToEnd):
    def setUp(self):
        super().setUp()
        self.other_processor = self.folder / "other_processor.sh"
        self.other_processor.write_text(OTHER_PROCESSOR)
        self.other_processor.chmod(0o755)

    def run_mixed(self, output, *flags, other=OTHER, engine="libtorch", sets=()):
        rank = ["-np", "1", "--oversubscribe", "--bind-to", "none"]
        job = [POLYHEAD, "run", str(self.config), "--set", f"output.path={self.folder / output}",
               "--set", f"backbone.engine={engine}", *flags]
        for option in sets:
            job += ["--set", option]
        return subprocess.run([MPIEXEC, *rank, *job, ":", *rank, *other, *job], env=environment(), capture_output=True,
                              text=True, timeout=SECONDS, stdin=subprocess.DEVNULL, check=False)

    def provenance(self, output):
        with h5py.File(self.folder / output) as file:
            return json.loads(file["job/provenance"][()].tobytes().rstrip(b"\0"))

    def test_refused(self):
        done = self.run_mixed("out.h5")
        self.assert_fails(done, CONFIG, "the ranks would not compute the same bits", "ranks 0: {", "ranks 1: {",
                          "ONEDNN_MAX_CPU_ISA=AVX", "--allow-mixed")
        self.assertEqual(done.stderr.count("same bits"), 1, "one message for all ranks")
        self.assertFalse((self.folder / "out.h5").exists())

    def test_allowed_and_marked(self):
        self.run_job("pure.h5", LIBTORCH, ranks=2)
        done = self.run_mixed("mixed.h5", "--allow-mixed")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr.count("[warning] the ranks would not compute the same bits"), 1)
        self.assertIs(self.provenance("pure.h5")["mixed_fingerprints"], False)
        self.assertIs(self.provenance("mixed.h5")["mixed_fingerprints"], True)
        with h5py.File(self.folder / "pure.h5") as pure, h5py.File(self.folder / "mixed.h5") as mixed:
            np.testing.assert_allclose(mixed["fused/scores"][()], pure["fused/scores"][()], atol=1e-4)
            np.testing.assert_array_equal(mixed["samples/status"][()], 1)

    def leave_out_layers_of_libtorch(self):
        """Layer norm, gelu and tanh, all of the last head."""
        text = self.config.read_text()
        self.config.write_text(text[:text.index("  - name: norm")] + text[text.index("fusion:"):])

    def check_equal(self, done, output):
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("same bits", done.stderr)
        self.assertIs(self.provenance(output)["mixed_fingerprints"], False)
        self.assertEqual(results(self.folder / output), results(self.folder / "pure.h5"))

    def test_variables_that_nobody_looks_at(self):
        """On one host alone: what oneDNN would look at, and a job without oneDNN; what would make fp32 less than fp32."""
        variables = ["ONEDNN_MAX_CPU_ISA=AVX", "NVIDIA_TF32_OVERRIDE=1", "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE=1",
                     "ONEDNN_DEFAULT_FPMATH_MODE=BF16", "CUBLAS_WORKSPACE_CONFIG=:16:8", "CUDA_MPS_ACTIVE_THREAD_PERCENTAGE=50"]
        self.leave_out_layers_of_libtorch()
        self.run_job("pure.h5", WINOGRAD, ranks=2)
        self.check_equal(self.run_mixed("out.h5", other=["env", *variables], engine="winograd"), "out.h5")
        self.run_job("pure.h5", LIBTORCH, ranks=2, flags=["--overwrite"])
        self.check_equal(self.run_mixed("other.h5", other=["env", *variables[1:]]), "other.h5")

    def skip_without_namespaces(self):
        if os.system(f"{self.other_processor} true 2> /dev/null") != 0:  # noqa: S605
            self.skipTest("no mount namespaces can be made here")

    def test_processors_of_two_generations(self):
        """The own engine's bits depend on no processor, LibTorch's on vendor and instruction sets."""
        self.skip_without_namespaces()
        other = [str(self.other_processor)]
        refused = self.run_mixed("head.h5", other=other, engine="winograd")
        self.assert_fails(refused, CONFIG, '"heads": "polyhead avx', "CentaurHauls", '"backbone": "winograd"')
        self.leave_out_layers_of_libtorch()
        self.run_job("pure.h5", WINOGRAD, ranks=2)
        self.check_equal(self.run_mixed("out.h5", other=other, engine="winograd"), "out.h5")
        done = self.run_mixed("torch.h5", other=other)
        self.assert_fails(done, CONFIG, "ranks 1: {", "CentaurHauls", "--allow-mixed")
        done = self.run_mixed("soft.h5", other=other, engine="winograd", sets=["fusion.rule=mean-probabilities"])
        self.assert_fails(done, CONFIG, "exp() of glibc", "without fused multiply-add")

    def test_files_of_the_former_form(self):
        """As polyhead wrote them before: they go on here, those of the own engine on other processors, too."""
        self.leave_out_layers_of_libtorch()
        for engine in (WINOGRAD, LIBTORCH):
            self.run_job("out.h5", engine, flags=["--overwrite"])
            with h5py.File(self.folder / "out.h5") as file:
                now = json.loads(file["job/fingerprint"][()].tobytes())
            processor = Path("/proc/cpuinfo").read_text()
            name = re.search("model name.*: (.*)", processor)[1]
            flags = re.search("flags.*: (.*)", processor)[1].split()
            sets = [flag for flag in SETS if flag in flags]
            kernels = "AVX512" if "avx512f" in flags else "AVX2"
            own = kernels.lower()
            libtorch = polyhead("--version").stdout.split("LibTorch ")[1].rstrip(")\n")
            parts = [f"LibTorch {libtorch}", *([f"backbone winograd {own}", f"heads {own}"] if engine == WINOGRAD else []),
                     f"kernels {kernels}"]
            former = {"cpu": f"{name}; {' '.join(sets)}", "engine": "; ".join(parts),
                      "images": f"libjpeg-turbo 2.1.5 (2009-2023); libpng 1.6.39; {now['images']}", "libc": "2.36",
                      "polyhead": now["polyhead"]}
            self.write_fingerprint(former)
            done = self.resume(engine)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.write_fingerprint(former | {"cpu": f"another model; {' '.join(sets)}"})
            done = self.resume(engine)
            if engine == WINOGRAD:
                self.assertEqual(done.returncode, 0, done.stderr)
            else:
                self.assert_fails(done, CONFIG, "backbone: LibTorch ", "another model", "--allow-mixed")

    def write_fingerprint(self, fingerprint):
        with h5py.File(self.folder / "out.h5", "r+", alignment_threshold=1, alignment_interval=4096) as file:
            del file["job/fingerprint"]
            bytes_ = np.frombuffer(json.dumps(fingerprint).encode(), np.uint8)
            properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            properties.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
            space = h5py.h5s.create_simple(bytes_.shape)
            data = h5py.h5d.create(file["job"].id, b"fingerprint", h5py.h5t.STD_U8LE, space, properties)
            data.write(h5py.h5s.ALL, h5py.h5s.ALL, bytes_)
            file["ledger/batches"][-1:] = 0

    def resume(self, *sets):
        arguments = ["run", self.config, "--set", f"output.path={self.folder / 'out.h5'}", "--resume"]
        for option in sets:
            arguments += ["--set", option]
        return polyhead(*arguments)

    def test_resumed_elsewhere(self):
        """On another machine a resume is refused, or marks the file, for good."""
        def resume(*flags, machine=()):
            job = [POLYHEAD, "run", str(self.config), "--set", f"output.path={self.folder / 'out.h5'}", "--set", LIBTORCH, "--resume",
                   *flags]
            return subprocess.run([*machine, *job], env=environment(), capture_output=True, text=True, timeout=SECONDS,
                                  stdin=subprocess.DEVNULL, check=False)
        self.run_job("out.h5", LIBTORCH)
        with h5py.File(self.folder / "out.h5", "r+") as file:
            file["ledger/batches"][10:20] = 0
        done = resume(machine=OTHER)
        self.assert_fails(done, CONFIG, "out.h5: this machine would not compute the same bits as the one that began the file",
                          "ONEDNN_MAX_CPU_ISA=AVX now", "--allow-mixed")
        self.assertNotIn("numerics     mixed", polyhead("info", self.folder / "out.h5").stdout)
        done = resume("--allow-mixed", machine=OTHER)
        self.assertEqual(done.returncode, 0, done.stderr)
        with h5py.File(self.folder / "out.h5", "r+") as file:
            file["ledger/batches"][15:] = 0
        self.assertEqual(resume().returncode, 0)  # at home again: what is mixed stays mixed
        with h5py.File(self.folder / "out.h5") as file:
            lines = [json.loads(line) for line in file["job/provenance"][()].tobytes().rstrip(b"\0").splitlines()]
        self.assertEqual([line["mixed_fingerprints"] for line in lines], [False, True, False])
        self.assertIn("ONEDNN_MAX_CPU_ISA=AVX", json.dumps(lines[1]["fingerprint"]))
        self.assertNotIn("fingerprint", lines[2])
        self.assertIn("numerics     mixed", polyhead("info", self.folder / "out.h5").stdout)
        verified = polyhead("verify", self.folder / "out.h5")
        self.assertEqual(verified.returncode, 0, verified.stderr)
        self.assertIn("compared by tolerance", verified.stdout)


if __name__ == "__main__":
    unittest.main()
