# SPDX-License-Identifier: LGPL-2.1-or-later
"""Objects that wait for asyncio: Mutex, RWMutex, Semaphore, WaitGroup, Cond, Value, Map.

    from gosync import aio

    lock = aio.Mutex("accounts")
    async with lock:
        ...

They have the methods of asyncio's own. Deadlines are asyncio's, too:

    async with asyncio.timeout(1):
        await lock.acquire()

Each has a gosync object, .sync, that was opened by the same arguments, or was
given in place of the name. Do not make two of one gosync object: asyncio has one
callback for a descriptor. Like asyncio's objects they belong to one event loop.

A task first tries, without waiting. If it has to wait, asyncio polls the
descriptor. The tasks of one object take turns, and one of them polls. Beside other
processes a poller has no place in the queue: when the object is free it tries, as a
newcomer does, and it may lose. While it polls, releasing the object is a system call
for everybody; and so it polls only while a task waits.
"""

import asyncio
import select
from collections.abc import Callable
from types import TracebackType
from typing import Any, ClassVar, Generic, TypeVar

import gosync

T = TypeVar("T")
O = TypeVar("O", bound=gosync.Object)

__all__ = ["Cond", "Map", "Mutex", "RWMutex", "Semaphore", "Side", "Value",
           "WaitGroup"]


class _Poller:
    """The tasks that wait for one event of one descriptor"""

    def __init__(self, obj: gosync.Object, write: bool = False) -> None:
        self._obj = obj
        self._write = write
        self._turn = asyncio.Lock()
        self._future: asyncio.Future[None] | None = None
        self._stop: Callable[[], object] = lambda: None

    async def ready(self) -> None:
        """Wait until the descriptor is ready. One task at a time may call it."""
        loop = asyncio.get_running_loop()
        fd = self._obj.fileno()
        future = loop.create_future()

        def tell() -> None:
            if not future.done():
                future.set_result(None)

        def stop() -> None:
            self._stop = lambda: None
            (loop.remove_writer if self._write else loop.remove_reader)(fd)

        self._future, self._stop = future, stop
        (loop.add_writer if self._write else loop.add_reader)(fd, tell)
        try:
            await future
        finally:
            self._stop()
            self._future = None

    async def until(self, attempt: Callable[[], T | None],
                    prepare: Callable[[], object] = lambda: None) -> T:
        """Wait until attempt() is not None, in the order of the tasks."""
        if not self._turn.locked():
            got = attempt()
            if got is not None:
                return got
        async with self._turn:
            while True:
                got = attempt()
                if got is not None:
                    return got
                prepare()
                await self.ready()

    def close(self) -> None:
        """Make the task that polls fail. The others fail when they try."""
        self._stop()
        if self._future and not self._future.done():
            self._future.set_exception(
                ValueError("the gosync object was closed during the wait"))


class _Waiting(Generic[O]):
    """What all have: the gosync object, and closing it"""

    _kind: ClassVar[Any]
    sync: O

    def __init__(self, name: Any = None, *args: Any, **options: Any) -> None:
        given = isinstance(name, self._kind)
        self.sync = name if given else self._kind(name, *args, **options)
        self._poller = _Poller(self.sync)

    @property
    def name(self) -> str | None:
        """The name, None if the object is anonymous."""
        return self.sync.name

    @property
    def closed(self) -> bool:
        """Whether close() was called."""
        return self.sync.closed

    def close(self) -> None:
        """Close the object. Tasks that wait for it raise ValueError."""
        self._poller.close()
        self.sync.close()

    def __repr__(self) -> str:
        return f"<gosync.aio of {self.sync!r}>"


class _Lock:
    """acquire(), release(), locked() and "async with" of a lock"""

    sync: Any
    _poller: _Poller

    async def acquire(self, *, poisoned_ok: bool = False) -> bool | int:
        """Lock, and return True.

        If an owner died with the lock: call the hook repair, or raise OwnerDied
        without the lock; with poisoned_ok return POISONED with the lock.
        """
        return await self._poller.until(
            lambda: self.sync.acquire(False, poisoned_ok=poisoned_ok) or None)

    def release(self) -> None:
        """Unlock."""
        self.sync.release()

    def locked(self) -> bool:
        """Return whether anybody has the lock."""
        return bool(self.sync.locked())

    async def __aenter__(self) -> None:
        await self.acquire()

    async def __aexit__(self, kind: type[BaseException] | None,
                        value: BaseException | None,
                        traceback: TracebackType | None) -> None:
        self.release()


class Mutex(_Lock, _Waiting[gosync.Mutex]):
    """A lock with one owner: gosync.Mutex, as asyncio.Lock.

    The owner is this object: its tasks are one owner, and exclude each other.
    """

    _kind = gosync.Mutex

    def recover(self) -> None:
        """Declare what the lock protects to be right again."""
        self.sync.recover()

    def token(self) -> int:
        """Return the fencing token."""
        return int(self.sync.token())


class Side(_Lock):
    """What reader() and writer() of an RWMutex return"""

    def __init__(self, sync: gosync.Side, poller: _Poller) -> None:
        self.sync = sync
        self._poller = poller


