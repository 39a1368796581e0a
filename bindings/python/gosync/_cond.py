# SPDX-License-Identifier: LGPL-2.1-or-later
"""gosync.Cond, as threading.Condition."""

import errno
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar, cast

from . import _gosync
from ._gosync import Mutex, OwnerDied, Side

T = TypeVar("T")

SIGNALLED, POISONED, TIMED_OUT = range(3)


class Cond(_gosync.Cond):
    """Cond(name, lock, *, create=None, ...)

    Wait for an event with a lock: Go's sync.Cond, and threading.Condition.

        lock = gosync.Mutex("queue.lock")
        filled = gosync.Cond("queue.filled", lock)
        with filled:
            filled.wait_for(lambda: len(queue))

    A waiter takes its place in the queue before it unlocks, so each later signal
    finds it. Only a signal wakes it: there is no spurious wake-up. A waiter that
    leaves by its timeout or its death swallows no signal.

    name: as of Mutex; and so are all that follow lock.
    lock: a Mutex, or the reader() or writer() of an RWMutex. All who use the Cond
    should have the same lock.
    """

    __slots__ = ("lock",)
    __module__ = "gosync"

    lock: Mutex | Side

    def __new__(cls, name: Any = None, lock: Mutex | Side | None = None,
                **options: Any) -> "Cond":
        cls._check(lock)
        self = super().__new__(cls, name, **options)
        self.lock = cast(Mutex | Side, lock)
        return self

    @classmethod
    def from_fd(cls, fd: int, *, ioctl_only: bool = False,
                lock: Mutex | Side | None = None) -> "Cond":
        """Make a Cond of a descriptor, and of its lock: see Object.from_fd()."""
        cls._check(lock)
        self = super().from_fd(fd, ioctl_only=ioctl_only)
        self.lock = cast(Mutex | Side, lock)
        return self

    @staticmethod
    def _check(lock: object) -> None:
        if not isinstance(lock, (Mutex, Side)):
            raise TypeError(
                "a Cond has a lock: a Mutex, or a side of an RWMutex")

    def reopen(self) -> "Cond":
        """Return another handle of the same Cond, with the same lock."""
        other = super().reopen()
        other.lock = self.lock
        return other

    def acquire(self, *args: Any, **kwargs: Any) -> bool | int:
        """Lock: lock.acquire()."""
        return self.lock.acquire(*args, **kwargs)

    def release(self) -> None:
        """Unlock: lock.release()."""
        self.lock.release()

    def __enter__(self) -> bool:
        return self.lock.__enter__()

    def __exit__(self, kind: type[BaseException] | None,
                 value: BaseException | None,
                 traceback: TracebackType | None) -> None:
        self.lock.__exit__(kind, value, traceback)

    def wait(self, timeout: float | None = None) -> bool:
        """Unlock, wait for a signal, lock again.

        Return True if signalled, False if timeout came first. In each case the
        lock is held again, which may take longer; also when this raises.

        If an owner of the lock died meanwhile, call the lock's hook repair, or
        raise OwnerDied with the lock held: "with" unlocks it.
        """
        outcome = self._wait(self.lock, timeout)
        if outcome == POISONED:
            self._repair()
        return outcome != TIMED_OUT

    def _repair(self) -> None:
        lock = self.lock
        owner: Any = lock if isinstance(lock, Mutex) else lock.rwmutex
        can_recover = isinstance(lock, Mutex) or lock.write
        if owner.repair is None or not can_recover:
            raise OwnerDied(errno.EOWNERDEAD,
                            "an owner died with the lock during the wait",
                            *([owner.name] if owner.name is not None else []))
        owner.repair(owner)
        owner.recover()

    def wait_for(self, predicate: Callable[[], T],
                 timeout: float | None = None) -> T:
        """Wait until predicate() is true, with the lock held, and return it.

        If timeout comes first, return what predicate() is then.
        """
        end = None if timeout is None else time.monotonic() + timeout
        result = predicate()
        while not result:
            left = None if end is None else end - time.monotonic()
            if left is not None and left <= 0:
                break
            self.wait(left)
            result = predicate()
        return result

    def notify(self, n: int = 1) -> None:
        """Wake the n longest waiters. signal() is Go's word for n = 1."""
        for _ in range(n):
            self.signal()

    def notify_all(self) -> None:
        """Wake all waiters: broadcast()."""
        self.broadcast()
