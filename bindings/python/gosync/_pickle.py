# SPDX-License-Identifier: LGPL-2.1-or-later
"""Pickling: objects travel by name, and anonymous ones by descriptor.

What arrives is a holder of its own. An object with a name is opened, never created,
so somebody has to have it open until then, or it has to be persistent.
"""

import fcntl
import importlib
import os
from types import ModuleType
from typing import Any

from . import _gosync
from ._cond import Cond
from ._map import Map


class Module:
    """A module, such as json, that is pickled by its name"""

    def __init__(self, name: str) -> None:
        self.name = name


def unpack(more: dict[str, Any]) -> dict[str, Any]:
    """What extras() returned, as it was before it was pickled"""
    return {key: importlib.import_module(value.name)
            if isinstance(value, Module) else value
            for key, value in more.items()}


def extras(obj: Any) -> dict[str, Any]:
    """What else an object has to be made with."""
    found: dict[str, Any] = {}
    if isinstance(obj, (_gosync.Mutex, _gosync.RWMutex)):
        found["repair"] = obj.repair
    if isinstance(obj, Cond):
        found["lock"] = obj.lock
    if isinstance(obj, Map):
        found |= {key: Module(codec.__name__) if isinstance(codec, ModuleType)
                  else codec for key, codec in obj._codecs.items()}
    return found


def reduce(obj: Any) -> tuple[Any, ...]:
    if obj.closed:
        raise ValueError("a closed gosync object cannot be pickled")
    if obj.name is not None:
        options = extras(obj) | {"readonly": obj.readonly,
                                 "ioctl_only": obj.ioctl_only}
        return open_name, (type(obj), obj.name, options)
    # Only where processes are started or talk is there a way for descriptors.
    from multiprocessing import reduction
    return open_fd, (type(obj), reduction.DupFd(obj.fileno()), obj.ioctl_only,
                     extras(obj))


def open_name(kind: Any, name: str, options: dict[str, Any]) -> Any:
    if issubclass(kind, _gosync.Semaphore):
        options["value"] = 0
    return kind(name, create=False, **unpack(options))


def open_fd(kind: Any, duplicate: Any, ioctl_only: bool,
            more: dict[str, Any]) -> Any:
    # What was sent is the sender's holder. So ask for another.
    sent = duplicate.detach()
    try:
        fd = fcntl.ioctl(sent, _gosync.REOPEN)
    finally:
        os.close(sent)
    repair = more.pop("repair", None)
    try:
        obj = kind.from_fd(fd, ioctl_only=ioctl_only, **unpack(more))
    except BaseException:
        os.close(fd)
        raise
    if repair:
        obj.repair = repair
    return obj


def reduce_side(side: Any) -> tuple[Any, ...]:
    return get_side, (side.rwmutex, side.write)


def get_side(rwmutex: Any, write: bool) -> Any:
    return rwmutex.writer() if write else rwmutex.reader()
