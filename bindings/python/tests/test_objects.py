# SPDX-License-Identifier: LGPL-2.1-or-later
"""What all objects can do, in threads and processes, and several at once"""

import errno
import os
import resource
import signal
import subprocess
import sys
import threading

from helpers import TestCase, descriptors, eventually, gosync, unused_name, waiters


class Processes(TestCase):
    def test_a_forked_child_does_not_own_its_parents_lock(self):
        lock = gosync.Mutex(unused_name(), errorcheck=True)

        def child(say):
            self.assertRaises(gosync.NotLocked, lock.release)
            self.assertFalse(lock.acquire(False))

        lock.acquire()
        self.assertEqual(self.child(child).join(), 0)
        lock.release()
        self.assertIs(lock.acquire(), True)
        lock.release()

    def test_a_child_forked_during_a_wait_can_close(self):
        lock = gosync.Mutex(unused_name())
        other = lock.reopen()

        def child(say):
            fd = lock.fileno()
            lock.close()
            self.assertRaises(OSError, os.fstat, fd)

        other.acquire()
        thread = threading.Thread(target=lock.acquire)
        thread.start()
        eventually(lambda: waiters(other) == 1)
        self.assertEqual(self.child(child).join(), 0)
        other.release()
        thread.join()
        lock.release()

    def test_exec_ends_a_holder(self):
        name = unused_name()
        lock = gosync.Mutex(name)

        def child(say):
            lock.acquire()
            say("held")
            os.execv("/bin/sh", ["sh", "-c", "read line"])

        child = self.child(child)
        child.expect("held")
        with self.assertRaises(gosync.OwnerDied):
            lock.acquire()
        child.kill()

    def test_subprocesses_inherit_nothing(self):
        lock = gosync.Mutex(unused_name())
        with lock:
            for close_fds in True, False:
                got = subprocess.run(["/bin/ls", "-l", "/proc/self/fd"],
                                     close_fds=close_fds, check=True,
                                     stdout=subprocess.PIPE)
                self.assertNotIn(b"gosync", got.stdout)
        self.assertIs(lock.acquire(), True)
        lock.release()

    def test_another_user_may_not(self):
        name = unused_name()
        lock = gosync.Mutex(name, mode=0o600)
        seen = gosync.Mutex(name + ".seen", mode=0o644)

        def child(say):
            os.setgid(1001)
            os.setuid(1001)
            self.assertRaises(PermissionError, gosync.Mutex, name)
            self.assertRaises(PermissionError, gosync.Mutex, name + ".seen")
            reader = gosync.Mutex(name + ".seen", readonly=True)
            self.assertTrue(reader.readonly)
            self.assertErrno(errno.EBADF, reader.acquire)

        if os.getuid():
            self.skipTest("not root")
        self.assertEqual(self.child(child).join(), 0)
        del lock, seen


