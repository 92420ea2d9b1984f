"""What the Markdown pages point to exists, and the sentences of the two pages that everybody reads are short.

In code spans and code blocks: a path that begins with a folder of the repository, and a `module/name`, which stands for
src/module/**/name.cpp or .hpp, for include/polyhead/module/**/name.hpp, or for a folder of that name. A component in capitals is a
placeholder. Relative links must lead to a file, and to a heading where they name one.
"""

import re
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/*.md")
SHORT_SENTENCES = ("README.md", "ARCHITECTURE.md")
MOST_WORDS = 35
FOLDERS = ("include", "src", "tests", "docs", "configs", "launch", "slurm", "tools", "bench", "cmake", ".ci")
SOURCES = (".cpp", ".hpp")
ABBREVIATION = re.compile(r"\b(e\.g|i\.e|vs|cf)\.$")


def pages(root):
    return sorted(path for pattern in PAGES for path in root.glob(pattern))


def split_blocks(text):
    """(prose, code) as lists of (line number, line): fenced blocks and those indented by four columns after an empty line are code."""
    prose, code, fence, indented, empty = [], [], None, False, True
    for number, line in enumerate(text.splitlines(), 1):
        mark = re.match(r"\s*(```|~~~)", line)
        if fence or mark:
            code.append((number, line))
            fence = (None if mark and mark[1] == fence else fence) if fence else mark[1]
            continue
        indented = line.startswith("    ") and (indented or empty) if line.strip() else indented
        (code if indented else prose).append((number, line))
        empty = not line.strip()
    return prose, code


def code_words(text):
    """(line number, word, whether it is a code span of its own) of all code on a page."""
    prose, code = split_blocks(text)
    for number, line in code:
        for word in line.split():
            yield number, word, False
    for number, line in prose:
        for span in re.findall(r"`([^`]+)`", line):
            words = span.split()
            for word in words:
                yield number, word, len(words) == 1


def modules(root):
    return {path.name for path in root.glob("src/*/")} | {path.name for path in root.glob("include/polyhead/*/")}


def exists(root, path):
    """A file or folder, or a pattern that something matches."""
    return any(root.glob(path)) if "*" in path else (root / path).exists()


def has_source(root, module, name):
    """module/name at any depth: a source or header, with or without its suffix, or a folder."""
    for top in (root / "src" / module, root / "include/polyhead" / module):
        for found in top.rglob("*"):
            relative = found.relative_to(top)
            if found.is_dir() or found.suffix in SOURCES:
                for spelt in (relative, relative.with_suffix("")):
                    if spelt.as_posix() == name or spelt.as_posix().endswith("/" + name):
                        return True
    return False


def path_problem(root, word, alone):
    """Why `word` is no path of the repository although it looks like one; None where all is well."""
    path = word.strip("\"'(),;:").rstrip("./")
    parts = path.split("/")
    if not re.fullmatch(r"[\w.*/-]+", path) or any(re.fullmatch(r"[A-Z]+(\.\w+)?", part) for part in parts):
        return None
    if len(parts) > 1 and parts[0] in FOLDERS:
        return None if exists(root, path) else f"there is no {path}"
    if not alone:
        return None
    if len(parts) > 1 and parts[0] in modules(root):
        return None if has_source(root, parts[0], "/".join(parts[1:])) else f"module {parts[0]} has no {'/'.join(parts[1:])}"
    if len(parts) == 1 and path.endswith(SOURCES) and not any(any((root / top).rglob(path)) for top in FOLDERS):
        return f"no file is called {path}"
    return None


def anchors(text):
    """The names by which links reach a page's headings."""
    titles = [line.lstrip("#").strip() for _, line in split_blocks(text)[0] if re.match(r"#+ ", line)]
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def link_problem(page, target):
    if re.match(r"[a-z]+:", target):
        return None
    path, _, anchor = target.partition("#")
    file = page.parent / path if path else page
    if not file.exists():
        return f"the link to {target} leads nowhere"
    if anchor and anchor not in anchors(file.read_text()):
        return f"the link to {target} leads to no heading"
    return None


def check_page(root, page):
    """Wrong paths and links of a page, as texts."""
    text = page.read_text()
    found = [(number, path_problem(root, word, alone)) for number, word, alone in code_words(text)]
    for number, line in split_blocks(text)[0]:
        without_code = re.sub(r"`[^`]*`", "CODE", line)
        found += [(number, link_problem(page, target)) for target in re.findall(r"\]\(([^)\s]+)\)", without_code)]
    return [f"{page.relative_to(root)}:{number}: {problem}" for number, problem in sorted(found, key=lambda each: each[0]) if problem]


