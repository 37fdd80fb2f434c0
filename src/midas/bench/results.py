"""What was measured, as records: one per case, one per duel, one report about all of them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from midas.bench.cases import Case
from midas.bench.machine import Machine
from midas.bench.timing import Timing

SCHEMA = "midas.bench/1"


@dataclass(frozen=True)
class CaseResult:
    """What one case costs and how near it comes to the reference.

    Attributes:
        case: what was run.
        error: why there are no figures; None if there are.
        unavailable: whether that is so because this machine or this file doesn't have what was asked for.
        computed_in: the number format in which the network was computed: what ``"auto"`` became.
        input_size: (height, width) of the network's input in pixels.
        network: a run of the network alone, normalised pixels in, its map out.
        whole: a whole prediction of every picture of the batch, RGB array in, map of the picture's size out.
        load_ms: from the request for the model to the model, its packages' import among it, in a fresh process.
        first_ms: the first whole prediction after that.
        memory_mb: resident memory of the case's own process at most, in megabytes.
        device_memory_mb: the same of a graphics card's memory; None where none is used.
        gmacs: multiply-adds of the network for one picture, in thousand millions; None where it isn't known.
        gflops: two for each multiply-add, per second of the network's median.
        peak_share: that as a share of what a matrix product of the same format and threads reached in the same run.
        difference: mean absolute difference between the network's map and the reference's, by the reference's range.
    """

    case: Case
    error: str | None = None
    unavailable: bool = False
    computed_in: str | None = None
    input_size: tuple[int, int] | None = None
    network: Timing | None = None
    whole: Timing | None = None
    load_ms: float | None = None
    first_ms: float | None = None
    memory_mb: float | None = None
    device_memory_mb: float | None = None
    gmacs: float | None = None
    gflops: float | None = None
    peak_share: float | None = None
    difference: float | None = None

    @property
    def label(self) -> str:
        """The case in words."""
        return self.case.label

    @property
    def pictures_per_s(self) -> float | None:
        """Whole predictions per second."""
        return None if self.whole is None else self.whole.per_second(self.case.batch)

    @property
    def precision_text(self) -> str:
        """What was asked for, and in brackets what it became."""
        asked = self.case.precision
        return asked if self.computed_in in (None, asked) else f"{asked} ({self.computed_in})"


@dataclass(frozen=True)
class DuelResult:
    """One of our cases and a rival, run in turns.

    Attributes:
        label: our case.
        rival: what it was run against.
        error: why there are no figures; None if there are.
        ours: a round of ours.
        theirs: a round of the rival's.
        ratio: median over the rounds of the rival's time by ours: above 1, ours is the faster one.
        ratio_p5: one round in twenty has at most this ratio.
        ratio_p95: nineteen rounds in twenty have at most this ratio.
    """

    label: str
    rival: str
    error: str | None = None
    ours: Timing | None = None
    theirs: Timing | None = None
    ratio: float | None = None
    ratio_p5: float | None = None
    ratio_p95: float | None = None


@dataclass(frozen=True)
class Report:
    """One run of the benchmark.

    Attributes:
        machine: where.
        picture: what every case saw, in words.
        reference: what the differences are measured against, in words; None if nothing was there to compare with.
        peaks_gflops: by number of threads, then by number format; no number of threads is the back ends' own.
        results: one per case.
        duels: one per case and rival.
    """

    machine: Machine
    picture: str
    reference: str | None
    peaks_gflops: dict[int | None, dict[str, float]]
    results: tuple[CaseResult, ...]
    duels: tuple[DuelResult, ...] = ()

    @property
    def done(self) -> tuple[CaseResult, ...]:
        """The cases that have figures."""
        return tuple(each for each in self.results if each.error is None)

    @property
    def fought(self) -> tuple[DuelResult, ...]:
        """The duels that have figures."""
        return tuple(each for each in self.duels if each.error is None)

    @property
    def problems(self) -> list[str]:
        """What has no figures, and why."""
        cases = [f"{each.label}: {each.error}" for each in self.results if each.error is not None]
        return cases + [
            f"{each.label} against {each.rival}: {each.error}" for each in self.duels if each.error is not None
        ]

    def to_json(self) -> dict[str, Any]:
        """The same as plain lists, dictionaries, texts and numbers."""
        peaks = [{"threads": threads, "gflops": rates} for threads, rates in self.peaks_gflops.items()]
        results = [{**dataclasses.asdict(each), "pictures_per_s": each.pictures_per_s} for each in self.results]
        return {
            "schema": SCHEMA,
            "machine": dataclasses.asdict(self.machine),
            "picture": self.picture,
            "reference": self.reference,
            "peaks": peaks,
            "results": results,
            "duels": [dataclasses.asdict(each) for each in self.duels],
        }
