"""Evaluation: predict every picture of a set, align, measure, average."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np

from midas.arrays import Array, Float, Float32
from midas.datasets.sample import AnySample, PairSample, Sample
from midas.errors import ConfigError, DatasetError, UnsuitableProtocolError, net
from midas.evaluation.candidates import Candidate, FunctionCandidate
from midas.evaluation.intervals import bootstrap_interval
from midas.evaluation.predictions import Prediction
from midas.evaluation.protocols import Protocol
from midas.evaluation.scoring import PictureScore, measurable, score, score_pairs, usable
from midas.metrics import EDGE_METRICS, METRICS, find_metric, is_metric
from midas.pipeline import run_ahead

Predict = Callable[[Sample], Float32[Array, "H W"]]


# Correlation of prediction and target in inverse depth. A plane has 0.6 and more on most sets.
_UNRELATED = 0.2


@dataclass(frozen=True)
class EvaluationResult:
    """All pictures' figures and their means.

    Attributes:
        model: what was measured.
        dataset: on which set.
        protocol: by which rules.
        metrics: names of the figures, in the order of each score's.
        scores: one per picture, in order.
    """

    model: str
    dataset: str
    protocol: Protocol
    metrics: tuple[str, ...]
    scores: tuple[PictureScore, ...]

    def values(self, metric: str) -> Float[Array, " N"]:
        """One figure per picture."""
        index = self.metrics.index(metric)
        return np.array([score.figures[index] for score in self.scores])

    def mean(self, metric: str) -> float:
        """The set's figure: the mean over pictures, weighted by their pixels where the protocol pools them."""
        return float(np.average(self.values(metric), weights=self._weights()))

    def interval(self, metric: str) -> tuple[float, float]:
        """Its 95 % bootstrap interval over pictures."""
        return bootstrap_interval(self.values(metric), self._weights())

    @property
    def abs_rel(self) -> float:
        """Mean relative error of depth, no unit."""
        return self.mean("abs_rel")

    @property
    def delta1_outliers(self) -> float:
        """Percentage of pixels off by more than a factor of 1.25."""
        return self.mean("delta1_outliers")

    @property
    def opposed(self) -> int:
        """In how many pictures, as far as it is known, the prediction takes near for far."""
        return sum(score.correlation < 0 for score in self.scores if score.correlation is not None)

    @property
    def is_opposed(self) -> bool:
        """Whether it does so in most of them."""
        return 2 * self.opposed > len(self.scores)

    @property
    def is_unrelated(self) -> bool:
        """Whether the predictions say next to nothing of the targets: in most pictures the two hardly correlate."""
        known = [abs(score.correlation) for score in self.scores if score.correlation is not None]
        return bool(known) and float(np.median(known)) < _UNRELATED

    def worst(self, count: int) -> list[PictureScore]:
        """The pictures with the worst headline figure, worst first."""
        metric = self.protocol.headline if self.protocol.headline in self.metrics else self.metrics[0]
        order = np.argsort(self.values(metric), kind="stable")
        if find_metric(metric).lower_is_better:
            order = order[::-1]
        return [self.scores[index] for index in order[:count]]

    def _weights(self) -> Float[Array, " N"] | None:
        if self.protocol.averaging == "pictures":
            return None
        return np.array([score.pixels for score in self.scores], dtype=np.float64)


def evaluate(
    predict: Predict, samples: Iterable[Sample], protocol: Protocol, *, metrics: tuple[str, ...] | None = None
) -> EvaluationResult:
    """Measure a function on samples.

    Args:
        predict: sample → relative disparity at its picture's size. Whether it looks at the target is its own affair.
        samples: pictures with targets. Those without enough valid pixels are left out.
        protocol: the rules.
        metrics: names of metrics; None for the protocol's.

    Raises:
        DatasetError: no sample could be measured.
        ConfigError: no such metric, or the rules need a zero of disparity that a sample doesn't have.
    """
    candidate = FunctionCandidate(predict)
    scores = [score for _, score in score_all(candidate, samples, protocol, metrics=metrics)]
    return gather(candidate.name, "samples", protocol, scores, metrics=metrics)


