"""A picture's map in the unit of a reconstruction: aligned to the points that were seen in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from midas.alignment import Alignment, align_robust
from midas.arrays import Array, Float32, Float64
from midas.errors import AlignmentError

LEAST_POINTS = 20
"""So many points must be seen in a picture for its scale and shift to be believed."""

# A point agrees with the map where their inverse depths differ by less than this share.
_AGREEMENT = 0.1
# Beyond these multiples of the median scale, the trainer of 3D Gaussian splatting leaves a picture's depth out.
LEAST_OF_MEDIAN, MOST_OF_MEDIAN = 0.2, 5.0


@dataclass(frozen=True, eq=False)
class Prior:
    """A map and what takes it to the reconstruction's inverse depth.

    Attributes:
        name: of the image, as the reconstruction has it.
        values: float32 (H, W), disparity, in the orientation that the reconstruction counts in.
        alignment: disparity → 1 / depth in the reconstruction's unit; None where there are too few points.
        points: how many were used.
        inlier_share: of them, how many agree within 10 %.
    """

    name: str
    values: Float32[Array, "H W"]
    alignment: Alignment | None
    points: int
    inlier_share: float

    @property
    def stem(self) -> str:
        """The name without its suffix, with the folders that it lies in."""
        return self.name.rpartition(".")[0] or self.name

    def inverse_depth(self) -> Float32[Array, "H W"]:
        """1 / depth in the reconstruction's unit, not below 0; zeros where there is no alignment."""
        if self.alignment is None:
            return np.zeros_like(self.values)
        result: Array = np.maximum(self.alignment.apply(self.values), 0)
        return result

    def depth(self) -> Float32[Array, "H W"]:
        """Depth in the reconstruction's unit; 0 where it isn't known."""
        inverse = self.inverse_depth()
        depth = np.zeros_like(inverse)
        np.divide(1, inverse, out=depth, where=inverse > 0)
        return depth


def align_prior(
    name: str,
    values: Float32[Array, "H W"],
    camera_size: tuple[int, int],
    xy: Float64[Array, "N 2"],
    depth: Float64[Array, " N"],
    *,
    least_points: int = LEAST_POINTS,
) -> Prior:
    """Align a map to the points that were seen in its picture, whatever up to two fifths of them say.

    Args:
        name: of the image.
        values: disparity.
        camera_size: (height, width) in which the reconstruction counts.
        xy: columns and rows of the points there, pixel centres at +0.5, distorted as the picture is.
        depth: theirs, positive.
        least_points: with fewer the prior has no alignment.
    """
    height, width = values.shape
    columns = np.floor(xy[:, 0] * (width / camera_size[1])).astype(np.intp)
    rows = np.floor(xy[:, 1] * (height / camera_size[0])).astype(np.intp)
    inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    disparity, inverse = values[rows[inside], columns[inside]].astype(np.float64), 1 / depth[inside]
    nothing = Prior(name, values, None, int(inside.sum()), 0.0)
    if inside.sum() < least_points:
        return nothing
    try:
        alignment = align_robust(disparity, inverse)
    except AlignmentError:
        return nothing
    if alignment.scale <= 0:
        return nothing
    agrees = np.abs(alignment.scale * disparity + alignment.shift - inverse) < _AGREEMENT * inverse
    return Prior(name, values, alignment, int(inside.sum()), float(agrees.mean()))


def outlying_scales(scales: dict[str, float]) -> list[str]:
    """The names whose scale is so far from the median of the positive ones that a trainer leaves them out."""
    positive = [scale for scale in scales.values() if scale > 0]
    if not positive:
        return []
    median = float(np.median(positive))
    return [
        name
        for name, scale in scales.items()
        if scale > 0 and not LEAST_OF_MEDIAN * median <= scale <= MOST_OF_MEDIAN * median
    ]
