"""The two numbers that make a model's relative disparity metres for one camera, and how far they can be trusted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from midas.alignment import align_robust
from midas.alignment.calibration import Calibration
from midas.arrays import Array, Bool, Float64
from midas.datasets.reader import Reader, read_sample
from midas.datasets.sample import Sample
from midas.errors import AlignmentError, DatasetError
from midas.evaluation.intervals import bootstrap_interval
from midas.predictor import Predictor

PIXELS_PER_PICTURE = 2000
FOLDS = 5
LEAST_PICTURES = 5
LEAST_EXPLAINED = 0.3
"""Below, one distance for all pixels would be nearly as good."""

_FARTHEST_TIMES = 10.0  # a predicted depth is cut to so many times the largest one of the pictures fitted
_SEED = 0


@dataclass(frozen=True)
class Calibrated:
    """A calibration, and its error in each picture by the fit without that picture's fold.

    Attributes:
        calibration: from all pictures.
        abs_rel: mean relative error of depth, one per picture.
        interval: of its mean, 95 %.
        constant_abs_rel: the same error of one distance for all pixels, the best for the other folds.
        per_picture_abs_rel: the error where each picture is fitted to its own target: what the network leaves.
    """

    calibration: Calibration
    abs_rel: Float64[Array, " N"]
    interval: tuple[float, float]
    constant_abs_rel: float
    per_picture_abs_rel: float


@dataclass(frozen=True)
class _Points:
    """Disparity and inverse depth at some pixels of one picture."""

    disparity: Float64[Array, " N"]
    inverse_depth: Float64[Array, " N"]


def calibrate(predictor: Predictor, reader: Reader, indices: Iterable[int]) -> Calibrated:
    """Find one scale and one shift for all pictures, robustly, and their error on pictures that were left out.

    Pictures are left out in folds of neighbours, since those of one scene are hardly different.

    Args:
        predictor: gives relative disparity.
        reader: pictures with depth in metres.
        indices: which of them.

    Raises:
        DatasetError: too few pictures, or depth that isn't in metres.
        AlignmentError: two numbers explain too little of the differences of depth.
    """
    generator = np.random.default_rng(_SEED)
    looked_at = (_points(predictor, reader, index, generator) for index in indices)
    points = [each for each in looked_at if each is not None]
    if len(points) < LEAST_PICTURES:
        raise DatasetError(f"{reader.name} has {len(points)} pictures with depth; expected {LEAST_PICTURES} at least")
    folds = np.arange(len(points)) * min(FOLDS, len(points)) // len(points)
    errors, constants, missed, spread = [], [], 0.0, 0.0
    for fold in np.unique(folds):
        scale, shift = _fit([each for each, of in zip(points, folds, strict=True) if of != fold])
        middle = float(np.median(np.concatenate([
            each.inverse_depth for each, of in zip(points, folds, strict=True) if of != fold
        ])))  # fmt: skip
        for each in (each for each, of in zip(points, folds, strict=True) if of == fold):
            fitted = scale * each.disparity + shift
            errors.append(_abs_rel(fitted, each.inverse_depth))
            constants.append(_abs_rel(np.full_like(fitted, middle), each.inverse_depth))
            missed += float(np.abs(fitted - each.inverse_depth).sum())
            spread += float(np.abs(middle - each.inverse_depth).sum())
    scale, shift = _fit(points)
    explained = 1 - missed / spread if spread else 0.0
    if scale <= 0 or explained < LEAST_EXPLAINED:
        raise AlignmentError(
            f"one scale and shift explain {max(explained, 0):.0%} of the differences of depth in {reader.name} "
            f"(at least {LEAST_EXPLAINED:.0%} are asked for{'' if scale > 0 else '; nearer is farther there'}): they "
            "differ too much from picture to picture; align each picture by itself, by known points or a range"
        )
    alone = [_abs_rel(s * each.disparity + t, each.inverse_depth) for each in points for s, t in (_fit([each]),)]
    values = np.array(errors)
    found = Calibration(scale, shift, len(points), float(values.mean()), explained)
    return Calibrated(found, values, bootstrap_interval(values), float(np.mean(constants)), float(np.mean(alone)))


def _points(predictor: Predictor, reader: Reader, index: int, generator: np.random.Generator) -> _Points | None:
    sample = read_sample(reader, index)
    if not isinstance(sample, Sample) or not sample.metric:
        raise DatasetError(f"{reader.name} has no depth in metres, which a calibration is found from")
    valid: Bool[Array, "H W"] = sample.mask & (sample.disparity > 0)
    rows, columns = np.nonzero(valid)
    if not rows.size:
        return None
    disparity = predictor(sample.image).values
    chosen = generator.choice(rows.size, min(rows.size, PIXELS_PER_PICTURE), replace=False)
    at = rows[chosen], columns[chosen]
    return _Points(disparity[at].astype(np.float64), sample.disparity[at].astype(np.float64))


def _fit(points: Sequence[_Points]) -> tuple[float, float]:
    disparity = np.concatenate([each.disparity for each in points])
    inverse_depth = np.concatenate([each.inverse_depth for each in points])
    found = align_robust(disparity, inverse_depth)
    return found.scale, found.shift


def _abs_rel(fitted: Float64[Array, " N"], inverse_depth: Float64[Array, " N"]) -> float:
    """Mean relative error of depth; one beyond every measurable distance counts as ten times the farthest."""
    floor = float(inverse_depth.min()) / _FARTHEST_TIMES
    return float(np.mean(np.abs(inverse_depth / np.maximum(fitted, floor) - 1)))
