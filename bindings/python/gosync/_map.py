# SPDX-License-Identifier: LGPL-2.1-or-later
"""gosync.Map: a MutableMapping on top of what is in C."""

from collections.abc import (ItemsView, Iterable, Iterator, KeysView,
                             Mapping, MutableMapping, ValuesView)
from typing import Any, Generic, Protocol, TypeVar, cast

from . import _gosync
from ._gosync import MAP_STORE_MAX

K = TypeVar("K")
V = TypeVar("V")


class Codec(Protocol):
    """What has dumps() and loads(): json, pickle, marshal."""

    def dumps(self, value: Any, /) -> Any: ...
    def loads(self, data: Any, /) -> Any: ...


class _Bytes:
    """Bytes, or any buffer, as they are"""

    @staticmethod
    def dumps(value: Any) -> Any:
        return value

    @staticmethod
    def loads(data: bytes) -> bytes:
        return data


class _Str:
    """str, as UTF-8"""

    @staticmethod
    def dumps(value: str) -> bytes:
        return value.encode()

    @staticmethod
    def loads(data: bytes) -> str:
        return data.decode()


class _Text:
    """A codec that makes str, such as json, as UTF-8"""

    def __init__(self, codec: Codec) -> None:
        self.codec = codec
        self.loads = codec.loads

    def dumps(self, value: Any) -> Any:
        made = self.codec.dumps(value)
        return made.encode() if isinstance(made, str) else made


def _codec(what: Any) -> Any:
    if what is bytes:
        return _Bytes
    if what is str:
        return _Str
    if hasattr(what, "dumps") and hasattr(what, "loads"):
        return _Text(what)
    raise TypeError("a codec is bytes, str, or has dumps() and loads()")


class _Keys(KeysView[K]):
    _mapping: "Map[K, Any]"

    def __iter__(self) -> Iterator[K]:
        return iter(self._mapping)


class _Values(ValuesView[V]):
    _mapping: "Map[Any, V]"

    def __iter__(self) -> Iterator[V]:
        loads = self._mapping._values.loads
        return map(loads, self._mapping._walk("v"))


class _Items(ItemsView[K, V]):
    _mapping: "Map[K, V]"

    def __iter__(self) -> Iterator[tuple[K, V]]:
        keys, values = self._mapping._keys, self._mapping._values
        for key, value in self._mapping._walk("i"):
            yield keys.loads(key), values.loads(value)


