# SPDX-License-Identifier: LGPL-2.1-or-later
"""With multiprocessing: fork, spawn and forkserver; pickling; in place of its own"""

import array
import json
import multiprocessing
import os
import pickle
import signal
import socket
import subprocess
import sys

from helpers import TestCase, eventually, gosync, unused_name, waiters


def add_under(lock, word, times):
    for _ in range(times):
        with lock:
            word.store(word.load() + 1)


def hold(lock, pipe):
    lock.acquire()
    pipe.send("held")
    signal.pause()


def die_holding(lock):
    with lock:
        os.kill(os.getpid(), signal.SIGKILL)


def check_all(lock, rw, side, semaphore, cond, table, value, word, wg, once):
    assert not lock.acquire(False)
    assert side.rwmutex.name == rw.name and side.write
    assert semaphore.acquire(False) and not semaphore.acquire(False)
    semaphore.release()
    assert table["key"] == [1, 2]
    assert value.load() == b"payload"
    assert value.readonly
    assert once.is_done()
    with cond:
        word.store(5)
        cond.notify()
    wg.done()


def own_repair(lock):
    pass


class Multiprocessing(TestCase):
    methods = "fork", "spawn", "forkserver"

    def each(self):
        return [multiprocessing.get_context(method) for method in self.methods]

    def run_it(self, context, function, *args, exitcode=0):
        process = context.Process(target=function, args=args)
        process.start()
        process.join()
        self.assertEqual(process.exitcode, exitcode)

    def test_objects_with_and_without_a_name(self):
        for context in self.each():
            for name in unused_name(), None:
                lock = gosync.Mutex(name)
                word = gosync.Int64(name and name + ".word")
                processes = [context.Process(target=add_under,
                                             args=(lock, word, 100))
                             for _ in range(2)]
                for process in processes:
                    process.start()
                add_under(lock, word, 100)
                for process in processes:
                    process.join()
                    self.assertEqual(process.exitcode, 0)
                self.assertEqual(word.load(), 300)

    def test_every_type(self):
        for context in self.each():
            name = unused_name()
            lock = gosync.Mutex(name, repair=own_repair)
            rw = gosync.RWMutex()
            semaphore = gosync.Semaphore(name + ".s", 1)
            cond_lock = gosync.Mutex()
            cond = gosync.Cond(None, cond_lock)
            table = gosync.Map(keys=str, values=json)
            table["key"] = [1, 2]
            value = gosync.Value(name + ".v")
            value.store(b"payload")
            reader = gosync.Value(name + ".v", readonly=True)
            word = gosync.Int32()
            wg = gosync.WaitGroup(name + ".wg")
            wg.add()
            once = gosync.Once(name + ".once")
            once.do(int)
            process = context.Process(target=check_all, args=(
                lock, rw, rw.writer(), semaphore, cond, table, reader, word, wg,
                once))
            with lock, cond:
                process.start()
                self.assertEqual(cond.wait_for(word.load), 5)
                wg.wait()
            process.join()
            self.assertEqual(process.exitcode, 0)

    def test_a_killed_holder_is_reported(self):
        for context in self.each():
            for name in unused_name(), None:
                lock = gosync.Mutex(name)
                self.run_it(context, die_holding, lock, exitcode=-signal.SIGKILL)
                with self.assertRaises(gosync.OwnerDied):
                    lock.acquire()

    def test_multiprocessings_own_stays_locked(self):
        context = multiprocessing.get_context("fork")
        lock = context.Lock()
        self.run_it(context, die_holding, lock, exitcode=-signal.SIGKILL)
        self.assertFalse(lock.acquire(False))

    def test_a_pool(self):
        lock = gosync.Mutex(unused_name())
        word = gosync.Int64(unused_name())
        with multiprocessing.get_context("spawn").Pool(2) as pool:
            pool.starmap(add_under, [(lock, word, 50)] * 4)
        self.assertEqual(word.load(), 200)

    def test_a_queue_carries_them(self):
        context = multiprocessing.get_context("fork")
        queue = context.Queue()
        for lock in gosync.Mutex(unused_name()), gosync.Mutex():
            def child(say):
                got = queue.get()
                assert not got.acquire(False)
                say("looked")
                got.acquire()

            lock.acquire()
            child = self.child(child)
            queue.put(lock)
            child.expect("looked")
            lock.release()
            self.assertEqual(child.join(), 0)
        queue.close()
        queue.join_thread()


