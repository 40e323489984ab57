"""The folder beside a spool's file: what is large of what was kept at once, each in a file of its own.

SQLite writes what it is given twice, into its log and later into its place, and checksums it on the way. Of a few kB
that is cheaper than a file; of a request of hundreds of spans it is several times what writing it costs.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import threading
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Literal

from otel_humanloop.errors import DecodeError

LARGE = 128 * 1024
"""Bytes from which a file of its own is the cheaper place."""

_SPARE = 32 * 1024 * 1024
"""Bytes of files nothing is kept in, for what comes next: to make and remove them is what takes long, for the file
system notes that in its journal, and so does whoever is waiting for that journal."""

_NAME = re.compile(r"[0-9a-f]{32}-[0-9]+")


class Folder:
    """Such a folder, made when something is put into it, and removed by `close` where nothing is left in it.

    Several threads may use it, and several processes have one on the same path: each writes under a name of its own.

    A file may be written again as soon as its row is deleted, although a power cut may take the deletion back: the row
    then leads to what came later, or to part of it. What it led to before was delivered.

    Args:
        owner: That name: 32 hexadecimal digits.
    """

    def __init__(self, path: Path, owner: str) -> None:
        self._path = path
        self._owner = owner
        self._numbers = itertools.count(1)
        self._lengths: dict[str, int] = {}  # of the files that were written here
        self._spare: list[str] = []
        self._spare_bytes = 0
        self._lock = threading.Lock()

    def put(self, content: bytes) -> str:
        """Writes it; it is on the disk on return. Gives the name of its file, which may be longer.

        Raises:
            OSError: It cannot be written. Nothing of it is left.
        """
        name = self._taken_up()
        if name is not None:
            _write(self._path / name, content, "r+b")
        else:
            name = f"{self._owner}-{next(self._numbers)}"
            self._make()
            _write(self._path / name, content, "xb")
            _sync(self._path)
        self._lengths[name] = max(len(content), self._lengths.get(name, 0))
        return name

    def get(self, name: object, length: object) -> bytes:
        """What was put under that name, and was so long.

        Raises:
            DecodeError: It is no such name, or there is less.
            OSError: It is not there, or cannot be read.
        """
        if not isinstance(name, str) or not isinstance(length, int) or _NAME.fullmatch(name) is None:
            raise DecodeError(f"`{name}` is none of its files")  # it comes from a disk
        content = (self._path / name).read_bytes()
        if not 0 <= length <= len(content):
            raise DecodeError(f"`{name}` has {len(content)} bytes, and not {length}")
        return content[:length]

    def remove(self, names: Iterable[str]) -> None:
        """Nothing is kept in these any longer. What cannot be removed now is left to `clear`."""
        for name in names:
            length = self._lengths.get(name)
            with self._lock:
                is_spare = length is not None and self._spare_bytes + length <= _SPARE
                if is_spare and length is not None:
                    self._spare.append(name)
                    self._spare_bytes += length
            if not is_spare:
                self._lengths.pop(name, None)
                self._unlink(name)

    def clear(self, is_gone: Callable[[str], bool], *, but: Callable[[], Collection[str]]) -> None:
        """Removes what owners who are gone began to write, or had no time to remove: all of theirs but the files `but`.

        These are asked for last: until an owner is gone it may add one.
        """
        names = self._names()
        gone = {owner for owner in {_owner_of(name) for name in names} if is_gone(owner)}
        left = {name for name in names if _owner_of(name) in gone}
        if left:
            for name in left.difference(but()):
                self._unlink(name)

    def close(self) -> None:
        """Leaves no file behind in which nothing is kept, and no empty folder."""
        while (name := self._taken_up()) is not None:
            self._unlink(name)
        with contextlib.suppress(OSError):
            self._path.rmdir()

    def _taken_up(self) -> str | None:
        """A file that may be written again."""
        with self._lock:
            if not self._spare:
                return None
            name = self._spare.pop()  # the latest, which the system still has in memory
            self._spare_bytes -= self._lengths[name]
            return name

    def _make(self) -> None:
        if not self._path.is_dir():
            self._path.mkdir(mode=0o700, exist_ok=True)
            _sync(self._path.parent)

    def _unlink(self, name: str) -> None:
        with contextlib.suppress(OSError):
            os.unlink(self._path / name)

    def _names(self) -> list[str]:
        try:
            return [name for name in os.listdir(self._path) if _NAME.fullmatch(name)]
        except FileNotFoundError:
            return []


def _owner_of(name: str) -> str:
    return name.rpartition("-")[0]


def _write(path: Path, content: bytes, mode: Literal["xb", "r+b"]) -> None:
    try:
        with open(path, mode, opener=_for_its_owner) as file:
            file.write(content)
            file.flush()
            _to_disk(file.fileno())
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(path)
        raise


def _for_its_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


_to_disk: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)
"""All of a file that is needed to read it, on systems that tell that from the rest."""


def _sync(folder: Path) -> None:
    """The names in a folder are on the disk, where the system has a way to see to that."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