class Map(_gosync.Map, MutableMapping[K, V], Generic[K, V]):
    """Map(name=None, entries=0, key_size=0, value_size=0, *, keys=bytes,
    values=bytes, create=None, ...)

    Values by key, between processes: Go's sync.Map, and a MutableMapping.

        sessions = gosync.Map("sessions", keys=str, values=json)
        sessions["anna"] = {"since": 1234}

    A lookup makes no system call. Each operation on a key happens at one moment,
    and update() stores many keys by one system call. Only the kernel writes, so a
    process that dies leaves no half of an entry.

    A walk is no snapshot: each key that is there during the whole walk is met
    once. Keys may be stored and deleted meanwhile.

    name: as of Mutex; and so are all that follow values.
    entries, key_size, value_size: what it can hold; 0: 4096 entries, keys of 64
    and values of 256 bytes, or what the existing Map has.
    keys, values: what they are: bytes (any buffer may be stored), str (as UTF-8),
    or a codec with dumps() and loads() such as json, pickle or marshal. Equal keys
    have to have equal bytes, so for keys take bytes or str.
    """

    __slots__ = ("_keys", "_values", "_codecs")
    __module__ = "gosync"

    _keys: Any
    _values: Any
    _codecs: dict[str, Any]

    def __new__(cls, name: Any = None, entries: int = 0, key_size: int = 0,
                value_size: int = 0, *, keys: Any = bytes, values: Any = bytes,
                **options: Any) -> "Map[K, V]":
        key_codec, value_codec = _codec(keys), _codec(values)
        self = super().__new__(cls, name, entries, key_size, value_size,
                               **options)
        self._set_codecs(keys, values, key_codec, value_codec)
        return self

    def _set_codecs(self, keys: Any, values: Any, key_codec: Any,
                    value_codec: Any) -> None:
        self._keys, self._values = key_codec, value_codec
        self._codecs = {"keys": keys, "values": values}

    @classmethod
    def from_fd(cls, fd: int, *, ioctl_only: bool = False, keys: Any = bytes,
                values: Any = bytes) -> "Map[K, V]":
        """Make a Map of a descriptor: see Object.from_fd()."""
        key_codec, value_codec = _codec(keys), _codec(values)
        self = super().from_fd(fd, ioctl_only=ioctl_only)
        self._set_codecs(keys, values, key_codec, value_codec)
        return self

    def reopen(self) -> "Map[K, V]":
        """Return another handle of the same Map."""
        other = super().reopen()
        other._set_codecs(**self._codecs, key_codec=self._keys,
                          value_codec=self._values)
        return other

    # A Map is what it shares, not what it contains at the moment.
    __hash__ = object.__hash__
    __eq__ = object.__eq__

    def __getitem__(self, key: K) -> V:
        found = self._load(self._keys.dumps(key))
        if found is None:
            raise KeyError(key)
        return cast(V, self._values.loads(found))

    def __setitem__(self, key: K, value: V) -> None:
        self._store(self._keys.dumps(key), self._values.dumps(value))

    def __delitem__(self, key: K) -> None:
        if not self._delete(self._keys.dumps(key)):
            raise KeyError(key)

    def __contains__(self, key: object) -> bool:
        return self._load(self._keys.dumps(key)) is not None

    def __iter__(self) -> Iterator[K]:
        return map(self._keys.loads, self._walk("k"))

    def keys(self) -> KeysView[K]:
        """Return a view of the keys."""
        return _Keys(self)

    def values(self) -> ValuesView[V]:
        """Return a view of the values. To iterate looks up no key again."""
        return _Values(self)

    def items(self) -> ItemsView[K, V]:
        """Return a view of the pairs. To iterate looks up no key again."""
        return _Items(self)

    def get(self, key: K, default: Any = None) -> Any:
        """Return the value of the key, or default if it is absent."""
        found = self._load(self._keys.dumps(key))
        return default if found is None else self._values.loads(found)

    def setdefault(self, key: K, default: Any = None) -> Any:
        """Return the value of the key; if it is absent set it to default.

        It is Go's LoadOrStore, which happens at one moment.
        """
        found = self._load_or_store(self._keys.dumps(key),
                                    self._values.dumps(default))
        return default if found is None else self._values.loads(found)

    _missing = object()

    def pop(self, key: K, default: Any = _missing) -> Any:
        """Remove the key and return its value, at one moment: LoadAndDelete.

        If it is absent, return default, or raise KeyError if there is none.
        """
        found = self._load_and_delete(self._keys.dumps(key))
        if found is not None:
            return self._values.loads(found)
        if default is self._missing:
            raise KeyError(key)
        return default

    def popitem(self) -> tuple[K, V]:
        """Remove some key, and return it with its value."""
        while True:
            some = self._walk("k")
            if not some:
                raise KeyError("popitem(): the Map is empty")
            for key in some:
                found = self._load_and_delete(key)
                if found is not None:
                    return self._keys.loads(key), self._values.loads(found)

    def update(self, other: Any = (), /, **kwargs: Any) -> None:
        """Store many keys, as dict.update() does.

        Up to 64 pairs are one system call: all of them are stored or, after an
        error, none. With more pairs that holds for each 64 of them.
        """
        if isinstance(other, Mapping):
            pairs: Iterable[tuple[Any, Any]] = other.items()
        elif hasattr(other, "keys"):
            pairs = [(key, other[key]) for key in other.keys()]
        else:
            pairs = other
        some = [(bytes(self._keys.dumps(key)), bytes(self._values.dumps(value)))
                for key, value in (*pairs, *kwargs.items())]
        for at in range(0, len(some), MAP_STORE_MAX):
            self._store_many(some[at:at + MAP_STORE_MAX])

    def swap(self, key: K, value: V) -> V | None:
        """Set the value of the key, and return the old one, None if there was none."""
        found = self._swap(self._keys.dumps(key), self._values.dumps(value))
        return None if found is None else cast(V, self._values.loads(found))

    def compare_and_swap(self, key: K, old: V, new: V) -> bool:
        """Set the value of the key if it is old, and return whether it was.

        Values are equal if their bytes are.
        """
        dumps = self._values.dumps
        return self._compare_and_swap(self._keys.dumps(key), dumps(old),
                                      dumps(new))

    def compare_and_delete(self, key: K, old: V) -> bool:
        """Remove the key if its value is old, and return whether it was."""
        return self._compare_and_delete(self._keys.dumps(key),
                                        self._values.dumps(old))