class Objects(TestCase):
    def test_names(self):
        self.assertRaises(ValueError, gosync.Mutex, "")
        self.assertRaises(ValueError, gosync.Mutex, "a\0b")
        self.assertErrno(errno.ENAMETOOLONG, gosync.Mutex, "a" * 256)
        self.assertRaises(TypeError, gosync.Mutex, 1)
        for name in "é", b"\xff\xfe", "a/b c":
            lock = gosync.Mutex(name)
            self.assertIn((lock.name, "mutex"), gosync.names())
            self.assertEqual(os.fsencode(lock.name), os.fsencode(name))

    def test_create_and_exclusive(self):
        name = unused_name()
        self.assertRaises(FileNotFoundError, gosync.Mutex, name, create=False)
        self.assertRaises(FileNotFoundError, gosync.Mutex, name, readonly=True)
        lock = gosync.Mutex(name, exclusive=True)
        self.assertRaises(FileExistsError, gosync.Mutex, name, exclusive=True)
        self.assertErrno(errno.EPROTOTYPE, gosync.RWMutex, name)
        self.assertRaises(ValueError, gosync.Mutex, name, create=False,
                          exclusive=True)
        self.assertRaises(ValueError, gosync.Mutex, create=False)
        self.assertEqual(lock.info()["type"], "mutex")

    def test_persist_and_unlink(self):
        name = unused_name()
        gosync.Once(name, persist=True).do(lambda: None)
        self.assertTrue(gosync.Once(name, create=False).is_done())
        once = gosync.Once(name)
        self.assertErrno(errno.EBUSY, gosync.unlink, name, unused=True)
        gosync.unlink(name)
        self.assertTrue(once.is_done())
        self.assertRaises(FileNotFoundError, gosync.unlink, name)

    def test_chmod_and_chown(self):
        name = unused_name()
        value = gosync.Value(name)
        gosync.chmod(name, 0o640)
        self.assertEqual(value.info()["mode"], 0o640)
        if not os.getuid():
            gosync.chown(name, -1, 1001)
            self.assertEqual(value.info()["gid"], 1001)
        self.assertRaises(FileNotFoundError, gosync.chmod, unused_name(), 0o600)

    def test_ioctl_only_and_no_mmap_work_the_same(self):
        for options in {"ioctl_only": True}, {"no_mmap": True}, {"own_page": True}:
            lock = gosync.Mutex(unused_name(), **options)
            with lock:
                self.assertTrue(lock.locked())
            word = gosync.Int64(unused_name(), 3, **options)
            self.assertEqual(word.add(-5, 2), -5)

    def test_a_thousand_objects(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2048), max(hard, 2048)))
        name = unused_name()
        locks = [gosync.Mutex(f"{name}.{i}") for i in range(1000)]
        for lock in locks:
            lock.acquire()
        self.assertTrue(all(lock.locked() for lock in locks))

        def child(say):
            self.assertFalse(any(lock.acquire(False) for lock in locks))

        self.assertEqual(self.child(child).join(), 0)
        for lock in locks:
            lock.release()

    def test_a_thousand_opens_leak_nothing(self):
        name = unused_name()
        keep = gosync.Mutex(name)
        self.assertNoLeak(lambda: gosync.Mutex(name).close(), 1000)
        self.assertNoLeak(lambda: gosync.Mutex(name))
        self.assertNoLeak(keep.reopen)

        def fail():
            try:
                gosync.Int64(name)
            except OSError:
                pass

        self.assertNoLeak(fail)

    def test_no_operation_leaks(self):
        name = unused_name()
        lock = gosync.Mutex(name)
        rw = gosync.RWMutex()
        semaphore = gosync.Semaphore(None, 3)
        wg = gosync.WaitGroup()
        once = gosync.Once()
        once.do(int)
        cond = gosync.Cond(None, lock)

        def locks():
            with lock:
                lock.acquire(timeout=0)
                cond.wait(0)
            lock.info(), lock.locked(), repr(lock), lock.name, lock.token()
            with rw.reader():
                pass
            with rw.writer():
                rw.writer().acquire(False)

        def others():
            with semaphore:
                semaphore.get_value(), semaphore.acquire(False, n=7)
            wg.add()
            wg.done()
            wg.wait(0)
            once.do(int)
            with once:
                pass
            cond.signal()
            gosync.names()

        def errors():
            for call in (lock.release, rw.reader().release, lambda: wg.add(-1),
                         lambda: lock.acquire(timeout=-2),
                         lambda: gosync.Mutex("", exclusive=True),
                         lambda: gosync.Mutex(name, create=False, persist=True),
                         lambda: gosync.Mutex(name, exclusive=True)):
                try:
                    call()
                except (OSError, ValueError):
                    pass

        for function in locks, others, errors:
            self.assertNoLeak(function)

    def test_a_subclass_is_one_of_them(self):
        class Mine(gosync.Mutex):
            def twice(self):
                return 2 * self.acquire()

        lock = Mine(unused_name())
        self.assertEqual(lock.twice(), 2)
        lock.release()
        self.assertIsInstance(lock.reopen(), Mine)
        self.assertRaises(gosync.NotLocked, lock.release)

    def test_object_itself_has_no_objects(self):
        self.assertRaises(TypeError, gosync.Object)
        self.assertRaises(TypeError, gosync.Side)
        fd = os.open("/dev/null", os.O_RDONLY)
        self.assertRaises(TypeError, gosync.Object.from_fd, fd)
        self.assertErrno(errno.ENOTTY, gosync.Mutex.from_fd, fd)
        os.close(fd)

    def test_from_fd(self):
        lock = gosync.Mutex(unused_name())
        copy = gosync.Mutex.from_fd(os.dup(lock.fileno()))
        self.assertEqual(copy.name, lock.name)
        self.assertEqual(copy.info()["holder"], lock.info()["holder"])
        self.assertErrno(errno.EPROTOTYPE, gosync.Once.from_fd, lock.fileno())

    def test_everything_is_documented(self):
        self.assertDocumented(gosync)

    def test_subinterpreters_have_their_own_types(self):
        try:
            import _xxsubinterpreters as interpreters
        except ImportError:
            self.skipTest("this Python has none")
        name = unused_name()
        lock = gosync.Mutex(name)
        lock.acquire()
        for _ in range(3):
            id = interpreters.create()
            interpreters.run_string(id, f"""if True:
                import sys
                sys.path[:] = {sys.path!r}
                import gosync
                lock = gosync.Mutex({name!r})
                assert not lock.acquire(False)
                try:
                    lock.reopen().recover()
                except OSError:
                    pass
                else:
                    assert False
            """)
            interpreters.destroy(id)
        lock.release()
        self.assertIs(lock.acquire(), True)
        lock.release()


