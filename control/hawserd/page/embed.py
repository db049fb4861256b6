#!/usr/bin/python3
# Makes the status page one file, with the policy that lets a browser run nothing but its script.
"""usage: embed.py OUTPUT.cc INDEX.html PAGE.css SCRIPT.js..."""

import base64
import hashlib
import sys


def read(path):
    with open(path, encoding="utf-8") as stream:
        return stream.read()


def digest(text):
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def literal(text):
    """A string of C++, a line of it for every line of the text."""
    def quoted(line):
        escaped = line.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return '    "' + "".join(c if c < "\x7f" else "".join(f"\\{b:03o}" for b in c.encode())
                                 for c in escaped) + '"'
    return "\n".join(quoted(line) for line in text.splitlines(keepends=True))


def main(output, index, style, *scripts):
    css = read(style)
    # One scope of their own for all of them; what a script uses stands in one before it.
    script = '"use strict";\n{\n' + "".join(read(path) for path in scripts) + "}\n"
    for name, text in (("style", css), ("script", script)):
        if f"</{name}" in text or "<!--" in text:
            sys.exit(f"embed.py: a {name} would end early")
    page = read(index).replace("{page.css}", css).replace("{scripts}", script)
    policy = (f"default-src 'none'; style-src {digest(css)}; script-src {digest(script)}; "
              "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
              "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'")
    with open(output, "w", encoding="utf-8") as stream:
        stream.write(f"""\
// The status page as it is served; made by control/hawserd/page/embed.py.
#include "http_page.h"

namespace hawser::control {{

const std::string_view kStatusPage =
{literal(page)};
const std::string_view kStatusPagePolicy =
{literal(policy)};

}}  // namespace hawser::control
""")


if __name__ == "__main__":
    main(*sys.argv[1:])
