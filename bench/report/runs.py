# What a baseline runs: sub-commands of hawser-bench with their options, by the file they go into.
FLOWS = "1,65536,1048576"
FEWER = ["--packets", "2097152"]  # than by default: two of each of a million flows
FAMILIES = ("4", "6")

RUNS = {
    "l4": [
        ["l4", "--mode", "dsr-ipip", "--against-floor", "--flows", f"{FLOWS},8388608", *FEWER],
        ["l4", "--mode", "dsr-ipip", "--family", "6", "--flows", FLOWS, *FEWER],
        *(["l4", "--mode", mode, "--family", family, "--flows", FLOWS, *FEWER]
          for mode in ("dsr-gue", "dsr-l2") for family in FAMILIES),
        *(["l4", "--mode", "nat", "--direction", "both", "--family", family, "--flows", FLOWS, *FEWER]
          for family in FAMILIES),
    ],
    "flows": [["flows", "--family", family, "--flows", "1000000,10000000"] for family in FAMILIES],
    "new-flows": [["new-flows", "--family", family] for family in FAMILIES],
    "connections": [["connections", "--family", family] for family in FAMILIES],
    "syn": [["syn", "--family", family] for family in FAMILIES],
    "l7": [["l7"], ["l7", "--family", "6", "--rules", "0"],
           ["l7", "--offload", "--no-timestamps", "--rules", "0"]],
    "splice": [["splice", "--family", family] for family in FAMILIES],
    "table": [["table"]],
    "micro": [["micro", "--repeats", "3"]],
}
