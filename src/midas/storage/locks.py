"""Locks between processes: a file that one holds and others wait for. They end with the process, however it ends."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

POLL_S = 0.1

if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True

else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@contextmanager
def lock(path: Path, *, while_waiting: Callable[[], object] = lambda: None) -> Iterator[bool]:
    """Be the only one, of all threads and processes that ask for this lock, to run the block.

    Args:
        path: the lock's file, in an existing folder; it is there while somebody holds the lock.
        while_waiting: called several times a second while somebody else does.

    Yields:
        Whether the lock is held; False where the file system knows no locks.

    Raises:
        OSError: the file can't be made.
    """
    descriptor, held = _acquire(path, while_waiting)
    try:
        yield held
    finally:
        with suppress(OSError):  # Windows keeps a file that is open
            path.unlink()
        os.close(descriptor)


def _acquire(path: Path, while_waiting: Callable[[], object]) -> tuple[int, bool]:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            held = _try_lock(descriptor)
        except OSError:
            return descriptor, False
        # Its holder removes the file when done. A lock on one that has lost its name guards nothing.
        if held and _has_name(descriptor, path):
            return descriptor, True
        os.close(descriptor)
        if not held:
            while_waiting()
            time.sleep(POLL_S)


def _has_name(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False
