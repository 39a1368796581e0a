#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
#
# how.py >how.svg: draw how it works, for README.md and design.md.
#
# The picture brings its own background, in a light and a dark version, so that
# it can be read on any page.

import textwrap
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 800, 545

STYLE = """
  text { font: 13px sans-serif; fill: #24292f; }
  .title { font-weight: bold; }
  .code { font-family: monospace; }
  .faint { fill: #57606a; }
  .page { fill: #ffffff; }
  .kernel { fill: #eef1f4; }
  .box { fill: #ffffff; stroke: #57606a; stroke-width: 1.5; }
  .word { fill: #fff8c5; stroke: #9a6700; stroke-width: 1.5; }
  .border { stroke: #57606a; stroke-dasharray: 6 4; }
  .tie { stroke: #57606a; fill: none; }
  .one { stroke: #1a7f37; fill: none; stroke-width: 2; }
  .two { stroke: #0969da; fill: none; stroke-width: 2; }
  .three { stroke: #cf222e; fill: none; stroke-width: 2; }
  .one-fill { fill: #1a7f37; }
  .two-fill { fill: #0969da; }
  .three-fill { fill: #cf222e; }
  .badge { fill: #ffffff; font-weight: bold; text-anchor: middle; }
  .middle { text-anchor: middle; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .faint { fill: #9ea7b3; }
    .page { fill: #0d1117; }
    .kernel { fill: #1b222b; }
    .box { fill: #0d1117; stroke: #9ea7b3; }
    .word { fill: #3a2f0b; stroke: #d29922; }
    .border, .tie { stroke: #9ea7b3; }
    .one { stroke: #2ea043; } .one-fill { fill: #2ea043; }
    .two { stroke: #4493f8; } .two-fill { fill: #4493f8; }
    .three { stroke: #f85149; } .three-fill { fill: #f85149; }
    .badge { fill: #0d1117; }
  }
"""

out = []


def rect(x, y, width, height, kind, round_by=6):
    out.append(f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" '
               f'height="{height}" rx="{round_by}"/>')


def text(x, y, words, kind="plain"):
    out.append(f'<text class="{kind}" x="{x}" y="{y}">{escape(words)}</text>')


def line(points, kind, arrow=True):
    path = "M" + " L".join(f"{x} {y}" for x, y in points)
    end = f' marker-end="url(#{kind}-end)"' if arrow else ""
    out.append(f'<path class="{kind}" d="{path}"{end}/>')


def badge(x, y, number, kind):
    out.append(f'<circle class="{kind}-fill" cx="{x}" cy="{y}" r="10"/>')
    text(x, y + 4.5, number, "badge")


def process(x, name, state):
    rect(x, 50, 220, 120, "box")
    text(x + 14, 74, name, "title")
    text(x + 14, 94, state, "faint")
    rect(x + 14, 112, 192, 44, "box", 4)
    text(x + 26, 139, "libgosync-user")


def holder(x, name, says):
    rect(x, 236, 220, 58, "box")
    text(x + 14, 260, name, "title")
    text(x + 14, 280, says, "faint")


def legend(x, number, kind, title, words):
    badge(x + 10, 426, number, kind)
    text(x + 28, 430.5, title, "title")
    for i, row in enumerate(textwrap.wrap(words, 37)):
        text(x, 454 + 18 * i, row)


def draw():
    rect(0, 0, WIDTH, HEIGHT, "page", 8)
    rect(0, 204, WIDTH, 192, "kernel", 0)
    line([(0, 204), (WIDTH, 204)], "border", False)
    text(16, 24, "user space", "faint")
    text(16, 386, "kernel: gosync.ko", "faint")

    process(20, "process A", "owns the lock")
    process(560, "process B", "wants the lock")
    holder(20, "holder A", "A's open descriptor")
    holder(560, "holder B", "B's open descriptor")
    line([(60, 170), (60, 236)], "tie", False)
    line([(740, 170), (740, 236)], "tie", False)

    # The page that both map, and that the kernel writes to as well
    rect(310, 92, 180, 196, "word")
    text(400, 82, "mapped page", "middle faint")
    text(400, 122, "the word of a Mutex", "title middle")
    text(400, 150, "LOCKED  WAITERS", "code middle")
    text(400, 170, "POISONED  OWNER=A", "code middle")
    for i, row in enumerate(["the libraries and the", "kernel change it, by one",
                             "compare-and-swap each"]):
        text(400, 202 + 18 * i, row, "middle faint")

    rect(310, 326, 180, 52, "box")
    text(400, 348, "queue of the object", "title middle")
    text(400, 367, "B sleeps here", "middle faint")

    # 1: no system call
    line([(226, 134), (306, 134)], "one")
    badge(268, 134, "1", "one")
    # 2: B sleeps, A unlocks
    line([(640, 156), (640, 232)], "two")
    line([(640, 294), (640, 352), (494, 352)], "two")
    badge(640, 324, "2", "two")
    text(656, 328.5, "lock", "faint")
    line([(160, 156), (160, 232)], "two")
    line([(160, 294), (160, 352), (306, 352)], "two")
    badge(160, 324, "2", "two")
    text(176, 328.5, "unlock", "faint")
    # 3: the end of A's holder
    line([(240, 265), (306, 265)], "three")
    badge(274, 265, "3", "three")
    line([(400, 288), (400, 322)], "three")
    badge(424, 306, "3", "three")

    legend(20, "1", "one", "nobody has to wait",
           "No system call: the library sets LOCKED and its own number in "
           "the word. A unlocks in the same way if nobody waits.")
    legend(280, "2", "two", "somebody has to wait",
           "System calls: B finds the word locked and sleeps in the queue. "
           "A sees WAITERS and lets the kernel unlock, which wakes B or "
           "hands it the lock.")
    legend(540, "3", "three", "the owner dies",
           "The kernel closes A's descriptor, so its holder ends. The word "
           "names A: the kernel unlocks it, sets POISONED and wakes B, "
           "which is told that the owner died.")


def main():
    draw()
    print(f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" '
          f'height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">')
    print("<title>How gosync works: process, library, mapped word, kernel "
          "queue, holder</title>")
    print(f"<style>{STYLE}</style>\n<defs>")
    for kind in "one", "two", "three":
        print(f'<marker id="{kind}-end" viewBox="0 0 8 8" refX="7" refY="4" '
              f'markerWidth="7" markerHeight="7" orient="auto">'
              f'<path class="{kind}-fill" d="M0 0 L8 4 L0 8 z"/></marker>')
    print("</defs>")
    print("\n".join(out))
    print("</svg>")


main()
