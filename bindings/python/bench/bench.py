#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Nanoseconds of what nobody has to wait for, beside what Python has itself.

bench.py [TIMES]: so often in each of the rounds

The participants of a table take turns, and the median of the rounds counts. The time
of the empty loop is taken off. In a machine that counts instructions (run --icount) a
nanosecond is one of these.
"""

import itertools
import multiprocessing
import os
import select
import statistics
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), ".."))

import gosync

WARM_UP, ROUNDS = 2, 15
TIMES = int(sys.argv[1]) if sys.argv[1:] else 20000


def empty(thing, times):
    for _ in itertools.repeat(None, times):
        pass


def with_it(lock, times):
    for _ in itertools.repeat(None, times):
        with lock:
            pass


def acquire(lock, times):
    for _ in itertools.repeat(None, times):
        lock.acquire()
        lock.release()


def add(word, times):
    for _ in itertools.repeat(None, times):
        word.add(1)


def add_plain(numbers, times):
    for _ in itertools.repeat(None, times):
        numbers[0] += 1


def look_up(table, times):
    for _ in itertools.repeat(None, times):
        table[b"key"]


def load(value, times):
    for _ in itertools.repeat(None, times):
        value.load()


def one(function, thing, times):
    begin = time.perf_counter_ns()
    function(thing, times)
    return time.perf_counter_ns() - begin


def measure(title, *participants):
    """Print the medians; each of the participants is a name, a function, a thing."""
    times = {name: [] for name, *_ in participants}
    for _ in range(WARM_UP + ROUNDS):
        nothing = one(empty, None, TIMES)
        for name, function, thing in participants:
            spent = one(function, thing, TIMES) - nothing
            times[name].append(spent / TIMES)
    medians = {name: statistics.median(some[WARM_UP:])
               for name, some in times.items()}
    first = next(iter(medians.values()))
    for name, median in medians.items():
        ratio = f"{first / median:.2f}" if median != first else ""
        print(f"{title:24} {name:28} {median:10.1f} {ratio:>6}", flush=True)


def main():
    mutex = gosync.Mutex("bench.mutex")
    rw = gosync.RWMutex("bench.rwmutex")
    semaphore = gosync.Semaphore("bench.semaphore", 1)
    table = gosync.Map("bench.map")
    table[b"key"] = b"v" * 64
    value = gosync.Value("bench.value")
    value.store(b"v" * 64)
    theirs = multiprocessing.Lock()

    print(f"{'':24} {'':28} {'ns':>10}  ratio of the first to this one")
    measure("with lock:",
            ("gosync.Mutex", with_it, mutex),
            ("multiprocessing.Lock", with_it, theirs),
            ("threading.Lock", with_it, threading.Lock()),
            ("gosync, the reader's side", with_it, rw.reader()),
            ("gosync, the writer's side", with_it, rw.writer()))
    measure("acquire(), release()",
            ("gosync.Mutex", acquire, mutex),
            ("multiprocessing.Lock", acquire, theirs),
            ("threading.Lock", acquire, threading.Lock()))
    measure("with semaphore:",
            ("gosync.Semaphore", with_it, semaphore),
            ("multiprocessing.Semaphore", with_it, multiprocessing.Semaphore(1)),
            ("threading.Semaphore", with_it, threading.Semaphore(1)))
    measure("a value of 64 bytes",
            ("gosync.Map", look_up, table),
            ("gosync.Value", load, value),
            ("dict", look_up, {b"key": b"v" * 64}))
    measure("an atomic word",
            ("gosync.Int64.add", add, gosync.Int64("bench.word")),
            ("list[0] += 1", add_plain, [0]))
    # What a task of asyncio, or anybody who polls, costs those who do not
    poll = select.epoll()
    poller = gosync.Mutex("bench.mutex")
    poll.register(poller.fileno(), select.EPOLLIN)
    measure("with lock:, polled",
            ("gosync.Mutex", with_it, mutex),
            ("multiprocessing.Lock", with_it, theirs))
    poll.close()
    measure("with lock:, after that",
            ("gosync.Mutex", with_it, mutex),
            ("multiprocessing.Lock", with_it, theirs))


if __name__ == "__main__":
    main()
