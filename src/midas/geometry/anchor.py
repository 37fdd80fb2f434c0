"""What takes relative disparity to inverse depth, and how it was found: known, or assumed and called so.

``1 / depth = scale * disparity + shift``. The scale makes everything larger or smaller; the shift makes angles. In
inverse depth a plane stays a plane whatever the shift, so that its flatness says nothing of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from midas.alignment import Alignment, align_from_points, align_from_range
from midas.arrays import Array, Float32
from midas.errors import AlignmentError, ConfigError

ASSUMED_RATIO = 10.0
"""How many times as far the farthest things are taken to be as the nearest, where nothing tells."""

# Between these percentiles lies what a ratio of distances speaks of; beyond are outliers.
_PERCENTILES = (1.0, 99.0)


@dataclass(frozen=True)
class Anchor:
    """Scale and shift, with their unit and their source.

    Attributes:
        alignment: disparity → 1 / depth.
        found: ``"points"``, ``"range"``, ``"right-angles"``, ``"assumed"``, ``"metric"`` and the like.
        metric: whether depths come out in metres; else in units of the nearest things' distance.
    """

    alignment: Alignment
    found: str
    metric: bool

    @property
    def unit(self) -> str:
        """Of the depths."""
        return "metre" if self.metric else "arbitrary"

    def inverse_depth(self, values: Float32[Array, "H W"]) -> Float32[Array, "H W"]:
        """1 / depth, per unit; not positive where a pixel lies beyond every distance."""
        return self.alignment.apply(values)

    def facts(self) -> dict[str, str]:
        """What files say of it."""
        return {
            "alignment_scale": repr(float(self.alignment.scale)),
            "alignment_shift": repr(float(self.alignment.shift)),
            "alignment_found": self.found,
            "unit": self.unit,
        }


def assumed_anchor(values: Float32[Array, "H W"], ratio: float = ASSUMED_RATIO) -> Anchor:
    """The anchor that puts the farthest things ``ratio`` times as far as the nearest, which are at 1.

    ``q = (d_near - ratio * d_far) / (ratio - 1)`` for ``depth ∝ 1 / (d + q)``, on the percentiles 1 and 99.

    Raises:
        ConfigError: unless the ratio is more than 1 and finite.
        AlignmentError: the map is constant.
    """
    if not 1 < ratio < np.inf:
        raise ConfigError(f"a ratio of {ratio} between far and near: expected more than 1")
    return anchor_of_ratio(values, ratio, "assumed")


def anchor_of_ratio(values: Float32[Array, "H W"], ratio: float, found: str) -> Anchor:
    """The anchor of a ratio between far and near that was found, with the nearest things at 1."""
    return Anchor(align_from_range(_without_outliers(values), 1.0, ratio), found, metric=False)


def anchor_of_zero(values: Float32[Array, "H W"], zero: float, found: str) -> Anchor:
    """The anchor of ``depth ∝ 1 / (d + q)`` for a shift q that was found, with the nearest things at 1.

    Args:
        values: disparity.
        zero: q, in the values' unit.
        found: how.
    """
    nearest = float(disparity_range(values)[1])
    scale = 1 / (nearest + zero)
    return Anchor(Alignment(scale, scale * zero), found, metric=False)


def anchor_from_range(values: Float32[Array, "H W"], near_m: float, far_m: float) -> Anchor:
    """The anchor that puts the nearest things at ``near_m`` metres and the farthest at ``far_m``, outliers apart.

    Raises:
        AlignmentError: as ``align_from_range``.
    """
    return Anchor(align_from_range(_without_outliers(values), near_m, far_m), "range", metric=True)


def anchor_known(values: Float32[Array, "H W"], points: Sequence[tuple[int, int, float]]) -> Anchor:
    """The anchor by points of known depth: (row, column, metres).

    Raises:
        AlignmentError: as ``align_from_points``; or near and far come out exchanged.
    """
    return Anchor(_upright(align_from_points(values, points)), "points", metric=True)


def find_anchor(
    values: Float32[Array, "H W"],
    *,
    points: Sequence[tuple[int, int, float]] = (),
    near_m: float | None = None,
    far_m: float | None = None,
    ratio: float | None = None,
) -> Anchor:
    """The best anchor for what is known: points, else a range, else a ratio, stated or assumed.

    Args:
        values: disparity.
        points: (row, column, depth in metres).
        near_m: distance of the nearest things; with ``far_m``.
        far_m: distance of the farthest things.
        ratio: how many times as far these are as those.

    Raises:
        ConfigError: only one of near and far, or several ways at once.
        AlignmentError: what was given doesn't determine scale and shift.
    """
    if (near_m is None) != (far_m is None):
        raise ConfigError("near and far distances are stated together or not at all: give both")
    ways = [bool(points), near_m is not None, ratio is not None]
    if sum(ways) > 1:
        raise ConfigError("known points, near and far, and a ratio exclude each other: give one of them")
    if points:
        return anchor_known(values, points)
    if near_m is not None and far_m is not None:
        return anchor_from_range(values, near_m, far_m)
    if ratio is not None:
        if not 1 < ratio < np.inf:
            raise ConfigError(f"a ratio of {ratio} between far and near: expected more than 1")
        return anchor_of_ratio(values, ratio, "ratio")
    return assumed_anchor(values)


def disparity_range(values: Float32[Array, "H W"]) -> tuple[float, float]:
    """The percentiles 1 and 99 of the finite values, or their extremes where these are one and the same.

    Raises:
        AlignmentError: the map has no two different values.
    """
    finite = values[np.isfinite(values)]
    if finite.size == 0 or finite.min() == finite.max():
        raise AlignmentError("a constant map has no near and far, and so no shape: give another picture")
    low, high = np.percentile(finite, _PERCENTILES)
    return (float(low), float(high)) if low < high else (float(finite.min()), float(finite.max()))


def _without_outliers(values: Float32[Array, "H W"]) -> Float32[Array, "H W"]:
    low, high = disparity_range(values)
    result: Array = np.clip(values, np.float32(low), np.float32(high))
    return result


def _upright(alignment: Alignment) -> Alignment:
    if alignment.scale <= 0:
        raise AlignmentError(
            "the points given put near things far and far things near: check that they are row, column, metres"
        )
    return alignment