class Pickling(TestCase):
    def test_by_name(self):
        lock = gosync.Mutex(unused_name(), repair=own_repair)
        copy = pickle.loads(pickle.dumps(lock))
        self.assertIs(type(copy), gosync.Mutex)
        self.assertIs(copy.repair, own_repair)
        with lock:
            self.assertFalse(copy.acquire(False))
        side = pickle.loads(pickle.dumps(gosync.RWMutex(unused_name(),
                                                        persist=True).reader()))
        self.assertFalse(side.write)
        gosync.unlink(side.rwmutex.name)

    def test_never_creates(self):
        lock = gosync.Mutex(unused_name())
        pickled = pickle.dumps(lock)
        lock.close()
        self.assertRaises(FileNotFoundError, pickle.loads, pickled)

    def test_semaphores_of_any_limit(self):
        semaphore = gosync.Semaphore(unused_name(), 5)
        copy = pickle.loads(pickle.dumps(semaphore))
        self.assertEqual(copy.get_value(), 5)

    def test_options_travel(self):
        lock = gosync.Mutex(unused_name(), ioctl_only=True)
        self.assertTrue(pickle.loads(pickle.dumps(lock)).ioctl_only)
        reader = gosync.Mutex(lock.name, readonly=True)
        self.assertTrue(pickle.loads(pickle.dumps(reader)).readonly)


class Descriptors(TestCase):
    def test_over_a_socket(self):
        lock = gosync.Mutex()
        ours, theirs = socket.socketpair()

        def child(say):
            ours.close()
            fds = array.array("i")
            ancillary = theirs.recvmsg(1, 100)[1]
            fds.frombytes(ancillary[0][2][:4])
            got = gosync.Mutex.from_fd(fds[0]).reopen()
            say("waits")
            with got:
                say("locked")

        lock.acquire()
        child = self.child(child)
        socket.send_fds(ours, [b"x"], [lock.fileno()])
        child.expect("waits")
        eventually(lambda: waiters(lock) == 1)
        lock.release()
        child.expect("locked")
        self.assertEqual(child.join(), 0)
        ours.close()
        theirs.close()


class Examples(TestCase):
    def start(self, name, *args):
        here = os.path.dirname(os.path.realpath(__file__))
        process = subprocess.Popen(
            [sys.executable, os.path.join(here, "../examples", name), *args],
            env=os.environ | {"PYTHONPATH": os.path.join(here, "..")},
            stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.kill)
        return process

    def say(self, name, *args):
        said, _ = self.start(name, *args).communicate()
        return said

    def test_hello(self):
        lock, visits = gosync.Mutex("hello.lock"), gosync.Int64("hello.visits")
        while True:
            first = self.start("hello.py")
            visit = int(first.stdout.readline().split()[-1])
            first.send_signal(signal.SIGSTOP)
            if lock.info()["owner_pid"] == first.pid:
                break
            first.send_signal(signal.SIGCONT)  # It was faster.
        others = [self.start("hello.py") for _ in range(2)]
        eventually(lambda: waiters(lock) == 2)
        first.kill()
        said = "".join(process.communicate()[0] for process in others)
        for line in ("the one before me died", f"visit {visit + 1}\n",
                     f"visit {visit + 2}\n"):
            self.assertEqual(said.count(line), 1, said)

    def test_survive(self):
        self.assertEqual(self.say("survive.py").splitlines(), [
            "multiprocessing.Lock: nobody will ever get it again",
            "gosync.Mutex: the last owner died with it",
            "gosync.Mutex: in use again"])

    def test_sessions(self):
        self.addCleanup(gosync.unlink, "sessions")
        self.say("sessions.py", "anna", "Rome")
        self.say("sessions.py", "bob", "Oslo")
        self.assertEqual(self.say("sessions.py"), "anna Rome\nbob Oslo\n")
        self.assertIn("Rome", self.say("sessions.py", "anna"))

    def test_limit(self):
        keep = gosync.Semaphore("limit.permits", 2, give_back=True)
        processes = [self.start("limit.py", *"abc") for _ in range(2)]
        said = [process.communicate()[0] for process in processes]
        for text in said:
            self.assertEqual(text.count("ends"), 3)
        self.assertEqual(keep.get_value(), 2)

    def test_lines(self):
        for name in "", ".lock", ".filled", ".emptied", ".ends":
            self.addCleanup(gosync.unlink, "lines" + name)
        getter = self.start("lines.py", "get", "20")
        self.say("lines.py", "put", *map(str, range(20)))
        self.assertEqual(getter.communicate()[0].split(),
                         [str(n) for n in range(20)])
