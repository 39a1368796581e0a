# SPDX-License-Identifier: LGPL-2.1-or-later
"""gosync.aio"""

import asyncio
import logging
import os
import signal

from helpers import TestCase, descriptors, gosync, unused_name, waiters

from gosync import aio


# What python -X dev says of a slow machine
logging.getLogger("asyncio").setLevel(logging.ERROR)


async def several_turns():
    for _ in range(5):
        await asyncio.sleep(0)


async def until(condition):
    while not condition():
        await asyncio.sleep(0.002)


class Asyncio(TestCase):
    """Each test is a coroutine, made a test below."""


def run(test):
    def runs(self):
        asyncio.run(test(self))
    runs.__name__ = test.__name__
    return runs


class Mutex(Asyncio):
    def setUp(self):
        self.lock = aio.Mutex(unused_name())
        self.other = self.lock.sync.reopen()

    @run
    async def test_async_with(self):
        async with self.lock:
            self.assertTrue(self.lock.locked())
            self.assertFalse(self.other.acquire(False))
        self.assertFalse(self.lock.locked())
        self.assertIs(await self.lock.acquire(), True)
        self.lock.release()

    @run
    async def test_excludes_tasks_in_their_order(self):
        order = []

        async def work(n):
            async with self.lock:
                order.append(n)
                await several_turns()
                order.append(n)

        await asyncio.gather(*[work(n) for n in range(5)])
        self.assertEqual(order, [n for n in range(5) for _ in range(2)])

    @run
    async def test_waits_for_another_process_and_the_loop_runs_on(self):
        def hold(say):
            with self.other:
                say("held")
                os.read(go, 1)

        go, end = os.pipe()
        child = self.child(hold)
        child.expect("held")
        task = asyncio.create_task(self.lock.acquire())
        await several_turns()
        self.assertFalse(task.done())
        os.write(end, b"x")
        self.assertIs(await task, True)
        self.lock.release()
        self.assertEqual(child.join(), 0)
        os.close(go)
        os.close(end)

    @run
    async def test_polls_only_while_a_task_waits(self):
        fd = self.lock.sync.fileno()
        selector = asyncio.get_running_loop()._selector
        self.other.acquire()
        task = asyncio.create_task(self.lock.acquire())
        await several_turns()
        self.assertIn(fd, selector.get_map())
        self.other.release()
        await task
        self.assertNotIn(fd, selector.get_map())
        self.lock.release()

    @run
    async def test_a_cancelled_task_has_not_the_lock(self):
        self.other.acquire()
        tasks = [asyncio.create_task(self.lock.acquire()) for _ in range(3)]
        await several_turns()
        # The one that polls, and one that waits for its turn
        for task in tasks[:2]:
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task
        self.other.release()
        self.assertIs(await tasks[2], True)
        self.lock.release()
        self.assertTrue(self.other.acquire(False))
        self.other.release()

    @run
    async def test_a_task_cancelled_as_the_lock_becomes_free(self):
        for turns in range(6):
            self.other.acquire()
            task = asyncio.create_task(self.lock.acquire())
            await several_turns()
            self.other.release()
            for _ in range(turns):
                await asyncio.sleep(0)
            if task.cancel():
                with self.assertRaises(asyncio.CancelledError):
                    await task
            else:
                self.lock.release()
            self.assertTrue(self.other.acquire(False))
            self.other.release()

    @run
    async def test_a_timeout(self):
        self.other.acquire()
        with self.assertRaises(TimeoutError):
            async with asyncio.timeout(0.01):
                await self.lock.acquire()
        self.other.release()
        async with self.lock:
            pass

    @run
    async def test_a_killed_owner(self):
        self.die_with(self.other)
        with self.assertRaises(gosync.OwnerDied):
            async with self.lock:
                self.fail("the body must not run")
        self.assertFalse(self.lock.locked())
        self.assertEqual(await self.lock.acquire(poisoned_ok=True),
                         gosync.POISONED)
        self.lock.recover()
        self.lock.release()

    @run
    async def test_a_death_while_a_task_waits(self):
        def hold(say):
            self.other.acquire()
            say("held")
            signal.pause()

        seen = []
        self.lock.sync.repair = seen.append
        child = self.child(hold)
        child.expect("held")
        task = asyncio.create_task(self.lock.acquire())
        await several_turns()
        child.kill()
        self.assertIs(await task, True)
        self.assertEqual(seen, [self.lock.sync])
        self.lock.release()

    @run
    async def test_close_wakes_the_waiters(self):
        before = descriptors()
        lock = aio.Mutex(self.lock.name)
        self.other.acquire()
        tasks = [asyncio.create_task(lock.acquire()) for _ in range(3)]
        await several_turns()
        lock.close()
        for task in tasks:
            with self.assertRaises(ValueError):
                await task
        self.assertEqual(descriptors(), before)
        self.other.release()

    def test_a_loop_after_another(self):
        async def use():
            async with self.lock:
                pass

        asyncio.run(use())
        asyncio.run(use())


