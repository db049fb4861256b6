# Writes every row as one line of JSON for spec_test.
import importlib
import sys

TOPICS = ["frames", "ipv4", "ipv6", "transport", "neighbours", "nat", "dsr", "tcp", "expiry",
          "backends", "affinity", "ports", "limits", "bursts", "tunnels", "icmp", "icmp_errors",
          "fragments", "size", "mss", "options", "vlan", "defences", "quic", "choice", "previous",
          "opening", "paths", "splice", "splice_answers", "splice_joined", "splice_backends",
          "splice_homes", "splice_rules", "splice_timestamps", "signals"]


def main():
    if len(sys.argv) != 2:
        raise SystemExit("usage: generate.py ROWS-FILE")
    for topic in TOPICS:
        importlib.import_module(f"rows_{topic}")
    importlib.import_module("row").write(sys.argv[1])


if __name__ == "__main__":
    main()
