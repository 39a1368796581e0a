# SPDX-License-Identifier: LGPL-2.1-or-later
"""Mutex, RWMutex, Cond"""

import errno
import gc
import math
import os
import signal
import threading
import time
import weakref

from helpers import TestCase, descriptors, eventually, gosync, unused_name, waiters


class Interrupted(Exception):
    pass


def raise_interrupted(number, frame):
    raise Interrupted


class Mutex(TestCase):
    def setUp(self):
        self.name = unused_name()
        self.lock = gosync.Mutex(self.name)
        self.other = self.lock.reopen()

    def test_with_locks_and_unlocks(self):
        with self.lock:
            self.assertTrue(self.lock.locked())
            self.assertFalse(self.other.acquire(False))
        self.assertFalse(self.lock.locked())
        self.assertIs(self.other.acquire(), True)
        self.other.release()

    def test_with_unlocks_after_an_exception(self):
        with self.assertRaises(ZeroDivisionError):
            with self.lock:
                1 / 0
        self.assertFalse(self.lock.locked())

    def test_acquire_takes_arguments_as_threading_lock(self):
        theirs = threading.Lock()
        calls = [
            ((), {}), ((True,), {}), ((1,), {}), ((False,), {}), ((0,), {}),
            ((True, -1), {}), ((True, 0), {}), ((True, 0.0001), {}),
            ((True, -2), {}), ((False, 1), {}), ((False, -1), {}),
            ((), {"timeout": -1}), ((), {"timeout": -0.5}),
            ((), {"timeout": math.nan}), ((), {"timeout": 1e300}),
            ((), {"timeout": math.inf}), ((), {"timeout": "1"}),
            ((), {"blocking": False}), ((), {"blocking": False, "timeout": 2}),
            ((), {"what": 1}), ((1, 2, 3), {}),
        ]
        for held in False, True:
            for args, kwargs in calls:
                if held and (args, kwargs) in calls[:3] + [((True, -1), {}),
                                                           ((), {"timeout": -1})]:
                    continue  # for ever
                outcomes = []
                for lock in theirs, self.lock:
                    if held:
                        lock.acquire()
                    try:
                        outcome = lock.acquire(*args, **kwargs)
                    except Exception as error:
                        outcome = type(error)
                    if held or outcome is True:
                        lock.release()
                    outcomes.append(outcome)
                with self.subTest(held=held, args=args, kwargs=kwargs):
                    self.assertEqual(*outcomes)

    def test_acquire_takes_arguments_as_multiprocessing_lock(self):
        self.assertTrue(self.lock.acquire(block=True, timeout=None))
        self.assertFalse(self.other.acquire(block=False))
        self.assertFalse(self.other.acquire(True, 0.001))
        self.lock.release()

    def test_excludes_processes(self):
        count = gosync.Int64(unused_name())

        def work(say):
            for _ in range(300):
                with self.lock:
                    n = count.load()
                    if n % 50 == 0:
                        os.sched_yield()
                    count.store(n + 1)

        children = [self.child(work) for _ in range(4)]
        for child in children:
            self.assertEqual(child.join(), 0)
        self.assertEqual(count.load(), 4 * 300)

    def test_excludes_threads_that_use_one_handle(self):
        count = 0

        def work():
            nonlocal count
            for i in range(200):
                with self.lock:
                    n = count
                    if i % 20 == 0:
                        time.sleep(0)
                    count = n + 1

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(count, 8 * 200)

    def test_waiting_releases_the_gil(self):
        got = []
        with self.lock:
            thread = threading.Thread(
                target=lambda: got.append(self.other.acquire()))
            thread.start()
            # Without the GIL this thread would not see it wait.
            eventually(lambda: waiters(self.lock) == 1)
            self.assertEqual(got, [])
        thread.join()
        self.assertEqual(got, [True])
        self.other.release()

    def test_a_timeout_waits(self):
        with self.lock:
            begin = time.monotonic()
            self.assertFalse(self.other.acquire(timeout=0.2))
            self.assertGreaterEqual(time.monotonic() - begin, 0.2)

    def test_a_killed_owner_makes_the_next_raise(self):
        self.die_with(self.lock)
        with self.assertRaises(gosync.OwnerDied) as caught:
            with self.lock:
                self.fail("the body must not run")
        self.assertEqual(caught.exception.errno, errno.EOWNERDEAD)
        self.assertEqual(caught.exception.filename, self.name)
        # It is not held, and still poisoned.
        self.assertFalse(self.lock.locked())
        with self.assertRaises(gosync.OwnerDied):
            self.other.acquire(False)
        self.assertFalse(self.lock.locked())

    def test_poisoned_ok_gets_the_lock_to_recover_it(self):
        self.die_with(self.lock)
        self.assertEqual(self.lock.acquire(poisoned_ok=True), gosync.POISONED)
        self.assertTrue(self.lock.locked())
        self.assertFalse(self.other.acquire(False))
        self.lock.recover()
        self.lock.release()
        self.assertIs(self.other.acquire(poisoned_ok=True), True)
        self.other.release()

    def test_a_waiter_is_told_of_the_death(self):
        def hold(say):
            self.lock.acquire()
            say("held")
            signal.pause()

        def wait(say):
            try:
                with self.lock:
                    say("locked")
            except gosync.OwnerDied:
                say("died")

        holder = self.child(hold)
        holder.expect("held")
        waiter = self.child(wait)
        eventually(lambda: waiters(self.lock) == 1)
        holder.kill()
        waiter.expect("died")

    def test_the_hook_repairs_with_the_lock_held(self):
        seen = []

        def repair(lock):
            seen.append(lock)
            self.assertFalse(self.other.acquire(False))

        lock = gosync.Mutex(self.name, repair=repair)
        self.die_with(self.other)
        with lock:
            self.assertTrue(self.other.locked())
        self.assertEqual(seen, [lock])
        with self.other:
            pass

    def test_a_hook_that_raises_leaves_it_to_others(self):
        def repair(lock):
            raise Interrupted

        lock = gosync.Mutex(self.name, repair=repair)
        self.die_with(self.other)
        with self.assertRaises(Interrupted):
            lock.acquire()
        self.assertFalse(lock.locked())
        lock.repair = None
        with self.assertRaises(gosync.OwnerDied):
            lock.acquire()

    def test_release_of_an_unlocked_mutex_says_so_in_gos_words(self):
        with self.assertRaises(gosync.NotLocked) as caught:
            self.lock.release()
        self.assertIsInstance(caught.exception, RuntimeError)
        self.assertIsInstance(caught.exception, PermissionError)
        self.assertEqual(caught.exception.strerror,
                         "sync: unlock of unlocked mutex")

    def test_errorcheck_lets_only_the_owner_release(self):
        lock = gosync.Mutex(unused_name(), errorcheck=True)
        other = lock.reopen()
        with lock:
            self.assertRaises(gosync.NotLocked, other.release)
        with self.lock:
            self.other.release()
            self.lock.acquire()

    def test_tokens_grow(self):
        with self.lock:
            first = self.lock.token()
        with self.other:
            self.assertGreater(self.other.token(), first)

    def test_recover_needs_the_lock(self):
        self.assertErrno(errno.EPERM, self.lock.recover)

    def test_a_handler_that_raises_ends_the_wait(self):
        def wait(say):
            signal.signal(signal.SIGUSR1, raise_interrupted)
            for expected in Interrupted, KeyboardInterrupt:
                with self.assertRaises(expected):
                    self.lock.acquire()
                say("interrupted")
            with self.assertRaises(Interrupted):
                self.lock.acquire(timeout=1000)
            say("interrupted")

        self.other.acquire()
        child = self.child(wait)
        for number in signal.SIGUSR1, signal.SIGINT, signal.SIGUSR1:
            eventually(lambda: waiters(self.other) == 1)
            child.signal(number)
            child.expect("interrupted")
        self.assertEqual(child.join(), 0)
        self.other.release()
        self.assertTrue(self.lock.acquire(False))
        self.lock.release()

    def test_a_handler_that_returns_keeps_the_place(self):
        def first(say):
            signal.signal(signal.SIGUSR1, lambda number, frame: say("handled"))
            with self.lock:
                say("first")
                order.store(order.load() * 10 + 1)

        def second(say):
            with self.lock:
                order.store(order.load() * 10 + 2)

        order = gosync.Int64(unused_name())
        self.other.acquire()
        one = self.child(first)
        eventually(lambda: waiters(self.other) == 1)
        two = self.child(second)
        eventually(lambda: waiters(self.other) == 2)
        for _ in range(5):
            one.signal(signal.SIGUSR1)
            one.expect("handled")
            eventually(one.is_asleep)
        self.other.release()
        one.expect("first")
        self.assertEqual((one.join(), two.join()), (0, 0))
        self.assertEqual(order.load(), 12)

    def test_an_interrupted_main_thread_leaves_other_threads_waiting(self):
        got = []
        previous = signal.signal(signal.SIGUSR1, raise_interrupted)
        self.addCleanup(signal.signal, signal.SIGUSR1, previous)
        self.other.acquire()
        thread = threading.Thread(
            target=lambda: got.append(self.lock.acquire()))
        thread.start()
        eventually(lambda: waiters(self.other) == 1)
        main = threading.main_thread().ident

        def interrupt():
            eventually(lambda: waiters(self.other) == 2)
            signal.pthread_kill(main, signal.SIGUSR1)

        helper = threading.Thread(target=interrupt)
        helper.start()
        with self.assertRaises(Interrupted):
            self.lock.acquire()
        helper.join()
        self.assertEqual(waiters(self.other), 1)
        self.other.release()
        thread.join()
        self.assertEqual(got, [True])
        self.lock.release()

    def test_a_broken_holder_is_told(self):
        with self.assertRaises(gosync.HolderBroken):
            with self.lock:
                self.other.break_holder(self.lock.info()["holder"])
        self.assertEqual(self.other.acquire(poisoned_ok=True), gosync.POISONED)
        self.other.recover()
        self.other.release()
        self.assertErrno(errno.ESRCH, self.other.break_holder, 123456)

    def test_close_beside_a_waiter_gives_back_what_it_gets(self):
        raised = []

        def wait():
            try:
                self.lock.acquire()
            except ValueError as error:
                raised.append(error)

        self.other.acquire()
        fd = self.lock.fileno()
        thread = threading.Thread(target=wait)
        thread.start()
        eventually(lambda: waiters(self.other) == 1)
        self.lock.close()
        self.assertTrue(self.lock.closed)
        self.assertRaises(ValueError, self.lock.acquire)
        os.fstat(fd)
        self.other.release()
        thread.join()
        self.assertEqual(len(raised), 1)
        self.assertRaises(OSError, os.fstat, fd)
        # Not poisoned: it was unlocked before it was closed.
        self.assertIs(self.other.acquire(poisoned_ok=True), True)
        self.other.release()

    def test_close_of_a_held_lock_poisons_it(self):
        self.lock.acquire()
        self.lock.close()
        self.lock.close()
        with self.assertRaises(gosync.OwnerDied):
            self.other.acquire()

    def test_garbage_is_closed(self):
        gc.collect()
        before = descriptors()
        lock = gosync.Mutex()
        self.assertNotEqual(descriptors(), before)
        ref = weakref.ref(lock)
        del lock
        self.assertIsNone(ref())
        self.assertEqual(descriptors(), before)

    def test_garbage_in_a_cycle_is_closed(self):
        gc.collect()
        before = descriptors()
        lock = gosync.Mutex()
        lock.repair = [lock].append
        del lock
        gc.collect()
        self.assertEqual(descriptors(), before)


