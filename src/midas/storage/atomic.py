"""Files that appear under their name complete or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedWriter
from pathlib import Path

from midas.errors import OutputError


@contextmanager
def atomic_file(path: Path, *, overwrite: bool = False) -> Iterator[BufferedWriter]:
    """Open a file for writing that gets its name once the block has ended without an exception.

    Until then it is a hidden temporary file in the same folder, which is removed if the block raises; a process that
    is killed leaves that one behind, never a half file under the final name. Missing folders are created.

    Args:
        path: the final name.
        overwrite: whether a file of that name may be replaced.

    Raises:
        OutputError: if the file exists already, or can't be written (no permission, no space, no folder).
    """
    temporary = path.with_name(f".midas-{os.urandom(6).hex()}.tmp")
    try:
        if not overwrite and path.exists():
            raise OutputError(f"{path} exists already: choose another name, or allow overwriting")
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as file:
            yield file
        temporary.replace(path)
    except OSError as error:
        raise OutputError(f"{path} can't be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
