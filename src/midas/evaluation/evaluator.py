"""Evaluation: predict every picture of a set, align, measure, average."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from midas.alignment import align_least_squares
from midas.arrays import Array, Bool, Float32
from midas.datasets.sample import Sample
from midas.errors import DatasetError
from midas.evaluation.protocols import Protocol
from midas.metrics import abs_rel, delta1_outliers

Predict = Callable[[Sample], Float32[Array, "H W"]]
MIN_VALID_PIXELS = 10


@dataclass(frozen=True)
class PictureScore:
    """One picture's figures: lower is better.

    Attributes:
        name: the sample's name.
        abs_rel: mean relative error of depth, no unit.
        delta1_outliers: percentage of pixels off by more than a factor of 1.25.
    """

    name: str
    abs_rel: float
    delta1_outliers: float


@dataclass(frozen=True)
class EvaluationResult:
    """All pictures' figures and their means.

    Attributes:
        protocol: by which they were measured.
        scores: one per picture, in order.
    """

    protocol: Protocol
    scores: tuple[PictureScore, ...]

    @property
    def abs_rel(self) -> float:
        """Mean over pictures."""
        return float(np.mean([score.abs_rel for score in self.scores]))

    @property
    def delta1_outliers(self) -> float:
        """Mean over pictures, percent."""
        return float(np.mean([score.delta1_outliers for score in self.scores]))


def evaluate(predict: Predict, samples: Iterable[Sample], protocol: Protocol) -> EvaluationResult:
    """Measure a predictor on samples.

    Args:
        predict: sample → relative disparity at its picture's size. Whether it looks at the target is its own affair.
        samples: pictures with targets. Those without enough valid pixels are left out.
        protocol: the rules.

    Raises:
        DatasetError: no sample could be measured.
    """
    scores = tuple(score_all(predict, samples, protocol))
    if not scores:
        raise DatasetError("nothing to evaluate: no sample has enough valid pixels")
    return EvaluationResult(protocol, scores)


def score_all(predict: Predict, samples: Iterable[Sample], protocol: Protocol) -> Iterator[PictureScore]:
    """The figures of one picture after the other, as they are ready."""
    for sample in samples:
        mask = usable(sample, protocol)
        if mask.sum() >= MIN_VALID_PIXELS:
            yield score(predict(sample), sample, mask, protocol)


def usable(sample: Sample, protocol: Protocol) -> Bool[Array, "H W"]:
    """Pixels that count: valid, at a finite distance, nearer than the cap."""
    nearer_than = 0.0 if protocol.cap_m is None else 1.0 / protocol.cap_m
    return sample.mask & (sample.disparity > nearer_than)


def score(
    prediction: Float32[Array, "H W"], sample: Sample, mask: Bool[Array, "H W"], protocol: Protocol
) -> PictureScore:
    """Align one prediction to its sample and measure it in depth.

    Aligned inverse depth is kept above the cap's, which caps the depth and keeps it positive. Where the target has no
    metric scale the floor is the target's own smallest inverse depth.
    """
    aligned = align_least_squares(prediction, sample.disparity, mask).apply(prediction)
    floor = 1.0 / protocol.cap_m if protocol.cap_m is not None else float(sample.disparity[mask].min())
    depth = 1.0 / np.maximum(aligned[mask], np.float32(floor))
    target = 1.0 / sample.disparity[mask]
    everywhere = np.ones_like(depth, dtype=np.bool_)
    return PictureScore(sample.name, abs_rel(depth, target, everywhere), delta1_outliers(depth, target, everywhere))
