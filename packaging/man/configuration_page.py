#!/usr/bin/python3
# Prints the manual page hawser.toml(5), made from docs/configuration.md.
"""usage: configuration_page.py [DOCUMENT]"""

import os
import re
import sys

DOCUMENT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/configuration.md")
HEAD = r""".\" Printed by packaging/man/configuration_page.py from docs/configuration.md. Do not edit.
.TH HAWSER.TOML 5 "" Hawser "Administering Hawser"
.SH NAME
hawser.toml \- configuration of hawserd and hawser\-dataplane
.SH DESCRIPTION
"""
TAIL = r""".SH SEE ALSO
.BR hawser\-dataplane (8),
.BR hawserctl (8),
.BR hawserd (8)
"""
INLINE = re.compile(r"``(?P<double>.+?)``|`(?P<code>[^`]+)`|\[(?P<link>[^\]]+)\]\([^)]*\)"
                    r"|\*\*(?P<bold>.+?)\*\*")
# As they were written, so that values can be copied from the page.
LITERAL = {"\\": r"\e", "-": r"\-", "'": r"\(aq", "`": r"\(ga", "^": r"\(ha", "~": r"\(ti"}


def literal(text):
    return "".join(LITERAL.get(c, c) for c in text)


def safe(text):
    """No line begins with a dot or a quote, which would be a request; \\& is an empty character."""
    return re.sub(r"^(?=[.'])", r"\\&", text, flags=re.MULTILINE)


def inline(text):
    """Code and strong words in bold, links as their text, each sentence on a line of its own."""
    out, last = "", 0
    for match in INLINE.finditer(text):
        out += plain(text[last:match.start()])
        last = match.end()
        if match["link"]:
            out += inline(match["link"])
        elif match["bold"]:
            out += rf"\fB{plain(match['bold'])}\fR"
        else:
            words = literal(match["double"] or match["code"]).replace(" ", r" \%")
            out += rf"\fB\%{words}\fR"
    return out + plain(text[last:])


def plain(text):
    text = text.replace("\\", r"\e")
    text = re.sub(r"(?<!\w)-", r"\-", text)
    return re.sub(r"(?<=[.?:]) (?=[A-Z])", "\n", text)


def cells(row):
    found = re.split(r"(?<!\\)\|", row.strip().strip("|"))
    return [cell.strip().replace("\\|", "|") for cell in found]


def table(rows):
    """Each row a term and what is said of it; empty cells are not mentioned."""
    titles, out = cells(rows[0]), ""
    for row in rows[2:]:
        term, *rest = cells(row)
        facts = [f"{title.capitalize()}: {cell}." for title, cell in zip(titles[1:-1], rest) if cell]
        said = " ".join([*facts, rest[-1]]).strip()
        out += f".TP\n{safe(inline(term))}\n{safe(inline(said))}\n"
    return out


def block(lines):
    """A paragraph, a list or a table."""
    if lines[0].startswith("|"):
        return table(lines)
    if not lines[0].startswith("- "):
        return f".PP\n{safe(inline(' '.join(lines)))}\n"
    items = re.split(r"(?:^|\n)- ", "\n".join(lines))[1:]
    return "".join(".IP \\(bu 2\n" + safe(inline(" ".join(item.split()))) + "\n" for item in items)


def heading(line):
    level, title = re.match(r"(#+) (.*)", line).groups()
    words = title.replace("`", "")
    return f".SH {words.upper()}\n" if level == "##" and "`" not in title else f".SS {words}\n"


def page(document):
    out, lines, code, sections = HEAD, [], False, False
    for line in [*document.split("\n")[1:], ""]:
        if line and not code and not line.startswith(("#", "```")):
            lines.append(line)
            continue
        if lines:  # whatever is none of a block's lines ends it
            out, lines = out + block(lines), []
        if line.startswith("```"):
            code = not code
            out += ".PP\n.RS 4\n.nf\n" if code else ".fi\n.RE\n"
        elif code:
            out += safe(literal(line)) + "\n" if line else ".sp\n"
        elif line:
            if "`" in line and not sections:
                out, sections = out + ".SH KEYS\n", True
            out += heading(line)
    return out + TAIL


def main():
    path = sys.argv[1] if len(sys.argv) > 1 else DOCUMENT
    with open(path, encoding="utf-8") as stream:
        sys.stdout.write(page(stream.read()))


if __name__ == "__main__":
    main()
