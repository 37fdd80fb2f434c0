"""Metrics of sharpness: whether depth jumps where it should, for targets that are dense enough to have neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from midas.arrays import Array, Bool, Float, Float64, Shaped
from midas.errors import MidasError

# Ten ratios from 5 % to 25 %, as in the authors' program.
BOUNDARY_THRESHOLDS = tuple(1.05 + 0.2 * step / 9 for step in range(10))
SOBEL_THRESHOLD_M = 0.5


@dataclass(frozen=True)
class BoundaryScores:
    """How well predicted boundaries agree with true ones: each from 0 to 1, higher is better.

    Attributes:
        precision: share of the predicted boundaries that are true.
        recall: share of the true boundaries that are predicted.
        f1: harmonic mean of the two; over several thresholds, the mean of theirs.
    """

    precision: float
    recall: float
    f1: float


def boundary_scores(
    prediction: Float[Array, "H W"],
    target: Float[Array, "H W"],
    mask: Bool[Array, "H W"] | None = None,
    thresholds: Sequence[float] = BOUNDARY_THRESHOLDS,
    per_direction: bool = False,
) -> BoundaryScores:
    """Scale-invariant agreement of occluding contours (Bochkovskii et al., "Depth Pro", 2024).

    Between a pixel and its neighbour to the right, left, top or bottom lies a contour where the one depth is more than
    τ times the other. Precision and recall are shares of such places over all four directions; a prediction's contour
    must be at the very same place to be right. Scores are means over thresholds, weighted with τ. A threshold at which
    neither map has a contour says nothing and is left out.

    The authors' program takes precision and recall in each direction, 0 where there is nothing to find, and averages
    the four. ``per_direction`` does so too, for comparison with their tables; then even the target itself falls short
    of 1 where it has no contour of some direction at some threshold.

    Args:
        prediction: depth or inverse depth of any scale, but of the target's zero.
        target: likewise.
        mask: True where both are valid; a contour needs two such neighbours. None for everywhere.
        thresholds: τ, each above 1.
        per_direction: as in the authors' program.

    Raises:
        MidasError: a valid pixel isn't positive and finite, a threshold isn't above 1, or the target has no contour.
    """
    if not thresholds or min(thresholds) <= 1:
        raise MidasError(f"thresholds {tuple(thresholds)}: expected ratios above 1")
    valid = np.ones(target.shape, np.bool_) if mask is None else mask
    predicted, true = _positive("prediction", prediction, valid), _positive("target", target, valid)
    counts = np.array([[_agreement(*pair) for pair in _contours(predicted, true, valid, x)] for x in thresholds])
    weights = np.array(thresholds)
    if not per_direction:
        counts = counts.sum(axis=1, keepdims=True)
        weights = np.where(counts[:, 0, 1:].any(axis=1), weights, 0.0)
    return _scores(counts, weights)


def boundary_f1(
    prediction: Float[Array, "H W"], target: Float[Array, "H W"], mask: Bool[Array, "H W"] | None = None
) -> float:
    """F1 of ``boundary_scores`` at its own thresholds: percent, higher is better.

    Raises:
        MidasError: a valid pixel isn't positive and finite, or the target has no contour.
    """
    return 100.0 * boundary_scores(prediction, target, mask).f1


def boundary_precision(
    prediction: Float[Array, "H W"], target: Float[Array, "H W"], mask: Bool[Array, "H W"] | None = None
) -> float:
    """Precision of ``boundary_scores`` at its own thresholds: percent, higher is better.

    Raises:
        MidasError: a valid pixel isn't positive and finite, or the target has no contour.
    """
    return 100.0 * boundary_scores(prediction, target, mask).precision


def boundary_recall(
    prediction: Float[Array, "H W"], target: Float[Array, "H W"], mask: Bool[Array, "H W"] | None = None
) -> float:
    """Recall of ``boundary_scores`` at its own thresholds: percent, higher is better.

    Raises:
        MidasError: a valid pixel isn't positive and finite, or the target has no contour.
    """
    return 100.0 * boundary_scores(prediction, target, mask).recall


def has_edge(target: Float[Array, "H W"], mask: Bool[Array, "H W"] | None = None, ratio: float = 1.05) -> bool:
    """Whether a valid value is more than ``ratio`` times that of a valid neighbour, above, below or beside it.

    Raises:
        MidasError: a valid pixel isn't positive and finite.
    """
    valid = np.ones(target.shape, np.bool_) if mask is None else mask
    true = _positive("target", target, valid)
    return any(found.any() for _, found in _contours(true, true, valid, ratio))


def sobel_edge_scores(
    prediction: Float[Array, "H W"],
    target: Float[Array, "H W"],
    mask: Bool[Array, "H W"] | None = None,
    threshold_m: float = SOBEL_THRESHOLD_M,
) -> BoundaryScores:
    """Agreement of depth edges (Hu et al., "Revisiting Single Image Depth Estimation", 2019).

    A pixel is an edge where the Sobel gradient of depth, with weights 1, 2, 1 and no divisor, is longer than a
    threshold; Hu et al. report 0.25, 0.5 and 1. A prediction's edge must be at the very same pixel to be right.

    Args:
        prediction: depth, aligned to the target.
        target: depth in metres.
        mask: True where both are valid; a gradient needs 3 x 3 such pixels. None for everywhere.
        threshold_m: in metres.

    Raises:
        MidasError: a valid pixel isn't positive and finite, or the target has no edge.
    """
    valid = np.ones(target.shape, np.bool_) if mask is None else mask
    whole = np.ones((max(valid.shape[0] - 2, 0), max(valid.shape[1] - 2, 0)), np.bool_)
    for row in range(3):
        for column in range(3):
            whole &= valid[row : row + whole.shape[0], column : column + whole.shape[1]]
    maps = (_positive("prediction", prediction, valid), _positive("target", target, valid))
    predicted, true = (whole & (_sobel_length(depth_m) > threshold_m) for depth_m in maps)
    return _scores(np.array([[_agreement(predicted, true)]]), np.ones(1))


def _positive(name: str, values: Float[Array, "H W"], valid: Bool[Array, "H W"]) -> Float64[Array, "H W"]:
    """The map in double precision, 1 where it isn't valid."""
    filled = np.where(valid, values, 1).astype(np.float64)
    if not ((filled > 0) & (filled < np.inf)).all():
        raise MidasError(
            f"the {name} isn't positive and finite on every valid pixel: cut it to a range of depths, or mask it"
        )
    return filled


