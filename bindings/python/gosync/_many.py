# SPDX-License-Identifier: LGPL-2.1-or-later
"""Waiting for several things at once, and for a name."""

import os
import select
from typing import Any, TypeVar

from . import _gosync

O = TypeVar("O", bound=_gosync.Object)

WORDS = (_gosync.Int32, _gosync.Uint32, _gosync.Int64, _gosync.Uint64,
         _gosync.Uintptr, _gosync.Pointer, _gosync.Bool)
LOCKS = _gosync.MUTEX_LOCK, _gosync.RWMUTEX_LOCK, _gosync.RWMUTEX_RLOCK
CHANGES = _gosync.VALUE_WAIT, _gosync.MAP_WAIT, _gosync.ATOMIC_WAIT


def _entry(thing: Any) -> tuple[Any, int, int, int]:
    """The object or descriptor, the ioctl, the index and the value"""
    obj, *rest = thing if isinstance(thing, tuple) else (thing,)
    if isinstance(obj, _gosync.Mutex) and not rest:
        return obj, _gosync.MUTEX_LOCK, 0, 0
    if isinstance(obj, _gosync.Side) and not rest:
        return (obj.rwmutex, _gosync.RWMUTEX_LOCK if obj.write else
                _gosync.RWMUTEX_RLOCK, 0, 0)
    if isinstance(obj, _gosync.Semaphore) and len(rest) < 2:
        return obj, _gosync.SEMAPHORE_ACQUIRE, 0, (rest or [1])[0]
    if isinstance(obj, _gosync.WaitGroup) and not rest:
        return obj, _gosync.WAITGROUP_WAIT, 0, 0
    if isinstance(obj, _gosync.Once) and not rest:
        return obj, _gosync.ONCE_WAIT, 0, 0
    if isinstance(obj, _gosync.Value) and len(rest) == 1:
        return obj, _gosync.VALUE_WAIT, 0, rest[0]
    if isinstance(obj, _gosync.Map) and len(rest) == 1:
        return obj, _gosync.MAP_WAIT, 0, rest[0]
    if isinstance(obj, WORDS) and 1 <= len(rest) <= 2:
        old, index = (*rest, 0)[:2]
        if not 0 <= index < len(obj):
            raise IndexError("index out of range")
        return obj, _gosync.ATOMIC_WAIT, index, old
    if isinstance(obj, (_gosync.Object, str, bytes)) or len(rest) > 1:
        raise TypeError(f"nothing to wait for: {thing!r}")
    events = rest[0] if rest else select.POLLIN
    return obj, 0, events, 0


def _result(entry: tuple[Any, int, int, int], result: int, value: int) -> Any:
    """What the operation would have returned"""
    obj, op = entry[:2]
    if op in LOCKS:
        return 2 if result else True
    if op in CHANGES:
        if isinstance(obj, (_gosync.Int32, _gosync.Int64)) and value >> 63:
            value -= 1 << 64
        if isinstance(obj, _gosync.Int32) and value >> 31 == 1:
            value -= 1 << 32
        return bool(value) if isinstance(obj, _gosync.Bool) else value
    return True if op else result


def wait_any(*things: Any, timeout: float | None = None) -> tuple[int, Any] | None:
    """Wait for one of up to 64 things, and get it; return its index and its result.

    Nothing is done with the others. If several can be had, it is the first. Return
    None if timeout came first. A thing is

    a Mutex, or a side of an RWMutex: lock it. The result is True, or POISONED if
        an owner died with it. It is held in both cases; there is no hook.
    a Semaphore, or (Semaphore, n): take one permit, or n.
    a WaitGroup: wait until the counter is 0.
    a Once: wait until it has been done.
    (Value, version), (Map, version): wait for another version, the result.
    (Int64, old), (Int64, old, index), or other words: wait until the word is not
        old. The result is what it is.
    a descriptor or what has a fileno(), or (descriptor, events): poll it. The
        result is the events.
    """
    entries = [_entry(thing) for thing in things]
    got = _gosync._wait_many(entries, False, timeout)
    if got is None:
        return None
    index, result, value = got
    return index, _result(entries[index], result, value)


def wait_all(*things: Any, timeout: float | None = None) -> list[Any] | None:
    """Wait for all of up to 64 things, get all at one moment; return the results.

    Return None if timeout came first. Things and results are those of wait_any(),
    without descriptors. Until all are granted none is held. So waits for several
    locks do not deadlock with each other, in whatever order they name the locks.
    """
    entries = [_entry(thing) for thing in things]
    got = _gosync._wait_many(entries, True, timeout)
    if got is None:
        return None
    return [_result(entry, *one) for entry, one in zip(entries, got)]


def await_name(kind: type[O], name: str | bytes | os.PathLike[str], *,
               timeout: float | None = None, readonly: bool = False,
               **options: Any) -> O | None:
    """Wait until the name exists, and open it: await_name(gosync.Mutex, "x").

    Return None if timeout came first. options: as of kind.from_fd().
    """
    fd = _gosync._await_name(name, _gosync._type_of(kind), readonly, timeout)
    if fd is None:
        return None
    try:
        return kind.from_fd(fd, **options)
    except BaseException:
        os.close(fd)
        raise
