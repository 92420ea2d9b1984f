"""The program on pretended GPUs, with a NCCL in host memory: who gets NCCL, what is recorded, and what its failure does."""

import os
import subprocess
import unittest

from support.harness import NCCL_DOUBLE, EndToEnd, polyhead, provenance, results

JOB = ("parallel.batch=48", "parallel.threads=1", "backbone.engine=libtorch")  # 21 micro-batches; a GPU's engine
PAIR = (*JOB, "parallel.strategy=heads")

BESIDE_A_GPU = """#!/bin/sh
exec unshare --map-root-user --mount sh -c '
  mount -t tmpfs none /proc/driver && mkdir /proc/driver/nvidia && echo NVRM > /proc/driver/nvidia/version && exec "$@"' sh {program} "$@"
"""


class Nccl(EndToEnd):
    def run_double(self, *sets, gpus, ranks=2, **variables):
        """The run's output, the line of its provenance, and its result datasets."""
        done = self.run_job("out.h5", *sets, ranks=ranks, flags=["--overwrite"], program=NCCL_DOUBLE,
                            variables={"POLYHEAD_NCCL_DOUBLE_GPUS": str(gpus), **variables})
        return done, provenance(self.folder / "out.h5"), results(self.folder / "out.h5")

    def serial(self):
        self.run_job("serial.h5", *JOB, ranks=None)
        return results(self.folder / "serial.h5")

    def calls(self, rank):
        """What a rank asked of NCCL: the names, in order."""
        lines = (self.folder / f"calls.{rank}").read_text().splitlines()
        return [line.split()[0] for line in lines if " done " not in line]

    def test_a_gpu_each_means_nccl(self):
        done, line, found = self.run_double(*PAIR, gpus=2, POLYHEAD_NCCL_DOUBLE_LOG=str(self.folder / "calls"))
        self.assertEqual(done.stderr.count("ranks exchange over NCCL: each rank has a GPU of its own"), 1, done.stderr)
        self.assertEqual(line["backend"], "nccl")
        self.assertEqual(line["backend_reason"], "each rank has a GPU of its own")
        self.assertEqual(len(set(line["gpus"])), 2)
        for gpu in line["gpus"]:
            self.assertRegex(gpu, "^GPU-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
        for rank in (0, 1):
            calls = self.calls(rank)
            self.assertEqual(calls.count("ncclAllGather"), calls.count("ncclReduceScatter"))
            self.assertGreaterEqual(calls.count("ncclAllGather"), 1 + 11)  # to connect; the steps of two ranks
            self.assertEqual(calls[-1], "ncclCommDestroy")
            self.assertNotIn("ncclCommAbort", calls)
            self.assertGreaterEqual(calls.count("ncclBroadcast"), 1 + 3)  # to connect; the backbone and two members' heads
            self.assertEqual(calls.count("ncclCommSplit"), 2)
            connecting = calls.index("ncclAllGather")
            first_step = calls.index("ncclAllGather", connecting + 1)
            self.assertNotIn("ncclBroadcast", calls[first_step:])
            gone = calls[:first_step].count("ncclCommDestroy")  # of all ranks, and of each member's that this rank is in
            self.assertEqual(gone, 1 + (2 if rank == 0 else 1))
        self.assertRegex(done.stderr, r"weights: [0-9.]+ MiB to 2 GPU\(s\) over NCCL in ")
        self.assertEqual(found, self.serial())

    def test_every_rank_gets_its_weights_where_no_heads_are_shared(self):
        """Then ranks exchange nothing, but the backbone comes over NCCL all the same."""
        done, line, found = self.run_double(*JOB, "parallel.strategy=data", gpus=2)
        self.assertRegex(done.stderr, r"weights: [0-9.]+ MiB to 2 GPU\(s\) over NCCL in ")
        self.assertEqual(line["weights_over"], "nccl")
        self.assertEqual(found, self.serial())

    def test_any_grid_gives_the_same_bytes(self):
        expected = self.serial()
        for data, heads in ((1, 3), (3, 1), (2, 2), (2, 3)):
            with self.subTest(data=data, heads=heads):
                ranks = data * heads
                done, line, found = self.run_double(*JOB, "parallel.strategy=grid", f"parallel.grid={{data: {data}, heads: {heads}}}",
                                                    gpus=ranks, ranks=ranks)
                self.assertEqual((line["backend"], line["weights_over"]), ("nccl" if heads > 1 else "mpi", "nccl"))
                self.assertIn(f"to {ranks} GPU(s) over NCCL in ", done.stderr)
                self.assertEqual(found, expected)

    def test_one_rank_exchanges_with_itself_where_asked(self):
        done, line, found = self.run_double(*JOB, "comm.backend=nccl", gpus=1, ranks=1, POLYHEAD_EXCHANGE_ALONE="1",
                                            POLYHEAD_NCCL_DOUBLE_LOG=str(self.folder / "calls"))
        self.assertEqual((line["backend"], line["weights_over"]), ("nccl", "nccl"))
        calls = self.calls(0)
        self.assertEqual(calls.count("ncclReduceScatter"), 1 + 2 + 21)  # to connect, to try, the steps
        self.assertGreaterEqual(calls.count("ncclBroadcast"), 2)
        self.assertEqual(found, self.serial())

    def test_two_ranks_on_one_gpu_use_mpi(self):
        expected = self.serial()
        for backend in ("auto", "nccl"):
            done, line, found = self.run_double(*PAIR, f"comm.backend={backend}", gpus=1)
            self.assertIn("ranks exchange over MPI, through page-locked memory: ranks 0 and 1 on", done.stderr)
            self.assertIn("share the GPU GPU-", done.stderr)
            self.assertRegex(done.stderr, r"weights: [0-9.]+ MiB to 1 other rank\(s\) over MPI in ")
            self.assertEqual(line["weights_over"], "mpi")
            self.assertEqual(line["backend"], "mpi")
            self.assertEqual(line["gpus"][0], line["gpus"][1])
            self.assertEqual(found, expected)

    def test_mpi_when_it_is_asked_for(self):
        _, line, found = self.run_double(*PAIR, "comm.backend=mpi", gpus=2)
        self.assertEqual((line["backend"], line["backend_reason"]), ("mpi", "comm.backend is mpi"))
        self.assertEqual(found, self.serial())

    def test_idle_ranks_need_no_gpu_of_their_own(self):
        done, line, found = self.run_double(*JOB, "parallel.strategy=grid", "parallel.grid={data: 1, heads: 2}", gpus=2,
                                            ranks=3)
        self.assertIn("1 of 3 ranks will idle", done.stderr)
        self.assertRegex(done.stderr, r"weights: [0-9.]+ MiB to 2 GPU\(s\) over NCCL in ")
        self.assertEqual(line["backend"], "nccl")
        self.assertEqual(found, self.serial())

    def test_a_gpu_without_kernels_is_refused_at_set_up(self):
        done = polyhead("run", self.config, "--set", f"output.path={self.folder / 'out.h5'}", ranks=2, program=NCCL_DOUBLE,
                        variables={"POLYHEAD_NCCL_DOUBLE_GPUS": "2", "POLYHEAD_NCCL_DOUBLE_CAPABILITY": "70"})
        self.assert_fails(done, 78, "the GPU a GPU in host memory (GPU-", "has compute capability 7.0", "need 7.5 or later")
        self.assertFalse((self.folder / "out.h5").exists())

    def test_a_gpu_that_is_there_and_not_used_is_told(self):
        """The kernel module's file is there, and CUDA sees nothing."""
        program = self.folder / "beside_a_gpu"
        program.write_text(BESIDE_A_GPU.format(program=NCCL_DOUBLE))
        program.chmod(0o755)
        if subprocess.run([program, "--version"], capture_output=True, check=False).returncode != 0:
            self.skipTest("no namespace for mounts can be made here")
        hidden = {"POLYHEAD_NCCL_DOUBLE_GPUS": "0", "CUDA_VISIBLE_DEVICES": ""}
        reason = 'no GPU is visible to this process: CUDA_VISIBLE_DEVICES is ""'
        done = self.run_job("out.h5", *JOB, program=program, variables=hidden)
        self.assertEqual(done.stderr.count("a GPU is there, but ranks compute on the CPU"), 1, done.stderr)
        self.assertIn(f"{os.uname().nodename}: {reason}", done.stderr)
        self.assertEqual(provenance(self.folder / "out.h5")["unused_gpus"], f"{os.uname().nodename}: {reason}")
        self.assertIn("CUDA_VISIBLE_DEVICES is", polyhead("info", self.folder / "out.h5").stdout)
        done = self.run_job("cpu.h5", *JOB, "parallel.device=cpu", program=program, variables=hidden)
        self.assertNotIn("a GPU is there", done.stderr)
        self.assertNotIn("unused_gpus", provenance(self.folder / "cpu.h5"))

    def test_what_cannot_connect_falls_back_to_mpi(self):
        """NCCL connects ranks at the first exchange: it must fail where MPI can still take its place."""
        expected = self.serial()
        for strategy, warned in (("data", "weights travel over MPI: NCCL cannot be set up: "),
                                 ("heads", "ranks exchange over MPI, through page-locked memory: NCCL cannot be set up: ")):
            with self.subTest(strategy=strategy):
                done, line, found = self.run_double(*JOB, f"parallel.strategy={strategy}", "comm.timeout=1s", gpus=2,
                                                    POLYHEAD_NCCL_DOUBLE_ERROR="1 0")
                self.assertIn(warned, done.stderr)
                self.assertIn("remote process exited", done.stderr)  # rank 1's reason, not that others waited
                self.assertEqual((line["backend"], line["weights_over"]), ("mpi", "mpi"))
                self.assertIn("NCCL cannot be set up", line["weights_reason"])
                self.assertEqual(found, expected)

    def test_an_error_of_nccl_ends_the_job(self):
        done = polyhead("run", self.config, "--set", f"output.path={self.folder / 'out.h5'}",
                        *(word for option in (*PAIR, "comm.timeout=2s") for word in ("--set", option)), ranks=2,
                        program=NCCL_DOUBLE,
                        variables={"POLYHEAD_NCCL_DOUBLE_GPUS": "2", "POLYHEAD_NCCL_DOUBLE_ERROR": "1 20"})
        self.assert_fails(done, 69, "rank 1", "NCCL: nccl", "remote process exited", "of 21 micro-batches are finished and kept")


if __name__ == "__main__":
    unittest.main()