class RWMutex(_Waiting[gosync.RWMutex]):
    """A lock for one writer or any number of readers: gosync.RWMutex.

    A writer that polls does not stop new readers, so readers can starve it.
    """

    _kind = gosync.RWMutex

    def __init__(self, name: Any = None, **options: Any) -> None:
        super().__init__(name, **options)
        self._writers = _Poller(self.sync, write=True)

    def reader(self) -> Side:
        """Return the side that locks for reading."""
        return Side(self.sync.reader(), self._poller)

    def writer(self) -> Side:
        """Return the side that locks for writing."""
        return Side(self.sync.writer(), self._writers)

    def recover(self) -> None:
        """Declare what the lock protects to be right again."""
        self.sync.recover()

    def close(self) -> None:
        """Close the object. Tasks that wait for it raise ValueError."""
        self._writers.close()
        super().close()


class Semaphore(_Waiting[gosync.Semaphore]):
    """A number of permits: gosync.Semaphore, as asyncio.Semaphore."""

    _kind = gosync.Semaphore

    async def acquire(self, n: int = 1) -> bool:
        """Take n permits, and return True."""
        return await self._poller.until(
            lambda: self.sync.acquire(False, n=n) or None,
            lambda: self.sync.watch(0, n))

    def release(self, n: int = 1) -> None:
        """Add n permits."""
        self.sync.release(n)

    def locked(self) -> bool:
        """Return whether there is no permit."""
        return self.sync.locked()

    async def __aenter__(self) -> None:
        await self.acquire()

    async def __aexit__(self, kind: type[BaseException] | None,
                        value: BaseException | None,
                        traceback: TracebackType | None) -> None:
        self.release()


class WaitGroup(_Waiting[gosync.WaitGroup]):
    """A counter, and waiting until it is 0: gosync.WaitGroup.

    If the counter is used again at once, a task that waits may miss that it was 0.
    """

    _kind = gosync.WaitGroup

    def __init__(self, name: Any = None, **options: Any) -> None:
        super().__init__(name, **options)
        self._zero: asyncio.Task[None] | None = None
        self._waiting = 0

    def add(self, delta: int = 1) -> None:
        """Change the counter."""
        self.sync.add(delta)

    def done(self) -> None:
        """Subtract 1."""
        self.sync.done()

    def count(self) -> int:
        """Return the counter."""
        return self.sync.count()

    async def wait(self) -> None:
        """Wait until the counter is 0."""
        if not self.sync.count():
            return
        # One task polls, for all: that it is 0 is the news of all of them.
        if self._zero is None or self._zero.done():
            self._zero = asyncio.create_task(self._poller.ready())
        zero = self._zero
        self._waiting += 1
        try:
            await asyncio.shield(zero)
        finally:
            self._waiting -= 1
            if not self._waiting:
                zero.cancel()


class Cond(_Waiting[gosync.Cond]):
    """Wait for an event with a lock: gosync.Cond, as asyncio.Condition.

    Cond(name, lock): the lock is a Mutex of this module. Each wait has a place in
    the queue, among those of all processes.
    """

    _kind = gosync.Cond

    def __init__(self, name: Any, lock: Mutex, **options: Any) -> None:
        super().__init__(name, lock.sync, **options)
        self.lock = lock

    async def acquire(self) -> bool | int:
        """Lock: lock.acquire()."""
        return await self.lock.acquire()

    def release(self) -> None:
        """Unlock: lock.release()."""
        self.lock.release()

    async def __aenter__(self) -> None:
        await self.lock.acquire()

    async def __aexit__(self, kind: type[BaseException] | None,
                        value: BaseException | None,
                        traceback: TracebackType | None) -> None:
        self.lock.release()

    async def wait(self) -> bool:
        """Unlock, wait for a signal, lock again; return True.

        The lock is held again also if this raises. If the task is cancelled, its
        signal goes to the next waiter.
        """
        # A place in the queue belongs to a descriptor, so each wait has one.
        place = self.sync.reopen()
        told = False
        try:
            place.watch()
            self.lock.release()
            try:
                await _Poller(place).ready()
                told = True
            except BaseException:
                told = self._tells(place)
                raise
            finally:
                await self._lock_again()
        except asyncio.CancelledError:
            if told:
                self.sync.signal()
            raise
        finally:
            place.close()
        return True

    @staticmethod
    def _tells(place: gosync.Cond) -> bool:
        """Whether the signal is ours: poll tells of it, or has told."""
        poll = select.poll()
        poll.register(place.fileno(), select.POLLIN)
        return bool(poll.poll(0))

    async def _lock_again(self) -> None:
        cancelled = None
        while True:
            try:
                got = await self.lock.acquire(poisoned_ok=True)
                break
            except asyncio.CancelledError as error:
                cancelled = error
        if got == gosync.POISONED:
            self.sync._repair()
        if cancelled:
            raise cancelled

    async def wait_for(self, predicate: Callable[[], T]) -> T:
        """Wait until predicate() is true, with the lock held, and return it."""
        result = predicate()
        while not result:
            await self.wait()
            result = predicate()
        return result

    def notify(self, n: int = 1) -> None:
        """Wake the n longest waiters."""
        self.sync.notify(n)

    def notify_all(self) -> None:
        """Wake all waiters."""
        self.sync.broadcast()


class _Versioned(_Waiting[O]):
    sync: Any

    def _changed(self, version: int) -> int | None:
        now: int | None = self.sync.wait(version, 0)
        return now

    async def wait(self, version: int = 0) -> int:
        """Wait until the version is another one, and return it."""
        return await self._poller.until(
            lambda: self._changed(version),
            lambda: self.sync.watch(0, version))


class Value(_Versioned[gosync.Value]):
    """Waits for changes of a gosync.Value, which is .sync."""

    _kind = gosync.Value


class Map(_Versioned["gosync.Map[Any, Any]"]):
    """Waits for changes of a gosync.Map, which is .sync."""

    _kind = gosync.Map
