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

IMPLS = ["gosync", "gosync-ioctl", "gosync-uring", "pthread", "pthread-robust",
         "pthread-rwlock", "pthread-rwlock-w", "pthread-cond", "rwlock-table",
         "sem_t", "sysv", "flock", "ofd", "futex", "c11", "memcpy", "ioctl",
         "over-1", "ioctl-lock", "futex-waitv", "eventfd", "nop", "poll-add"]
KEYS = ["ns", "instructions", "worst_ms", "p99_ms", "bytes"]

# What io_uring keeps of each pending command: see bench_uring.c.
URING_SQE = 128


def beside(op, case, peer, impl="gosync"):
    """How much longer an operation takes than a peer's."""
    return lambda r: r(op, case, impl) / r(op, case, peer)


def scaled(op, one, two, impl="gosync"):
    """How much more gets done in case two than in case one."""
    return lambda r: r(op, one, impl) / r(op, two, impl)


def just(op, case, impl, key):
    """A result by itself."""
    return lambda r: r(op, case, impl, key)


# What is to be reached: (text, limit, at most or at least, how to compute it)
# from the results, r(op, case, impl, key="ns").
FIGURES = [
    ("mutex uncontended, gosync / pthread", 0.80, "<=",
     beside("mutex", "uncontended", "pthread")),
    ("mutex uncontended, gosync / pthread-robust", 0.45, "<=",
     beside("mutex", "uncontended", "pthread-robust")),
    ("mutex uncontended, instructions per pair", 40, "<=",
     just("mutex", "uncontended", "gosync", "instructions")),
    ("mutex contended-2, gosync / pthread", 0.85, "<=",
     beside("mutex", "contended-2", "pthread")),
    ("mutex contended-4, gosync / pthread", 0.85, "<=",
     beside("mutex", "contended-4", "pthread")),
    ("mutex contended-8, gosync / pthread", 0.85, "<=",
     beside("mutex", "contended-8", "pthread")),
    ("mutex hog, worst wait in ms, gosync", 5, "<=",
     just("mutex", "hog", "gosync", "worst_ms")),
    ("   ... pthread, beside it", None, "",
     just("mutex", "hog", "pthread", "worst_ms")),
    ("mutex pingpong, gosync / futex", 1.10, "<=",
     beside("mutex", "pingpong", "futex")),
    ("   ... gosync-ioctl / futex", None, "",
     beside("mutex", "pingpong", "futex", "gosync-ioctl")),
    ("   ... atomic wait and wake, gosync / futex", None, "",
     beside("atomic", "pingpong", "futex")),
    ("mutex by ioctl, pair / null ioctl", 2.6, "<=", lambda r:
     r("mutex", "uncontended", "gosync-ioctl") / r("ioctl", "null", "ioctl")),
    ("rwmutex read, gosync / pthread-rwlock", 0.80, "<=",
     beside("rwmutex", "read", "pthread-rwlock")),
    ("rwmutex read, throughput of 2 processes / 1", 1.8, ">=",
     scaled("rwmutex", "read", "read-2procs")),
    ("   ... pthread-rwlock, beside it", None, "",
     scaled("rwmutex", "read", "read-2procs", "pthread-rwlock")),
    ("rwmutex write, gosync / pthread-rwlock", 1.0, "<=",
     beside("rwmutex", "write", "pthread-rwlock")),
    ("rwmutex mixed-90-10, gosync / pthread-rwlock", 0.80, "<=",
     beside("rwmutex", "mixed-90-10", "pthread-rwlock")),
    ("rwmutex, a writer's worst wait in ms, gosync", 5, "<=",
     just("rwmutex", "writer-worst", "gosync", "worst_ms")),
    ("   ... pthread-rwlock, beside it", None, "",
     just("rwmutex", "writer-worst", "pthread-rwlock", "worst_ms")),
    ("   ... pthread-rwlock-w, beside it", None, "",
     just("rwmutex", "writer-worst", "pthread-rwlock-w", "worst_ms")),
    ("waitgroup add-done, gosync / c11", 1.3, "<=",
     beside("waitgroup", "add-done", "c11")),
    ("once done, gosync / c11", 1.5, "<=", beside("once", "done", "c11")),
    ("cond pingpong, gosync / pthread-cond", 1.0, "<=",
     beside("cond", "pingpong", "pthread-cond")),
    ("cond broadcast-200, gosync / pthread-cond", 1.0, "<=",
     beside("cond", "broadcast-200", "pthread-cond")),
    ("semaphore uncontended, gosync / sem_t", 1.0, "<=",
     beside("semaphore", "uncontended", "sem_t")),
    ("map load-hit, gosync / rwlock-table", 0.60, "<=",
     beside("map", "load-hit", "rwlock-table")),
    ("map load-miss, gosync / rwlock-table", 0.60, "<=",
     beside("map", "load-miss", "rwlock-table")),
    ("map load-hit, throughput of 2 processes / 1", 1.8, ">=",
     scaled("map", "load-hit", "load-hit-2procs")),
    ("   ... rwlock-table, beside it", None, "",
     scaled("map", "load-hit", "load-hit-2procs", "rwlock-table")),
    ("map store-existing / null ioctl", 2.0, "<=", lambda r:
     r("map", "store-existing", "gosync") / r("ioctl", "null", "ioctl")),
    ("value load-64, gosync / memcpy", 3.0, "<=",
     beside("value", "load-64", "memcpy")),
    ("value load-64, throughput of 2 readers / 1", 1.8, ">=",
     scaled("value", "load-64", "load-64-2readers")),
    ("atomic add, gosync / c11", 1.2, "<=", beside("atomic", "add", "c11")),
    ("open by name, at 100,000 / at 100", 1.2, "<=",
     scaled("object", "open-at-100000", "open-at-100")),
    ("   ... gosync-ioctl (no mmap)", None, "",
     scaled("object", "open-at-100000", "open-at-100", "gosync-ioctl")),
    ("bytes per named, persistent, unopened Mutex", 320, "<=",
     just("object", "bytes-each", "gosync", "bytes")),
    ("   ... per RWMutex", 4096 + 512, "<=",
     just("rwmutex", "bytes-each", "gosync", "bytes")),
    ("   ... per empty Map", 16384, "<=",
     just("map", "bytes-each", "gosync", "bytes")),
    ("uring lock-32, gosync / two null ioctls", 1.0, "<=",
     beside("uring", "lock-32", "ioctl")),
    ("   ... gosync-uring: unlocked by command, too", 1.0, "<=",
     beside("uring", "lock-32", "ioctl", "gosync-uring")),
    ("uring pingpong, gosync-uring / futex by io_uring", 1.1, "<=",
     beside("uring", "pingpong", "futex", "gosync-uring")),
    ("   ... gosync: unlocked by ioctl", None, "",
     beside("uring", "pingpong", "futex")),
    ("bytes per pending lock by io_uring, beyond its own", 256, "<=",
     lambda r: r("uring", "pending", "gosync", "bytes") -
     r("uring", "pending", "poll-add", "bytes") - URING_SQE),
    ("waitany ready-of-9, gosync-ioctl / ioctl-lock", 3, "<=",
     beside("waitany", "ready-of-9", "ioctl-lock", "gosync-ioctl")),
    ("   ... gosync / ioctl-lock", None, "",
     beside("waitany", "ready-of-9", "ioctl-lock")),
    ("waitany pingpong-8, gosync / over-1", 1.5, "<=",
     beside("waitany", "pingpong-8", "over-1")),
    ("   ... gosync / futex-waitv", None, "",
     beside("waitany", "pingpong-8", "futex-waitv")),
    ("poll ready, gosync / eventfd", None, "",
     beside("poll", "ready", "eventfd")),
    ("poll pingpong, gosync / eventfd", None, "",
     beside("poll", "pingpong", "eventfd")),
    ("poll pingpong-100, gosync / eventfd", None, "",
     beside("poll", "pingpong-100", "eventfd")),
]

