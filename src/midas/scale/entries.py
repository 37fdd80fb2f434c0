"""One picture of a job, wherever it lies: a file, a member of a tar, a row of a Parquet file, a frame of a film."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

import pyarrow as pa

Kind = Literal["file", "tar", "parquet", "film"]

SCHEMA = pa.schema(
    [
        ("source", pa.string()),
        ("kind", pa.string()),
        ("offset", pa.int64()),
        ("size", pa.int64()),
        ("time_s", pa.float64()),
        ("name", pa.string()),
        ("place", pa.string()),
    ]
)
"""The columns of a manifest."""


class Entry(NamedTuple):
    """One picture.

    Attributes:
        source: address of the file that holds it.
        kind: what that file is.
        offset: of a member its first byte, of a row or a frame its number.
        size: number of bytes; -1 where that isn't known.
        time_s: of a frame, when it is shown, in seconds from the film's beginning; NaN for all else.
        name: of a picture that is no file of its own, its name within the source; None for files.
        place: where its outputs lie below the destination, without a suffix.
    """

    source: str
    kind: Kind
    offset: int
    size: int
    time_s: float
    name: str | None
    place: str

    @property
    def label(self) -> str:
        """What the picture's file is called: the last part of its name."""
        return (self.name or self.source).rpartition("/")[2]

    @property
    def title(self) -> str:
        """What messages call it."""
        return self.source if self.name is None else f"{self.source}, {self.name}"


class Rows:
    """Columns of entries that are gathered a few at a time, so that a million of them are never objects at once."""

    _CHUNK = 1 << 16

    def __init__(self) -> None:
        self._columns: tuple[list[Any], ...] = tuple([] for _ in SCHEMA.names[:-1])
        self._chunks: list[pa.RecordBatch] = []

    def add(
        self,
        source: str,
        kind: Kind,
        *,
        offset: int = 0,
        size: int = -1,
        time_s: float = float("nan"),
        name: str | None = None,
    ) -> None:
        """Append an entry without its place, which depends on all others."""
        for column, value in zip(self._columns, (source, kind, offset, size, time_s, name), strict=True):
            column.append(value)
        if len(self._columns[0]) >= self._CHUNK:
            self._close_chunk()

    def add_files(self, sources: pa.Array) -> None:
        """Append files by a column of their addresses, of which nothing else is known."""
        self._close_chunk()
        count = len(sources)
        columns = [
            sources.cast(pa.string()),
            pa.repeat("file", count),
            pa.repeat(0, count),
            pa.repeat(-1, count),
            pa.repeat(float("nan"), count),
            pa.nulls(count, pa.string()),
        ]
        self._chunks.append(pa.RecordBatch.from_arrays(columns, schema=_UNPLACED))

    def table(self) -> pa.Table:
        """All entries so far, without their places."""
        self._close_chunk()
        return pa.Table.from_batches(self._chunks, schema=_UNPLACED)

    def _close_chunk(self) -> None:
        if self._columns[0]:
            arrays = [pa.array(column, field.type) for column, field in zip(self._columns, _UNPLACED, strict=True)]
            self._chunks.append(pa.RecordBatch.from_arrays(arrays, schema=_UNPLACED))
            for column in self._columns:
                column.clear()


_UNPLACED = pa.schema(list(SCHEMA)[:-1])


def entries_of(table: pa.Table) -> Sequence[Entry]:
    """The rows of a table of ``SCHEMA``."""
    columns = [table.column(name).to_pylist() for name in SCHEMA.names]
    return [Entry(*row) for row in zip(*columns, strict=True)]


def runs_of(entries: Sequence[Entry]) -> Iterator[tuple[int, Sequence[Entry]]]:
    """Neighbours from one source together, each run with the number of its first entry."""
    begin = 0
    for end in range(1, len(entries) + 1):
        if end == len(entries) or entries[end].source != entries[begin].source:
            yield begin, entries[begin:end]
            begin = end
