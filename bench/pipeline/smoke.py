#!/usr/bin/env python3
# Runs every sub-command of hawser-bench briefly and checks what it prints, so that none can rot.
import json
import subprocess
import sys

FEW = ["--repeats", "2"]
SMALL = [*FEW, "--flows", "1,64", "--packets", "3200"]
# Arguments, lines that must come, and what each of them must have as a positive number. Times are
# differences of two measurements: as short as these they may come out at anything.
RUNS = [
    *((["l4", "--mode", mode, "--family", family, "--capacity", "1000", *SMALL], 2,
       ["flows", "capacity", "bytes_per_flow", "hit_ratio"])
      for mode in ("dsr-ipip", "dsr-gue", "dsr-l2") for family in ("4", "6")),
    *((["l4", "--mode", "nat", "--family", family, "--direction", direction, "--capacity", "1000",
        *SMALL], 2, ["flows", "capacity", "bytes_per_flow", "hit_ratio"])
      for family in ("4", "6") for direction in ("in", "out", "both")),
    (["l4", "--against-floor", "--capacity", "1000", *SMALL], 2, ["flows", "hit_ratio"]),
    (["floor", *SMALL], 2, ["flows", "hit_ratio"]),
    *((["flows", "--family", family, "--flows", "1000", *FEW], 10, []) for family in ("4", "6")),
    *((["new-flows", "--family", family, "--flows", "1000", "--capacity", "1000", *FEW], 2,
       ["flows"]) for family in ("4", "6")),
    *((["connections", "--family", family, "--connections", "1000", "--apart", "32", "--capacity",
        "1000", *FEW], 1, ["connections", "packets_each"]) for family in ("4", "6")),
    *((["syn", "--family", family, "--packets", "3200", *FEW], 2, ["frame_bytes"])
      for family in ("4", "6")),
    *((["l7", "--family", family, "--rules", "0,10", "--head", "200,4096", "--connections", "64",
        "--requests", "640", "--lives", "320", *options, *FEW], 6, ["segments", "packets_each"])
      for family, options in (("4", []), ("6", []), ("4", ["--no-timestamps", "--offload"]))),
    # More connections than there are buffers for heads.
    (["l7", "--rules", "0", "--head", "4096", "--connections", "2048", "--requests", "3200",
      "--lives", "320", *FEW], 2, ["segments", "packets_each"]),
    *((["splice", "--family", family, "--connections", "1,64", "--packets", "3200", *options, *FEW],
       4, ["connections", "payload"])
      for family in ("4", "6") for options in ([], ["--no-timestamps"])),
    (["table", "--backends", "100", "--slots", "65537", *FEW], 5,
     ["ms", "smallest_share", "largest_share"]),
    (["micro", "--filter", "^sum_of_bytes", "--seconds", "0.001", *FEW], 4, ["ns"]),
]
REFUSED = [
    ["l4", "--mode", "dsr-l2", "--direction", "out", *SMALL],
    ["l4", "--flows", "3"],
    ["l4", "--mode", "teleport"],
    ["l7", "--head", "100"],
    ["l7", "--rules", "1001"],
    ["splice", "--connections", "3"],
    ["table", "--slots", "100"],
    ["micro", "--filter", "no such thing"],
    ["report", "--source", "/nowhere"],
    [],
]


def main():
    program = sys.argv[1]
    wrong = []
    for arguments, lines, positive in RUNS:
        run = subprocess.run([program, "--json", *arguments], capture_output=True, text=True,
                             timeout=120, check=False)
        name = " ".join(arguments)
        if run.returncode != 0:
            wrong.append(f"{name}: exit {run.returncode}: {run.stderr}")
            continue
        rows = [json.loads(line) for line in run.stdout.splitlines()]
        if len(rows) != lines:
            wrong.append(f"{name}: {len(rows)} lines instead of {lines}")
        for row in rows:
            if row["bench"].removesuffix("-memory") != arguments[0]:
                wrong.append(f"{name}: says it is {row['bench']}")
            wrong += [f"{name}: {key} is {row.get(key)}" for key in positive
                      if not row.get(key, 0) > 0]
            if "min" in row and row["min"] > row["max"]:
                wrong.append(f"{name}: the least is above the most in {row}")
            if row.get("hit_ratio", 1) != 1:
                wrong.append(f"{name}: flows were not known: {row}")
    for arguments in REFUSED:
        run = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=120,
                             check=False)
        if run.returncode == 0 or not run.stderr:
            wrong.append(f"{' '.join(arguments)}: not refused with a reason")
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
