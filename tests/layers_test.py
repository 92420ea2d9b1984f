#!/usr/bin/env python3
"""Checks that the code keeps the order of its modules.

    tests/layers_test.py            # checks this project, then itself
    tests/layers_test.py FOLDER     # checks the include/ and src/ of another tree

An #include may point to the same module or to one above it in MODULES, and within a module of FOLDERS in the same way;
a third-party header may be used only in the modules that own it, and in src/ only, so that it cannot leak; sources
hold no conditional compilation; every header starts with #pragma once. Each breach is printed as file:line.
"""

import contextlib
import io
import re
import sys
import tempfile
import unittest
from pathlib import Path

# In the order of ARCHITECTURE.md's table, from the primitive to the program.
MODULES = ("base config image plan device comm h5 data kernels resnet checkpoint graph model fusion store metrics report doctor run app").split()
# The order of the folders of a module that is built in layers itself; files beside the folders stand on all of them.
FOLDERS = {"run": "protocol display setup identity worker planning resume coordinator verify".split()}
TOP = "."  # the files beside the folders
# Public headers without a body of their name, and whose they are.
BODILESS = {("run", "compare"): "verify", ("run", "job_options"): "coordinator"}
# Exceptions to the order: a module that stands above, but may not be included.
FORBIDDEN = {("run", "report")}

# Pattern of a header's name, and the modules whose sources may include it.
THIRD_PARTY = [
    (r"c10/cuda/.*", {"device", "model"}),
    (r"(torch|ATen|c10|caffe2)/.*", {"model", "fusion"}),
    (r"hdf5.*\.h", {"h5"}),
    (r"yaml-cpp/.*", {"config"}),
    (r"spdlog/.*", {"base"}),
    (r"xxhash\.h", {"base"}),
    (r"mpi\.h", {"comm"}),
    (r"(cuda|nccl|cudnn|cublas).*\.h", {"device", "comm"}),
    (r"CLI/.*", {"app"}),
    (r"nlohmann/.*", {"data", "checkpoint", "report", "doctor", "run"}),
    (r"(jpeglib|jerror|png)\.h", {"image"}),
    (r"zlib\.h", {"image", "checkpoint"}),
]
# Header-only text formatting: the one third-party header that is at home everywhere.
EVERYWHERE = r"fmt/.*"
# The C and C++ libraries' own headers, POSIX and Linux: <vector>, <fcntl.h>, <sys/stat.h>.
SYSTEM = r"[a-z0-9_]+(\.h)?|(sys|linux|gnu|net|netinet|arpa)/[a-z0-9_-]+\.h"

INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')
CONDITIONAL = re.compile(r"\s*#\s*(if|ifdef|ifndef|elif)\b")


def module_of(relative):
    """include/polyhead/config/load.hpp and src/config/load.cpp belong to config."""
    return relative.parts[2 if relative.parts[0] == "include" else 1]


def folder_of(sources, module, header):
    """The folder of the module that a header belongs to: where it lies, or for a public one where its body lies."""
    parts = Path(header).parts
    if parts[0] != "polyhead":
        return parts[1] if len(parts) > 2 else TOP
    bodies = sorted((sources / module).glob(f"**/{Path(header).stem}.cpp"))
    if not bodies:
        return BODILESS.get((module, Path(header).stem), "")
    return bodies[0].relative_to(sources / module).parts[0] if bodies[0].parent != sources / module else TOP


def check_folders(sources, relative, module, header):
    """An arrow between two folders of one module."""
    order = FOLDERS[module]
    own = folder_of(sources, module, str(Path(*relative.parts[1:])))
    target = folder_of(sources, module, header)
    if own not in ("", TOP) and target == TOP:
        return f"folder {own} of module {module} may not include {header}, which stands on all folders"
    unknown = next((folder for folder in (own, target) if folder not in (*order, "", TOP)), None)
    if unknown:
        return f"folder {unknown} of module {module} is in no order"
    if own in order and target in order and order.index(target) > order.index(own):
        return f"folder {own} of module {module} may not include {target}"
    return None


def check_own(module, target):
    if target not in MODULES:
        return f"there is no module {target}"
    if MODULES.index(target) > MODULES.index(module) or (module, target) in FORBIDDEN:
        return f"module {module} may not include {target}"
    return None