class RWMutex(TestCase):
    def setUp(self):
        self.rw = gosync.RWMutex(unused_name())
        self.other = self.rw.reopen()

    def test_readers_share_and_a_writer_excludes(self):
        with self.rw.reader():
            self.assertTrue(self.other.reader().acquire(False))
            self.other.reader().release()
            self.assertFalse(self.other.writer().acquire(False))
        with self.rw.writer():
            self.assertTrue(self.rw.writer().locked())
            self.assertFalse(self.other.reader().acquire(timeout=0.001))
            self.assertFalse(self.other.writer().acquire(timeout=0.001))
        self.assertFalse(self.rw.writer().locked())

    def test_between_processes(self):
        word = gosync.Int64(unused_name(), 2)

        def write(say):
            for _ in range(100):
                with self.rw.writer():
                    for i in range(2):
                        word.store(word.load(i) + 1, i)

        def read(say):
            for _ in range(100):
                with self.rw.reader():
                    self.assertEqual(word.load(0), word.load(1))

        children = [self.child(f) for f in (write, read, write, read)]
        for child in children:
            self.assertEqual(child.join(), 0)
        self.assertEqual(word.load(), 200)

    def test_a_killed_writer_makes_all_raise_until_a_writer_recovers(self):
        self.die_with(self.rw.writer())
        for side in self.rw.reader(), self.rw.writer():
            with self.assertRaises(gosync.OwnerDied):
                with side:
                    self.fail("the body must not run")
        self.assertEqual(self.rw.reader().acquire(poisoned_ok=True),
                         gosync.POISONED)
        self.assertErrno(errno.EPERM, self.rw.recover)
        self.rw.reader().release()
        self.rw.repair = lambda rw: self.assertIs(rw, self.rw)
        with self.rw.writer():
            pass
        with self.other.reader():
            pass

    def test_a_killed_reader_is_no_news(self):
        self.die_with(self.rw.reader())
        with self.rw.writer():
            pass

    def test_release_says_so_in_gos_words(self):
        with self.assertRaises(gosync.NotLocked) as caught:
            self.rw.reader().release()
        self.assertEqual(caught.exception.strerror,
                         "sync: RUnlock of unlocked RWMutex")
        with self.assertRaises(gosync.NotLocked) as caught:
            self.rw.writer().release()
        self.assertEqual(caught.exception.strerror,
                         "sync: Unlock of unlocked RWMutex")

    def test_a_handler_that_raises_ends_the_wait(self):
        def wait(say):
            for side in self.rw.reader(), self.rw.writer():
                with self.assertRaises(KeyboardInterrupt):
                    side.acquire()
                say("interrupted")

        with self.other.writer():
            child = self.child(wait)
            for _ in range(2):
                eventually(lambda: waiters(self.other) == 1)
                child.signal(signal.SIGINT)
                child.expect("interrupted")
            self.assertEqual(child.join(), 0)


