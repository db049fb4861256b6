# Says on which machine, with which compiler and at which commit something was measured.
import json
import os
import platform
import subprocess

# What a figure depends on.
MEASURED = ["include", "src", "bench/pipeline", "bench/micro", "bench/meson.build", "meson.build"]


def _processor():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        pairs = [line.split(":", 1) for line in file if ":" in line]
    values = {}
    for name, value in pairs:
        values.setdefault(name.strip(), value.strip())
    return values


def _commit(root):
    def git(*arguments):
        run = subprocess.run(["git", "-C", root, *arguments], capture_output=True, text=True,
                             check=False)
        return run.stdout.strip()
    commit = git("rev-parse", "--short=12", "HEAD") or "unknown"
    changed = git("status", "--porcelain", "--", *MEASURED)
    return commit + (" and changes" if changed else "")


def _compiler(build):
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        words = json.load(file)[0]["command"].split()
    program = [word for word in words[:2] if not word.startswith("-")][-1]
    run = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    return run.stdout.splitlines()[0]


def describe(root, build):
    processor = _processor()
    flags = processor.get("flags", "").split()
    steady = "constant_tsc" in flags and "nonstop_tsc" in flags
    return {
        "bench": "machine",
        "processor": processor.get("model name", "unknown"),
        "mhz": round(float(processor.get("cpu MHz", 0))),
        "tsc": "constant" if steady else "not constant",
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "compiler": _compiler(build),
        "commit": _commit(root),
    }
