"""Files and folders by an address: a local path, or whatever fsspec opens, such as ``s3://bucket/folder``.

The one door to fsspec. A local file appears complete or not at all (``midas.storage.atomic``); an object store gives
that of itself, for one object is there after its last byte or not at all. What a store refuses for a moment (a broken
connection, 503 Slow Down) is asked for again, with growing pauses of random length, so that a thousand clients that were
refused together don't come back together.
"""

from __future__ import annotations

import os
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from io import BufferedWriter
from pathlib import Path
from typing import IO, Any, TypeVar

from midas.errors import MidasError, MissingExtraError, StorageError, net
from midas.storage.atomic import atomic_file

ATTEMPTS = 7
"""How often a store is asked: with the pauses between, for about half a minute."""

_FIRST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 10.0

_COPY_BYTES = 1 << 20

# What no second attempt will change.
_FINAL = (
    FileExistsError,
    FileNotFoundError,
    ImportError,
    IsADirectoryError,
    NotADirectoryError,
    NotImplementedError,
    PermissionError,
    TypeError,
    ValueError,
)

# Stores whose clients wait for minutes by themselves unless they are told not to.
_OPTIONS: dict[str, dict[str, Any]] = {
    "s3": {"config_kwargs": {"connect_timeout": 10, "read_timeout": 60, "max_pool_connections": 32}}
}

Result = TypeVar("Result")


def is_address(text: str) -> bool:
    """Whether a text names a place on another machine, and not a local path."""
    scheme, separator, _ = text.partition("://")
    return bool(separator) and scheme.replace("+", "").isalnum() and scheme != "file"


@dataclass(frozen=True)
class Place:
    """A file or a folder.

    Attributes:
        address: a local path, ``file://`` and a path, or an address of fsspec.
    """

    address: str

    @classmethod
    def of(cls, text: str | os.PathLike[str]) -> Place:
        """The place that a text names; a path is taken from the current folder."""
        address = os.fspath(text)
        if is_address(address):
            return cls(address.rstrip("/"))
        return cls(Path(os.path.abspath(address.removeprefix("file://"))).as_posix())  # noqa: PTH100  (links stay)

    @property
    def is_local(self) -> bool:
        """Whether it lies on a file system of this machine."""
        return not is_address(self.address)

    @property
    def path(self) -> Path:
        """Of a local place."""
        return Path(self.address)

    @property
    def name(self) -> str:
        """The last part."""
        return self.address.rstrip("/").rpartition("/")[2]

    def __truediv__(self, name: str) -> Place:
        return Place(f"{self.address.rstrip('/')}/{name}")

    def __str__(self) -> str:
        return self.address

    def read(self) -> bytes:
        """All bytes.

        Raises:
            FileNotFoundError: there is no such file.
            StorageError: it can't be read.
        """
        if self.is_local:
            with _naming(self, "read"):
                return self.path.read_bytes()
        return _patiently(f"{self} can't be read", lambda: bytes(_store(self).cat_file(self.address)))

    def read_range(self, begin: int, size: int) -> bytes:
        """So many bytes from one on.

        Raises:
            FileNotFoundError: there is no such file.
            StorageError: it can't be read, or ends before.
        """
        if self.is_local:
            with _naming(self, "read"), self.path.open("rb") as file:
                file.seek(begin)
                data = file.read(size)
        else:
            end = begin + size
            data = _patiently(
                f"{self} can't be read", lambda: bytes(_store(self).cat_file(self.address, start=begin, end=end))
            )
        if len(data) != size:
            raise StorageError(f"{self} ends at byte {begin + len(data)}, expected {size} bytes from {begin} on")
        return data

    def write(self, data: bytes) -> None:
        """Make or replace the file, at once.

        Raises:
            StorageError: it can't be written.
        """
        if self.is_local:
            with _naming(self, "written"), atomic_file(self.path, overwrite=True) as file:
                file.write(data)
        else:
            _patiently(f"{self} can't be written", lambda: _store(self).pipe_file(self.address, data))

    @contextmanager
    def writing(self) -> Iterator[BufferedWriter]:
        """A file to write to, which takes this place when the block ends without an exception.

        Raises:
            StorageError: it can't be written.
        """
        if self.is_local:
            with atomic_file(self.path, overwrite=True) as file:
                yield file
            return
        with tempfile.TemporaryDirectory(prefix="midas-") as folder:
            kept = Path(folder, "whole")
            with kept.open("xb") as file:
                yield file
            _patiently(f"{self} can't be written", lambda: _store(self).put_file(str(kept), self.address))

    @contextmanager
    def local_copy(self) -> Iterator[Path]:
        """A path of the file's bytes for libraries that read files by name: itself, or a copy for as long as the block.

        Raises:
            FileNotFoundError: there is no such file.
            StorageError: it can't be read.
        """
        if self.is_local:
            yield self.path
            return
        with tempfile.TemporaryDirectory(prefix="midas-") as folder:
            kept = Path(folder, self.name)
            _patiently(f"{self} can't be read", lambda: _store(self).get_file(self.address, str(kept)))
            yield kept

    def opened(self) -> IO[bytes]:
        """The file for reading at any place; of a store, a piece at a time.

        Raises:
            FileNotFoundError: there is no such file.
            StorageError: it can't be opened.
        """
        if self.is_local:
            with _naming(self, "read"):
                return self.path.open("rb")
        return _patiently(f"{self} can't be read", lambda: _store(self).open(self.address, "rb", block_size=_COPY_BYTES))

    def size(self) -> int | None:
        """Number of bytes; None where there is no such file.

        Raises:
            StorageError: the store doesn't say.
        """
        try:
            if self.is_local:
                with _naming(self, "read"):
                    return self.path.stat().st_size
            return int(_patiently(f"{self} can't be read", lambda: _store(self).info(self.address)["size"]))
        except (FileNotFoundError, NotADirectoryError):
            return None

    def is_folder(self) -> bool:
        """Whether it is a folder; in a store, whether names of files begin with it and a slash."""
        if self.is_local:
            return self.path.is_dir()
        return _patiently(f"{self} can't be searched", lambda: bool(_store(self).isdir(self.address)))

    def files(self) -> dict[str, int]:
        """The names and sizes of the files right in a folder; nothing where there is no such folder.

        Raises:
            StorageError: it can't be searched.
        """
        if self.is_local:
            with _naming(self, "searched"):
                if not self.path.is_dir():
                    return {}
                with os.scandir(self.path) as listed:
                    return {entry.name: entry.stat().st_size for entry in listed if entry.is_file()}
        try:
            found = _patiently(
                f"{self} can't be searched", lambda: list(_store(self).ls(self.address, detail=True, refresh=True))
            )
        except FileNotFoundError:
            return {}
        return {str(one["name"]).rpartition("/")[2]: int(one["size"] or 0) for one in found if one["type"] == "file"}

    def below(self) -> Iterator[tuple[str, int]]:
        """The files in a folder and in all folders below, as paths from it with their sizes, in the order of names.

        Hidden ones are left out. Links to folders are followed, each folder once.

        Raises:
            StorageError: it can't be searched.
        """
        if self.is_local:
            yield from _below_local(self)
            return
        within = _patiently(f"{self} can't be searched", lambda: _store(self).find(self.address, detail=True))
        start = len(_store(self)._strip_protocol(self.address)) + 1
        for name, facts in sorted(within.items()):
            relative = str(name)[start:]
            if relative and not any(part.startswith(".") for part in relative.split("/")):
                yield relative, int(facts["size"] or 0)

    def matching(self) -> list[tuple[str, int]]:
        """The files of a store that the address means as a pattern, as addresses with their sizes, sorted.

        Raises:
            StorageError: it can't be searched.
        """
        store = _store(self)
        found = _patiently(f"{self} can't be searched", lambda: store.glob(self.address, detail=True))
        return [
            (str(store.unstrip_protocol(name)), int(facts["size"] or 0))
            for name, facts in sorted(found.items())
            if facts["type"] == "file"
        ]

    def remove(self) -> None:
        """Remove the file; nothing happens where there is none."""
        if self.is_local:
            self.path.unlink(missing_ok=True)
            return
        try:
            _patiently(f"{self} can't be removed", lambda: _store(self).rm_file(self.address))
        except FileNotFoundError:
            return


