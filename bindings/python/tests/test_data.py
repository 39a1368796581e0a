# SPDX-License-Identifier: LGPL-2.1-or-later
"""Value, Map and atomic words"""

import array
import collections.abc
import errno
import json
import pickle
import signal
import threading

from helpers import TestCase, eventually, gosync, unused_name, waiters


class Value(TestCase):
    def setUp(self):
        self.value = gosync.Value(unused_name(), 5000)

    def test_load_and_store(self):
        self.assertIsNone(self.value.load())
        self.assertEqual(self.value.load(b"none"), b"none")
        self.assertEqual(self.value.load_typed(), (None, 0))
        for payload in b"abc", b"", bytes(range(256)) * 19, b"x":
            self.value.store(payload)
            self.assertEqual(self.value.load(), payload)
        self.assertEqual(self.value.version(), 4)

    def test_any_buffer(self):
        for payload in (bytearray(b"ab"), memoryview(b"cd"),
                        array.array("d", [1.5, 2.5])):
            self.value.store(payload)
            self.assertEqual(self.value.load(), bytes(payload))
        self.assertRaises(TypeError, self.value.store, "text")
        self.assertRaises(TypeError, self.value.store, 5)
        self.assertRaises(BufferError, self.value.store, memoryview(b"abcd")[::2])

    def test_load_into(self):
        room = bytearray(4)
        self.assertIsNone(self.value.load_into(room))
        self.value.store(b"abc")
        self.assertEqual(self.value.load_into(room), 3)
        self.assertEqual(room, b"abc\0")
        self.assertErrno(errno.EMSGSIZE, self.value.load_into, bytearray(2))
        self.assertRaises(BufferError, self.value.load_into, b"ab")

    def test_swap_and_compare_and_swap(self):
        self.assertFalse(self.value.compare_and_swap(b"a", b"b"))
        self.assertTrue(self.value.compare_and_swap(None, b"a"))
        self.assertFalse(self.value.compare_and_swap(None, b"c"))
        self.assertTrue(self.value.compare_and_swap(b"a", b"b"))
        self.assertEqual(self.value.swap(b"c" * 3000), b"b")
        self.assertEqual(self.value.swap(b"d"), b"c" * 3000)
        self.assertIsNone(gosync.Value().swap(b"x"))

    def test_the_type_never_changes(self):
        number = gosync.type_id("struct config", 24)
        self.value.store(b"a", type=number)
        self.assertEqual(self.value.load_typed(), (b"a", number))
        error = self.assertErrno(errno.EPROTOTYPE, self.value.store, b"b")
        self.assertEqual(
            error.strerror,
            "sync/atomic: store of inconsistently typed value into Value")
        self.assertErrno(errno.EINVAL, self.value.store, b"b", type=0)
        self.assertRaises(OverflowError, self.value.store, b"b", type=1 << 64)

    def test_too_long(self):
        self.assertErrno(errno.EMSGSIZE, self.value.store, bytes(5001))
        self.assertRaises(ValueError, gosync.Value, None, -1)

    def test_a_load_is_of_one_store(self):
        lengths = 10, 900, 1100, 4900

        def write(say):
            for i in range(600):
                self.value.store(bytes([i % 251]) * lengths[i % 4])

        self.value.store(bytes(10))
        child = self.child(write)
        loads = 0
        while self.value.version() < 601:
            got = self.value.load()
            self.assertIn(len(got), lengths)
            self.assertEqual(got, got[:1] * len(got))
            loads += 1
        self.assertEqual(child.join(), 0)
        self.assertGreater(loads, 0)

    def test_wait(self):
        self.assertIsNone(self.value.wait(0, 0.001))

        def store(say):
            eventually(lambda: waiters(self.value) == 1)
            self.value.store(b"new")

        child = self.child(store)
        self.assertEqual(self.value.wait(), 1)
        self.assertEqual(self.value.wait(0), 1)
        self.assertIsNone(self.value.wait(1, timeout=0))
        self.assertEqual(child.join(), 0)

    def test_a_handler_that_raises_ends_the_wait(self):
        def wait(say):
            with self.assertRaises(KeyboardInterrupt):
                self.value.wait()

        child = self.child(wait)
        eventually(lambda: waiters(self.value) == 1)
        child.signal(signal.SIGINT)
        self.assertEqual(child.join(), 0)

    def test_read_only(self):
        self.value.store(b"a")
        reader = gosync.Value(self.value.name, readonly=True)
        self.assertEqual(reader.load(), b"a")
        self.assertErrno(errno.EBADF, reader.store, b"b")

    def test_no_operation_leaks(self):
        def all_of_them():
            self.value.store(bytes(3000))
            self.value.load(), self.value.load_typed(), self.value.swap(b"a")
            self.value.compare_and_swap(b"a", bytearray(5))
            self.value.load_into(bytearray(9))
            self.value.wait(0, 0)
            for call in (lambda: self.value.store(bytes(6000)),
                         lambda: self.value.store(b"a", type=7),
                         lambda: self.value.load_into(bytearray(1))):
                self.assertRaises(OSError, call)

        self.assertNoLeak(all_of_them)


