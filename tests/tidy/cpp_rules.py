# The rules of the house for C++ sources, each a function from a Tree to findings.
"""A finding is (path, line, message). CPP_RULES at the end names the rules."""

import ast
import re

from source import code_only, functions, kind_of, line_of

FILE_LINES = 400
# Every limit stands in one file (limits_in_limits_h), so that one may be as long as they need.
LONG_FILES = {"include/hawser/base/limits.h"}
FUNCTION_LINES = 70

# What each folder of the core may include directly; whatever these may include is allowed too.
FOLDERS = {
    "base": [],
    "net": ["base"],
    "hash": ["net"],
    "model": ["net"],
    "stats": ["net"],
    "api": ["model"],
    "l4": ["net", "hash"],  # QUIC connection IDs are decrypted and looked up by hash
    "l7": ["net", "model"],  # rules are what operators configure
    "table": ["model", "hash", "l4", "stats"],  # flows keep a TCP state and count themselves
    "affinity": ["table", "l7"],
    "pipeline": ["affinity", "table", "l4", "l7", "model", "hash", "stats"],
}
CONTROL_MAY_USE = {"base", "net", "hash", "model", "api"}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(<[^>\n]+>|"[^"\n]+")', re.MULTILINE)


def allowed_folders(folder):
    allowed, todo = set(), [folder]
    while todo:
        name = todo.pop()
        if name not in allowed:
            allowed.add(name)
            todo += FOLDERS.get(name, [])
    return allowed


def includes(text):
    for match in INCLUDE.finditer(code_only(text, keep_includes=True)):
        yield line_of(text, match.start()), match.group(1)


def core_folder(path):
    """The folder of the core a file belongs to, or None."""
    match = re.match(r"(?:include/hawser|src)/([^/]+)/", path)
    return match.group(1) if match else None


def include_direction(tree):
    for path, text in tree.cpp("include", "src"):
        folder = core_folder(path)
        if folder is None:
            continue
        if folder not in FOLDERS:
            yield path, 1, f"folder {folder} is none of the house"
            continue
        allowed = allowed_folders(folder)
        for line, name in includes(text):
            match = re.match(r'"hawser/([^/"]+)/', name)
            if match and match.group(1) not in allowed:
                yield path, line, f"{folder} must not include {match.group(1)}"
            elif re.match(r'"(?:\.\./)*(?:control|dataplane|tests|bench)/', name):
                yield path, line, f"the core must not include {name}"


def process_separation(tree):
    for path, text in tree.cpp("control", "dataplane"):
        own, other = ("control", "dataplane") if path.startswith("control/") else (
            "dataplane", "control")
        for line, name in includes(text):
            if re.match(rf'"(?:\.\./)*{other}/', name):
                yield path, line, f"{own} must not include {other}"
            match = re.match(r'"hawser/([^/"]+)/', name)
            if own == "control" and match and match.group(1) not in CONTROL_MAY_USE:
                yield path, line, f"control must not include {match.group(1)}"


def dpdk_only_in_dataplane(tree):
    for path, text in tree.cpp():
        if path.startswith(("dataplane/", "bench/wire/")):
            continue
        code = code_only(text, keep_includes=True)
        for match in re.finditer(r"\brte_\w+", code):
            yield path, line_of(code, match.start()), f"{match.group(0)} outside dataplane/"


_SYSTEM_HEADERS = re.compile(
    r"<(?:sys/.*|unistd\.h|fcntl\.h|poll\.h|signal\.h|csignal|netdb\.h|net/.*|linux/.*|fstream|"
    r"iostream|filesystem|thread|mutex|condition_variable|future|random|ctime|time\.h)>")
_SYSTEM_CALLS = re.compile(
    r"\b(?:clock_gettime|gettimeofday|fopen|freopen|popen|getenv|nanosleep|usleep|rte_rdtsc|"
    r"__rdtsc|random_device|system_clock|steady_clock|high_resolution_clock)\b"
    r"|(?<![\w>)\]])::(?:open|read|write|close|socket|bind|connect|send|recv|ioctl|mmap|time)\s*\(")


def core_makes_no_system_calls(tree):
    for path, text in tree.cpp("include", "src"):
        for line, name in includes(text):
            if _SYSTEM_HEADERS.fullmatch(name):
                yield path, line, f"{name} in the core, which has no sockets, files or clocks"
        code = code_only(text)
        for match in _SYSTEM_CALLS.finditer(code):
            yield path, line_of(code, match.start()), f"{match.group(0)} in the core"


def core_does_not_throw(tree):
    for path, text in tree.cpp("include", "src"):
        code = code_only(text)
        for match in re.finditer(r"\b(?:throw|try|catch)\b", code):
            yield path, line_of(code, match.start()), f"{match.group(0)} in the core"


def pragma_once(tree):
    for path, text in tree.cpp():
        # A header that is compiled by itself is a main file, in which GCC does not take the pragma.
        if "/pch/" in path:
            continue
        if path.endswith(".h") and not re.search(r"^#pragma once$", text, re.MULTILINE):
            yield path, 1, "a header without #pragma once"


def no_default_over_enum(tree):
    for path, text in tree.cpp():
        code = code_only(text)
        for match in re.finditer(r"\bdefault\s*:", code):
            # The cases of the same switch: those after the last `switch` above.
            begin = code.rfind("switch", 0, match.start())
            cases = code[begin:match.start()]
            enum_named = re.search(r"\bcase\s+(?:\w+::)+k[A-Z]\w*\s*:", cases)
            using_enum = re.search(r"\bcase\s+k[A-Z]\w*\s*:", cases) and "using enum" in code
            if enum_named or using_enum:
                yield path, line_of(code, match.start()), "default: in a switch over an enum"


def language_subset(tree):
    banned = re.compile(r"\bstd::format\b|\bstd::(?:ranges::)?views?::|<(?:format|ranges)>")
    for path, text in tree.cpp():
        code = code_only(text, keep_includes=True)
        for match in banned.finditer(code):
            yield path, line_of(code, match.start()), f"{match.group(0)} is not in both compilers"


def limits_in_limits_h(tree):
    """Every limit stands in base/limits.h."""
    for path, text in tree.cpp("include", "src"):
        if path == "include/hawser/base/limits.h":
            continue
        code = code_only(text)
        for match in re.finditer(r"\bconstexpr\b[^;{}()=]*\b(kMax[A-Z0-9]\w*)\s*(?:=|\{)", code):
            yield path, line_of(code, match.start(1)), f"{match.group(1)} belongs into limits.h"


def file_length(tree):
    for path, text in tree.files.items():
        if path in LONG_FILES:
            continue
        lines = text.count("\n")
        if kind_of(path, text) in ("cpp", "python", "shell") and lines > FILE_LINES:
            yield path, lines, f"{lines} lines, {FILE_LINES} allowed"


def function_length(tree):
    for path, text in tree.files.items():
        kind = kind_of(path, text)
        if kind == "cpp":
            spans = functions(text)
        elif kind == "python":
            spans = ((node.lineno, node.end_lineno, node.name)
                     for node in ast.walk(ast.parse(text))
                     if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))
        else:
            continue
        for first, last, header in spans:
            lines = last - first + 1
            if lines > FUNCTION_LINES:
                name = re.sub(r"\s+", " ", header)[:60]
                yield path, first, f"{name}: {lines} lines, {FUNCTION_LINES} allowed"


CPP_RULES = [
    include_direction, process_separation, dpdk_only_in_dataplane, core_makes_no_system_calls,
    core_does_not_throw, pragma_once, no_default_over_enum, language_subset, limits_in_limits_h,
    file_length, function_length,
]
