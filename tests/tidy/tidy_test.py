#!/usr/bin/python3
# Proves that each rule of tidy.py finds what it forbids and accepts what it allows.
"""Each rule has samples that must be found and samples that must not; prints TAP."""

import os
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from source import Tree, functions  # noqa: E402
from tidy import RULES  # noqa: E402

SWITCH = "int f(E e) {\n  switch (e) {\n    case %s: return 1;\n    default: return 0;\n  }\n}\n"
LONG = "namespace a {\nclass B {\n  template <class T>\n  %s {\n" + "    x();\n" * 70 + "  }\n};\n}\n"
VERDICT = 'constexpr T kTable{{\n    {kNoFlow, K::kDrop, "no_flow", "help"},\n}};\n'
LATER = "TO" + "DO"

# rule -> (samples it must find something in, samples it must accept)
SAMPLES = {
    "include_direction": (
        [{"src/net/a.cc": '#include "hawser/table/flow_table.h"\n'},
         {"include/hawser/base/a.h": '#include "hawser/net/endian.h"\n'},
         {"src/table/a.cc": '#include "hawser/pipeline/verdict.h"\n'},
         {"src/net/a.cc": '#include "dataplane/worker.h"\n'},
         {"src/extra/a.cc": "int a;\n"}],
        [{"src/table/a.cc": '#include "hawser/base/limits.h"\n#include "hawser/hash/h.h"\n'},
         {"src/net/a.cc": '// #include "hawser/table/flow_table.h"\n'},
         {"src/l4/a.cc": '#include "hawser/hash/aes.h"\n'},
         {"src/pipeline/a.cc": '#include "hawser/stats/counter.h"\n'}]),
    "process_separation": (
        [{"control/a.cc": '#include "dataplane/port.h"\n'},
         {"dataplane/a.cc": '#include "../control/health.h"\n'},
         {"control/a.cc": '#include "hawser/pipeline/verdict.h"\n'}],
        [{"control/a.cc": '#include "hawser/model/service.h"\n#include "dataplane.pb.h"\n'},
         {"dataplane/a.cc": '#include "hawser/pipeline/verdict.h"\n'}]),
    "dpdk_only_in_dataplane": (
        [{"src/net/a.cc": "#include <rte_mbuf.h>\n"}, {"control/a.cc": "rte_mbuf* m;\n"}],
        [{"dataplane/a.cc": "rte_mbuf* m;\n"}, {"src/net/a.cc": "// like rte_mbuf\n"}]),
    "core_makes_no_system_calls": (
        [{"src/net/a.cc": "#include <sys/socket.h>\n"}, {"src/net/a.cc": "#include <fstream>\n"},
         {"src/net/a.cc": "auto t = std::chrono::steady_clock::now();\n"},
         {"src/net/a.cc": "int f = ::open(p, 0);\n"}, {"src/net/a.cc": "fopen(p, m);\n"}],
        [{"src/net/a.cc": "#include <arpa/inet.h>\nint r = reader.read(4);\n"},
         {"control/a.cc": "#include <fstream>\n"}]),
    "core_does_not_throw": (
        [{"src/net/a.cc": "void f() { throw 1; }\n"}, {"src/net/a.cc": "try { f(); }\n"}],
        [{"src/net/a.cc": "// try this\nint retry;\n"}, {"control/a.cc": "throw 1;\n"}]),
    "pragma_once": (
        [{"src/net/a.h": "int a;\n"}],
        [{"src/net/a.h": "#pragma once\nint a;\n"}, {"tests/pch/a.h": "#include <map>\n"}]),
    "no_default_over_enum": (
        [{"src/net/a.cc": SWITCH % "E::kOne"},
         {"src/net/a.cc": "using enum E;\n" + SWITCH % "kOne"}],
        [{"src/net/a.cc": SWITCH % "'x'"}, {"src/net/a.cc": SWITCH % "1"},
         {"src/net/a.cc": "class A {\n  A() = default;\n};\n"}]),
    "language_subset": (
        [{"src/net/a.cc": 'auto s = std::format("{}", 1);\n'}, {"control/a.cc": "std::views::all;\n"},
         {"control/a.cc": "#include <ranges>\n"}],
        [{"src/net/a.cc": 'auto s = fmt::format("{}", 1);\n'}]),
    "limits_in_limits_h": (
        [{"src/net/a.cc": "constexpr std::size_t kMaxThings = 4;\n"},
         {"include/hawser/net/a.h": "inline constexpr int kMaxThings{4};\n"}],
        [{"include/hawser/base/limits.h": "inline constexpr int kMaxThings = 4;\n"},
         {"src/net/a.cc": "constexpr int kTwo = f(limits::kMaxThings);\n"}]),
    "file_length": (
        [{"src/net/a.cc": "int a;\n" * 401}, {"scripts/a.py": "a = 1\n" * 401},
         {"src/base/limits.h": "int a;\n" * 401}],
        [{"src/net/a.cc": "int a;\n" * 400}, {"docs/a.md": "a\n" * 900},
         {"include/hawser/base/limits.h": "int a;\n" * 900}]),
    "function_length": (
        [{"src/net/a.cc": LONG % "void f(int a)"},
         {"src/net/a.cc": LONG % "B(int a) : a_{a}, b_(a)"},
         {"scripts/a.py": "def f():\n" + "    x()\n" * 70}],
        [{"src/net/a.cc": "constexpr T kTable{{\n" + "  {1, 2},\n" * 80 + "}};\n"},
         {"src/net/a.cc": "void f() {\n" + "  x();\n" * 60 + "}\nvoid g() {\n}\n"}]),
    "top_level": ([{"extra/a.txt": "a\n"}], [{"src/net/a.cc": "int a;\n"}]),
    "says_its_job": (
        [{"src/net/a.cc": "int a;\n"}, {"scripts/a": "#!/bin/bash\nset -e\n"},
         {"tests/a.py": "import os\n"}],
        [{"src/net/a.cc": "// Adds and subtracts.\n"},
         {"scripts/a": "#!/bin/bash\n# Adds and subtracts.\n"}]),
    "nothing_unfinished": (
        [{"src/net/a.cc": f"// {LATER}: later\n"}], [{"src/net/a.cc": "// all done\n"}]),
    "clean_lines": (
        [{"docs/a.md": "a \n"}, {"docs/a.md": "a"}], [{"docs/a.md": "a\n"}]),
    "commands_in_documents": (
        [{"README.md": "```sh\nscripts/nothing --check\n```\n"},
         {"README.md": "```sh\nbuild/control/nothing\n```\n"}],
        [{"README.md": "```sh\nscripts/demo --check\nbuild/a/prog\n```\n", "scripts/demo": "x\n",
          "a/meson.build": "executable('prog', 'a.cc')\n"},
         {"README.md": "```toml\nscripts/nothing\n```\n"}]),
    "links_in_documents": (
        [{"docs/a.md": "see [b](b.md)\n"}],
        [{"docs/a.md": "see [b](b.md#part) and [c](https://example.org)\n", "docs/b.md": "b\n"}]),
    "verdicts_are_covered": (
        [{"src/pipeline/verdict.cc": VERDICT, "docs/a.md": "no_flow\n"},
         {"src/pipeline/verdict.cc": VERDICT, "tests/spec/a.cc": "kNoFlow\n"},
         {"src/pipeline/verdict.cc": "nothing like a table\n"}],
        [{"src/pipeline/verdict.cc": VERDICT, "docs/a.md": "`no_flow`\n",
          "tests/spec/a.cc": "Verdict::kNoFlow\n"}, {}]),
    "clang_formatted": (
        [{"src/net/a.cc": "int  a ;\n"}], [{"src/net/a.cc": "int a;\n"}]),
}