class Map(TestCase):
    def setUp(self):
        self.map = gosync.Map(unused_name(), value_size=2000)

    def test_is_a_mutable_mapping(self):
        m = self.map
        self.assertIsInstance(m, collections.abc.MutableMapping)
        self.assertIsInstance(m, gosync.Object)
        m[b"a"] = b"1"
        m[b"b"] = bytearray(1500)
        self.assertEqual(m[b"a"], b"1")
        self.assertEqual(m[memoryview(b"b")], bytes(1500))
        self.assertEqual(len(m), 2)
        self.assertIn(b"a", m)
        self.assertNotIn(b"c", m)
        self.assertEqual(sorted(m), [b"a", b"b"])
        self.assertEqual(sorted(m.keys()), [b"a", b"b"])
        self.assertEqual(sorted(m.items()), [(b"a", b"1"), (b"b", bytes(1500))])
        self.assertEqual(sorted(m.values()), [bytes(1500), b"1"])
        self.assertIn((b"a", b"1"), m.items())
        self.assertIn(b"1", m.values())
        self.assertIn(b"a", m.keys())
        del m[b"a"]
        self.assertRaises(KeyError, m.__getitem__, b"a")
        self.assertRaises(KeyError, m.__delitem__, b"a")
        self.assertIsNone(m.get(b"a"))
        self.assertEqual(m.get(b"a", 5), 5)
        self.assertEqual(m.popitem(), (b"b", bytes(1500)))
        self.assertRaises(KeyError, m.popitem)
        self.assertTrue(m == m and m != gosync.Map() and hash(m))

    def test_gos_operations(self):
        m = self.map
        self.assertEqual(m.setdefault(b"k", b"1"), b"1")
        self.assertEqual(m.setdefault(b"k", b"2"), b"1")
        self.assertEqual(m.swap(b"k", b"3"), b"1")
        self.assertIsNone(m.swap(b"new", b"x"))
        self.assertFalse(m.compare_and_swap(b"k", b"1", b"4"))
        self.assertTrue(m.compare_and_swap(b"k", b"3", b"4"))
        self.assertFalse(m.compare_and_delete(b"k", b"3"))
        self.assertTrue(m.compare_and_delete(b"k", b"4"))
        self.assertFalse(m.compare_and_swap(b"k", b"4", b"5"))
        self.assertEqual(m.pop(b"new"), b"x")
        self.assertEqual(m.pop(b"new", None), None)
        self.assertRaises(KeyError, m.pop, b"new")
        m[b"a"] = b""
        self.assertEqual(m[b"a"], b"")
        m.clear()
        self.assertEqual(len(m), 0)

    def test_update(self):
        m = self.map
        pairs = {b"%d" % i: b"v%d" % i for i in range(200)}
        m.update(pairs)
        self.assertEqual(dict(m), pairs)
        m.update([(b"x", b"y"), (b"x", b"z")])
        self.assertEqual(m[b"x"], b"z")
        m.update(gosync.Map())
        self.assertRaises(TypeError, m.update, {b"k": 5.5})
        self.assertErrno(errno.EMSGSIZE, m.update, {b"q": b"1", b"r": bytes(2001)})
        self.assertNotIn(b"q", m)

    def test_codecs(self):
        name = unused_name()
        m = gosync.Map(name, keys=str, values=json)
        m["é"] = {"a": [1, None]}
        m.update(b=2)
        self.assertEqual(m["é"], {"a": [1, None]})
        self.assertEqual(dict(m), {"é": {"a": [1, None]}, "b": 2})
        self.assertEqual(gosync.Map(name)["é".encode()], b'{"a": [1, null]}')
        self.assertEqual(m.pop("b"), 2)
        self.assertEqual(m.reopen()["é"], {"a": [1, None]})
        m = gosync.Map(keys=str, values=pickle)
        m["t"] = (1, {2})
        self.assertEqual(m["t"], (1, {2}))
        self.assertEqual(list(m.values()), [(1, {2})])
        self.assertRaises(TypeError, gosync.Map, keys=int)

    def test_limits(self):
        m = gosync.Map(unused_name(), 2, 4, 8)
        m[b"1"] = m[b"2"] = b"x"
        self.assertErrno(errno.ENOSPC, m.__setitem__, b"3", b"x")
        self.assertErrno(errno.EMSGSIZE, m.__setitem__, b"1", bytes(9))
        self.assertErrno(errno.EINVAL, m.__setitem__, b"12345", b"")
        self.assertErrno(errno.EINVAL, m.__getitem__, b"")
        self.assertErrno(errno.EPROTOTYPE, gosync.Map, m.name, 3)
        self.assertRaises(TypeError, m.__getitem__, "1")

    def test_between_processes(self):
        def work(say):
            for i in range(100):
                while True:
                    old = self.map[b"n"]
                    if self.map.compare_and_swap(b"n", old, b"%d" % (int(old) + 1)):
                        break

        self.map[b"n"] = b"0"
        children = [self.child(work) for _ in range(3)]
        for child in children:
            self.assertEqual(child.join(), 0)
        self.assertEqual(self.map[b"n"], b"300")

    def test_wait(self):
        version = self.map.wait()
        self.assertIsNone(self.map.wait(version, 0.001))

        def store(say):
            eventually(lambda: waiters(self.map) == 1)
            self.map[b"a"] = b"b"

        child = self.child(store)
        self.assertNotEqual(self.map.wait(version), version)
        self.assertEqual(child.join(), 0)

    def test_it_can_be_changed_during_a_walk(self):
        self.map.update({b"%d" % i: b"" for i in range(100)})
        for key in self.map:
            del self.map[key]
            self.map[b"new" + key] = b""
        self.assertEqual(len(self.map), 100)

    def test_no_operation_leaks(self):
        m = self.map
        text = gosync.Map(keys=str, values=json)

        def all_of_them():
            m[b"a"] = b"b"
            m[b"a"], m.get(b"z"), m.setdefault(b"a", b"q"), m.swap(b"a", b"c")
            m.compare_and_swap(b"a", b"c", b"d"), m.compare_and_delete(b"a", b"e")
            m.update({b"x": b"y", b"z": b"w"})
            list(m), list(m.items()), list(m.values()), m.pop(b"a"), len(m)
            text["a"] = [1]
            text["a"], dict(text)
            m.clear()
            for call in (lambda: m[bytes(100)], lambda: m.update({b"": b""})):
                self.assertRaises(OSError, call)
            for call in (lambda: m["a"], lambda: m._store_many([(b"a", 5)]),
                         lambda: m._store_many([5])):
                self.assertRaises(TypeError, call)

        self.assertNoLeak(all_of_them)