# The Okabe-Ito colours; what is no lock, but a yardstick, is dark. What never
# stands in one picture shares one.
COLOURS = {
    "gosync": 0x0072B2, "gosync-ioctl": 0x56B4E9, "pthread": 0xE69F00,
    "pthread-robust": 0xD55E00, "pthread-rwlock": 0xE69F00,
    "pthread-rwlock-w": 0xD55E00, "pthread-cond": 0xE69F00,
    "rwlock-table": 0xCC79A7, "sem_t": 0x009E73, "sysv": 0xF0E442,
    "flock": 0xCC79A7, "ofd": 0x999999, "futex": 0x000000,
    "c11": 0x404040, "memcpy": 0x404040, "ioctl": 0x404040,
    "gosync-uring": 0x009E73, "over-1": 0xF0E442, "ioctl-lock": 0x404040,
    "futex-waitv": 0x000000, "eventfd": 0xE69F00, "nop": 0x999999,
}


def read_logs(names):
    """What the logs say: the system, {(op, case, impl): {key: number}}, and
    {(op, case, impl): why} of those that failed."""
    system, results, failures = {}, {}, {}
    for name in names:
        if not os.path.exists(name):
            continue
        with open(name, encoding="utf-8", errors="replace") as log:
            for line in log:
                words = line.split()
                pairs = dict(w.split("=", 1) for w in words if "=" in w)
                if "accel" in pairs:
                    system = system or pairs
                elif len(words) > 3 and words[3] == "failed:":
                    failures[tuple(words[:3])] = " ".join(words[4:])
                elif len(words) > 3 and words[2] in IMPLS:
                    result = results.setdefault(tuple(words[:3]), {})
                    result.update((k, float(pairs[k])) for k in KEYS
                                  if k in pairs)
    return system, results, failures