def check_third_party(relative, module, header):
    if re.fullmatch(EVERYWHERE, header):
        return None
    owners = next((owners for pattern, owners in THIRD_PARTY if re.fullmatch(pattern, header)), None)
    if owners is None:
        return None if re.fullmatch(SYSTEM, header) else f"<{header}> is in no list of known headers"
    if module not in owners:
        return f"<{header}> belongs to module {', '.join(sorted(owners))}"
    if relative.parts[0] == "include":
        return f"<{header}> leaks through a public header"
    return None


def check_include(file, relative, module, quote, header):
    sources = file.parents[len(relative.parts) - 2] if relative.parts[0] == "src" else file.parents[len(relative.parts) - 1] / "src"
    if header.startswith("polyhead/"):
        target = header.split("/")[1]
        return check_folders(sources, relative, module, header) if target == module and module in FOLDERS else check_own(module, target)
    if quote == "<":
        return check_third_party(relative, module, header)
    if "/" not in header:
        return None if (file.parent / header).exists() else f'"{header}" is not a header beside this file'
    if header.split("/")[0] == module and (sources / header).exists() and relative.parts[0] == "src":
        return check_folders(sources, relative, module, header) if module in FOLDERS else None
    return f'"{header}" is not a header of this module'


def check_line(file, relative, line):
    if CONDITIONAL.match(line):
        return "conditional compilation"
    include = INCLUDE.match(line)
    return check_include(file, relative, module_of(relative), *include.groups()) if include else None


def check_file(file, root):
    """Breaches in one source file, as (line, text)."""
    lines = file.read_text().splitlines()
    relative = file.relative_to(root)
    if file.suffix == ".hpp" and lines[:1] != ["#pragma once"]:
        yield 1, "a header starts with #pragma once"
    if module_of(relative) not in MODULES:
        yield 1, f"there is no module {module_of(relative)}"
        return
    for number, line in enumerate(lines, 1):
        breach = check_line(file, relative, line)
        if breach:
            yield number, breach


def sources(root):
    """Every C++ file of the modules."""
    found = [*(root / "include").glob("polyhead/*/**/*"), *(root / "src").glob("*/**/*")]
    return sorted(file for file in found if file.suffix in (".hpp", ".cpp", ".h", ".cu"))


def check_tree(root):
    return [f"{file.relative_to(root)}:{line}: {text}"
            for file in sources(root) for line, text in check_file(file, root)]


