# Medians over the rounds, and how they are told.
"""summarize() makes one row of each load and balancer; show() prints them beside the bars."""

import statistics

# What Hawser has to reach of HAProxy's, by load.
BARS = {"keep": 1.4, "close": 1.5}
WHAT = {"keep": "connections are kept: requests a second",
        "close": "connections are closed: connections a second"}
FIGURES = ("per_second", "p50_us", "p99_us", "p999_us", "cpu_us_per_request", "worker_busy_percent",
           "balancer_core_busy_percent", "peer_core_busy_percent")


def median(rows, name):
    values = [row[name] for row in rows if row.get(name) is not None]
    return round(statistics.median(values), 2) if values else None


def summarize(rows, loads, balancers):
    """One row for each load and balancer; that of Hawser has the ratios to HAProxy too."""
    result = []
    for load in loads:
        by_name = {}
        for name in balancers:
            own = [row for row in rows if (row["load"], row["balancer"]) == (load, name)]
            summary = {"bench": "compare", "load": load, "balancer": name, "rounds": len(own)}
            summary |= {figure: median(own, figure) for figure in FIGURES}
            summary["per_second_min"] = round(min(row["per_second"] for row in own))
            summary["per_second_max"] = round(max(row["per_second"] for row in own))
            summary["requests"] = sum(row["requests"] for row in own)
            summary["failures"] = sum(sum(row["failures"].values()) for row in own)
            by_name[name] = summary
            result.append(summary)
        ours, theirs = by_name["hawser"], by_name["haproxy"]
        ours["ratio"] = round(ours["per_second"] / theirs["per_second"], 3)
        ours["ratio_bar"] = BARS[load]
        ours["p99_ratio"] = round(ours["p99_us"] / max(theirs["p99_us"], 1), 3)
    return result


def show(summaries, machine):
    print(", ".join(f"{name} {value}" for name, value in machine.items()))
    for load in dict.fromkeys(row["load"] for row in summaries):
        print(f"\n{WHAT[load]}")
        print("  balancer  median/s     min     max   p50 us   p99 us  p99.9 us  CPU us each  "
              "its core  peers'  failures")
        for row in (row for row in summaries if row["load"] == load):
            print(f"  {row['balancer']:8}  {row['per_second']:8.0f} {row['per_second_min']:7} "
                  f"{row['per_second_max']:7} {row['p50_us']:8.0f} {row['p99_us']:8.0f} "
                  f"{row['p999_us']:9.0f} {row['cpu_us_per_request']:12.1f}  "
                  f"{row['balancer_core_busy_percent']:6.0f} % {row['peer_core_busy_percent']:5.0f} %"
                  f" {row['failures']:9}")
        ours = next(row for row in summaries if row["load"] == load and "ratio" in row)
        print(f"  Hawser has {ours['ratio']:.2f} of HAProxy's (bar {ours['ratio_bar']}), "
              f"{ours['p99_ratio']:.2f} of its p99 (bar below 1); its worker was busy for "
              f"{ours['worker_busy_percent']} % of the time")
