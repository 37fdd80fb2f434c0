"""How far a job is: from its receipts alone, so that anybody can ask, from any machine, while it runs or after it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from midas.errors import ConfigError
from midas.scale.manifest import Job, read_job
from midas.scale.receipts import Receipt, read_receipts
from midas.storage.addresses import Place

WINDOW_S = 600.0
"""The rate is that of the last ten minutes in which shards were finished."""

_SILENT = 3  # a run is under way if a shard was finished within so many times the usual pause


@dataclass(frozen=True)
class Status:
    """How far a job is.

    Attributes:
        job: its id.
        pictures: in all.
        done: with maps.
        failed: without.
        shards, shards_done: in all, and finished.
        per_second: pictures, failed ones included, in the last ten minutes of work; 0 where nothing is known.
        left_s: seconds until all are done, at this rate; None where that isn't known.
        active: whether a shard was finished lately.
        stages: seconds by stage, summed over workers and threads.
        core_seconds: of workers.
    """

    job: str
    pictures: int
    done: int
    failed: int
    shards: int
    shards_done: int
    per_second: float
    left_s: float | None
    active: bool
    stages: dict[str, float]
    core_seconds: float

    @property
    def left(self) -> int:
        """Pictures that are still to be done."""
        return self.pictures - self.done - self.failed

    def as_json(self) -> dict[str, Any]:
        """For a file, or a line."""
        return {**asdict(self), "left": self.left}

    def __str__(self) -> str:
        parts = [f"{self.done} of {self.pictures} done", f"{self.left} left"]
        if self.failed:
            parts.append(f"{self.failed} failed")
        if self.per_second:
            parts.append(f"{self.per_second:.1f} pictures/s")
        if self.left and self.left_s is not None:
            parts.append(f"{duration(self.left_s)} to go" if self.active else "stopped")
        return f"{', '.join(parts)} ({self.shards_done} of {self.shards} shards)"


def read_status(destination: Place) -> Status:
    """How far the job at a destination is.

    Raises:
        ConfigError: there is none.
        StorageError: the destination can't be read.
    """
    job = read_job(destination)
    if job is None:
        raise ConfigError(f"{destination} holds no job; expected the DEST of a `midas batch`")
    return status_of(job, read_receipts(destination, job))


def status_of(job: Job, receipts: Iterable[Receipt], now: float | None = None) -> Status:
    """How far a job is that has these receipts.

    Args:
        job: the job.
        receipts: of its finished shards.
        now: seconds since 1970; None for this moment.
    """
    done = failed = shards = 0
    core_seconds = 0.0
    stages: dict[str, float] = {}
    finished: list[tuple[float, int, float]] = []
    for receipt in receipts:
        shards += 1
        done += receipt.done
        failed += len(receipt.failures)
        core_seconds += receipt.seconds
        finished.append((receipt.finished, receipt.pictures, receipt.seconds))
        for stage, seconds in receipt.stages.items():
            stages[stage] = round(stages.get(stage, 0.0) + seconds, 3)
    rate, active = _rate(sorted(finished), time.time() if now is None else now)
    left = job.pictures - done - failed
    left_s = 0.0 if not left else left / rate if rate else None
    return Status(
        job.id, job.pictures, done, failed, job.shards, shards, round(rate, 2), left_s, active, stages,
        round(core_seconds, 1),
    )  # fmt: skip


def _rate(finished: list[tuple[float, int, float]], now: float) -> tuple[float, bool]:
    """Pictures per second lately, and whether somebody is at work."""
    if not finished:
        return 0.0, False
    last = finished[-1][0]
    lately = [each for each in finished if each[0] > last - WINDOW_S]
    begin = min(when - seconds for when, _, seconds in lately)
    pictures = sum(count for _, count, _ in lately)
    pause = max((seconds for _, _, seconds in lately), default=0.0)
    return pictures / max(last - begin, 1e-3), now - last < max(30.0, _SILENT * pause)


def duration(seconds: float) -> str:
    """``3 d 4 h``, ``2 h 5 min``, ``12 min``, ``40 s``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
