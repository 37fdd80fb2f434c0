"""Files and folders by an address: a local path, or whatever fsspec opens, such as ``s3://bucket/folder``.

A local file appears complete or not at all (``midas.storage.atomic``); an object store gives that of itself, for one
object is there after its last byte or not at all.
"""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from io import BufferedWriter
from pathlib import Path

from midas.errors import StorageError
from midas.storage.atomic import atomic_file
from midas.storage.stores import RangedFile, patiently, store_at

STORE_THREADS = 8
"""A store answers after tens of milliseconds, and answers many requests at a time: so many of each worker."""

_PIECE_BYTES = 1 << 20


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
        return patiently(f"{self} can't be read", lambda: bytes(store_at(self.address).cat_file(self.address)))

    def read_range(self, begin: int, size: int) -> bytes:
        """So many bytes from one on.

        Raises:
            FileNotFoundError: there is no such file.
            EOFError: it ends before.
            StorageError: it can't be read.
        """
        if not size:  # which a store can't be asked for, and answers by all there is
            return b""
        if self.is_local:
            with _naming(self, "read"), self.path.open("rb") as file:
                file.seek(begin)
                data = file.read(size)
        else:
            end = begin + size
            data = patiently(
                f"{self} can't be read",
                lambda: bytes(store_at(self.address).cat_file(self.address, start=begin, end=end)),
            )
        if len(data) != size:
            raise EOFError(f"{self} ends at byte {begin + len(data)}, expected {size} bytes from {begin} on")
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
            self._put(lambda: store_at(self.address).pipe_file(self.address, data))

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
            self._put(lambda: store_at(self.address).put_file(str(kept), self.address))

    def _put(self, ask: Callable[[], object]) -> None:
        try:
            patiently(f"{self} can't be written", ask)
        except FileNotFoundError as error:
            raise StorageError(f"{self} can't be written: there is no such bucket; make it first") from error

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
            patiently(f"{self} can't be read", lambda: store_at(self.address).get_file(self.address, str(kept)))
            yield kept

    def opened(self) -> io.BufferedReader:
        """The file for reading at any place; of a store, a piece at a time.

        Raises:
            FileNotFoundError: there is no such file.
            StorageError: it can't be opened.
        """
        if self.is_local:
            with _naming(self, "read"):
                return self.path.open("rb")
        size = self.size()
        if size is None:
            raise FileNotFoundError(self.address)
        return io.BufferedReader(RangedFile(self.read_range, size), _PIECE_BYTES)

    def size(self) -> int | None:
        """Number of bytes; None where there is no such file.

        Raises:
            StorageError: the store doesn't say.
        """
        try:
            if self.is_local:
                with _naming(self, "read"):
                    return self.path.stat().st_size
            return int(patiently(f"{self} can't be read", lambda: store_at(self.address).info(self.address)["size"]))
        except (FileNotFoundError, NotADirectoryError):
            return None

    def is_folder(self) -> bool:
        """Whether it is a folder; in a store, whether names of files begin with it and a slash.

        Raises:
            StorageError: the store doesn't say.
        """
        if self.is_local:
            return self.path.is_dir()
        try:
            # Not isdir, which takes a store that doesn't answer for one that has no such folder.
            return (
                str(patiently(f"{self} can't be searched", lambda: store_at(self.address).info(self.address)["type"]))
                == "directory"
            )
        except FileNotFoundError:
            return False

    def listed(self) -> tuple[list[str], dict[str, int]]:
        """The names of the folders right in a folder, and the names and sizes of its files, sorted.

        Hidden ones are left out. Nothing where there is no such folder; -1 for what is neither, such as a broken link.

        Raises:
            StorageError: it can't be searched.
        """
        folders, files = self._entries()
        return (
            sorted(name for name in folders if not name.startswith(".")),
            {name: files[name] for name in sorted(files) if not name.startswith(".")},
        )

    def files(self) -> dict[str, int]:
        """The names and sizes of the files right in a folder; nothing where there is no such folder.

        Raises:
            StorageError: it can't be searched.
        """
        return self._entries()[1]

    def below(self) -> Iterator[tuple[str, int]]:
        """The files in a folder and in all folders below, as paths from it with their sizes; hidden ones are left out.

        A folder's own files come first, all in the order of names. Links to folders are followed, each folder once.

        Raises:
            StorageError: it can't be searched.
        """
        waiting, seen = [""], set[str]()
        while waiting:
            relative = waiting.pop()
            folder = self / relative.rstrip("/") if relative else self
            identity = os.path.realpath(folder.address) if self.is_local else folder.address
            if identity in seen:
                continue
            seen.add(identity)
            folders, files = folder.listed()
            waiting += [f"{relative}{name}/" for name in reversed(folders)]
            yield from ((relative + name, size) for name, size in files.items())

    def matching(self, parts: Sequence[str]) -> Iterator[tuple[str, int]]:
        """The files below a folder that a pattern means, as paths from it with their sizes, in the order of names.

        Args:
            parts: of the pattern, between slashes: ``*``, ``?`` and ``[...]`` within a name, ``**`` for any folders.

        Raises:
            StorageError: it can't be searched.
        """
        if "**" in parts:
            yield from ((name, size) for name, size in self.below() if _fits(name.split("/"), parts))
            return
        folders, files = self.listed()
        if len(parts) == 1:
            yield from ((name, size) for name, size in files.items() if fnmatchcase(name, parts[0]))
            return
        for folder in folders:
            if fnmatchcase(folder, parts[0]):
                yield from ((f"{folder}/{name}", size) for name, size in (self / folder).matching(parts[1:]))

    def _entries(self) -> tuple[list[str], dict[str, int]]:
        try:
            if self.is_local:
                with _naming(self, "searched"), os.scandir(self.path) as entries:
                    return _sorted_out((entry.name, _kind(entry)) for entry in entries)
            found = patiently(
                f"{self} can't be searched",
                lambda: list(store_at(self.address).ls(self.address, detail=True, refresh=True)),
            )
        except (FileNotFoundError, NotADirectoryError):
            return [], {}
        # Some stores list a folder as a file of its own, without a name.
        named = ((str(one["name"]).rstrip("/").rpartition("/")[2], one) for one in found)
        own = self.name
        return _sorted_out(
            (name, None if one["type"] == "directory" else int(one["size"] or 0))
            for name, one in named
            if not (name == own and str(one["name"]).rstrip("/").endswith(_plain(self)))
        )

    def remove(self) -> None:
        """Remove the file; nothing happens where there is none."""
        if self.is_local:
            self.path.unlink(missing_ok=True)
            return
        try:
            patiently(f"{self} can't be removed", lambda: store_at(self.address).rm_file(self.address))
        except FileNotFoundError:
            return


def _fits(names: Sequence[str], parts: Sequence[str]) -> bool:
    """Whether the parts of a path are what those of a pattern say."""
    if not parts:
        return not names
    if parts[0] == "**":
        return any(_fits(names[skipped:], parts[1:]) for skipped in range(len(names) + 1))
    return bool(names) and fnmatchcase(names[0], parts[0]) and _fits(names[1:], parts[1:])


def _kind(entry: os.DirEntry[str]) -> int | None:
    """A file's size; None for a folder."""
    try:
        return None if entry.is_dir() else entry.stat().st_size
    except OSError:  # a link to nowhere, or to itself
        return -1


def _sorted_out(entries: Iterable[tuple[str, int | None]]) -> tuple[list[str], dict[str, int]]:
    folders, files = [], {}
    for name, size in entries:
        if size is None:
            folders.append(name)
        else:
            files[name] = size
    return folders, files


def _plain(place: Place) -> str:
    return place.address.partition("://")[2].rstrip("/")


@contextmanager
def _naming(place: Place, done: str) -> Iterator[None]:
    """The system's errors as ours, but for files that aren't there."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError):
        raise
    except OSError as error:
        raise StorageError(f"{place} can't be {done}: {error.strerror or error}") from error