def findings(rule, files):
    tree = Tree(files)
    if rule == "clang_formatted":
        with tempfile.TemporaryDirectory() as place:
            for path, text in files.items():
                full = os.path.join(place, path)
                os.makedirs(os.path.dirname(full), exist_ok=True)
                with open(full, "w", encoding="utf-8") as stream:
                    stream.write(text)
            with open(os.path.join(place, ".clang-format"), "w", encoding="utf-8") as stream:
                stream.write("BasedOnStyle: Google\n")
            return list(RULES[rule](Tree(files, place)))
    return list(RULES[rule](tree))


def check_rule(rule):
    bad, good = SAMPLES.get(rule, ([], []))
    if not bad or not good:
        return "the rule has no samples"
    for number, files in enumerate(bad, 1):
        if not findings(rule, files):
            return f"bad sample {number} was not found"
    for number, files in enumerate(good, 1):
        found = findings(rule, files)
        if found:
            return f"good sample {number} was refused: {found[0]}"
    return ""


def check_functions():
    text = ("namespace a {\nstruct S {\n  int f() const noexcept {\n    return 1;\n  }\n};\n"
            "template <class T>\nT g(T t)\n{\n  auto l = [&] { return t; };\n  return l();\n}\n}\n")
    spans = [(first, last) for first, last, _ in functions(text)]
    return "" if spans == [(3, 5), (7, 12)] else f"functions seen at {spans}"


def main():
    results = [(f"finds_{rule}", check_rule(rule)) for rule in RULES]
    results.append(("sees_functions", check_functions()))
    print(f"1..{len(results)}")
    for number, (name, wrong) in enumerate(results, 1):
        print(f"{'not ok' if wrong else 'ok'} {number} - tidy_test.{name}")
        if wrong:
            print(f"# {wrong}")
    return 1 if any(wrong for _, wrong in results) else 0


if __name__ == "__main__":
    sys.exit(main())
