# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests share: names, other processes, and waiting until something is so."""

import gc
import inspect
import itertools
import os
import signal
import sys
import time
import traceback
import unittest

import gosync
from gosync import _gosync

numbers = itertools.count()


def unused_name():
    """A name that no other test has."""
    return f"py.{os.getpid()}.{next(numbers)}"


def eventually(condition):
    """Wait until it is true; a hang is for the runner to end."""
    while not condition():
        time.sleep(0.002)


def waiters(obj):
    return obj.info()["waiters"]


def descriptors():
    return set(os.listdir("/proc/self/fd"))


class Child:
    """Another process, made by fork, which runs function(say).

    say(word) tells the parent, whose expect(word) waits for that.
    """

    def __init__(self, function):
        self.end, end = os.pipe()
        self.status = None
        self.pid = os.fork()
        if self.pid:
            os.close(end)
            self.words = open(self.end)
            return
        status = 1
        try:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            function(lambda word: os.write(end, f"{word}\n".encode()))
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)

    def expect(self, word):
        got = self.words.readline().rstrip("\n")
        if got != str(word):
            raise AssertionError(f"the child says {got!r} and not {word!r}")

    def is_asleep(self):
        """Whether it waits, once it does nothing else that could sleep."""
        with open(f"/proc/{self.pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] == "S"

    def signal(self, number):
        os.kill(self.pid, number)

    def join(self):
        """Wait for its end, and return its exit status, or -signal."""
        if self.status is None:
            self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
            self.words.close()
        return self.status

    def kill(self):
        if self.status is None:
            self.signal(signal.SIGKILL)
        return self.join()


class TestCase(unittest.TestCase):
    def child(self, function):
        child = Child(function)
        self.addCleanup(child.kill)
        return child

    def die_with(self, lock):
        """Have a process die with the lock, by SIGKILL."""
        def hold(say):
            lock.acquire(poisoned_ok=True)
            say("held")
            signal.pause()

        child = self.child(hold)
        child.expect("held")
        self.assertEqual(child.kill(), -signal.SIGKILL)

    def assertErrno(self, number, function, *args, **kwargs):
        with self.assertRaises(OSError) as caught:
            function(*args, **kwargs)
        self.assertEqual(caught.exception.errno, number, caught.exception)
        return caught.exception

    def assertDocumented(self, module):
        """Each thing and each method has a docstring, and says its arguments."""
        for name in module.__all__:
            thing = getattr(module, name)
            if isinstance(thing, int):
                continue
            with self.subTest(name):
                self.assertTrue(inspect.getdoc(thing))
                if isinstance(thing, type):
                    self.assertEqual(thing.__module__, module.__name__)
            if not isinstance(thing, type) or issubclass(thing, OSError):
                continue
            if thing not in (gosync.Object, gosync.Side):
                inspect.signature(thing)
            for member in dir(thing):
                method = getattr(thing, member)
                if member.startswith("_") or not callable(method):
                    continue
                with self.subTest(f"{name}.{member}"):
                    self.assertTrue(inspect.getdoc(method))
                    inspect.signature(method)

    def assertNoLeak(self, function, times=300):
        """What function does leaves no descriptor and no object.

        If Python and the extension are compiled to count them, no reference.
        """
        count = sys.getallocatedblocks
        if _gosync.COUNTS_REFERENCES:
            count = sys.gettotalrefcount
        for _ in range(20):
            function()
        gc.collect()
        before, blocks = descriptors(), count()
        for _ in range(times):
            function()
        gc.collect()
        self.assertEqual(descriptors(), before)
        self.assertLess(count() - blocks, times // 3, function)


__all__ = ["Child", "TestCase", "descriptors", "eventually", "gosync",
           "unused_name", "waiters"]
