"""Folders that one process at a time writes to: a second would take the first one's unfinished files for old ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from midas.errors import RenderError
from midas.storage.downloads import NO_LOCKS

LOCK = ".midas-lock"


@contextmanager
def claimed(folder: Path, doing: str) -> Iterator[None]:
    """Be the only process that writes to a folder while the block runs; the folder is made if it isn't there.

    Args:
        folder: what is written to.
        doing: what happens to it, for the message.

    Raises:
        RenderError: another process does, or the folder can't be written to.
    """
    # No light import, and not needed where all is finished already.
    from filelock import FileLock, Timeout

    lock = FileLock(folder / LOCK, fallback_to_soft=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(blocking=False)
    except Timeout as error:
        raise RenderError(
            f"{folder} is being {doing} by another process: wait until that has ended, or name another folder"
        ) from error
    except OSError as error:
        # Where the file system knows no locks everybody has to look after himself.
        if error.errno not in NO_LOCKS:
            raise RenderError(f"{folder} can't be written to: {error.strerror or error}") from error
    try:
        yield
    finally:
        if lock.is_locked:
            with suppress(OSError):  # Windows keeps an open file
                (folder / LOCK).unlink()
            lock.release()
