"""What a job consists of: its pictures in shards, written once, at ``DEST/_midas``.

    _midas/job.json                    recipe, numbers, and the job's id
    _midas/manifest/ID/000000.parquet  the pictures of 16 shards, a row group each
    _midas/receipts/000000.json        one per finished shard (midas.scale.receipts)

The id is a hash of the recipe and of the list of pictures with their sizes: the same pictures, model and options are
the same job, on whatever machine and day, and all else is another one. ``job.json`` is written last: a folder without
it holds no job. Manifests lie under the id, so that two jobs which are begun at one place at once don't mix theirs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from midas.errors import ConfigError, MidasError
from midas.scale.entries import SCHEMA, Entry, entries_of
from midas.scale.settings import Recipe
from midas.storage.addresses import Place

CONTROL = "_midas"
JOB_FILE = "job.json"
VERSION = 1
SHARDS_PER_PART = 16
LEAST_SHARD, LARGEST_SHARD = 16, 1000


@dataclass(frozen=True)
class Job:
    """A job, as ``job.json`` has it.

    Attributes:
        id: hash of the recipe and of the pictures.
        recipe: what is done.
        pictures: how many.
        shard_size: pictures in each shard but the last.
    """

    id: str
    recipe: Recipe
    pictures: int
    shard_size: int

    @property
    def shards(self) -> int:
        """How many."""
        return -(-self.pictures // self.shard_size)

    def count(self, shard: int) -> int:
        """Number of pictures in a shard."""
        return min(self.shard_size, self.pictures - shard * self.shard_size)


def usual_shard_size(pictures: int) -> int:
    """Pictures per shard: few enough that little is done again after a fault, many enough that shards are no burden."""
    return max(LEAST_SHARD, min(LARGEST_SHARD, pictures // 50))


def planned(entries: pa.Table, recipe: Recipe, shard_size: int | None = None) -> Job:
    """The job of these pictures.

    Raises:
        ConfigError: no pictures, or a size of shards below one.
    """
    size = usual_shard_size(entries.num_rows) if shard_size is None else shard_size
    if not entries.num_rows:
        raise ConfigError("a job has one picture at least")
    if type(size) is not int or size < 1:
        raise ConfigError(f"{size!r} pictures per shard; expected a whole number, one or more")
    digest = hashlib.sha256(f"{VERSION} {size} {recipe.digest()}\n".encode())
    for batch in entries.select(["source", "name", "place"]).to_batches(max_chunksize=1 << 16):
        for column in batch.columns:
            digest.update(_text_bytes(column))
    for name in ("offset", "size"):
        digest.update(np.ascontiguousarray(entries[name].to_numpy(), "<i8").data)
    return Job(digest.hexdigest()[:32], recipe, entries.num_rows, size)


def _text_bytes(column: pa.StringArray) -> bytes:
    """The same bytes for the same texts, however Arrow holds them."""
    whole = pc.fill_null(column, "\0")
    lengths = pc.binary_length(whole).to_numpy(zero_copy_only=False)
    _, offsets, data = whole.buffers()
    ends = np.frombuffer(offsets, np.int32)[whole.offset : whole.offset + len(whole) + 1]
    return np.ascontiguousarray(lengths, "<i4").tobytes() + memoryview(data)[ends[0] : ends[-1]].tobytes()


def write_job(destination: Place, job: Job, entries: pa.Table) -> None:
    """Write the manifest, then ``job.json``.

    Raises:
        StorageError: the destination can't be written to.
    """
    rows_per_part = SHARDS_PER_PART * job.shard_size
    for part, begin in enumerate(range(0, job.pictures, rows_per_part)):
        buffer = BytesIO()
        pq.write_table(
            entries.slice(begin, rows_per_part).select(SCHEMA.names),
            buffer,
            row_group_size=job.shard_size,
            compression="zstd",
        )
        _part_place(destination, job, part).write(buffer.getvalue())
    facts = {
        "version": VERSION,
        "job": job.id,
        "pictures": job.pictures,
        "shard_size": job.shard_size,
        "recipe": job.recipe.as_json(),
    }
    (destination / CONTROL / JOB_FILE).write(json.dumps(facts, indent=1).encode())


def read_job(destination: Place) -> Job | None:
    """The job that lies at a destination; None where there is none.

    Raises:
        ConfigError: it is of another version of this package, or damaged.
        StorageError: the destination can't be read.
    """
    place = destination / CONTROL / JOB_FILE
    try:
        data = place.read()
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        facts = json.loads(data)
        if facts["version"] != VERSION:
            raise ConfigError(
                f"{place} is of version {facts['version']!r}, this package knows {VERSION}; go on with the one that "
                "began it, or choose another destination"
            )
        job = Job(str(facts["job"]), Recipe.from_json(facts["recipe"]), facts["pictures"], facts["shard_size"])
        if not all(type(count) is int and count >= 1 for count in (job.pictures, job.shard_size)):
            raise ValueError(f"{job.pictures!r} pictures in shards of {job.shard_size!r}")
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"{place} describes no job ({error!r}); choose another destination") from error
    return job


def read_shard(destination: Place, job: Job, shard: int) -> Sequence[Entry]:
    """The pictures of a shard of a job.

    Raises:
        MidasError: the manifest isn't there or is damaged.
    """
    part, group = divmod(shard, SHARDS_PER_PART)
    place = _part_place(destination, job, part)
    try:
        return entries_of(pq.ParquetFile(BytesIO(_part(place))).read_row_group(group))
    except (OSError, pa.ArrowException, IndexError, KeyError) as error:
        raise MidasError(
            f"{place} is missing or damaged ({error}); begin the job anew at another destination"
        ) from error


@lru_cache(maxsize=4)
def _part(place: Place) -> bytes:
    return place.read()


def _part_place(destination: Place, job: Job, part: int) -> Place:
    return destination / CONTROL / "manifest" / job.id / f"{part:06d}.parquet"