class Cond(TestCase):
    def setUp(self):
        self.lock = gosync.Mutex(unused_name())
        self.cond = gosync.Cond(unused_name(), self.lock)
        self.word = gosync.Int64(unused_name())

    def test_a_signal_wakes_the_longest_waiter(self):
        def wait(say):
            with self.cond:
                self.assertIs(self.cond.wait(), True)
                self.assertFalse(self.lock.reopen().acquire(False))
                say("woken")

        children = []
        for n in range(3):
            children.append(self.child(wait))
            eventually(lambda: waiters(self.cond) == n + 1)
        for child in children[:2]:
            with self.cond:
                self.cond.notify()
            child.expect("woken")
        self.cond.notify_all()
        children[2].expect("woken")
        for child in children:
            self.assertEqual(child.join(), 0)

    def test_wait_for(self):
        def wait(say):
            with self.cond:
                self.assertEqual(self.cond.wait_for(self.word.load), 7)

        child = self.child(wait)
        eventually(lambda: waiters(self.cond) == 1)
        self.cond.notify()
        with self.cond:
            self.word.store(7)
            self.cond.broadcast()
        self.assertEqual(child.join(), 0)
        with self.cond:
            self.word.store(0)
            self.assertEqual(self.cond.wait_for(self.word.load, 0.01), 0)

    def test_a_timeout_ends_the_wait_with_the_lock_held(self):
        with self.cond:
            for timeout in 0, -1, 0.001:
                self.assertIs(self.cond.wait(timeout), False)
                self.assertTrue(self.lock.locked())

    def test_a_wait_needs_the_lock(self):
        self.assertErrno(errno.EPERM, self.cond.wait)
        self.assertRaises(TypeError, gosync.Cond, None)
        self.assertRaises(TypeError, gosync.Cond, None, threading.Lock())

    def test_a_handler_that_raises_ends_the_wait_with_the_lock_held(self):
        lock = gosync.Mutex(unused_name(), errorcheck=True)
        cond = gosync.Cond(unused_name(), lock)

        def wait(say):
            with self.assertRaises(KeyboardInterrupt):
                with cond:
                    try:
                        cond.wait()
                    finally:
                        self.assertTrue(lock.locked())
            with cond:
                say("again")
                cond.wait()

        child = self.child(wait)
        eventually(lambda: waiters(cond) == 1)
        child.signal(signal.SIGINT)
        child.expect("again")
        eventually(lambda: waiters(cond) == 1)
        cond.signal()
        self.assertEqual(child.join(), 0)

    def test_a_handler_that_returns_keeps_the_place(self):
        def wait(say):
            signal.signal(signal.SIGUSR1, lambda number, frame: say("handled"))
            with self.cond:
                self.cond.wait()
                say("woken")

        first = self.child(wait)
        eventually(lambda: waiters(self.cond) == 1)
        second = self.child(wait)
        eventually(lambda: waiters(self.cond) == 2)
        for _ in range(3):
            first.signal(signal.SIGUSR1)
            first.expect("handled")
            eventually(first.is_asleep)
        self.cond.signal()
        first.expect("woken")
        self.cond.signal()
        second.expect("woken")

    def test_an_owner_that_dies_during_the_wait(self):
        def wait(say):
            with self.assertRaises(gosync.OwnerDied):
                with self.cond:
                    self.cond.wait()
            with self.assertRaises(gosync.OwnerDied):
                self.lock.acquire()
            self.lock.repair = lambda lock: say("repaired")
            with self.cond:
                say("clean")

        child = self.child(wait)
        eventually(lambda: waiters(self.cond) == 1)
        self.die_with(self.lock)
        self.cond.signal()
        child.expect("repaired")
        child.expect("clean")
        self.assertEqual(child.join(), 0)

    def test_a_side_of_an_rwmutex(self):
        rw = gosync.RWMutex(unused_name())
        for side in rw.reader(), rw.writer():
            cond = gosync.Cond(unused_name(), side)

            def wait(say):
                with cond:
                    cond.wait()

            child = self.child(wait)
            eventually(lambda: waiters(cond) == 1)
            with rw.writer():
                cond.broadcast()
            self.assertEqual(child.join(), 0)
