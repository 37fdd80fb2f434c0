"""Files to read: real ones. Reading a pipe without a writer, or some devices, would never end."""

from __future__ import annotations

import io
import os
import stat
from pathlib import Path

from midas.errors import OutputError

# A pipe that took a file's place in between opens at once with this, and shows itself then. Windows has neither.
_NOT_WAITING = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


class NotRegularFileError(OSError):
    """A folder, a pipe, a socket or a device where a file was expected.

    Args:
        path: where.
        kind: which of these it is, with its article.
    """

    def __init__(self, path: Path, kind: str) -> None:
        super().__init__(None, f"it is {kind}, not a file", str(path))
        self.kind = kind


def path_of(given: str | os.PathLike[str]) -> Path:
    """What names a file, as a path.

    Raises:
        OutputError: it is of another type.
    """
    try:
        return Path(given)
    except TypeError as error:
        raise OutputError(f"a {type(given).__name__} names no file: expected a text, or a pathlib.Path") from error


def open_regular(path: Path) -> io.BufferedReader:
    """Open a regular file, or a link to one, for reading bytes.

    Raises:
        NotRegularFileError: it is something else.
        OSError: it can't be opened.
        ValueError: the path holds a null character.
    """
    _check(os.stat(path).st_mode, path)  # noqa: PTH116
    descriptor = os.open(path, os.O_RDONLY | _NOT_WAITING)
    try:
        _check(os.fstat(descriptor).st_mode, path)
        return os.fdopen(descriptor, "rb")
    except OSError:
        os.close(descriptor)
        raise


def _check(mode: int, path: Path) -> None:
    if stat.S_ISREG(mode):
        return
    kinds = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
    raise NotRegularFileError(path, kinds.get(stat.S_IFMT(mode), "a device"))
