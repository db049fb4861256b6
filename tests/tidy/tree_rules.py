# The rules of the house for the tree as a whole: texts, layout, documents, format.
"""A finding is (path, line, message). TREE_RULES at the end names the rules."""

import os
import re
import subprocess

from source import CPP, kind_of, line_of

TOP_LEVEL = {
    ".ci", ".clang-format", ".clang-tidy", ".gitignore", "CONTRIBUTING.md", "LICENSE",
    "README.md", "bench", "control", "dataplane", "docs", "include", "meson.build",
    "meson_options.txt", "packaging", "scripts", "src", "tests",
}
# Spelt apart so that this file passes its own rule.
UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b")


def top_level(tree):
    for name in sorted({path.split("/")[0] for path in tree.files}):
        if name not in TOP_LEVEL:
            yield name, 1, "not in the layout of the house"


def says_its_job(tree):
    """The first line (after a #! line) of every source is a comment saying what the file is for."""
    starts = {"cpp": "// ", "proto": "// ", "python": "# ", "shell": "# ", "meson": "# "}
    for path, text in tree.files.items():
        start = starts.get(kind_of(path, text))
        if start is None or not text:
            continue
        lines = text.split("\n")
        first = lines[1] if lines[0].startswith("#!") and len(lines) > 1 else lines[0]
        if not first.startswith(start) or len(first) < len(start) + 10:
            yield path, 1, "the first line must be a comment that says the file's job"


def nothing_unfinished(tree):
    for path, text in tree.files.items():
        for match in UNFINISHED.finditer(text):
            yield path, line_of(text, match.start()), f"{match.group(0)}: finish it or file an issue"


def clean_lines(tree):
    for path, text in tree.files.items():
        if path == "LICENSE" or path.startswith(("tests/golden/", "tests/fuzz/corpus/")):
            continue
        for number, line in enumerate(text.split("\n"), 1):
            if line != line.rstrip():
                yield path, number, "trailing whitespace"
        if text and not text.endswith("\n"):
            yield path, text.count("\n") + 1, "no newline at the end"


def commands_in_documents(tree):
    """Every file of ours that a ```sh block names exists, or is a program that meson builds."""
    fence = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
    ours = re.compile(r"(?<![\w./-])((?:scripts|docs|tests|packaging|bench|build)/[\w./-]*[\w/-])")
    meson = "".join(text for path, text in tree.files.items() if path.endswith("meson.build"))
    for path, text in tree.files.items():
        if kind_of(path, text) != "markdown":
            continue
        for block in fence.finditer(text):
            for match in ours.finditer(block.group(1)):
                name = match.group(1)
                line = line_of(text, block.start(1) + match.start())
                if name.startswith("build/"):
                    if f"'{name.split('/')[-1]}'" not in meson:
                        yield path, line, f"{name}: meson builds no such program"
                elif not tree.exists(name):
                    yield path, line, f"{name} does not exist"


def links_in_documents(tree):
    for path, text in tree.files.items():
        if kind_of(path, text) != "markdown":
            continue
        for match in re.finditer(r"\]\(([^)#\s:]+)(?:#[^)]*)?\)", text):
            target = os.path.normpath(os.path.join(os.path.dirname(path), match.group(1)))
            if not tree.exists(target):
                yield path, line_of(text, match.start()), f"{match.group(1)} does not exist"


VERDICTS = "src/pipeline/verdict.cc"


def verdict_names(tree):
    """Names of the verdicts, as counters and documents spell them."""
    text = tree.files.get(VERDICTS, "")
    names = re.findall(r'\{k\w+,\s*\w+::k\w+,\s*"([a-z][a-z0-9_]*)"', text)
    # An undecided packet is a bug of ours: no row can ask for one.
    return [name for name in names if name != "undecided"]


def verdicts_are_covered(tree):
    """Each verdict is a row of the packet tests and is explained in the documents."""
    if VERDICTS not in tree.files:
        return
    names = verdict_names(tree)
    if not names:
        yield VERDICTS, 1, "no verdict found; the rule must learn how they are written"
    rows = "\n".join(t for p, t in tree.files.items() if p.startswith("tests/spec/"))
    documents = "\n".join(t for p, t in tree.files.items()
                          if p.startswith("docs/") and p.endswith(".md"))
    for name in names:
        camel = "k" + "".join(part.capitalize() for part in name.split("_"))
        if not re.search(rf"\b(?:{name}|{camel})\b", rows):
            yield VERDICTS, 1, f"{name}: no row in tests/spec"
        if not re.search(rf"\b{name}\b", documents):
            yield VERDICTS, 1, f"{name}: not in docs"


def clang_formatted(tree):
    paths = sorted(path for path in tree.files if path.endswith(CPP))
    if not paths or tree.root is None:
        return
    run = subprocess.run(["clang-format", "--dry-run", "-Werror", "--ferror-limit=1", *paths],
                         cwd=tree.root, capture_output=True, text=True, check=False)
    found = re.findall(r"^(\S+?):(\d+):\d+: error", run.stderr, re.MULTILINE)
    for path, line in found:
        yield path, int(line), "not as clang-format lays it out"
    if run.returncode != 0 and not found:
        yield "clang-format", 1, run.stderr.strip()[:200]


TREE_RULES = [
    top_level, says_its_job, nothing_unfinished, clean_lines, commands_in_documents,
    links_in_documents, verdicts_are_covered, clang_formatted,
]