def _contours(
    prediction: Float64[Array, "H W"], target: Float64[Array, "H W"], valid: Bool[Array, "H W"], ratio: float
) -> list[tuple[Bool[Array, "h w"], Bool[Array, "h w"]]]:
    """Predicted and true contours in each of the four directions."""
    found = []
    for near, far in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:])):
        both = valid[near] & valid[far]
        for one, other in ((near, far), (far, near)):
            predicted, true = (both & (values[other] > ratio * values[one]) for values in (prediction, target))
            found.append((predicted, true))
    return found


def _sobel_length(depth: Float64[Array, "H W"]) -> Float64[Array, "h w"]:
    """Length of the Sobel gradient at every pixel but those of the border."""
    across = depth[:, 2:] - depth[:, :-2]
    down = depth[2:] - depth[:-2]
    across = across[:-2] + 2 * across[1:-1] + across[2:]
    down = down[:, :-2] + 2 * down[:, 1:-1] + down[:, 2:]
    length: Float64[Array, "h w"] = np.hypot(across, down)
    return length


def _agreement(predicted: Bool[Array, "h w"], true: Bool[Array, "h w"]) -> tuple[int, int, int]:
    """How many are both, how many predicted, how many true."""
    return int(np.count_nonzero(predicted & true)), int(np.count_nonzero(predicted)), int(np.count_nonzero(true))


def _scores(counts: Shaped[Array, "thresholds directions 3"], weights: Float[Array, " thresholds"]) -> BoundaryScores:
    both, predicted, true = np.moveaxis(counts, -1, 0)
    if not true.any():
        raise MidasError("the target has no depth boundary at any threshold: leave the picture out")
    precision = (both / np.maximum(predicted, 1)).mean(axis=1)
    recall = (both / np.maximum(true, 1)).mean(axis=1)
    total = precision + recall
    f1 = np.divide(2 * precision * recall, total, out=np.zeros_like(total), where=total > 0)
    return BoundaryScores(*(float(np.average(scores, weights=weights)) for scores in (precision, recall, f1)))
