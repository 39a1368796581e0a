#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Change the sources of module and library in one place each.

mutants.py list SEED    the names of all changes, in a random order
mutants.py make NAME    a changed source, to the standard output

A NAME is FILE:LINE:KIND, or FILE:LINE:KIND.N for the Nth of that kind in the line. For a
change that is to be found again later, LINE is the name of a function, and N counts there.

Only what is within functions is changed. No line moves, so that code which knows its
line number stays as it is. See mutants.sh.
"""

import glob
import os
import random
import re
import sys

# Tracepoints are written in a language of their own, for kernels that differ. The
# library's other headers are for programs alone.
LEFT_OUT = {"kmod/trace.h", "kmod/compat.h", "kmod/compat_uring.h",
            "libuser/gosync-tsan.h", "libuser/gosync-uring.h"}

OTHER = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==",
         "&&": "||", "||": "&&", "+": "-", "-": "+", "+=": "-=", "-=": "+=",
         "++": "--", "--": "++", "true": "false", "false": "true"}

# Kinds that just put something else in a place: what is looked for, and what is put
# there, or a function that says so. The place is the first group.
KINDS = [
    ("compare", r"(?<![<>=!*/&|^%+-])([<>=!]=|[<>])(?![<>=])", OTHER.get),
    ("logic", r"(&&|\|\|)", OTHER.get),
    ("plus", r"(?<=[\w)\]])(?<!return) *(?<![+-])([+-])(?![+>=-])", OTHER.get),
    ("plus", r"([+-]=)", OTHER.get),
    ("count", r"(\+\+|--)", OTHER.get),
    ("not", r"(!)(?!=)", " "),
    ("order", r"\b(?:atomic\w*|\w*cmpxchg|\w*_bit\w*)(_acquire|_release)\(", "_relaxed"),
    ("order", r"__ATOMIC_(ACQUIRE|RELEASE|ACQ_REL|SEQ_CST)\b", "RELAXED"),
    ("order", r"\b(smp_[rw]?mb(?:__\w+)?\(\))", ""),
    ("flag", r"\|= ()[^;=]*;", "0 & "),
    ("flag", r"& ?~(\w+)\b(?!\()", "0"),
    ("return", r"\breturn (-(?:E\w+|errno));", "0"),
    ("return", r"\breturn (true|false);", OTHER.get),
    ("constant", r"(?<![\w.])(\d+)(?:U?L*)\b(?!\.)", lambda n: str(int(n) + 1)),
]

# What is a call but does nothing, or only looks like a call
NO_CALL = re.compile(r"(lockdep|might)_\w+|\w*_BUG_ON|static_assert|[A-Z_]+|return|"
                     r"if|for|while|switch|\w*_for_each_\w*|scoped_guard|guard")


def blank(match):
    return re.sub(r"[^\n]", " ", match.group())


def masked(text):
    """The text without comments, strings and lines of the preprocessor; no
    character moves."""
    text = re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'',
                  blank, text, flags=re.S)
    return re.sub(r"^[ \t]*#(?:[^\\\n]|\\.|\\\n)*", blank, text, flags=re.M)


def end_of(text, at):
    """Where the bracket that opens at @at has been closed."""
    depth = 0
    for i in range(at, len(text)):
        depth += {"(": 1, "{": 1, ")": -1, "}": -1}.get(text[i], 0)
        if not depth:
            return i + 1
    raise ValueError("a bracket is not closed")


def functions(code):
    """(name, begin, end) of each body, which begins and ends in the first column."""
    for body in re.finditer(r"^\{$.*?^\}$", code, flags=re.M | re.S):
        head = re.split(r"\n[ \t]*\n|[;}]", code[:body.start()])[-1]
        name = re.search(r"(\w+)\(", head)
        yield name.group(1) if name else "", body.start(), body.end()


def changes_of(code, begin, end):
    """(kind, from, to, new text) of each change within a function."""
    body = code[begin:end]
    # What is a table there, and what must be constant
    body = re.sub(r"\bstatic const [^;{]*= \{.*?\};|\bcase [^:]*:", blank, body,
                  flags=re.S)
    body = " " * begin + body

    for kind, pattern, new in KINDS:
        for m in re.compile(pattern).finditer(body, begin):
            yield (kind, m.start(1), m.end(1),
                   new(m.group(1)) if callable(new) else new)
    for m in re.compile(r"\bif \(").finditer(body, begin):
        start, stop = m.end(), end_of(body, m.end() - 1) - 1
        yield "never", start, stop, f"0 && ({{}})"
        yield "always", start, stop, f"1 || ({{}})"
    for m in re.compile(r"^\t+(\w+)\(", re.M).finditer(body, begin):
        stop = end_of(body, m.end() - 1)
        before = body[:m.start()].rstrip()
        if (body[stop] == ";" and not NO_CALL.fullmatch(m.group(1)) and
                (before[-1] in ";{}):" or re.search(r"\b(else|do)$", before))):
            yield "drop", m.start(1), stop, ""
    for m in re.compile(r"\bsmp_(store_release|load_acquire)\(").finditer(body, begin):
        stop = end_of(body, m.end() - 1) - 1
        pointer = body[m.end():stop].split(",")[0]
        how = {"s": "WRITE_ONCE", "l": "READ_ONCE"}[m.group(1)[0]]
        yield "order", m.start(), m.end() + len(pointer), f"{how}(*({pointer})"


class Change:
    """One change: self.kind at self.place of self.file."""

    def __init__(self, file, text, function, change):
        self.file, self.text, self.function = file, text, function
        self.kind, self.begin, self.end, self.new = change
        self.line = text.count("\n", 0, self.begin) + 1

    def changed(self):
        old = self.text[self.begin:self.end]
        new = self.new.replace("{}", old)
        # No line is lost.
        new += "\n" * (old.count("\n") - new.count("\n"))
        return self.text[:self.begin] + new + self.text[self.end:]


def changes(files):
    """{NAME: Change}, by line and by function"""
    by_line, by_function = {}, {}

    def add(names, place, change):
        name, n = f"{change.file}:{place}:{change.kind}", 2
        first = name
        while name in names:
            name, n = f"{first}.{n}", n + 1
        names[name] = change

    for file in sorted(set(files) - LEFT_OUT):
        with open(file, encoding="utf-8") as source:
            text = source.read()
        code = masked(text)
        for function, begin, end in functions(code):
            for change in sorted(changes_of(code, begin, end), key=lambda c: c[1]):
                change = Change(file, text, function, change)
                add(by_line, change.line, change)
                add(by_function, function, change)
    return by_line, by_function


def main():
    os.chdir(os.path.join(os.path.dirname(os.path.realpath(__file__)), ".."))
    if len(sys.argv) != 3 or sys.argv[1] not in ("list", "make"):
        sys.exit(__doc__)
    what, arg = sys.argv[1:]
    files = glob.glob("kmod/*.[ch]") + glob.glob("libuser/*.[ch]")
    if what == "list":
        names = list(changes(files)[0])
        random.Random(int(arg)).shuffle(names)
        print("\n".join(names))
        return
    by_line, by_function = changes({arg.split(":")[0]} & set(files))
    change = by_line.get(arg) or by_function.get(arg)
    if not change:
        sys.exit(f"mutants.py: there is no {arg}")
    sys.stdout.write(change.changed())


main()
