"""What bad weather, light and cameras do to a model: its figures on corrupted pictures, beside those on clean ones.

Two errors per corruption and strength. Against the *truth*: the protocol's headline figure, which says how good a map
of such a picture still is. Against the model's own map of the *clean* picture: the mean absolute difference after least
squares, as a percentage of the clean map's range, which says how much the corruption moved it, also where the truth is
silent. A model that is always wrong has little of the second.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from midas.alignment import align_least_squares
from midas.arrays import Array, Float64
from midas.datasets.corruptions import CORRUPTIONS, STRENGTHS, corrupt
from midas.datasets.reader import read_sample
from midas.datasets.sample import Sample
from midas.errors import DatasetError, net
from midas.evaluation.candidates import Candidate
from midas.evaluation.evaluator import check_metrics
from midas.evaluation.predictions import Comparable
from midas.evaluation.protocols import Protocol
from midas.evaluation.runs import Benchmark
from midas.evaluation.scoring import measurable, score, usable
from midas.metrics import disparity_range, range_error
from midas.pipeline import run_ahead


@dataclass(frozen=True)
class RobustnessResult:
    """Means over pictures, by corruption and strength.

    Attributes:
        model: what was measured.
        dataset: on which set.
        protocol: by which rules.
        metric: the figure against the truth, by its name.
        pictures: how many they are over.
        clean: that figure on the pictures as they are.
        truth: that figure on corrupted pictures, one row per corruption, one column per strength.
        change: difference from the clean picture's map, percent of its range, likewise.
    """

    model: str
    dataset: str
    protocol: Protocol
    metric: str
    pictures: int
    clean: float
    truth: Float64[Array, "kinds strengths"]
    change: Float64[Array, "kinds strengths"]


def run_corrupted(
    candidate: Candidate,
    benchmark: Benchmark,
    *,
    metric: str | None = None,
    limit: int | None = None,
    seed: int = 0,
    show: Callable[[int, int], None] = lambda done, total: None,
) -> RobustnessResult:
    """Measure a candidate on a benchmark's pictures and on all that ``CORRUPTIONS`` make of them.

    Args:
        candidate: what is measured.
        benchmark: on what. Pictures without enough valid pixels, and those of which the candidate's map is one
            constant, are left out.
        metric: the figure against the truth; None for the protocol's headline.
        limit: only so many pictures, the first ones.
        seed: of the corruptions.
        show: called with the number of pictures done and their total.

    Raises:
        ConfigError: no such metric.
        DatasetError: the set has pairs of points and no maps, a picture can't be read, or none can be measured.
    """
    reader, protocol = benchmark.reader, benchmark.protocol
    if protocol.pairs:
        raise DatasetError(f"{reader.name} has pairs of points: corruptions are measured on maps")
    names = check_metrics(protocol, (metric or protocol.headline,))
    count = len(reader) if limit is None else min(limit, len(reader))
    measured = []
    for index in range(count):
        sample = read_sample(reader, index)
        if isinstance(sample, Sample):
            with net(f"{sample.name}, made worse, can't be measured with {candidate.name}", DatasetError):
                figures = _measure(candidate, sample, protocol, names, seed)
            measured += [figures] if figures is not None else []
        show(index + 1, count)
    if not measured:
        raise DatasetError(f"nothing to evaluate in {reader.name}: no sample has enough valid pixels")
    table = np.mean(measured, axis=0)
    shape = (len(CORRUPTIONS), len(STRENGTHS))
    truth, change = (column.reshape(shape) for column in table[1:].T)
    return RobustnessResult(
        candidate.name, reader.name, protocol, names[0], len(measured), float(table[0, 0]), truth, change
    )


def _measure(
    candidate: Candidate, sample: Sample, protocol: Protocol, metrics: tuple[str, ...], seed: int
) -> Float64[Array, "pictures 2"] | None:
    """Error against the truth and against the clean map: of the clean picture first, then of all corrupted ones."""
    mask = usable(sample, protocol)
    if not measurable(sample, mask, protocol, metrics):
        return None
    clean, figures = None, []
    with closing(_predict(candidate, sample, protocol, seed)) as predictions:
        for prediction in predictions:
            clean = prediction.values if clean is None else clean
            if not disparity_range(clean) > 0:
                return None
            aligned = align_least_squares(prediction.values, clean).apply(prediction.values)
            (truth,) = score(prediction, sample, mask, protocol, metrics).figures
            figures.append((truth, range_error(aligned, clean)))
    return np.array(figures, dtype=np.float64)


def _predict(candidate: Candidate, sample: Sample, protocol: Protocol, seed: int) -> Generator[Comparable, None, None]:
    """Maps of the clean picture and of all corrupted ones, in the table's order; corrupting runs ahead."""
    size = (sample.image.shape[0], sample.image.shape[1])
    wanted = [None, *((kind, strength) for kind in CORRUPTIONS for strength in STRENGTHS)]

    def prepare(change: tuple[str, int] | None) -> object:
        return candidate.prepare(sample if change is None else corrupt(sample, *change, seed=seed))

    with closing(run_ahead(prepare, wanted, workers=1, waiting=2)) as prepared:
        for ready in map(Future.result, prepared):
            yield candidate.run(ready).comparable(size, protocol)