def paragraphs(text):
    """Prose as one line each: paragraphs and items of lists; headings, tables and code are left out."""
    lines = []
    for _, line in split_blocks(text)[0]:
        ends = not line.strip() or re.match(r"\s*(\||#)", line)
        if ends or re.match(r"\s*([-*]|\d+\.) ", line):
            yield " ".join(lines)
            lines = []
        if not ends:
            lines.append(re.sub(r"^\s*([-*]|\d+\.) ", "", line).strip())
    yield " ".join(lines)


def sentences(paragraph):
    """A code span is one word, a link its text."""
    plain = re.sub(r"`[^`]*`", "CODE", paragraph)
    plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", plain).replace("*", "")
    sentence = ""
    for piece in re.split(r"(?<=[.!?])\s+|(?<=[.!?][\")])\s+", plain):
        sentence = f"{sentence} {piece}".strip()
        if not ABBREVIATION.search(sentence):
            yield sentence
            sentence = ""
    if sentence:
        yield sentence


def words(sentence):
    return [word for word in sentence.split() if re.search(r"\w", word)]


def long_sentences(text):
    return [f"{len(words(sentence))} words: {sentence}" for paragraph in paragraphs(text)
            for sentence in sentences(paragraph) if len(words(sentence)) > MOST_WORDS]


class DocsPathsTest(unittest.TestCase):
    def test_the_pages_are_there(self):
        names = [page.relative_to(ROOT).as_posix() for page in pages(ROOT)]
        for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/usage.md", "docs/glossary.md"):
            self.assertIn(name, names)

    def test_paths_and_links(self):
        self.assertEqual([problem for page in pages(ROOT) for problem in check_page(ROOT, page)], [])

    def test_sentences(self):
        for name in SHORT_SENTENCES:
            self.assertEqual(long_sentences((ROOT / name).read_text()), [], name)


class ChecksTest(unittest.TestCase):
    """That the checks above can fail, on a tree made up for it."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        for file in ("src/data/webdataset/tar.cpp", "include/polyhead/run/job.hpp", "launch/demo.sh", "docs/a.md"):
            path = self.root / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("# A title\n")

    def problems(self, text):
        page = self.root / "README.md"
        page.write_text(text)
        return check_page(self.root, page)

    def test_what_is_there(self):
        for text in ("`data/tar`", "`data/webdataset/tar`", "`data/webdataset`", "`run/job.hpp`", "`job.hpp`", "`src/data`",
                     "`launch/demo.sh --help`", "`launch/*.sh`", "    launch/demo.sh", "```\nlaunch/demo.sh\n```",
                     "`src/MODULE/NAME.cpp`", "`/job/summary`", "`heads/scores`", "`runs/val.h5`", "`build/release/polyhead`",
                     "[a](docs/a.md), [b](docs/a.md#a-title), [c](https://ui.perfetto.dev)"):
            self.assertEqual(self.problems(text), [], text)

    def test_what_is_not(self):
        for text, problem in (("`data/zip`", "module data has no zip"), ("`data/jpeg/tar`", "module data has no jpeg/tar"),
                              ("`run/job.cpp`", "module run has no job.cpp"), ("`data/ta`", "module data has no ta"),
                              ("`jobs.hpp`", "no file is called jobs.hpp"), ("`src/data/tar.cpp`", "there is no src/data/tar.cpp"),
                              ("`launch/demo`", "there is no launch/demo"), ("`launch/*.py`", "there is no launch/*.py"),
                              ("`launch/dmo.sh --help`", "there is no launch/dmo.sh"), ("    launch/dmo.sh", "there is no launch/dmo.sh"),
                              ("```\nlaunch/dmo.sh\n```", "there is no launch/dmo.sh"),
                              ("[a](docs/b.md)", "the link to docs/b.md leads nowhere"),
                              ("[a](docs/a.md#b)", "the link to docs/a.md#b leads to no heading")):
            found = self.problems(text)
            self.assertEqual(len(found), 1, text)
            self.assertRegex(found[0], rf"README\.md:\d: {re.escape(problem)}$")

    def test_long_sentences(self):
        long = " ".join(["word"] * (MOST_WORDS + 1)) + "."
        for text in (long, f"- {long}", f"1. Short.\n2. {long}", f"**Bold.** {long}", f"A short one. {long} One more."):
            self.assertEqual(long_sentences(text), [f"{MOST_WORDS + 1} words: {long}"], text)
        half = " ".join(["word"] * (MOST_WORDS // 2))
        for text in (f"{half}. {half}.", f"- {half}\n- {half}\n- {half}", f"`{long}`", f"    {long}", f"```\n{long}\n```", f"| {long} |"):
            self.assertEqual(long_sentences(text), [], text)
        self.assertEqual(len(long_sentences(f"{half}, e.g. {half} and {half}.")), 1)


if __name__ == "__main__":
    unittest.main()