def gather(
    model: str,
    dataset: str,
    protocol: Protocol,
    scores: Iterable[PictureScore | None],
    *,
    metrics: tuple[str, ...] | None = None,
) -> EvaluationResult:
    """Scores as a result; None stands for a picture that could not be measured.

    Raises:
        DatasetError: there are none.
    """
    there = tuple(score for score in scores if score is not None)
    result = EvaluationResult(model, dataset, protocol, metrics or protocol.metrics, there)
    if not result.scores:
        raise DatasetError(f"nothing to evaluate in {dataset}: no sample has enough valid pixels")
    return result


def score_all(
    candidate: Candidate,
    items: Iterable[Any],
    protocol: Protocol,
    *,
    metrics: tuple[str, ...] | None = None,
    read: Callable[[Any], AnySample] = lambda sample: sample,
) -> Iterator[tuple[Any, PictureScore | None]]:
    """The figures of one picture after the other, as they are ready.

    Reading and preparing run ahead of the candidate, and measuring runs behind it, each in threads of its own.

    Args:
        candidate: what is measured.
        items: samples, or what ``read`` makes samples of in a thread ahead, such as indices.
        protocol: the rules.
        metrics: names of metrics; None for the protocol's.
        read: item → sample.

    Yields:
        Each item with its score; None where the sample has not enough valid pixels.

    Raises:
        ConfigError: no such metric.
    """
    names = check_metrics(protocol, metrics)

    def prepare(item: Any) -> tuple[Any, AnySample, Any]:
        sample = read(item)
        with net(f"{sample.name} can't be prepared for {candidate.name}", DatasetError):
            return item, sample, candidate.prepare(sample)

    def measure(work: tuple[Any, AnySample, Prediction]) -> tuple[Any, PictureScore | None]:
        item, sample, prediction = work
        with net(f"{sample.name} can't be measured", DatasetError, item=sample.name):
            return item, _measure(sample, prediction, protocol, names)

    with closing(run_ahead(prepare, items, workers=1, waiting=2)) as prepared:
        run = (
            (item, sample, _predicted(candidate, sample, ready)) for item, sample, ready in map(Future.result, prepared)
        )
        with closing(run_ahead(measure, run, workers=1, waiting=2)) as measured:
            yield from map(Future.result, measured)


def check_metrics(protocol: Protocol, metrics: Collection[str] | None) -> tuple[str, ...]:
    """The names of the metrics to measure.

    Raises:
        ConfigError: one of them doesn't exist.
        UnsuitableProtocolError: one isn't measured by these rules.
    """
    known = protocol.known_metrics
    names = tuple(metrics or protocol.metrics)
    unknown = [name for name in names if name not in known]
    if unknown and unknown[0] in METRICS | EDGE_METRICS and not protocol.needs_zero:
        raise UnsuitableProtocolError(
            f"{unknown[0]} is a figure of depth, which {protocol.name} never has: there are {', '.join(known)}"
        )
    if unknown:
        kind = UnsuitableProtocolError if is_metric(unknown[0]) else ConfigError
        raise kind(f"no metric for {protocol.name} is called {unknown[0]!r}; there are: {', '.join(known)}")
    return names


def _predicted(candidate: Candidate, sample: AnySample, ready: Any) -> Prediction:
    with net(f"{candidate.name} fails on {sample.name}", DatasetError):
        return candidate.run(ready)


def _measure(
    sample: AnySample, prediction: Prediction, protocol: Protocol, metrics: tuple[str, ...]
) -> PictureScore | None:
    size = (sample.image.shape[0], sample.image.shape[1])
    if isinstance(sample, PairSample):
        return score_pairs(prediction.comparable(size, protocol), sample, metrics)
    mask = usable(sample, protocol)
    if not measurable(sample, mask, protocol, metrics):
        return None
    return score(prediction.comparable(size, protocol), sample, mask, protocol, metrics)
