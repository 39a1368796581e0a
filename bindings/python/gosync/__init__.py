# SPDX-License-Identifier: LGPL-2.1-or-later
"""Locks and other objects that processes share by name, with Go's semantics.

    import gosync

    lock = gosync.Mutex("accounts")
    with lock:
        ...

A process that dies leaves nobody hanging: what it held is released, and the next
owner is told by the exception OwnerDied. Where nobody has to wait there is no
system call.

Mutex       one owner at a time
RWMutex     one writer or any number of readers
Semaphore   a number of permits
WaitGroup   a counter, and waiting until it is 0
Once        something that is done once
Cond        waiting for an event with a lock
Map         values by key, a MutableMapping
Value       one payload, replaced as a whole
Int32 ...   atomic words: Int32, Uint32, Int64, Uint64, Uintptr, Pointer, Bool

wait_any() and wait_all() wait for several of them at once, await_name() for a name.

All of them are an Object: they have a name, a descriptor and close(). gosync.aio
has those that wait for asyncio. Errors are OSErrors, with Go's sentences.
"""

from typing import Final

from ._cond import Cond
from ._gosync import (
    Bool,
    HolderBroken,
    Int32,
    Int64,
    Mutex,
    NotLocked,
    Object,
    Once,
    OwnerDied,
    Pointer,
    RWMutex,
    Semaphore,
    Side,
    Uint32,
    Uint64,
    Uintptr,
    Value,
    chmod,
    chown,
    names,
    type_id,
    unlink,
)
from ._many import await_name, wait_all, wait_any
from ._map import Map
from ._waitgroup import WaitGroup

#: What acquire(poisoned_ok=True) returns with a lock whose owner died. It is true.
POISONED: Final = 2

#: What Once.begin() returns.
DONE: Final = 0
RUN: Final = 1
RUN_AGAIN: Final = 2

__all__ = [
    "Bool", "Cond", "DONE", "HolderBroken", "Int32", "Int64", "Map", "Mutex",
    "NotLocked", "Object", "Once", "OwnerDied", "POISONED", "Pointer", "RUN",
    "RUN_AGAIN", "RWMutex", "Semaphore", "Side", "Uint32", "Uint64", "Uintptr",
    "Value", "WaitGroup", "await_name", "chmod", "chown", "names", "type_id", "unlink",
    "wait_all", "wait_any",
]