class Many(TestCase):
    def test_any_takes_the_first_that_can_be_had(self):
        held, free = gosync.Mutex(), gosync.Semaphore(None, 3)
        held.acquire()
        waiter = held.reopen()
        self.assertEqual(gosync.wait_any(waiter, (free, 2)), (1, True))
        self.assertEqual(free.get_value(), 1)
        self.assertIsNone(gosync.wait_any(waiter, (free, 2), timeout=0.001))
        held.release()
        self.assertEqual(gosync.wait_any(waiter, free), (0, True))
        self.assertFalse(held.acquire(False))

    def test_any_of_each_type(self):
        rw, wg, once = gosync.RWMutex(), gosync.WaitGroup(), gosync.Once()
        value, table = gosync.Value(), gosync.Map()
        word, flag = gosync.Int32(None, 2), gosync.Bool()
        value.store(b"a")
        seen = table.wait()
        word.store(-5, 1)
        once.do(int)
        read, write = os.pipe()
        os.write(write, b"x")
        for thing, result in ((rw.reader(), True), (wg, True), (once, True),
                              ((value, 0), 1), ((word, 0, 1), -5),
                              ((flag, True), False), (read, 1), ((read, 1), 1)):
            with self.subTest(thing):
                self.assertEqual(gosync.wait_any(thing), (0, result))
        self.assertIsNone(gosync.wait_any((table, seen), rw.writer(), timeout=0))
        for bad in "x", (rw.reader(), 1), value, (word, 0, 1, 2), rw, None:
            with self.subTest(bad):
                self.assertRaises(TypeError, gosync.wait_any, bad)
        self.assertRaises(IndexError, gosync.wait_any, (word, 0, 2))
        self.assertRaises(ValueError, gosync.wait_any)
        self.assertRaises(ValueError, gosync.wait_any, *[wg] * 65)
        os.close(read)
        os.close(write)

    def test_all_in_any_order(self):
        one, two = gosync.Mutex(unused_name()), gosync.Mutex(unused_name())
        count = gosync.Int64(unused_name())

        def work(*locks):
            def run(say):
                for _ in range(50):
                    self.assertEqual(gosync.wait_all(*locks), [True, True])
                    count.store(count.load() + 1)
                    locks[0].release()
                    locks[1].release()
            return run

        children = [self.child(work(one, two)), self.child(work(two, one))]
        for child in children:
            self.assertEqual(child.join(), 0)
        self.assertEqual(count.load(), 100)
        self.assertErrno(errno.EDEADLK, gosync.wait_all, one, one)

    def test_the_dead_and_signals(self):
        lock, other = gosync.Mutex(unused_name()), gosync.Mutex(unused_name())
        other.acquire()

        def wait(say):
            for wait in gosync.wait_any, gosync.wait_all:
                with self.assertRaises(KeyboardInterrupt):
                    wait(other)
                say("interrupted")

        child = self.child(wait)
        for _ in range(2):
            eventually(lambda: waiters(other) == 1)
            child.signal(signal.SIGINT)
            child.expect("interrupted")
        self.assertEqual(child.join(), 0)
        self.die_with(lock)
        self.assertEqual(gosync.wait_any(other.reopen(), lock),
                         (1, gosync.POISONED))

    def test_close_during_the_wait_gives_back(self):
        lock = gosync.Mutex(unused_name())
        waiting = lock.reopen()
        raised = []

        def wait():
            try:
                gosync.wait_any(waiting)
            except ValueError:
                raised.append(True)

        lock.acquire()
        thread = threading.Thread(target=wait)
        thread.start()
        eventually(lambda: waiters(lock) == 1)
        waiting.close()
        lock.release()
        thread.join()
        self.assertEqual(raised, [True])
        self.assertIs(lock.acquire(poisoned_ok=True), True)
        lock.release()

    def test_await_name(self):
        name = unused_name()
        self.assertIsNone(gosync.await_name(gosync.Map, name, timeout=0.001))

        def create(say):
            say("begins")
            table = gosync.Map(name, mode=0o600, persist=True)
            table[b"a"] = b"b"

        self.addCleanup(gosync.unlink, name)
        child = self.child(create)
        table = gosync.await_name(gosync.Map, name, keys=str)
        self.assertEqual(child.join(), 0)
        self.assertEqual(table["a"], b"b")
        self.assertErrno(errno.EPROTOTYPE, gosync.await_name, gosync.Mutex, name)
        self.assertRaises(TypeError, gosync.await_name, gosync.Object, name)
        before = descriptors()
        self.assertRaises(TypeError, gosync.await_name, gosync.Map, name, what=1)
        self.assertEqual(descriptors(), before)

    def test_no_operation_leaks(self):
        lock, word = gosync.Mutex(), gosync.Int64(None, 2)

        def all_of_them():
            gosync.wait_any(lock, (word, 0))
            gosync.wait_any(lock, (word, 0, 1), timeout=0)
            lock.release()
            gosync.wait_all(lock, (word, 5))
            lock.release()
            self.assertRaises(OSError, gosync.wait_all, lock, lock)
            self.assertRaises(TypeError, gosync.wait_any, lock, "x")

        self.assertNoLeak(all_of_them)
