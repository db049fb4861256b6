#!/usr/bin/python3
# Proves that the manual pages are clean roff, say what the programs' --help says, and are up to date.
"""usage: manual_test.py PROGRAM...; prints TAP"""

import glob
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
PAGES = os.path.join(HERE, "../../packaging/man")
OPTION = re.compile(r"(?<![\w-])--?[a-z][a-z-]*")


def warnings(path):
    """What man has against a page."""
    done = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", path],
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                          env={**os.environ, "LC_ALL": "C.UTF-8"}, check=False)
    return done.stderr or (f"man exits {done.returncode}" if done.returncode else "")


def options_of_page(text):
    """The options that begin a paragraph of the section OPTIONS."""
    part = re.search(r"^\.SH OPTIONS\n(.*?)^\.SH ", text, re.MULTILINE | re.DOTALL).group(1)
    labels = re.findall(r"^\.TP\n(.*)", part, re.MULTILINE)
    text = re.sub(r"\\f\w", "", "\n".join(labels))  # changes of the font
    return set(OPTION.findall(text.replace(r"\-", "-")))


def options_of_help(text):
    """The options that begin a line of --help."""
    labels = re.findall(r"^ +(-\S+(?:, ?-\S+)*)", text, re.MULTILINE)
    return set(OPTION.findall("\n".join(labels)))


def difference(page, program):
    """What one lists and the other does not."""
    return "\n".join([f"{option} is not in the page" for option in sorted(program - page)] +
                     [f"{option} is not in --help" for option in sorted(page - program)])


def check_program(program):
    with open(os.path.join(PAGES, os.path.basename(program) + ".8"), encoding="utf-8") as stream:
        page = options_of_page(stream.read())
    done = subprocess.run([program, "--help"], capture_output=True, text=True, check=True)
    return difference(page, options_of_help(done.stdout)) or ("" if page else "no option found")


def check_configuration_page():
    path = os.path.join(PAGES, "hawser.toml.5")
    made = subprocess.run(["/usr/bin/python3", "-B", os.path.join(PAGES, "configuration_page.py")],
                          capture_output=True, text=True, check=True).stdout
    with open(path, encoding="utf-8") as stream:
        if stream.read() == made:
            return ""
    return "say: packaging/man/configuration_page.py > packaging/man/hawser.toml.5"


def check_itself():
    """A page with a mistake is found, and so is an option too many or too few."""
    with tempfile.NamedTemporaryFile("w", suffix=".8") as stream:
        stream.write(".TH A 8 \"\" B\n.SH NAME\na \\- b\n.nonsense\n")
        stream.flush()
        if not warnings(stream.name):
            return "man warns of nothing"
    page = options_of_page(".SH OPTIONS\n.TP\n.BR \\-h \", \" \\-\\-help\n.TP\n\\fB\\-\\-no\\-huge\\fR\n.SH A\n")
    program = options_of_help("Options:\n  -h,--help  Explain\n  --log-level TEXT  not --huge\n")
    found = difference(page, program)
    wanted = "--log-level is not in the page\n--no-huge is not in --help"
    return "" if found == wanted else f"found: {found}"


def attempt(check, *arguments):
    try:
        return check(*arguments)
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)


def main():
    results = [("the_test_finds_mistakes", attempt(check_itself)),
               ("hawser.toml_is_up_to_date", attempt(check_configuration_page))]
    for path in sorted(glob.glob(os.path.join(PAGES, "*.[1-8]"))):
        results.append((f"{os.path.basename(path)}_is_clean", attempt(warnings, path)))
    for program in sys.argv[1:]:
        name = f"{os.path.basename(program)}_has_its_options"
        results.append((name, attempt(check_program, program)))
    print(f"1..{len(results)}")
    for number, (name, wrong) in enumerate(results, 1):
        print(f"{'not ok' if wrong else 'ok'} {number} - manual.{name}")
        for line in wrong.splitlines():
            print(f"# {line}")
    return 1 if any(wrong for _, wrong in results) else 0


if __name__ == "__main__":
    sys.exit(main())