def number(value):
    """Three digits, as many as matter."""
    return f"{value:.1f}" if value < 1000 else f"{value:,.0f}"


def tables(results, failures):
    """A table per operation: a row per case, a column per implementation."""
    everything = {**results, **failures}
    for op in dict.fromkeys(op for op, _, _ in everything):
        impls = [i for i in IMPLS if any(k[0] == op and k[2] == i
                                         for k in everything)]
        table = [[f"{op} (ns)"] + impls]
        for case in dict.fromkeys(c for o, c, _ in everything if o == op):
            for key in KEYS:
                row = [results.get((op, case, i), {}).get(key) for i in impls]
                if any(v is not None for v in row):
                    table.append([case if key == "ns" else f"{case}, {key}"] +
                                 ["" if v is None else number(v) for v in row])
            row = ["failed" if (op, case, i) in failures else "" for i in impls]
            if any(row):
                table.append([f"{case}, failed"] + row)
        yield table


def table_of_failures(failures):
    """What failed, and why."""
    return [["failed", "case", "by", "why"]] + \
        [[*key, why] for key, why in failures.items()]


def figures(results, failures):
    """What is to be reached, and what was: as a table, and for a program."""
    table, facts = [["figure", "target", "reached", ""]], []
    main_text = ""
    for text, limit, relation, compute in FIGURES:
        asked = []

        def result(op, case, impl, key="ns"):
            # pylint: disable=cell-var-from-loop
            asked.append((op, case, impl))
            return results[op, case, impl][key]

        target = f"{relation} {limit:g}" if limit else ""
        try:
            value = compute(result)
        except (KeyError, ZeroDivisionError):
            if any(key in failures for key in asked):
                table.append([text, target, "", "failed"])
            continue
        missed = limit and (value > limit if relation == "<=" else
                            value < limit)
        table.append([text, target, f"{value:.2f}",
                      "missed" if missed else ""])
        if text[0] != " ":
            main_text = text
        facts.append({"op": asked[0][0], "figure": text if text == main_text else
                      f"{main_text} ...{text[6:]}",
                      "relation": relation, "bound": limit, "reached": value})
    return table, facts


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
            name = case if op in ("mutex", "object") else f"{op}\\n{case}"
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
    system, results, failures = read_logs(sys.argv[2:])
    if not results:
        sys.exit("report.py: there are no results")
    reached, facts = figures(results, failures)

    with open(f"{out}/bench.json", "w", encoding="utf-8") as f:
        json.dump({"kernel": system.get("kernel"), "accel": system.get("accel"),
                   "results": [{"op": o, "case": c, "impl": i, **r}
                               for (o, c, i), r in results.items()],
                   "failures": [{"op": o, "case": c, "impl": i, "why": why}
                                for (o, c, i), why in failures.items()],
                   "figures": facts}, f, indent=1)
        f.write("\n")

    with open(f"{out}/bench.dat", "w", encoding="utf-8") as f:
        f.write(panel(results, [("mutex", [
            "uncontended", "contended-2", "contended-4", "contended-8",
            "pingpong"])], "ns"))
        f.write(panel(results, [("rwmutex", ["read", "write", "mixed-90-10"]),
                                ("waitgroup", ["add-done"]),
                                ("once", ["done"]),
                                ("semaphore", ["uncontended"]),
                                ("map", ["load-hit", "load-miss",
                                         "store-existing", "store-new"])],
                      "ns"))
        f.write(panel(results, [("semaphore", ["pingpong"]),
                                ("cond", ["pingpong", "broadcast-200"])],
                      "ns"))
        f.write(panel(results, [("mutex", ["hog"]),
                                ("rwmutex", ["writer-worst"])], "worst_ms"))
        f.write(panel(results, [("value", ["load-64", "store-64"]),
                                ("atomic", ["add"]), ("ioctl", ["null"]),
                                ("object", ["create-close", "open-at-100"])],
                      "ns"))
        f.write(panel(results, [("uring", ["lock-32", "pingpong"]),
                                ("waitany", ["ready-of-9", "pingpong-8"]),
                                ("poll", ["ready", "pingpong",
                                          "pingpong-100"])], "ns"))
    here = os.path.dirname(os.path.realpath(__file__))
    subprocess.run(["gnuplot", "-e", f"dir='{out}'; kernel='{system['kernel']}'"
                    f"; accel='{system['accel']}'", f"{here}/plot.gp"],
                   check=True)

    head = (f"Linux {system['kernel']}, QEMU {system['accel']}, 2 CPUs; "
            "nanoseconds per operation unless said, medians.\n")
    everything = list(tables(results, failures)) + [reached]
    if failures:
        everything.append(table_of_failures(failures))
    print("\n".join([head] + [as_text(t) for t in everything]))
    with open(f"{out}/bench.md", "w", encoding="utf-8") as f:
        f.write("\n".join([head] + [as_markdown(t) for t in everything]))


if __name__ == "__main__":
    main()
