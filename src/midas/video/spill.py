"""Maps that wait on disk until all of a film is known."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import IO

import numpy as np

from midas.arrays import Array, Float32
from midas.errors import OutputError


class MapSpill(AbstractContextManager["MapSpill"]):
    """Maps of one size on disk, in a file without a name, which no end of the process leaves behind.

    Args:
        folder: on whose disk; the system's folder of temporary files if None.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
        self._runs: list[tuple[tuple[int, int], int]] = []  # shapes, and how many maps in a row have them

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the room back."""
        with suppress(OSError):  # of a full disk, which `append` has reported
            self._file.close()

    def append(self, values: Float32[Array, "h w"]) -> None:
        """Put a map behind the others.

        Raises:
            OutputError: the disk is full.
        """
        try:
            self._file.write(np.ascontiguousarray(values, np.float32).tobytes())
            self._file.flush()
        except OSError as error:
            raise OutputError(f"maps can't wait on disk: {error.strerror or error}; make room there") from error
        shape, count = (values.shape[0], values.shape[1]), 1
        if self._runs and self._runs[-1][0] == shape:
            count += self._runs.pop()[1]
        self._runs.append((shape, count))

    def __iter__(self) -> Iterator[Float32[Array, "h w"]]:
        self._file.seek(0)
        for (height, width), count in self._runs:
            for _ in range(count):
                data = self._file.read(4 * height * width)
                yield np.frombuffer(data, np.float32).reshape(height, width)
