# The files of the project as text, and C++ text without what is not code.
"""A Tree maps paths, relative to the project's root, to their text."""

import os
import re
import subprocess

CPP = (".h", ".cc")
SHELL_FIRST_LINE = re.compile(r"#!.*\b(bash|sh)\b")


class Tree:
    """Files by path, of binary ones their names only. What git ignores is not in it."""

    def __init__(self, files, root=None, binaries=()):
        self.files = dict(files)
        self.root = root
        self.binaries = set(binaries)

    @staticmethod
    def of_directory(root):
        listing = subprocess.run(
            ["git", "-C", root, "-c", "safe.directory=*", "ls-files", "-z", "--cached",
             "--others", "--exclude-standard"], capture_output=True, text=True, check=False)
        if listing.returncode == 0:
            paths = sorted(set(filter(None, listing.stdout.split("\0"))))
        else:  # an unpacked archive
            paths = sorted(_walk(root))
        files = {}
        binaries = set()
        for path in paths:
            full = os.path.join(root, path)
            if not os.path.isfile(full) or os.path.islink(full):
                continue
            with open(full, "rb") as stream:
                raw = stream.read()
            if b"\0" in raw:
                binaries.add(path)
            else:
                files[path] = raw.decode("utf-8", errors="replace")
        return Tree(files, root, binaries)

    def cpp(self, *folders):
        """C++ sources, of the given top folders only when any are named."""
        for path, text in self.files.items():
            if path.endswith(CPP) and (not folders or path.split("/")[0] in folders):
                yield path, text

    def exists(self, path):
        path = path.rstrip("/")
        known = self.files.keys() | self.binaries
        return path in known or any(other.startswith(path + "/") for other in known)


def _walk(root):
    for directory, names, files in os.walk(root):
        names[:] = [n for n in names if not n.startswith((".git", "build", "__pycache__"))]
        for name in files:
            yield os.path.relpath(os.path.join(directory, name), root)


def kind_of(path, text):
    """cpp, python, shell, meson, proto, markdown or other."""
    if path.endswith(CPP):
        return "cpp"
    for ending, kind in ((".py", "python"), (".proto", "proto"), (".md", "markdown"),
                         (".sh", "shell")):
        if path.endswith(ending):
            return kind
    if path.endswith("meson.build"):
        return "meson"
    first = text.split("\n", 1)[0]
    if SHELL_FIRST_LINE.match(first):
        return "shell"
    return "python" if first.startswith("#!") and "python" in first else "other"


_NOT_CODE = re.compile(
    r'//[^\n]*'
    r'|/\*.*?\*/'
    r'|R"(?P<tag>[^()\\\s]{0,16})\(.*?\)(?P=tag)"'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])*'",
    re.DOTALL)


def code_only(text, keep_includes=False):
    """`text` with comments, strings and preprocessor lines blanked; lines stay where they are."""

    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))

    if keep_includes:
        return re.sub(r"//[^\n]*|/\*.*?\*/", blank, text, flags=re.DOTALL)
    text = _NOT_CODE.sub(blank, text)
    return re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", blank, text, flags=re.MULTILINE)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


_SCOPE = re.compile(r"\s*(?:inline\s+|static\s+|constexpr\s+|typedef\s+)*"
                    r"(?:namespace|class|struct|enum|union|extern)\b")


def _without_template(header):
    """The header of a declaration without its leading template <...>."""
    header = header.lstrip()
    while header.startswith("template"):
        depth, position = 0, header.find("<")
        if position < 0:
            return header
        while position < len(header):
            depth += {"<": 1, ">": -1}.get(header[position], 0)
            position += 1
            if depth == 0:
                break
        header = header[position:].lstrip()
    return header


def functions(text):
    """Yields (first line, last line, header) of each function body, by matching braces.

    Good enough for code that clang-format has laid out: a brace that opens outside any function
    after something with parentheses, and not after `namespace`, `class` and their like, is one.
    """
    code = code_only(text)
    stack = []  # (kind, header start)
    start = 0   # where the present declaration began
    for position, character in enumerate(code):
        if character == "{":
            header = code[start:position]
            if any(kind == "function" for kind, _ in stack):
                kind = "inner"
            elif _SCOPE.match(_without_template(header)):
                kind = "scope"
            elif "(" in header and not header.rstrip().endswith(("=", ",", "(")):
                kind = "function"
            else:
                kind = "value"
            stack.append((kind, start))
            if kind == "scope":
                start = position + 1
        elif character == "}" and stack:
            kind, began = stack.pop()
            following = code[position + 1:position + 80].lstrip()[:1]
            if kind == "function" and following in (",", "{"):
                start = began  # a member initialiser `a_{1}`; the body comes later
                continue
            if kind == "function":
                head = code[began:position].lstrip()
                first = position - len(head)
                yield line_of(code, first), line_of(code, position), head.split("{")[0].strip()
            if kind in ("function", "scope"):
                start = position + 1
        elif character == ";" and not any(kind == "function" for kind, _ in stack):
            start = position + 1
        elif character == ":" and code[:position].endswith(("public", "private", "protected")):
            start = position + 1
