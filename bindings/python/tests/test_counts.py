# SPDX-License-Identifier: LGPL-2.1-or-later
"""Semaphore, WaitGroup, Once"""

import errno
import signal
import threading

from helpers import TestCase, eventually, gosync, unused_name, waiters


class Semaphore(TestCase):
    def test_acquire_takes_arguments_as_threading_semaphore(self):
        ours, theirs = gosync.Semaphore(), threading.Semaphore()
        for held in False, True:
            for kwargs in ({}, {"timeout": None}, {"timeout": 0}, {"timeout": -1},
                           {"timeout": -5}, {"timeout": 0.001},
                           {"blocking": False}, {"blocking": False, "timeout": 1}):
                if held and kwargs in ({}, {"timeout": None}):
                    continue
                outcomes = []
                for semaphore in theirs, ours:
                    if held:
                        semaphore.acquire()
                    try:
                        outcome = semaphore.acquire(**kwargs)
                    except Exception as error:
                        outcome = type(error)
                    if held or outcome is True:
                        semaphore.release()
                    outcomes.append(outcome)
                with self.subTest(held=held, kwargs=kwargs):
                    self.assertEqual(*outcomes)

    def test_permits(self):
        s = gosync.Semaphore(unused_name(), 3)
        self.assertTrue(s.acquire(n=2))
        self.assertFalse(s.acquire(False, n=2))
        self.assertEqual(s.get_value(), 1)
        with s:
            self.assertTrue(s.locked())
        s.release(2)
        self.assertEqual(s.get_value(), 3)
        s.set_limit(5)
        self.assertEqual(s.get_value(), 5)
        self.assertRaises(ValueError, s.release, 0)
        self.assertRaises(ValueError, gosync.Semaphore, None, -1)
        self.assertErrno(errno.EPROTOTYPE, gosync.Semaphore, s.name, 7)
        self.assertErrno(errno.ERANGE, s.release, 2147483647)

    def test_permits_of_the_dead(self):
        lost = gosync.Semaphore(unused_name(), 2)
        kept = gosync.Semaphore(unused_name(), 2, give_back=True)

        def hold(say):
            lost.acquire()
            kept.acquire()
            say("held")
            signal.pause()

        child = self.child(hold)
        child.expect("held")
        child.kill()
        self.assertEqual((lost.get_value(), kept.get_value()), (1, 2))
        self.assertErrno(errno.EPERM, kept.release)

    def test_waiters_are_served_and_interrupted(self):
        s = gosync.Semaphore(unused_name(), 0)

        def wait(say):
            with self.assertRaises(KeyboardInterrupt):
                s.acquire(n=2)
            say("interrupted")
            s.acquire(n=2)

        child = self.child(wait)
        eventually(lambda: waiters(s) == 1)
        child.signal(signal.SIGINT)
        child.expect("interrupted")
        eventually(lambda: waiters(s) == 1)
        s.release(2)
        self.assertEqual(child.join(), 0)
        self.assertEqual(s.get_value(), 0)


class WaitGroup(TestCase):
    def test_waits_until_all_is_done(self):
        wg = gosync.WaitGroup(unused_name())
        wg.add(3)
        self.assertFalse(wg.wait(0))
        self.assertFalse(wg.wait(-1))
        self.assertFalse(wg.wait(0.001))
        children = [self.child(lambda say: wg.done()) for _ in range(3)]
        self.assertTrue(wg.wait())
        self.assertEqual(wg.count(), 0)
        self.assertTrue(wg.wait(0))
        for child in children:
            self.assertEqual(child.join(), 0)

    def test_a_negative_counter_is_refused_in_gos_words(self):
        wg = gosync.WaitGroup()
        error = self.assertErrno(errno.ERANGE, wg.done)
        self.assertEqual(error.strerror, "sync: negative WaitGroup counter")

    def test_go(self):
        wg = gosync.WaitGroup()
        seen = []
        for i in range(4):
            wg.go(seen.append, i)
        wg.wait()
        self.assertEqual(sorted(seen), [0, 1, 2, 3])

    def test_go_counts_a_function_that_raises(self):
        wg = gosync.WaitGroup()
        hook, threading.excepthook = threading.excepthook, lambda args: None
        self.addCleanup(setattr, threading, "excepthook", hook)
        wg.go(int, "x").join()
        self.assertEqual(wg.count(), 0)

    def test_a_handler_that_raises_ends_the_wait(self):
        wg = gosync.WaitGroup(unused_name())
        wg.add()

        def wait(say):
            with self.assertRaises(KeyboardInterrupt):
                wg.wait()

        child = self.child(wait)
        eventually(lambda: waiters(wg) == 1)
        child.signal(signal.SIGINT)
        self.assertEqual(child.join(), 0)


class Once(TestCase):
    def setUp(self):
        self.once = gosync.Once(unused_name())

    def test_is_done_once_by_many(self):
        count = gosync.Int64(unused_name(), 2)

        def work(say):
            if self.once.do(count.add, 1, index=0):
                count.add(1, 1)
            self.assertEqual(count.load(), 1)

        children = [self.child(work) for _ in range(6)]
        for child in children:
            self.assertEqual(child.join(), 0)
        self.assertEqual(list(count), [1, 1])
        self.assertTrue(self.once.wait(0))

    def test_a_function_that_raises_has_not_done_it(self):
        self.assertRaises(ValueError, self.once.do, int, "x")
        self.assertFalse(self.once.is_done())
        self.assertEqual(self.once.begin(), gosync.RUN_AGAIN)
        self.once.done()
        self.assertEqual(self.once.begin(), gosync.DONE)
        self.assertFalse(self.once.do(self.fail))

    def test_with(self):
        with self.assertRaises(ZeroDivisionError):
            with self.once as first:
                self.assertTrue(first)
                1 / 0
        with self.once as first:
            self.assertTrue(first)
            self.assertFalse(self.once.is_done())
        with self.once as first:
            self.assertFalse(first)

    def test_the_next_does_it_if_the_runner_is_killed(self):
        def hold(say):
            self.once.begin()
            say("runs")
            signal.pause()

        child = self.child(hold)
        child.expect("runs")
        with self.assertRaises(TimeoutError):
            self.once.begin(0.001)
        self.assertFalse(self.once.wait(0.001))
        child.kill()
        self.assertEqual(self.once.begin(), gosync.RUN_AGAIN)
        self.once.abandon()

    def test_misuse(self):
        self.assertErrno(errno.EPERM, self.once.done)
        self.assertErrno(errno.EPERM, self.once.abandon)
        self.assertErrno(errno.EDEADLK, self.once.do, self.once.do, int)
        self.assertRaises(TypeError, self.once.do)

    def test_a_handler_that_raises_ends_the_wait(self):
        def wait(say):
            for wait in self.once.wait, self.once.begin, self.once.__enter__:
                with self.assertRaises(KeyboardInterrupt):
                    wait()
                say("interrupted")

        self.once.begin()
        child = self.child(wait)
        for _ in range(3):
            eventually(lambda: waiters(self.once) == 1)
            child.signal(signal.SIGINT)
            child.expect("interrupted")
        self.assertEqual(child.join(), 0)