def copied(source: IO[bytes], target: IO[bytes]) -> None:
    """Copy what is left of one file to another."""
    shutil.copyfileobj(source, target, _COPY_BYTES)


def _below_local(folder: Place) -> Iterator[tuple[str, int]]:
    waiting, seen = [""], set()
    while waiting:
        relative = waiting.pop()
        here = os.path.join(folder.address, relative)  # noqa: PTH118
        place = os.path.realpath(here)
        if place in seen:
            continue
        seen.add(place)
        with _naming(Place(here), "searched"), os.scandir(here) as listed:
            entries = sorted(
                (entry.name, entry.is_dir(), entry) for entry in listed if not entry.name.startswith(".")
            )
        prefix = f"{relative}/" if relative else ""
        waiting += [prefix + name for name, is_folder, _ in reversed(entries) if is_folder]
        for name, is_folder, entry in entries:
            if not is_folder:
                with _naming(Place(here), "searched"):
                    yield prefix + name, entry.stat().st_size if entry.is_file() else -1


@contextmanager
def _naming(place: Place, done: str) -> Iterator[None]:
    """The system's errors as ours, but for files that aren't there."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError):
        raise
    except OSError as error:
        raise StorageError(f"{place} can't be {done}: {error.strerror or error}") from error


def _patiently(problem: str, ask: Callable[[], Result]) -> Result:
    """What a store answers in the end.

    Raises:
        FileNotFoundError: what was asked for isn't there.
        StorageError: it refuses, or doesn't answer after ``ATTEMPTS``.
    """
    for attempt in range(ATTEMPTS):
        try:
            with net(problem, StorageError, "the store was asked several times; check address, rights and connection"):
                return ask()
        except MidasError as error:
            cause = error.__cause__
            if isinstance(cause, FileNotFoundError):
                raise cause from None
            if cause is None or isinstance(cause, _FINAL) or attempt == ATTEMPTS - 1:
                raise
        pause_s = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2**attempt)
        time.sleep(pause_s * (0.5 + random.random()))
    raise AssertionError(problem)  # the last attempt has returned or raised


def _store(place: Place) -> Any:
    return _opened_store(place.address.partition("://")[0], os.getpid())


@cache
def _opened_store(scheme: str, process: int) -> Any:
    """The client of a kind of store; each process has its own, for their threads don't survive a fork."""
    if find_spec("fsspec") is None:
        raise MissingExtraError(f"{scheme}://", "scale")
    import fsspec

    with net(f"{scheme}:// can't be opened", StorageError, "its package may be missing: pip install s3fs, gcsfs, adlfs …"):
        return fsspec.filesystem(scheme, use_listings_cache=False, **_OPTIONS.get(scheme, {}))
