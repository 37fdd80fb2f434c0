"""Files that arrive piece by piece, over several attempts, and are hashed on the way."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

_CHUNK_BYTES = 1024 * 1024


class PartialFile:
    """What has been received of a file, and of which version of it. A small record beside it says which.

    Args:
        path: holds the bytes; what an earlier attempt left there is taken up, if its record names the same URL.
        url: where the bytes come from.
        verified: whether the whole file's hash is known. If it isn't, bytes without a version are left out: two
            versions joined into one file would go unnoticed.

    Attributes:
        size: number of bytes received.
        sha256: hash object fed with them.
        version: what the server calls this version of the file; may be empty.
        total: number of bytes of the whole file, where it is known.

    Raises:
        OSError: the file can't be opened, here and in the methods below.
    """

    def __init__(self, path: Path, url: str, *, verified: bool) -> None:
        self.path = path
        self._url = url
        self._record = path.with_name(f"{path.name}.json")
        self.version, self.total = self._read_record()
        self.sha256, self.size = hashlib.sha256(), 0
        self._file = path.open("a+b")
        if self.version or (verified and self._record.exists()):
            self._file.seek(0)
            self.sha256 = _digest_of(self._file)
            self.size = self._file.tell()

    def restart(self, version: str = "", total: int | None = None) -> None:
        """Forget what was received, and begin with a version of the file."""
        self._file.truncate(0)
        self.sha256, self.size = hashlib.sha256(), 0
        self.version, self.total = version, total
        record = {"url": self._url, "version": version, "total": total}
        self._record.write_text(json.dumps(record), encoding="utf-8")

    def append(self, chunk: bytes) -> None:
        """Take in more bytes."""
        self._file.write(chunk)
        self.sha256.update(chunk)
        self.size += len(chunk)

    def close(self) -> None:
        """Keep what is there for a later attempt."""
        with suppress(OSError):  # of a full disk, which `append` has reported
            self._file.close()

    def finish(self, target: Path) -> None:
        """Give the file its final name, once its bytes would outlive a power failure."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self.path.replace(target)
        self._record.unlink(missing_ok=True)

    def remove(self) -> None:
        """Leave nothing behind."""
        self.close()
        self.path.unlink(missing_ok=True)
        self._record.unlink(missing_ok=True)

    def _read_record(self) -> tuple[str, int | None]:
        with suppress(OSError, ValueError, KeyError, TypeError):
            record: dict[str, Any] = json.loads(self._record.read_text(encoding="utf-8"))
            if record["url"] == self._url:
                total = record["total"]
                return str(record["version"]), None if total is None else int(total)
        return "", None


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's content, in hexadecimal digits.

    Raises:
        OSError: the file can't be read.
    """
    with path.open("rb") as file:
        digest: str = _digest_of(file).hexdigest()
    return digest


def _digest_of(file: IO[bytes]) -> Any:
    digest = hashlib.sha256()
    while chunk := file.read(_CHUNK_BYTES):
        digest.update(chunk)
    return digest
