"""The folder beside a spool's file: what is large of what was kept at once, each in a file of its own.

SQLite writes what it is given twice, into its log and later into its place, and checksums it on the way. Of a few kB
that is cheaper than a file; of a request of hundreds of spans it is several times what writing it costs.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

LARGE = 128 * 1024
"""Bytes from which a file of its own is the cheaper place."""


_NAME = re.compile(r"[0-9a-f]{32}-[0-9]+")


class Folder:
    """Such a folder, made when something is put into it, and removed by `close` where nothing is left in it.

    Several threads may use it, and several processes have one on the same path: each writes under a name of its own.

    Args:
        owner: That name: 32 hexadecimal digits.
    """

    def __init__(self, path: Path, owner: str) -> None:
        self._path = path
        self._owner = owner
        self._numbers = itertools.count(1)

    def put(self, content: bytes) -> str:
        """Writes it; it is on the disk on return. Gives the name of its file.

        Raises:
            OSError: It cannot be written. Nothing of it is left.
        """
        name = f"{self._owner}-{next(self._numbers)}"
        try:
            self._write(name, content)
        except FileNotFoundError:  # there is no folder yet, or another process has just removed it, for it was empty
            self._path.mkdir(mode=0o700, exist_ok=True)
            _sync(self._path.parent)
            self._write(name, content)
        return name

    def get(self, name: object) -> bytes:
        """What was put under that name.

        Raises:
            OSError: It is not there, or cannot be read.
        """
        if not isinstance(name, str) or _NAME.fullmatch(name) is None:  # it comes from a disk
            raise FileNotFoundError(f"`{name}` is none of its files")
        return (self._path / name).read_bytes()

    def remove(self, names: Iterable[str]) -> None:
        """Of those that are not there, or cannot be removed now, there is nothing to do: see `clear`."""
        for name in names:
            with contextlib.suppress(OSError):
                os.unlink(self._path / name)

    def clear(self, is_gone: Callable[[str], bool], *, but: Callable[[], Collection[str]]) -> None:
        """Removes what owners who are gone began to write, or had no time to remove: all of theirs but the files `but`.

        These are asked for last: until an owner is gone it may add one.
        """
        names = self._names()
        gone = {owner for owner in {_owner_of(name) for name in names} if is_gone(owner)}
        left = {name for name in names if _owner_of(name) in gone}
        if left:
            self.remove(left.difference(but()))

    def close(self) -> None:
        """Leaves no empty folder behind."""
        with contextlib.suppress(OSError):
            self._path.rmdir()

    def _write(self, name: str, content: bytes) -> None:
        path = self._path / name
        try:
            with open(path, "xb", opener=_for_its_owner) as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            _sync(self._path)
        except FileNotFoundError:
            raise
        except OSError:
            self.remove([name])
            raise

    def _names(self) -> list[str]:
        try:
            return [name for name in os.listdir(self._path) if _NAME.fullmatch(name)]
        except FileNotFoundError:
            return []


def _owner_of(name: str) -> str:
    return name.rpartition("-")[0]


def _for_its_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _sync(folder: Path) -> None:
    """The names in a folder are on the disk, where the system has a way to see to that."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
