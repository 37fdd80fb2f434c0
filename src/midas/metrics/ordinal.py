"""Metrics of order: which of two points is nearer.

Points are (row, column) pairs of integers, first and second of each pair in two arrays of the same length. A relation
is +1 where the first point is nearer, -1 where the second is, 0 where they are equally far.
"""

from __future__ import annotations

import numpy as np

from midas.arrays import Array, Bool, Float, Float64, Shaped
from midas.errors import MidasError

ORDINAL_TOLERANCE = 0.03
D3R_DISCONTINUITY, D3R_TOLERANCE = 0.1, 0.01
D3R_CELLS = 5000


def whdr(
    prediction: Float[Array, "H W"],
    first: Shaped[Array, "N 2"],
    second: Shaped[Array, "N 2"],
    relation: Shaped[Array, " N"],
    weights: Float[Array, " N"] | None = None,
    threshold: float = 0.0,
) -> float:
    """Weighted human disagreement rate: percent, lower is better.

    Chen et al., "Single-Image Depth Perception in the Wild" (2016): the weighted share of pairs whose predicted
    relation is another than the given one. It is +1 where first - second > τ, -1 where second - first > τ, else 0.
    Their set, Depth in the Wild, has τ = 0, equal weights and no pair of relation 0, so that a tie is wrong.

    Args:
        prediction: disparity, larger is nearer; the scale doesn't matter unless τ is given, nor does the shift.
        first, second: the pairs' points.
        relation: +1, -1 or 0 for each pair.
        weights: of the pairs, for instance how sure people were; None for equal ones.
        threshold: τ, in the prediction's unit; not negative.

    Raises:
        MidasError: no pair, a point outside the map or where it isn't finite, an unknown relation, useless weights,
            or a negative τ.
    """
    one, other = _values(prediction, first), _values(prediction, second)
    if not np.isin(relation, (-1, 0, 1)).all():
        raise MidasError("a relation is neither 1 (the first is nearer), -1 (the second is nearer) nor 0 (equal)")
    predicted = _compare(one - other, other - one, threshold)
    return 100.0 * _weighted_share(predicted != relation, weights)


def pair_accuracy(
    prediction: Float[Array, "H W"],
    first: Shaped[Array, "N 2"],
    second: Shaped[Array, "N 2"],
    relation: Shaped[Array, " N"],
) -> float:
    """Percentage of pairs that the prediction puts in the right order: higher is better.

    The metric of DA-2K (Yang et al., "Depth Anything V2", 2024). A prediction that is the same at both points is wrong,
    unless the relation is 0. It is 100 less ``whdr`` with τ = 0.

    Args:
        prediction: disparity, larger is nearer; neither scale nor shift matters.
        first, second: the pairs' points.
        relation: +1, -1 or 0 for each pair.

    Raises:
        MidasError: no pair, a point outside the map or where it isn't finite, or an unknown relation.
    """
    return 100.0 - whdr(prediction, first, second, relation)


def ordinal_error(
    prediction: Float[Array, "H W"],
    target: Float[Array, "H W"],
    first: Shaped[Array, "N 2"],
    second: Shaped[Array, "N 2"],
    tolerance: float = ORDINAL_TOLERANCE,
) -> float:
    """Percentage of pairs whose order differs between prediction and target: lower is better.

    The ordinal error of Xian et al., "Structure-Guided Ranking Loss for Single Image Depth Prediction" (2020), with
    equal weights: the order is +1 where first / second > 1 + τ, -1 where second / first > 1 + τ, else 0. Both maps may
    be depth, or both disparity: that turns all orders round. ``sample_pairs`` draws the pairs.

    Args:
        prediction: of any scale, but of the target's zero.
        target: what it is compared with.
        first, second: the pairs' points, at which both maps are positive.
        tolerance: τ, up to which values count as equal.

    Raises:
        MidasError: no pair, a point outside the map or where one of them isn't positive and finite, or a negative τ.
    """
    predicted, true = (_order(values, first, second, tolerance) for values in (prediction, target))
    return 100.0 * float(np.mean(predicted != true))


def d3r(
    prediction: Float[Array, "H W"],
    target: Float[Array, "H W"],
    first: Shaped[Array, "N 2"],
    second: Shaped[Array, "N 2"],
    discontinuity: float = D3R_DISCONTINUITY,
    tolerance: float = D3R_TOLERANCE,
) -> float:
    """Depth discontinuity disagreement ratio: from 0 to 2, lower is better.

    Miangoleh et al., "Boosting Monocular Depth Estimation Models to High-Resolution via Content-Adaptive
    Multi-Resolution Merging" (2021): of pairs of neighbouring points that the target puts on two sides of a
    discontinuity, the mean of |order in the target - order in the prediction|, with orders as in ``ordinal_error``. A
    pair that the prediction has as equal counts 1, one that it has the other way round counts 2. The constants are
    those of the authors' program.

    The authors' points are the centres of about 5,000 superpixels of the target, and their depths are cut to [0, 1] by
    each map's own range. Here the caller aligns the maps, and ``grid_pairs`` gives points that need no segmentation and
    are the same for every target of a size; figures by the one and by the other choice don't belong in one table.

    Args:
        prediction: depth or disparity, aligned to the target.
        target: likewise.
        first, second: pairs of neighbouring points, at which both maps are positive.
        discontinuity: a pair counts if its target values are further apart than this share of the smaller.
        tolerance: up to this share, values count as equal.

    Raises:
        MidasError: no pair lies across a discontinuity, or a point outside the map or where one of them isn't positive
            and finite.
    """
    across = _order(target, first, second, discontinuity) != 0
    if not across.any():
        raise MidasError(f"no pair lies across a discontinuity of more than {discontinuity:.0%}: leave the picture out")
    predicted, true = (_order(values, first[across], second[across], tolerance) for values in (prediction, target))
    return float(np.mean(np.abs(predicted - true)))


