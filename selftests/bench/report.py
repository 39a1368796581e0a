#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""report.py DIR LOG...: make tables and pictures of what bench printed.

The LOGs of one or several runs of bench are merged. DIR gets bench.json,
bench.dat (what plot.gp draws), bench.svg and bench.md, the tables that are
printed, too.
"""

import json
import os
import subprocess
import sys

IMPLS = ["gosync", "gosync-ioctl", "pthread", "pthread-robust", "sem_t",
         "sysv", "flock", "ofd", "futex", "c11", "memcpy", "ioctl"]
KEYS = ["ns", "instructions", "worst_ms", "p99_ms", "bytes"]

# What is to be reached: (text, limit, at most or at least, how to compute it)
# from the results, r(op, case, impl, key="ns").
FIGURES = [
    ("mutex uncontended, gosync / pthread", 0.80, "<=", lambda r:
     r("mutex", "uncontended", "gosync") / r("mutex", "uncontended", "pthread")),
    ("mutex uncontended, gosync / pthread-robust", 0.45, "<=", lambda r:
     r("mutex", "uncontended", "gosync") /
     r("mutex", "uncontended", "pthread-robust")),
    ("mutex uncontended, instructions per pair", 40, "<=", lambda r:
     r("mutex", "uncontended", "gosync", "instructions")),
    ("mutex contended-2, gosync / pthread", 0.85, "<=", lambda r:
     r("mutex", "contended-2", "gosync") / r("mutex", "contended-2", "pthread")),
    ("mutex contended-4, gosync / pthread", 0.85, "<=", lambda r:
     r("mutex", "contended-4", "gosync") / r("mutex", "contended-4", "pthread")),
    ("mutex contended-8, gosync / pthread", 0.85, "<=", lambda r:
     r("mutex", "contended-8", "gosync") / r("mutex", "contended-8", "pthread")),
    ("mutex hog, worst wait in ms, gosync", 5, "<=", lambda r:
     r("mutex", "hog", "gosync", "worst_ms")),
    ("   ... pthread, beside it", None, "", lambda r:
     r("mutex", "hog", "pthread", "worst_ms")),
    ("mutex pingpong, gosync / futex", 1.10, "<=", lambda r:
     r("mutex", "pingpong", "gosync") / r("mutex", "pingpong", "futex")),
    ("   ... gosync-ioctl / futex", None, "", lambda r:
     r("mutex", "pingpong", "gosync-ioctl") / r("mutex", "pingpong", "futex")),
    ("   ... atomic wait and wake, gosync / futex", None, "", lambda r:
     r("atomic", "pingpong", "gosync") / r("atomic", "pingpong", "futex")),
    ("mutex by ioctl, pair / null ioctl", 2.6, "<=", lambda r:
     r("mutex", "uncontended", "gosync-ioctl") / r("ioctl", "null", "ioctl")),
    ("value load-64, gosync / memcpy", 3.0, "<=", lambda r:
     r("value", "load-64", "gosync") / r("value", "load-64", "memcpy")),
    ("value load-64, throughput of 2 readers / 1", 1.8, ">=", lambda r:
     r("value", "load-64", "gosync") / r("value", "load-64-2readers", "gosync")),
    ("atomic add, gosync / c11", 1.2, "<=", lambda r:
     r("atomic", "add", "gosync") / r("atomic", "add", "c11")),
    ("open by name, at 100,000 / at 100", 1.2, "<=", lambda r:
     r("object", "open-at-100000", "gosync") /
     r("object", "open-at-100", "gosync")),
    ("   ... gosync-ioctl (no mmap)", None, "", lambda r:
     r("object", "open-at-100000", "gosync-ioctl") /
     r("object", "open-at-100", "gosync-ioctl")),
    ("bytes per named, persistent, unopened mutex", 320, "<=", lambda r:
     r("object", "bytes-each", "gosync", "bytes")),
]

# The Okabe-Ito colours; what is no lock, but a yardstick, is dark.
COLOURS = {
    "gosync": 0x0072B2, "gosync-ioctl": 0x56B4E9, "pthread": 0xE69F00,
    "pthread-robust": 0xD55E00, "sem_t": 0x009E73, "sysv": 0xF0E442,
    "flock": 0xCC79A7, "ofd": 0x999999, "futex": 0x000000,
    "c11": 0x404040, "memcpy": 0x404040, "ioctl": 0x404040,
}


def read_logs(names):
    """What the logs say: the system, and {(op, case, impl): {key: number}}."""
    system, results = {}, {}
    for name in names:
        with open(name, encoding="utf-8", errors="replace") as log:
            for line in log:
                words = line.split()
                pairs = dict(w.split("=", 1) for w in words if "=" in w)
                if "accel" in pairs:
                    system = system or pairs
                elif len(words) > 3 and words[2] in IMPLS:
                    result = results.setdefault(tuple(words[:3]), {})
                    result.update((k, float(pairs[k])) for k in KEYS
                                  if k in pairs)
    return system, results


def number(value):
    """Three digits, as many as matter."""
    return f"{value:.1f}" if value < 1000 else f"{value:,.0f}"


def tables(results):
    """A table per operation: a row per case, a column per implementation."""
    for op in dict.fromkeys(op for op, _, _ in results):
        impls = [i for i in IMPLS if any(k[0] == op and k[2] == i
                                         for k in results)]
        table = [[f"{op} (ns)"] + impls]
        for case in dict.fromkeys(c for o, c, _ in results if o == op):
            for key in KEYS:
                row = [results.get((op, case, i), {}).get(key) for i in impls]
                if any(v is not None for v in row):
                    table.append([case if key == "ns" else f"{case}, {key}"] +
                                 ["" if v is None else number(v) for v in row])
        yield table


def figures(results):
    """What is to be reached, and what was."""
    table = [["figure", "target", "reached", ""]]
    for text, limit, relation, compute in FIGURES:
        try:
            value = compute(lambda op, case, impl, key="ns":
                            results[op, case, impl][key])
        except (KeyError, ZeroDivisionError):
            continue
        missed = limit and (value > limit if relation == "<=" else
                            value < limit)
        table.append([text, f"{relation} {limit:g}" if limit else "",
                      f"{value:.2f}", "missed" if missed else ""])
    return table


def as_text(table):
    """A table for the terminal."""
    width = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    return "\n".join("  ".join(
        [row[0].ljust(width[0])] +
        [cell.rjust(w) for cell, w in zip(row[1:], width[1:])]).rstrip()
        for row in table) + "\n"


def as_markdown(table):
    """A table for a document."""
    lines = ["| " + " | ".join(row) + " |" for row in table]
    lines.insert(1, "|---" + "|--:" * (len(table[0]) - 1) + "|")
    return "\n".join(lines) + "\n"


def panel(results, bars, key):
    """Bars in clusters, for plot.gp: their places, their clusters' names."""
    x, boxes, ticks = 0, [], []
    for op, cases in bars:
        for case in cases:
            values = [(i, results[op, case, i][key]) for i in IMPLS
                      if key in results.get((op, case, i), {})]
            if not values:
                continue
            name = case if op in ("mutex", "object") else f"{op} {case}"
            name = "" if case == "hog" else name
            ticks.append(f'{x + (len(values) - 1) / 2} "{name}"')
            for impl, value in values:
                boxes.append(f'{x} {value} {COLOURS[impl]} "{value:.3g}"'
                             if value < 1000 else
                             f'{x} {value} {COLOURS[impl]} "{value:,.0f}"')
                x += 1
            x += 1.5
    return "\n".join(boxes or ["0 NaN 0"]) + "\n\n\n" + \
        "\n".join(ticks or ['0 ""']) + "\n\n\n"


