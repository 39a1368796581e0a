#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Run this several times at once: one at a time says hello. Kill one (kill -9)."""

import os
import time

import gosync


def repair(lock):
    print(f"{os.getpid()}: the one before me died in here")


lock = gosync.Mutex("hello.lock", repair=repair)
visits = gosync.Int64("hello.visits")

with lock:
    print(f"{os.getpid()}: hello, this is visit {visits.add(1)}", flush=True)
    time.sleep(1)