def sample_pairs(
    mask: Bool[Array, "H W"], count: int, seed: int = 0
) -> tuple[Shaped[Array, "N 2"], Shaped[Array, "N 2"]]:
    """Draw pairs of two different valid pixels, all equally likely.

    Args:
        mask: True where a point may lie.
        count: how many pairs; one may come twice.
        seed: the same seed gives the same pairs.

    Raises:
        MidasError: fewer than two valid pixels, or no pair asked for.
    """
    pixels = np.flatnonzero(mask)
    if pixels.size < 2 or count < 1:
        raise MidasError(f"{count} pairs of {pixels.size} valid pixels: expected at least one pair, of two pixels")
    generator = np.random.default_rng(seed)
    first = generator.integers(0, pixels.size, count)
    second = (first + generator.integers(1, pixels.size, count)) % pixels.size
    to_points = [np.stack(np.unravel_index(pixels[drawn], mask.shape), axis=1) for drawn in (first, second)]
    return to_points[0], to_points[1]


def grid_pairs(mask: Bool[Array, "H W"], cells: int = D3R_CELLS) -> tuple[Shaped[Array, "N 2"], Shaped[Array, "N 2"]]:
    """Pairs of neighbouring centres of a regular grid, each with the next in its row and in its column, once each.

    Args:
        mask: True where a point may lie; pairs with a point elsewhere are left out.
        cells: about how many; they are as square as the picture's size lets them be.

    Raises:
        MidasError: no cell asked for.
    """
    if cells < 1:
        raise MidasError(f"a grid of {cells} cells: expected at least one")
    side_px = max(1.0, np.sqrt(mask.size / cells))
    centres = [_centres(length, max(1, round(length / side_px))) for length in mask.shape]
    points = np.stack(np.meshgrid(*centres, indexing="ij"), axis=-1)
    first = np.concatenate([points[:, :-1].reshape(-1, 2), points[:-1].reshape(-1, 2)])
    second = np.concatenate([points[:, 1:].reshape(-1, 2), points[1:].reshape(-1, 2)])
    valid = mask[tuple(first.T)] & mask[tuple(second.T)]
    return first[valid], second[valid]


def _centres(length: int, count: int) -> Shaped[Array, " N"]:
    return np.asarray((np.arange(count) + 0.5) * length / count, dtype=np.int64)


def _values(values: Float[Array, "H W"], points: Shaped[Array, "N 2"]) -> Float64[Array, " N"]:
    if len(points) == 0:
        raise MidasError("a metric of order needs at least one pair of points; there is none")
    if points.dtype.kind not in "iu":
        raise MidasError(f"points are of type {points.dtype}: expected whole rows and columns, as integers")
    if (points < 0).any() or (points >= values.shape).any():
        raise MidasError(f"a point lies outside the map of {values.shape[0]} rows and {values.shape[1]} columns")
    taken: Float64[Array, " N"] = values[points[:, 0], points[:, 1]].astype(np.float64)
    if not np.isfinite(taken).all():
        raise MidasError("the map isn't finite at a point: leave such pairs out")
    return taken


def _order(
    values: Float[Array, "H W"], first: Shaped[Array, "N 2"], second: Shaped[Array, "N 2"], tolerance: float
) -> Shaped[Array, " N"]:
    """+1 where the first value is larger by more than a share of the second, -1 the other way round, else 0."""
    ones, others = _values(values, first), _values(values, second)
    if not min(ones.min(), others.min()) > 0:
        raise MidasError(
            "the map isn't positive at a point, so that a ratio says nothing: align it, or leave pairs out"
        )
    return _compare(ones / others - 1, others / ones - 1, tolerance)


def _compare(ahead: Float64[Array, " N"], behind: Float64[Array, " N"], tolerance: float) -> Shaped[Array, " N"]:
    """+1 where the first is ahead by more than the tolerance, -1 where it is behind by more, else 0."""
    if not tolerance >= 0:
        raise MidasError(f"threshold or tolerance is {tolerance}: expected 0 or a positive number")
    order: Shaped[Array, " N"] = (ahead > tolerance).astype(np.int8)
    order -= behind > tolerance
    return order


def _weighted_share(wrong: Bool[Array, " N"], weights: Float[Array, " N"] | None) -> float:
    if weights is None:
        return float(np.mean(wrong))
    total = float(weights.sum(dtype=np.float64))
    if not ((weights >= 0).all() and 0 < total < np.inf):
        raise MidasError("a weight is negative or not finite, or all are 0: expected some positive numbers")
    return float(weights[wrong].sum(dtype=np.float64)) / total