def main():
    """See the head of the file."""
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    out = sys.argv[1]
    system, results = read_logs(sys.argv[2:])
    if not results:
        sys.exit("report.py: there are no results")

    with open(f"{out}/bench.json", "w", encoding="utf-8") as f:
        json.dump({"kernel": system.get("kernel"), "accel": system.get("accel"),
                   "results": [{"op": o, "case": c, "impl": i, **r}
                               for (o, c, i), r in results.items()]},
                  f, indent=1)
        f.write("\n")

    with open(f"{out}/bench.dat", "w", encoding="utf-8") as f:
        f.write(panel(results, [("mutex", [
            "uncontended", "contended-2", "contended-4", "contended-8",
            "pingpong"])], "ns"))
        f.write(panel(results, [("mutex", ["hog"])], "worst_ms"))
        f.write(panel(results, [("value", ["load-64", "store-64"]),
                                ("atomic", ["add"]), ("ioctl", ["null"]),
                                ("object", ["create-close", "open-at-100"])],
                      "ns"))
    here = os.path.dirname(os.path.realpath(__file__))
    subprocess.run(["gnuplot", "-e", f"dir='{out}'; kernel='{system['kernel']}'"
                    f"; accel='{system['accel']}'", f"{here}/plot.gp"],
                   check=True)

    head = (f"Linux {system['kernel']}, QEMU {system['accel']}, 2 CPUs; "
            "nanoseconds per operation unless said, medians.\n")
    everything = list(tables(results)) + [figures(results)]
    print("\n".join([head] + [as_text(t) for t in everything]))
    with open(f"{out}/bench.md", "w", encoding="utf-8") as f:
        f.write("\n".join([head] + [as_markdown(t) for t in everything]))


if __name__ == "__main__":
    main()
