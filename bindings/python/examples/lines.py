#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A queue of lines between any processes: lines.py put TEXT..., or lines.py get N"""

import sys

import gosync

ROOM = 8

lock = gosync.Mutex("lines.lock", persist=True)
filled = gosync.Cond("lines.filled", lock, persist=True)
emptied = gosync.Cond("lines.emptied", lock, persist=True)
lines = gosync.Map("lines", ROOM, persist=True)
# How many were put, how many were got
ends = gosync.Uint64("lines.ends", 2, persist=True)


def put(text):
    with lock:
        emptied.wait_for(lambda: ends[0] - ends[1] < ROOM)
        lines[b"%d" % (ends[0] % ROOM)] = text.encode()
        # From here on the line is in the queue. Before, it is not.
        ends.add(1, 0)
        filled.notify()


def get():
    with lock:
        filled.wait_for(lambda: ends[0] != ends[1])
        text = lines[b"%d" % (ends[1] % ROOM)].decode()
        ends.add(1, 1)
        emptied.notify()
        return text


def nothing_is_half_done(_):
    """Whoever died with the lock has put or got one line, or has not."""


lock.repair = nothing_is_half_done
if sys.argv[1:2] == ["put"]:
    for text in sys.argv[2:]:
        put(text)
else:
    for _ in range(int(sys.argv[2])):
        print(get())
