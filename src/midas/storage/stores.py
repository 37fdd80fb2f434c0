"""Object stores by fsspec, whose one door this is; and the patience that they want.

What a store refuses for a moment (a broken connection, 503 Slow Down) is asked for again, with growing pauses of random
length, so that a thousand clients that were refused together don't come back together.
"""

from __future__ import annotations

import io
import os
import random
import time
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from typing import Any, TypeVar

from midas.errors import MidasError, MissingExtraError, StorageError, net

ATTEMPTS = 7
"""How often a store is asked: with the pauses between, for about half a minute."""

_FIRST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 10.0


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

# s3fs asks five times, botocore five times each of these, and both wait a minute each time unless they are told not to.
# What is asked for once more down there are the pages of a listing and the parts of an upload.
_S3: dict[str, Any] = {
    "config_kwargs": {
        "connect_timeout": 10,
        "read_timeout": 30,
        "max_pool_connections": 32,
        "retries": {"max_attempts": 2},
    },
    "max_concurrency": 1,  # else each picture is asked for its size first: a second request, that costs as much
}
_OPTIONS = {"s3": _S3, "s3a": _S3}

_ADVICE = "check address, rights and connection"
_LAST_ADVICE = f"the store was asked {ATTEMPTS} times; {_ADVICE}"

Result = TypeVar("Result")


def patiently(problem: str, ask: Callable[[], Result]) -> Result:
    """What a store answers in the end.

    Raises:
        FileNotFoundError: what was asked for isn't there.
        StorageError: it refuses, or doesn't answer after ``ATTEMPTS``.
    """
    for attempt in range(ATTEMPTS):
        try:
            with net(problem, StorageError, _ADVICE if attempt < ATTEMPTS - 1 else _LAST_ADVICE):
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


class RangedFile(io.RawIOBase):
    """A file of a store by its ranges, each asked for patiently: the clients' own files give up at the first 503.

    Args:
        read_range: gives so many bytes from one on.
        size: number of bytes.
    """

    def __init__(self, read_range: Callable[[int, int], bytes], size: int) -> None:
        self._read_range, self._size, self._at = read_range, size, 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a byte, which may lie behind the last one."""
        self._at = max(0, offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence])
        return self._at

    def tell(self) -> int:
        """Which byte comes next."""
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Read what has room; 0 at the end."""
        count = max(0, min(len(buffer), self._size - self._at))
        if count:
            buffer[:count] = self._read_range(self._at, count)
            self._at += count
        return count


def store_at(address: str) -> Any:
    """The client of the store that an address names.

    Raises:
        MissingExtraError: fsspec is not installed.
        StorageError: there is no such kind of store, or its package is missing.
    """
    return _opened_store(address.partition("://")[0], os.getpid())


@cache
def _opened_store(scheme: str, process: int) -> Any:
    """The client of a kind of store; each process has its own, for their threads don't survive a fork."""
    if find_spec("fsspec") is None:
        raise MissingExtraError(f"{scheme}://", "scale")
    import fsspec

    with net(
        f"{scheme}:// can't be opened", StorageError, "its package may be missing: pip install s3fs, gcsfs, adlfs …"
    ):
        client = fsspec.filesystem(scheme, use_listings_cache=False, **_OPTIONS.get(scheme, {}))
    if scheme in _OPTIONS:
        client.retries = 1
    return client
