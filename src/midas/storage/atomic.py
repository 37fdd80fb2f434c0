"""Files and folders that appear under their name complete or not at all."""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from io import BufferedWriter
from pathlib import Path
from shutil import rmtree

from midas.errors import FileThereError, OutputError

if sys.platform != "win32":
    import fcntl

_TEMPORARY = re.compile(r"\.midas-[0-9a-f]{12}\.tmp")

# What a file system says that knows no second name for a file.
_NO_LINKS = frozenset({errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.EACCES, errno.EINVAL, errno.EMLINK})


@contextmanager
def atomic_file(path: Path, *, overwrite: bool = False) -> Iterator[BufferedWriter]:
    """Open a file for writing that gets its name once the block has ended without an exception.

    Until then it is a hidden temporary file in the same folder, which is removed if the block raises; a process that
    is killed leaves that one behind, never a half file under the final name, and the next one that writes into the
    folder removes it. Of several processes that write one name without replacing, one succeeds. Missing folders are
    created.

    Args:
        path: the final name.
        overwrite: whether a file of that name may be replaced.

    Raises:
        FileThereError: a file of that name exists already, at the beginning or at the end.
        OutputError: the file can't be written: no permission, no space, a name that is too long.
    """
    try:
        if not overwrite and os.path.lexists(path):
            raise _there(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(path.parent.absolute())
        with _temporary_file(path.parent) as (file, temporary):
            yield file
            file.flush()
            if sys.platform == "win32":  # where an open file can't be renamed
                file.close()
            _publish(temporary, path, overwrite=overwrite)
    except OSError as error:
        raise OutputError(f"{path} can't be written: {error.strerror or error}") from error


@contextmanager
def atomic_folder(path: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Make a folder that gets its name, with all that was put into it, once the block has ended without an exception.

    The rules are those of ``atomic_file``; the block gets the temporary folder.

    Args:
        path: the final name.
        overwrite: whether a folder of that name may be replaced.

    Raises:
        FileThereError: something of that name exists already, at the beginning or at the end.
        OutputError: the folder can't be written.
    """
    try:
        if not overwrite and os.path.lexists(path):
            raise _there(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(path.parent.absolute())
        temporary = path.parent / f".midas-{os.urandom(6).hex()}.tmp"
        temporary.mkdir()
        with _locked_folder(temporary):
            try:
                yield temporary
                if overwrite and path.is_dir():
                    path.rename(path.parent / f".midas-{os.urandom(6).hex()}.tmp")
                elif os.path.lexists(path):
                    raise _there(path)
                temporary.rename(path)
            finally:
                rmtree(temporary, ignore_errors=True)
        if overwrite:
            remove_leftovers_now(path.parent)
    except OSError as error:
        raise OutputError(f"{path} can't be written: {error.strerror or error}") from error


@cache
def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files of processes that were killed while they wrote into a folder; once per process.

    Those in use are locked, where the system allows to remove them at all.
    """
    remove_leftovers_now(folder)


def remove_leftovers_now(folder: Path) -> None:
    """The same however often, for who knows that others were killed meanwhile."""
    with suppress(OSError), os.scandir(folder) as entries:
        for name in [entry.name for entry in entries if _TEMPORARY.fullmatch(entry.name)]:
            with suppress(OSError):
                _remove_if_unused(folder / name)


@contextmanager
def _temporary_file(folder: Path) -> Iterator[tuple[BufferedWriter, Path]]:
    """A new file that is locked as long as it is open, and its path; it is removed at the end."""
    while True:
        path = folder / f".midas-{os.urandom(6).hex()}.tmp"
        with path.open("xb") as file:
            if not _lock(file.fileno(), path):
                continue
            try:
                yield file, path
            finally:
                with suppress(OSError):
                    path.unlink(missing_ok=True)
            return


def _publish(temporary: Path, path: Path, *, overwrite: bool) -> None:
    """Give a whole file its name."""
    if "\0" in str(path):
        raise OSError(errno.EINVAL, "a name can't hold a zero")
    if overwrite:
        temporary.replace(path)
        return
    try:
        if sys.platform == "win32":
            temporary.rename(path)  # which replaces nothing there
        else:
            path.hardlink_to(temporary)
    except FileExistsError:
        raise _there(path) from None
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if os.path.lexists(path):
            raise _there(path) from None
        temporary.replace(path)


def _there(path: Path) -> FileThereError:
    return FileThereError(
        f"{path} exists already: choose another name, or allow overwriting: overwrite=True, --overwrite"
    )


if sys.platform == "win32":

    def _lock(descriptor: int, path: Path) -> bool:
        return True  # an open file can't be removed

    def _remove_if_unused(path: Path) -> None:
        if path.is_dir():
            rmtree(path)
        else:
            path.unlink(missing_ok=True)

    @contextmanager
    def _locked_folder(path: Path) -> Iterator[None]:
        yield  # what lies in it and is open can't be removed

else:

    def _lock(descriptor: int, path: Path) -> bool:
        """Lock a new file; False if another process has removed it in the moment before that."""
        with suppress(OSError):  # of a file system without locks, on which nobody removes anything
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            return os.path.samestat(os.fstat(descriptor), path.stat())
        except FileNotFoundError:
            return False

    @contextmanager
    def _locked_folder(path: Path) -> Iterator[None]:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            with suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _remove_if_unused(path: Path) -> None:
        is_folder = path.is_dir() and not path.is_symlink()
        descriptor = os.open(path, (os.O_RDONLY if is_folder else os.O_RDWR) | os.O_NOFOLLOW)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if is_folder:
                rmtree(path)
            else:
                path.unlink()
        finally:
            os.close(descriptor)