class LayersTest(unittest.TestCase):
    """That the check above can fail, on a tree made up for it."""

    def breaches(self, path, text, others=()):
        with tempfile.TemporaryDirectory() as folder:
            for name, content in {path: text, **dict.fromkeys(others, "#pragma once\n")}.items():
                file = Path(folder, name)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(content)
            return check_tree(Path(folder))

    def test_good_code_passes(self):
        text = '#include <mpi.h>\n#include <sys/stat.h>\n#include <vector>\n#include <fmt/format.h>\n' \
               '#include "polyhead/comm/mpi.hpp"\n#include "polyhead/base/error.hpp"\n#include "wait.hpp"\n'
        self.assertEqual(self.breaches("src/comm/mpi.cpp", text, ["src/comm/wait.hpp"]), [])

    def test_upward_include(self):
        self.assertEqual(self.breaches("src/config/load.cpp", '\n#include "polyhead/run/run.hpp"\n'),
                         ["src/config/load.cpp:2: module config may not include run"])

    def test_run_may_not_include_report(self):
        self.assertEqual(self.breaches("src/run/run.cpp", '#include "polyhead/report/summary.hpp"\n'),
                         ["src/run/run.cpp:1: module run may not include report"])

    def test_unknown_module(self):
        self.assertEqual(self.breaches("src/base/x.cpp", '#include "polyhead/util/x.hpp"\n'),
                         ["src/base/x.cpp:1: there is no module util"])
        self.assertEqual(self.breaches("src/util/x.cpp", ""), ["src/util/x.cpp:1: there is no module util"])

    def test_third_party_outside_its_module(self):
        self.assertEqual(self.breaches("src/run/run.cpp", "#include <ATen/ATen.h>\n"),
                         ["src/run/run.cpp:1: <ATen/ATen.h> belongs to module fusion, model"])

    def test_third_party_in_a_public_header(self):
        self.assertEqual(self.breaches("include/polyhead/h5/h5.hpp", "#pragma once\n#include <hdf5.h>\n"),
                         ["include/polyhead/h5/h5.hpp:2: <hdf5.h> leaks through a public header"])

    def test_unknown_third_party(self):
        self.assertEqual(self.breaches("src/base/x.cpp", "#include <boost/any.hpp>\n"),
                         ["src/base/x.cpp:1: <boost/any.hpp> is in no list of known headers"])

    def test_another_module_s_private_header(self):
        self.assertEqual(self.breaches("src/run/x.cpp", '#include "../comm/wait.hpp"\n', ["src/comm/wait.hpp"]),
                         ['src/run/x.cpp:1: "../comm/wait.hpp" is not a header of this module'])
        self.assertEqual(self.breaches("src/run/x.cpp", '#include "comm/wait.hpp"\n', ["src/comm/wait.hpp"]),
                         ['src/run/x.cpp:1: "comm/wait.hpp" is not a header of this module'])

    def test_a_private_header_of_another_folder(self):
        self.assertEqual(self.breaches("src/run/worker/x.cpp", '#include "run/setup/wait.hpp"\n', ["src/run/setup/wait.hpp"]), [])
        self.assertEqual(self.breaches("src/run/worker/x.cpp", '#include "run/setup/gone.hpp"\n'),
                         ['src/run/worker/x.cpp:1: "run/setup/gone.hpp" is not a header of this module'])

    def test_an_arrow_up_between_folders(self):
        self.assertEqual(self.breaches("src/run/setup/x.cpp", '#include "run/worker/wait.hpp"\n', ["src/run/worker/wait.hpp"]),
                         ["src/run/setup/x.cpp:1: folder setup of module run may not include worker"])
        self.assertEqual(self.breaches("src/run/setup/x.cpp", '#include "polyhead/run/wait.hpp"\n', ["src/run/worker/wait.cpp"]),
                         ["src/run/setup/x.cpp:1: folder setup of module run may not include worker"])
        header = "#pragma once\n" + '#include "polyhead/run/wait.hpp"\n'
        self.assertEqual(self.breaches("include/polyhead/run/x.hpp", header, ["src/run/worker/wait.cpp", "src/run/setup/x.cpp"]),
                         ["include/polyhead/run/x.hpp:2: folder setup of module run may not include worker"])
        self.assertEqual(self.breaches("src/run/job.cpp", '#include "run/verify/x.hpp"\n', ["src/run/verify/x.hpp"]), [])
        self.assertEqual(self.breaches("src/run/setup/x.cpp", '#include "polyhead/run/job.hpp"\n', ["src/run/job.cpp"]),
                         ["src/run/setup/x.cpp:1: folder setup of module run may not include polyhead/run/job.hpp, which stands on all folders"])
        self.assertEqual(self.breaches("src/run/other/x.cpp", '#include "polyhead/run/x.hpp"\n'),
                         ["src/run/other/x.cpp:1: folder other of module run is in no order"])

    def test_conditional_compilation(self):
        self.assertEqual(self.breaches("src/device/x.cpp", "#ifdef CUDA\n#endif\n"),
                         ["src/device/x.cpp:1: conditional compilation"])

    def test_header_without_pragma_once(self):
        self.assertEqual(self.breaches("include/polyhead/base/x.hpp", "// text\n#pragma once\n"),
                         ["include/polyhead/base/x.hpp:1: a header starts with #pragma once"])

    def test_empty_tree_is_no_success(self):
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
            self.assertEqual(main(Path(folder)), 1)


def main(root):
    breaches = check_tree(root)
    if not sources(root):
        breaches = [f"{root}: no sources found"]
    print("\n".join(breaches) or f"layers: {len(sources(root))} files keep the order")
    return 1 if breaches else 0


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.exit(main(Path(sys.argv[1]).resolve()))
    if main(Path(__file__).resolve().parent.parent):
        sys.exit(1)
    unittest.main()