class Words(TestCase):
    unsigned = (gosync.Uint32, 32), (gosync.Uint64, 64), (gosync.Uintptr, 64)
    signed = (gosync.Int32, 32), (gosync.Int64, 64)

    def test_ranges(self):
        for kind, bits in self.unsigned + ((gosync.Pointer, 64),):
            with self.subTest(kind.__name__):
                word = kind()
                word.store(2 ** bits - 1)
                self.assertEqual(word.load(), 2 ** bits - 1)
                for bad in -1, 2 ** bits, 2 ** 70:
                    self.assertRaises(OverflowError, word.store, bad)
        for kind, bits in self.signed:
            with self.subTest(kind.__name__):
                word = kind()
                for good in -2 ** (bits - 1), 2 ** (bits - 1) - 1:
                    word.store(good)
                    self.assertEqual(word.load(), good)
                for bad in -2 ** (bits - 1) - 1, 2 ** (bits - 1), 2 ** 70:
                    self.assertRaises(OverflowError, word.store, bad)
        self.assertRaises(TypeError, gosync.Int64().store, 1.5)

    def test_arithmetic(self):
        for kind, bits in self.unsigned + self.signed:
            with self.subTest(kind.__name__):
                word = kind()
                self.assertEqual(word.add(5), 5)
                self.assertEqual(word.add(-2), 3)
                self.assertEqual(word.or_(12), 3)
                self.assertEqual(word.and_(~1 if bits == 64 or kind is gosync.Int32
                                           else -2), 15)
                self.assertEqual(word.load(), 14)
                self.assertEqual(word.swap(7), 14)
                self.assertFalse(word.compare_and_swap(8, 9))
                self.assertTrue(word.compare_and_swap(7, 9))
                self.assertEqual(word.load(), 9)
        for kind, bits in self.unsigned:
            word = kind()
            self.assertEqual(word.add(-1), 2 ** bits - 1)
            self.assertEqual(word.add(2 ** bits - 1), 2 ** bits - 2)
        self.assertFalse(hasattr(gosync.Pointer, "add"))

    def test_bool(self):
        word = gosync.Bool(unused_name(), 2)
        self.assertIs(word.load(), False)
        word.store(1)
        self.assertIs(word.swap(False), True)
        self.assertTrue(word.compare_and_swap(False, True))
        word[1] = []
        self.assertEqual(list(word), [True, False])
        self.assertFalse(hasattr(word, "add"))

    def test_arrays(self):
        name = unused_name()
        words = gosync.Int64(name, 5)
        words[1], words[-1] = 10, 50
        self.assertEqual(list(words), [0, 10, 0, 0, 50])
        self.assertEqual(len(gosync.Int64(name)), 5)
        self.assertEqual(words.load(index=4), 50)
        self.assertEqual(words.load(-1), 50)
        for bad in 5, -6:
            self.assertRaises(IndexError, words.load, bad)
            self.assertRaises(IndexError, words.store, 1, bad)
        self.assertRaises(IndexError, words.__getitem__, 5)
        self.assertErrno(errno.EPROTOTYPE, gosync.Int64, name, 6)
        with self.assertRaises(TypeError):
            del words[0]

    def test_between_processes(self):
        word = gosync.Int32(unused_name())

        def work(say):
            for _ in range(500):
                word.add(1)

        children = [self.child(work) for _ in range(3)]
        for child in children:
            self.assertEqual(child.join(), 0)
        self.assertEqual(word.load(), 1500)

    def test_wait_and_wake(self):
        words = gosync.Int32(unused_name(), 2)
        self.assertIsNone(words.wait(0, 1, 0.001))
        self.assertEqual(words.wait(-5, 1), 0)

        def change(say):
            eventually(lambda: waiters(words) == 2)
            words.store(-7, 1)
            self.assertEqual(words.wake(1), 2)

        got = []
        thread = threading.Thread(target=lambda: got.append(words.wait(0, 1)))
        thread.start()
        child = self.child(change)
        self.assertEqual(words.wait(0, 1), -7)
        thread.join()
        self.assertEqual(got, [-7])
        self.assertEqual(child.join(), 0)
        self.assertEqual(words.wake(), 0)

    def test_a_handler_that_raises_ends_the_wait(self):
        word = gosync.Uint64(unused_name())

        def wait(say):
            with self.assertRaises(KeyboardInterrupt):
                word.wait(0)

        child = self.child(wait)
        eventually(lambda: waiters(word) == 1)
        child.signal(signal.SIGINT)
        self.assertEqual(child.join(), 0)

    def test_read_only(self):
        word = gosync.Int64(unused_name())
        word.store(4)
        reader = gosync.Int64(word.name, readonly=True)
        self.assertEqual(reader.load(), 4)
        self.assertErrno(errno.EBADF, reader.add, 1)

    def test_closed(self):
        word = gosync.Int64()
        word.close()
        for call in (word.load, lambda: word[0], lambda: len(word), word.fileno,
                     lambda: word.wait(0), word.info, word.reopen,
                     lambda: pickle.dumps(word)):
            self.assertRaises(ValueError, call)
        self.assertIn("closed", repr(word))

    def test_no_operation_leaks(self):
        words = gosync.Int64(unused_name(), 2)
        big = 1 << 60

        def all_of_them():
            words.store(big)
            words.load(), words[1], words.add(1), words.swap(big)
            words.compare_and_swap(big, 5), words.or_(big), words.and_(big)
            words.wait(5, 1, 0), words.wake(), len(words)
            self.assertRaises(OverflowError, words.store, 1 << 70)
            self.assertRaises(IndexError, words.load, 7)

        self.assertNoLeak(all_of_them)
