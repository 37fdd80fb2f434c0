"""How the outputs of a shard lie at the destination: files in the sources' tree, a tar, or a Parquet file."""

from __future__ import annotations

import errno
import json
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedWriter, BytesIO
from pathlib import Path, PurePosixPath
from typing import Any, Protocol, runtime_checkable

import pyarrow as pa
import pyarrow.parquet as pq

from midas.errors import MidasError
from midas.folder import WRITERS
from midas.maps.formats import FORMATS, output_path
from midas.scale.entries import Entry
from midas.scale.receipts import Failure
from midas.scale.settings import Recipe
from midas.storage.addresses import STORE_THREADS, Place

PREFIX = "maps-"
"""What the names of shards begin with."""

_ROWS_PER_GROUP = 64

# What a file system says of a name that it can't have: too long, with signs that it doesn't know, or below what is a
# file, such as a.png of a.jpg where there is a folder a.png. It will say the same at each attempt.
_OF_NAMES = frozenset(
    {errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENOTEMPTY}
)

TABLE = pa.schema(
    [
        ("source", pa.string()),
        ("place", pa.string()),
        ("depth", pa.binary()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("height", pa.int32()),
        ("width", pa.int32()),
        ("model", pa.string()),
        ("kind", pa.string()),
        ("error", pa.string()),
    ]
)
"""The columns of a shard in Parquet: ``depth`` is a 16-bit PNG, whose codes 0 and 65535 are ``low`` and ``high``."""


@dataclass(frozen=True, eq=False)
class Made:
    """What was made of a picture.

    Attributes:
        entry: the picture.
        number: its number in the shard.
        files: format name → the file's bytes.
        low, high: smallest and largest value of its map.
        size: (height, width) of its map.
        model, kind: whose values they are, and what.
    """

    entry: Entry
    number: int
    files: Mapping[str, bytes]
    low: float
    high: float
    size: tuple[int, int]
    model: str
    kind: str

    @property
    def facts(self) -> dict[str, Any]:
        """What is known of the values."""
        height, width = self.size
        return {
            "low": self.low,
            "high": self.high,
            "height": height,
            "width": width,
            "model": self.model,
            "kind": self.kind,
        }


@runtime_checkable
class Packer(Protocol):
    """Takes in a shard's outputs.

    Attributes:
        outputs: the names of files below the destination, and their sizes.
        threads: how many may store at a time with gain.
    """

    outputs: dict[str, int]
    threads: int

    def store(self, made: Made) -> Made | Failure:
        """Put away what can be put away in any order; called in any thread.

        Returns:
            What is to be taken in: a failure where the destination can't have a file of that name.

        Raises:
            StorageError: it can't be written.
        """
        ...

    def add(self, entry: Entry, outcome: Made | Failure) -> None:
        """Take in what became of the next picture; called in order."""
        ...


@contextmanager
def packer_for(destination: Place, recipe: Recipe, shard: int) -> Iterator[Packer]:
    """What takes in the outputs of a shard; when the block ends without an exception, they are there.

    Raises:
        StorageError: they can't be written.
    """
    if recipe.packing == "files":
        yield _Files(destination)
        return
    place = destination / shard_name(recipe, shard)
    with place.writing() as file:
        if recipe.packing == "tar":
            with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
                packer: _Tar | _Table = _Tar(tar)
                yield packer
        else:
            with pq.ParquetWriter(file, TABLE, compression="none") as writer:
                packer = _Table(writer)
                yield packer
                packer.close_group()
        packer.outputs[place.name] = _length(file)


def shard_name(recipe: Recipe, shard: int) -> str:
    """The name of a shard's file."""
    return f"{PREFIX}{shard:06d}.{recipe.packing}"


def _length(file: BufferedWriter) -> int:
    file.flush()
    return file.tell()


class _Files:
    """Each map in a file of its own, as the pictures lie below what all of them share."""

    def __init__(self, destination: Place) -> None:
        self._destination = destination
        self.outputs: dict[str, int] = {}
        self.threads = WRITERS if destination.is_local else STORE_THREADS

    def store(self, made: Made) -> Made | Failure:
        for format_name, data in made.files.items():
            name = file_name(made.entry.place, format_name)
            try:
                (self._destination / name).write(data)
            except MidasError as error:
                if getattr(error.__cause__, "errno", None) not in _OF_NAMES:
                    raise
                return Failure(made.entry.title, made.entry.place, error.message)
            self.outputs[name] = len(data)
        return made

    def add(self, entry: Entry, outcome: Made | Failure) -> None:
        """Nothing is left to do; the thread with the network comes here, so that it had better not."""


def file_name(place: str, format_name: str) -> str:
    """The path of a map below the destination: as ``midas predict`` would name it."""
    folder, _, stem = place.rpartition("/")
    return (PurePosixPath(folder) / output_path(_NOWHERE, stem, format_name).name).as_posix()


_NOWHERE = Path()


class _Tar:
    """A tar as the ``webdataset`` package has it: a sample's members share their name up to the first dot."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self.outputs: dict[str, int] = {}
        self.threads = WRITERS

    def store(self, made: Made) -> Made:
        return made

    def add(self, entry: Entry, outcome: Made | Failure) -> None:
        if not isinstance(outcome, Made):
            return
        key = sample_key(entry.place, outcome.number)
        for name, data in outcome.files.items():
            chosen = FORMATS[name]
            self._member(f"{key}.{chosen.tag[1:] + '.' if chosen.tag else ''}{chosen.suffix[1:]}", data)
        facts = {"source": entry.title, "place": entry.place, **outcome.facts}
        self._member(f"{key}.json", json.dumps(facts, sort_keys=True).encode())

    def _member(self, name: str, data: bytes) -> None:
        header = tarfile.TarInfo(name)  # no time, no owner: they'd differ from run to run
        header.size = len(data)
        self._tar.addfile(header, BytesIO(data))


def sample_key(place: str, number: int) -> str:
    """What the members of a sample are called: its place; a dot in its name would end the key there."""
    folder, slash, stem = place.rpartition("/")
    plain = stem.replace(".", "_")
    return f"{folder}{slash}{plain}" if plain == stem else f"{folder}{slash}{plain}~{number}"


class _Table:
    """A Parquet file with a row per picture, those that failed among them."""

    def __init__(self, writer: pq.ParquetWriter) -> None:
        self._writer = writer
        self._rows: list[dict[str, Any]] = []
        self.outputs: dict[str, int] = {}
        self.threads = WRITERS

    def store(self, made: Made) -> Made:
        return made

    def add(self, entry: Entry, outcome: Made | Failure) -> None:
        row: dict[str, Any] = {"source": entry.title, "place": entry.place}
        if isinstance(outcome, Made):
            row |= {"depth": outcome.files["png16"], **outcome.facts}
        else:
            row["error"] = outcome.error
        self._rows.append(row)
        if len(self._rows) == _ROWS_PER_GROUP:
            self.close_group()

    def close_group(self) -> None:
        """Write the rows that wait."""
        if self._rows:
            self._writer.write_table(pa.Table.from_pylist(self._rows, TABLE))
            self._rows.clear()
