"""The pictures of a shard, opened one after the other: files and members by who wants them, rows and frames in turn."""

from __future__ import annotations

import io
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from midas.arrays import Array, UInt8
from midas.errors import ImageError, MidasError, net
from midas.pictures.reading import ImageSource
from midas.scale.entries import Entry, runs_of
from midas.scale.picture_columns import picture_column, values_of
from midas.storage.addresses import Place

IN_TURN = frozenset({"parquet", "film"})
"""What is gone through from one picture to the next, and not by whoever wants one."""

_ROWS_AT_ONCE = 16

# Two frames are never nearer to each other; times that went through a file's numbers are nearer to the truth.
_SAME_TIME_S = 5e-4


@dataclass(frozen=True, eq=False)
class Opened:
    """A picture on its way.

    Attributes:
        entry: which.
        content: its bytes or pixels where they came in turn; why there are none; None where ``fetch`` gets them.
    """

    entry: Entry
    content: bytes | UInt8[Array, "H W 3"] | MidasError | None = None

    def fetch(self) -> ImageSource:
        """What the predictor reads: a path, an open file that knows its name, or pixels. May be called in any thread.

        Raises:
            ImageError: the picture isn't there.
            StorageError: the store doesn't give it.
        """
        if isinstance(self.content, MidasError):
            raise self.content
        if self.content is not None:
            return _Named(self.content, self.entry.title) if isinstance(self.content, bytes) else self.content
        place = Place.of(self.entry.source)
        if self.entry.kind == "file" and place.is_local:
            return place.path
        try:
            tar = self.entry.kind == "tar"
            data = place.read_range(self.entry.offset, self.entry.size) if tar else place.read()
        except (FileNotFoundError, IsADirectoryError):
            raise ImageError(f"{self.entry.title} does not exist; it was there when the job began") from None
        except EOFError as error:
            raise ImageError(f"{self.entry.title} isn't all there: {error}; the tar has changed") from None
        return _Named(data, self.entry.title)


class _Named(io.BytesIO):
    """Bytes that messages call by the name of what they were read from."""

    def __init__(self, data: bytes, name: str) -> None:
        super().__init__(data)
        self.name = name


def opened(entries: Sequence[Entry], column: str | None = None) -> Generator[Opened, None, None]:
    """The pictures of a shard in order, those of one source read in one go where it has to be gone through.

    Args:
        entries: of a shard.
        column: of Parquet files, where it was named.

    Raises:
        StorageError: a store doesn't answer.
    """
    for _, run in runs_of(entries):
        kind = run[0].kind
        if kind == "parquet":
            yield from _in_turn(run, _rows(Place.of(run[0].source), run, column))
        elif kind == "film":
            yield from _in_turn(run, _frames(Place.of(run[0].source), run))
        else:
            yield from (Opened(entry) for entry in run)


def _in_turn(run: Sequence[Entry], contents: Generator[bytes | Array | MidasError, None, None]) -> Iterator[Opened]:
    """Entries with their contents; where the source fails, those that are left fail with it."""
    done = 0
    try:
        with closing(contents), net(f"{run[0].source} can't be read", ImageError):
            for entry, content in zip(run, contents, strict=False):
                yield Opened(entry, content)
                done += 1
        missing = ImageError(f"{run[0].source} has fewer pictures than when the job began")
    except ImageError as error:
        missing = error
    for entry in run[done:]:
        yield Opened(entry, missing)


def _rows(place: Place, run: Sequence[Entry], column: str | None) -> Generator[bytes | MidasError, None, None]:
    with place.opened() as file:
        parquet = pq.ParquetFile(file)
        name = picture_column(parquet.schema_arrow, column, place.address).name
        wanted = iter(run)
        entry = next(wanted, None)
        begin = 0
        for group in range(parquet.num_row_groups):
            end = begin + parquet.metadata.row_group(group).num_rows
            if entry is not None and entry.offset < end:
                for row, value in enumerate(_values(parquet, group, name), begin):
                    while entry is not None and entry.offset == row:
                        yield ImageError(f"{entry.title} is empty") if value is None else bytes(value)
                        entry = next(wanted, None)
                    if entry is None:
                        return
            begin = end


def _values(parquet: pq.ParquetFile, group: int, name: str) -> Iterator[bytes | None]:
    for batch in parquet.iter_batches(_ROWS_AT_ONCE, row_groups=[group], columns=[name]):
        yield from values_of(batch, name)


def _frames(place: Place, run: Sequence[Entry]) -> Generator[Array | MidasError, None, None]:
    from midas.video.reading import Film

    with place.local_copy() as path:
        yield from _frames_at(Film, path, run)


def _frames_at(open_film: type, path: Path, run: Sequence[Entry]) -> Generator[Array | MidasError, None, None]:
    begin = max(0.0, run[0].time_s - _SAME_TIME_S)
    wanted = iter(run)
    entry = next(wanted, None)
    with open_film(path, begin) as film:
        for frame in film:
            while entry is not None and entry.time_s < frame.time_s - _SAME_TIME_S:
                yield ImageError(f"{entry.title} can't be decoded; the film is damaged there")
                entry = next(wanted, None)
            if entry is None:
                return
            if abs(entry.time_s - frame.time_s) <= _SAME_TIME_S:
                yield frame.picture
                entry = next(wanted, None)
