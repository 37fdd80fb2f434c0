"""Maps of overlapping views become one: a scale and a shift for each, by one linear solve, and a blend without seams.

A view's disparity d is along its own axis: ``1 / depth = s d + t``. What all views share is the inverse of the distance
along the ray, ``1 / distance = cos(angle to the axis) / depth = s (d cos) + t cos``: linear in s and t, so that all
scales and shifts come out of one least squares problem over the directions that two views see.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from midas.arrays import Array, Float32, Float64
from midas.errors import AlignmentError
from midas.lenses.views import View

# Directions of the solve: so many samples along the longer side of the picture.
_SOLVE_SIDE = 128
# How much the weak wishes count against the overlaps: that each view's farthest things be far, and scales alike.
_PRIOR = 0.02
_ROUNDS = 3


def join_views(
    views: Sequence[View], maps: Sequence[Float32[Array, "side side"]], rays: Float32[Array, "H W 3"]
) -> Float32[Array, "H W"]:
    """Inverse distance along every ray, up to one scale, from the views' disparities.

    Args:
        views: that cover the rays.
        maps: disparity of each view.
        rays: unit directions of the result's pixels.

    Raises:
        AlignmentError: all maps are constant, or a direction is seen by no view.
    """
    maps = [_unit_spread(each) for each in maps]
    step = max(1, max(rays.shape[:2]) // _SOLVE_SIDE)
    scales, shifts = _solve(views, maps, rays[step // 2 :: step, step // 2 :: step])
    total, weights = np.zeros(rays.shape[:2], np.float32), np.zeros(rays.shape[:2], np.float32)
    for view, disparity, scale, shift in zip(views, maps, scales, shifts, strict=True):
        sampled, cosine, weight = _sampled(view, disparity, rays)
        total += weight * cosine * (np.float32(scale) * sampled + np.float32(shift))
        weights += weight
    return np.divide(total, weights, out=np.zeros_like(total), where=weights > 0)


def _unit_spread(values: Float32[Array, "side side"]) -> Float32[Array, "side side"]:
    """The map with median 0 and mean absolute deviation 1: networks' scales differ by more than views do."""
    middle = np.median(values)
    spread = float(np.abs(values - middle).mean())
    result: Array = ((values - middle) / np.float32(spread or 1.0)).astype(np.float32)
    return result


def _sampled(
    view: View, disparity: Float32[Array, "side side"], rays: Float32[Array, "H W 3"]
) -> tuple[Float32[Array, "H W"], Float32[Array, "H W"], Float32[Array, "H W"]]:
    """Disparity in directions, their cosine to the axis, and a weight that falls to 0 at the view's border."""
    column, row, cosine, shown = view.seen(rays)
    values = np.asarray(
        cv2.remap(disparity, column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32
    )
    middle = np.float32((view.side_px - 1) / 2)
    inside = [np.clip(1 - np.abs(each - middle) / middle, 0, 1) for each in (column, row)]
    # Rises and falls without a corner: where a view begins nothing shows.
    weight = np.where(shown, np.prod([each * each * (3 - 2 * each) for each in inside], axis=0), 0)
    return values, cosine, weight.astype(np.float32)


def _solve(
    views: Sequence[View], maps: Sequence[Float32[Array, "side side"]], rays: Float32[Array, "h w 3"]
) -> tuple[Float64[Array, " views"], Float64[Array, " views"]]:
    """Scale and shift of each view, the scales about 1; directions that disagree lose weight (Huber)."""
    count = len(views)
    sampled = (_sampled(view, disparity, rays) for view, disparity in zip(views, maps, strict=True))
    parts = [tuple(part.reshape(-1) for part in each) for each in sampled]
    rows, weights = [], []
    for one in range(count):
        for other in range(one + 1, count):
            both = np.flatnonzero((parts[one][2] > 0) & (parts[other][2] > 0))
            rows.append(_agreement_rows(count, one, other, parts, both))
            weights.append(np.sqrt(parts[one][2][both] * parts[other][2][both]).astype(np.float64))
    matrix, weight = np.concatenate(rows), np.concatenate(weights)
    prior, wanted = _prior_rows(maps, float(np.sqrt((weight**2).sum() / count)))
    robust = np.ones(len(weight))
    for _ in range(_ROUNDS):
        system = np.concatenate([matrix * (weight * robust)[:, None], prior])
        target = np.concatenate([np.zeros(len(weight)), wanted])
        solution = np.linalg.lstsq(system, target, rcond=None)[0]
        residual = np.abs(matrix @ solution)
        limit = 1.345 * 1.4826 * float(np.median(residual)) if residual.size else 0.0
        robust = np.sqrt(np.minimum(1, limit / np.maximum(residual, 1e-12))) if limit > 0 else robust
    scales = solution[:count]
    if not (scales > 0).any():
        raise AlignmentError(
            "the views of this picture don't fit one another: is it of the projection that was stated?"
        )
    # A view without any depth of its own, such as one of the sky, may come out turned over.
    return np.maximum(scales, 0), solution[count:]


def _agreement_rows(
    count: int, one: int, other: int, parts: Sequence[tuple[Array, ...]], both: Array
) -> Float64[Array, "N columns"]:
    rows = np.zeros((len(both), 2 * count))
    for view, sign in ((one, 1.0), (other, -1.0)):
        disparity, cosine, _ = parts[view]
        rows[:, view] = sign * disparity[both] * cosine[both]
        rows[:, count + view] = sign * cosine[both]
    return rows


def _prior_rows(
    maps: Sequence[Float32[Array, "side side"]], weight: float
) -> tuple[Float64[Array, "rows columns"], Float64[Array, " rows"]]:
    """The scales' mean is 1, firmly; each is 1 and each view's farthest things lie at 0, weakly."""
    count = len(maps)
    identity, nothing = np.eye(count), np.zeros((count, count))
    farthest = np.diag([float(np.percentile(each, 1)) for each in maps])
    mean = np.concatenate([np.full(count, 1 / count), np.zeros(count)])[None] * 100 * weight
    rows = np.concatenate(
        [mean, _PRIOR * weight * np.hstack([identity, nothing]), _PRIOR * weight * np.hstack([farthest, identity])]
    )
    wanted = np.concatenate([[100 * weight], np.full(count, _PRIOR * weight), np.zeros(count)])
    return rows, wanted
