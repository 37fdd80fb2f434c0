"""What says that a shard is done: written after its outputs, and believed as long as these are there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

from midas.scale.manifest import CONTROL, Job
from midas.storage.addresses import Place

FOLDER = "receipts"
_READERS = 16


@dataclass(frozen=True)
class Failure:
    """A picture without a map.

    Attributes:
        source: what it is called in full.
        place: where its map would lie.
        error: why.
    """

    source: str
    place: str
    error: str


@dataclass(frozen=True)
class Receipt:
    """A finished shard.

    Attributes:
        job: id of the job.
        shard: its number.
        pictures: in it.
        outputs: the names of its files below the destination, and their sizes in bytes.
        failures: its pictures without a map.
        seconds: that it took.
        stages: seconds by stage, summed over threads.
        finished: when, in seconds since 1970.
        runs_on: the back end, device and precision that made it.
    """

    job: str
    shard: int
    pictures: int
    outputs: Mapping[str, int]
    failures: tuple[Failure, ...] = ()
    seconds: float = 0.0
    stages: Mapping[str, float] = field(default_factory=dict)
    finished: float = 0.0
    runs_on: str = ""

    @property
    def done(self) -> int:
        """Pictures with a map."""
        return self.pictures - len(self.failures)


def write_receipt(destination: Place, receipt: Receipt) -> None:
    """Say that a shard is done.

    Raises:
        StorageError: it can't be written.
    """
    _place(destination, receipt.shard).write(json.dumps(asdict(receipt)).encode())


def read_receipt(destination: Place, job: Job, shard: int) -> Receipt | None:
    """The receipt of a shard; None where there is none of this job.

    Raises:
        StorageError: the destination can't be read.
    """
    try:
        return _parsed(_place(destination, shard).read(), job, shard)
    except (FileNotFoundError, NotADirectoryError):
        return None


def read_receipts(destination: Place, job: Job) -> Iterator[Receipt]:
    """All receipts of this job, in order.

    Raises:
        StorageError: the destination can't be read.
    """
    there = (destination / CONTROL / FOLDER).files()
    shards = [shard for shard in range(job.shards) if _name(shard) in there]
    with ThreadPoolExecutor(_READERS, thread_name_prefix="midas-receipts") as executor:
        for receipt in executor.map(partial(read_receipt, destination, job), shards):
            if receipt is not None:
                yield receipt


def holds(destination: Place, receipt: Receipt, sizes: Mapping[str, int] | None = None) -> bool:
    """Whether all outputs that a receipt names are there, at their sizes.

    Args:
        destination: of the job.
        receipt: of a shard.
        sizes: of the files right below the destination, where they have been listed.

    Raises:
        StorageError: the destination can't be read.
    """
    if sizes is not None and all("/" not in name for name in receipt.outputs):
        return all(sizes.get(name) == size for name, size in receipt.outputs.items())
    return all((destination / name).size() == size for name, size in receipt.outputs.items())


def valid_receipts(destination: Place, job: Job, receipts: Iterable[Receipt] | None = None) -> Iterator[Receipt]:
    """The receipts of this job whose outputs are there.

    Raises:
        StorageError: the destination can't be read.
    """
    sizes = None if job.recipe.packing == "files" else destination.files()
    found = read_receipts(destination, job) if receipts is None else iter(receipts)
    with ThreadPoolExecutor(_READERS, thread_name_prefix="midas-outputs") as executor:
        kept = list(found)
        for receipt, valid in zip(kept, executor.map(lambda one: holds(destination, one, sizes), kept), strict=True):
            if valid:
                yield receipt


def _place(destination: Place, shard: int) -> Place:
    return destination / CONTROL / FOLDER / _name(shard)


def _name(shard: int) -> str:
    return f"{shard:06d}.json"


def _parsed(data: bytes, job: Job, shard: int) -> Receipt | None:
    try:
        facts: dict[str, Any] = json.loads(data)
        failures = tuple(Failure(*map(str, (one["source"], one["place"], one["error"]))) for one in facts["failures"])
        receipt = Receipt(
            job=facts["job"],
            shard=facts["shard"],
            pictures=facts["pictures"],
            outputs={str(name): int(size) for name, size in facts["outputs"].items()},
            failures=failures,
            seconds=float(facts["seconds"]),
            stages={str(name): float(seconds) for name, seconds in facts["stages"].items()},
            finished=float(facts["finished"]),
            runs_on=str(facts["runs_on"]),
        )
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError):
        return None  # half written by other means than ours, or of another version
    fits = (receipt.job, receipt.shard, receipt.pictures) == (job.id, shard, job.count(shard))
    return receipt if fits and len(failures) <= receipt.pictures else None