class Others(Asyncio):
    def test_everything_is_documented(self):
        self.assertDocumented(aio)

    @run
    async def test_rwmutex(self):
        rw = aio.RWMutex(unused_name())
        other = rw.sync.reopen()
        other.writer().acquire()
        readers = [asyncio.create_task(rw.reader().acquire()) for _ in range(3)]
        writer = asyncio.create_task(rw.writer().acquire())
        await several_turns()
        self.assertFalse(any(task.done() for task in (*readers, writer)))
        other.writer().release()
        done, _ = await asyncio.wait([*readers, writer],
                                     return_when=asyncio.FIRST_COMPLETED)
        if writer in done:
            rw.writer().release()
            await asyncio.gather(*readers)
        else:
            await asyncio.gather(*readers)
        for _ in readers:
            rw.reader().release()
        if writer not in done:
            await writer
            rw.writer().release()
        async with rw.reader():
            self.assertTrue(rw.reader().locked())
        async with rw.writer():
            self.assertFalse(other.reader().acquire(False))

    @run
    async def test_semaphore(self):
        semaphore = aio.Semaphore(unused_name(), 3)
        async with semaphore:
            await semaphore.acquire(2)
            self.assertTrue(semaphore.locked())
            big = asyncio.create_task(semaphore.acquire(2))
            small = asyncio.create_task(semaphore.acquire())
            await several_turns()
            semaphore.release()
            await several_turns()
            self.assertFalse(big.done() or small.done())
            semaphore.release()
            await big
        await small
        semaphore.release(3)
        self.assertEqual(semaphore.sync.get_value(), 3)

    @run
    async def test_waitgroup(self):
        wg = aio.WaitGroup(unused_name())
        await wg.wait()
        wg.add(2)
        tasks = [asyncio.create_task(wg.wait()) for _ in range(3)]
        await several_turns()
        tasks.pop().cancel()
        child = self.child(lambda say: wg.sync.add(-2))
        await asyncio.gather(*tasks)
        self.assertEqual((child.join(), wg.count()), (0, 0))
        wg.add()
        task = asyncio.create_task(wg.wait())
        await several_turns()
        task.cancel()
        await several_turns()
        self.assertNotIn(wg.sync.fileno(),
                         asyncio.get_running_loop()._selector.get_map())

    @run
    async def test_value_and_map(self):
        value, table = aio.Value(unused_name()), aio.Map(unused_name())
        seen = await table.wait()
        waits = [asyncio.create_task(value.wait()),
                 asyncio.create_task(value.wait()),
                 asyncio.create_task(table.wait(seen))]
        await several_turns()
        self.assertFalse(any(task.done() for task in waits))

        def change(say):
            value.sync.store(b"a")
            table.sync[b"k"] = b"v"

        child = self.child(change)
        self.assertEqual([await waits[0], await waits[1]], [1, 1])
        self.assertNotEqual(await waits[2], seen)
        self.assertEqual(child.join(), 0)


class Cond(Asyncio):
    def setUp(self):
        self.lock = aio.Mutex(unused_name())
        self.cond = aio.Cond(unused_name(), self.lock)
        self.woken = []

    async def wait(self, n):
        async with self.cond:
            await self.cond.wait()
            self.assertTrue(self.lock.locked())
            self.woken.append(n)

    async def start(self, n):
        task = asyncio.create_task(self.wait(n))
        await until(lambda: waiters(self.cond.sync) == n + 1)
        return task

    @run
    async def test_signals_wake_the_longest_waiter(self):
        tasks = [await self.start(n) for n in range(4)]
        for n in range(2):
            async with self.cond:
                self.cond.notify()
            await tasks[n]
        self.assertEqual(self.woken, [0, 1])
        child = self.child(lambda say: self.cond.sync.broadcast())
        await asyncio.gather(*tasks)
        self.assertEqual(child.join(), 0)

    @run
    async def test_wait_for(self):
        word = gosync.Int64(unused_name())

        async def wait():
            async with self.cond:
                return await self.cond.wait_for(word.load)

        task = asyncio.create_task(wait())
        await until(lambda: waiters(self.cond.sync) == 1)
        word.store(9)
        self.cond.notify_all()
        self.assertEqual(await task, 9)

    @run
    async def test_a_cancelled_waiter_swallows_no_signal(self):
        before = descriptors()
        for turns in range(6):
            tasks = [await self.start(n) for n in range(2)]
            self.cond.notify()
            for _ in range(turns):
                await asyncio.sleep(0)
            if tasks[0].cancel():
                with self.assertRaises(asyncio.CancelledError):
                    await tasks[0]
            else:
                self.cond.notify()
            await tasks[1]
            self.woken.clear()
            self.assertFalse(self.lock.locked())
        self.assertEqual(descriptors(), before)

    @run
    async def test_an_owner_that_dies_during_the_wait(self):
        task = await self.start(0)
        self.die_with(self.lock.sync)
        self.cond.notify()
        with self.assertRaises(gosync.OwnerDied):
            await task
        self.assertFalse(self.lock.locked())
