"""Many runs of one thing become three numbers."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from midas.errors import ConfigError

MIN_RUNS = 3


@dataclass(frozen=True)
class Timing:
    """How long one thing took, over several runs.

    Attributes:
        runs: how many.
        median_ms: half of the runs took at most so many milliseconds.
        p5_ms: one run in twenty took at most this.
        p95_ms: nineteen runs in twenty took at most this.
    """

    runs: int
    median_ms: float
    p5_ms: float
    p95_ms: float

    @classmethod
    def of(cls, times_ms: Sequence[float]) -> Timing:
        """Percentiles, between two runs in proportion.

        Raises:
            ConfigError: there is no run.
        """
        if not times_ms:
            raise ConfigError("no run was timed; expected at least one")
        low, middle, high = (float(value) for value in np.percentile(np.asarray(times_ms, np.float64), (5, 50, 95)))
        return cls(len(times_ms), middle, low, high)

    def per_second(self, batch: int = 1) -> float:
        """Pictures per second, at so many pictures per run."""
        return 1000 * batch / self.median_ms


@dataclass(frozen=True)
class Effort:
    """How much time a measurement may take.

    Attributes:
        warmup: runs that are not timed.
        runs: timed runs, at most.
        seconds: after this time no further run begins, if there have been three.
    """

    warmup: int = 3
    runs: int = 30
    seconds: float = 10.0

    def __post_init__(self) -> None:
        if self.warmup < 0 or self.runs < 1 or not self.seconds > 0:
            raise ConfigError(
                f"{self.warmup} warm-up runs, {self.runs} runs, {self.seconds} seconds; expected at least none, at "
                "least one, and more than nothing"
            )


def times_ms(
    call: Callable[[], object], effort: Effort, *, clock: Callable[[], float] = time.perf_counter
) -> list[float]:
    """Milliseconds of each timed run.

    Args:
        call: what is timed. It has to wait for its result itself, as every call does that returns a NumPy array.
        effort: how often.
        clock: seconds, from any beginning.
    """
    for _ in range(effort.warmup):
        call()
    times: list[float] = []
    begin = clock()
    while len(times) < effort.runs:
        start = clock()
        call()
        times.append((clock() - start) * 1e3)
        if len(times) >= MIN_RUNS and clock() - begin > effort.seconds:
            break
    return times
