"""A job from its sources to its end: planned once, begun as often as it has to be, finished when all shards are."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from midas.errors import ConfigError, MidasError, TooManyFailuresError
from midas.models.zoo import MODELS
from midas.scale.engine import Engine
from midas.scale.manifest import CONTROL, Job, planned, read_job, write_job
from midas.scale.receipts import FOLDER, Failure, Receipt, valid_receipts
from midas.scale.settings import Recipe, device_of, model_digest
from midas.scale.sources import Listing, list_sources
from midas.scale.spread import spread
from midas.scale.status import Status, status_of
from midas.scale.worker import ShardReport, ShardWorker
from midas.storage.addresses import Place
from midas.storage.atomic import remove_leftovers_now

ERRORS_FILE = "errors.parquet"
SUMMARY_FILE = "summary.json"
ROUNDS_WITHOUT_PROGRESS = 2

_ERRORS = pa.schema([("source", pa.string()), ("place", pa.string()), ("error", pa.string())])


@dataclass(frozen=True)
class Plan:
    """A job, and what is left of it.

    Attributes:
        job: the job.
        destination: where it lies.
        left: the shards that are to be done, in a random order: so two runs of one job, which know nothing of each
            other, hardly ever do the same one at the same time.
        receipts: of those that are done.
        again: those of ``left`` that are done but for pictures that failed, and when they were finished.
        problems: sources that mean no pictures, and why.
        new: whether this run has planned it.
    """

    job: Job
    destination: Place
    left: tuple[int, ...]
    receipts: tuple[Receipt, ...]
    again: Mapping[int, float] = field(default_factory=dict)
    problems: dict[str, MidasError] = field(default_factory=dict)
    new: bool = False

    @property
    def done(self) -> int:
        """Pictures in finished shards."""
        return sum(receipt.pictures for receipt in self.receipts)

    @property
    def failed(self) -> int:
        """Pictures in finished shards that have no map."""
        return sum(len(receipt.failures) for receipt in self.receipts)


@dataclass(frozen=True)
class Manner:
    """How a run goes about its job.

    Attributes:
        max_errors: the run ends when more pictures have failed, those of earlier runs included; None for no bound.
        retry_failed: do shards again in which pictures failed.
        as_listed: go on with the list of pictures that was made when the job began, without looking for new ones.
        offline: never download weights.
        shard_size: pictures per shard; None leaves it to their number.
    """

    max_errors: int | None = None
    retry_failed: bool = False
    as_listed: bool = False
    offline: bool = False
    shard_size: int | None = None


@dataclass(frozen=True)
class Summary:
    """What came of a run.

    Attributes:
        status: of the job.
        worked: pictures that this run worked on.
        seconds: that it took.
        problems: sources that meant no pictures, and why.
        unfinished: shards that couldn't be finished, and why.
    """

    status: Status
    worked: int
    seconds: float
    problems: dict[str, str]
    unfinished: dict[int, str]

    @property
    def is_complete(self) -> bool:
        """Whether every picture has its map."""
        return not (self.status.failed or self.status.left or self.problems)

    def as_json(self) -> dict[str, Any]:
        """For a file, or a line."""
        return {
            **self.status.as_json(),
            "worked": self.worked,
            "seconds": round(self.seconds, 2),
            "problems": self.problems,
            "unfinished": {str(shard): why for shard, why in self.unfinished.items()},
            "complete": self.is_complete,
        }


def plan(sources: Sequence[str], destination: Place, recipe: Recipe, manner: Manner = Manner()) -> Plan:
    """Find out what a job consists of and what is left of it; the first time, write that down.

    Raises:
        ConfigError: another job lies at the destination, there are no pictures, or the destination is a source.
        MidasError: the model isn't there, a source can't be searched, or the destination can't be written to.
    """
    there = read_job(destination)
    if recipe.model not in MODELS:  # workers have folders of their own to start from
        recipe = replace(recipe, model=str(Path(recipe.model).absolute()))
    recipe = replace(recipe, model_sha256=model_digest(recipe, offline=manner.offline or None))
    if there is not None and there.recipe != recipe:
        raise ConfigError(
            f"{destination} holds a job with other settings: {'; '.join(there.recipe.differences(recipe))}; choose "
            "another destination, or the settings of before"
        )
    problems: dict[str, MidasError] = {}
    if there is not None and manner.as_listed:
        job = there
    else:
        listing = list_sources(sources, destination, column=recipe.column)
        problems = listing.problems
        job = _listed(listing, destination, recipe, there, manner)
    found = list(valid_receipts(destination, job)) if there is not None else []
    again = {receipt.shard: receipt.finished for receipt in found if manner.retry_failed and receipt.failures}
    receipts = tuple(receipt for receipt in found if receipt.shard not in again)
    left = sorted(set(range(job.shards)) - {receipt.shard for receipt in receipts})
    random.shuffle(left)
    return Plan(job, destination, tuple(left), receipts, again, problems, there is None)


def _listed(listing: Listing, destination: Place, recipe: Recipe, there: Job | None, manner: Manner) -> Job:
    if not listing.entries.num_rows:
        reason = next(iter(listing.problems.values()), None)
        raise ConfigError(f"there are no pictures to work on{f': {reason.message}' if reason else ''}")
    size = manner.shard_size if there is None or manner.shard_size is not None else there.shard_size
    job = planned(listing.entries, recipe, size)
    meanwhile = read_job(destination) if there is None else None
    if meanwhile is not None and meanwhile.id != job.id:
        raise ConfigError(f"another job was begun at {destination} at the same time; choose another destination")
    if there is None:
        write_job(destination, job, listing.entries)
    elif there.id != job.id:
        raise ConfigError(
            f"{destination} holds a job of other pictures: {there.pictures} in shards of {there.shard_size} when it "
            f"began, {job.pictures} in shards of {job.shard_size} now, or as many others; --as-listed goes on "
            "with those of before, another destination begins with those of now"
        )
    return job


def work(
    planned_job: Plan,
    engine: Engine,
    manner: Manner = Manner(),
    show: Callable[[ShardReport], None] = lambda report: None,
) -> Summary:
    """Do what is left of a job; shards that couldn't be finished are tried again as long as others are.

    Raises:
        TooManyFailuresError: more pictures failed than may; ``errors.parquet`` lists them all the same.
        MidasError: workers can't be made or keep dying, or the destination can't be written to.
    """
    began = time.perf_counter()
    job, destination = planned_job.job, planned_job.destination
    engine = replace(engine, device=device_of(job.recipe))
    make = partial(ShardWorker, destination.address, job.id, again=planned_job.again, offline=manner.offline)
    tally = _Tally(planned_job.failed, manner)
    left, fruitless = list(planned_job.left), 0
    try:
        while left and fruitless < ROUNDS_WITHOUT_PROGRESS:
            tally.unfinished.clear()
            tally.check()
            with closing(spread(make, left, engine, weight=job.shard_size)) as reports:  # type: ignore[type-var]
                for report in reports:
                    if tally.takes(report):
                        show(report)
                    tally.check()
            fruitless = fruitless + 1 if len(tally.unfinished) == len(left) else 0
            left = list(tally.unfinished)
    except TooManyFailuresError:
        finish(planned_job, tally.worked, time.perf_counter() - began, tally.unfinished)
        raise
    return finish(planned_job, tally.worked, time.perf_counter() - began, tally.unfinished)


class _Tally:
    """What a run has done so far, each shard once: where workers of two kinds meet, both report it."""

    def __init__(self, failed: int, manner: Manner) -> None:
        self.worked, self.failed = 0, failed
        self.unfinished: dict[int, str] = {}
        self._most = manner.max_errors
        self._finished: set[int] = set()

    def takes(self, report: ShardReport) -> bool:
        """Take a report into account; whether it is the first of its shard, or of another attempt at it."""
        self.worked += report.pictures
        if report.shard in self._finished:
            return False
        if report.error is not None:
            self.unfinished[report.shard] = report.error
            return True
        self.unfinished.pop(report.shard, None)
        self._finished.add(report.shard)
        self.failed += report.failed
        return True

    def check(self) -> None:
        if self._most is not None and self.failed > self._most:
            raise TooManyFailuresError(
                f"{self.failed} pictures failed, more than --max-errors {self._most}; {ERRORS_FILE} at the destination "
                "says why, and the same command goes on with a higher bound"
            )


def finish(planned_job: Plan, worked: int, seconds: float, unfinished: dict[int, str]) -> Summary:
    """Write what failed, and a summary, beside the outputs.

    Raises:
        StorageError: they can't be written.
    """
    job, destination = planned_job.job, planned_job.destination
    receipts = list(valid_receipts(destination, job))
    if destination.is_local:
        _remove_leftovers(destination, receipts)
    write_failures(destination, [failure for receipt in receipts for failure in receipt.failures])
    problems = {source: error.message for source, error in planned_job.problems.items()}
    summary = Summary(status_of(job, receipts), worked, seconds, problems, unfinished)
    (destination / CONTROL / SUMMARY_FILE).write(json.dumps(summary.as_json(), indent=1).encode())
    return summary


def _remove_leftovers(destination: Place, receipts: Sequence[Receipt]) -> None:
    """Remove what workers that were killed had begun to write."""
    folders = {PurePosixPath(name).parent for receipt in receipts for name in receipt.outputs}
    for folder in {PurePosixPath(), PurePosixPath(CONTROL, FOLDER), *folders}:
        remove_leftovers_now(destination.path / folder)


def write_failures(destination: Place, failures: Sequence[Failure]) -> None:
    """Write ``errors.parquet``; without failures there is none.

    Raises:
        StorageError: it can't be written.
    """
    place = destination / ERRORS_FILE
    if not failures:
        place.remove()
        return
    buffer = BytesIO()
    rows = [{"source": one.source, "place": one.place, "error": one.error} for one in failures]
    pq.write_table(pa.Table.from_pylist(rows, _ERRORS), buffer)
    place.write(buffer.getvalue())
