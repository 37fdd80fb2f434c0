"""What somebody knows of a picture's distances, and the metres that it makes of a relative map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from midas.alignment import Alignment, align_from_points, align_from_range, align_robust
from midas.arrays import Array, Float32
from midas.errors import AlignmentError, ConfigError
from midas.maps.aligned_depth import AlignedDepth
from midas.maps.depth_map import DepthMap
from midas.maps.formats import read_map
from midas.maps.kinds import kind_said
from midas.maps.resize import resize_map

_MILLIMETRE = np.float32(0.001)


@dataclass(frozen=True)
class KnownDistances:
    """One of three: a few points, a range, or a depth map of the same view.

    Attributes:
        points: (row, column, depth in metres), two at least, in pixels of the picture.
        near_m, far_m: depth of the nearest and of the farthest pixel.
        depth: a file with depth in metres, or a 16-bit PNG of millimetres; 0 is unknown.

    Raises:
        ConfigError: none of them, or several.
    """

    points: Sequence[tuple[int, int, float]] = ()
    near_m: float | None = None
    far_m: float | None = None
    depth: Path | None = None

    def __post_init__(self) -> None:
        if (self.near_m is None) != (self.far_m is None):
            raise ConfigError("--near and --far belong together: the depths of the nearest and the farthest pixel")
        if bool(self.points) + (self.near_m is not None) + (self.depth is not None) != 1:
            raise ConfigError("expected known points, or near and far, or a depth map: one of them")

    @property
    def how(self) -> str:
        """In words, how scale and shift are found."""
        if self.points:
            return f"from {len(self.points)} known points"
        return f"from the range {self.near_m:g} m to {self.far_m:g} m" if self.depth is None else f"from {self.depth}"

    def alignment(self, depth_map: DepthMap, picture: tuple[int, int] | None = None) -> Alignment:
        """The scale and shift for a map.

        Args:
            depth_map: relative disparity.
            picture: (height, width) of its picture, in which the points lie; None is the map's own size.

        Raises:
            AlignmentError: they can't be told, or near and far would change places.
            OutputError: the depth map can't be read.
        """
        if self.points:
            found = align_from_points(depth_map, points_of_map(self.points, picture or depth_map.size, depth_map.size))
        elif self.depth is not None:
            known = _read_metres(self.depth)
            target = known if known.shape == depth_map.size else resize_map(known, depth_map.size, "nearest")
            mask = (target > 0) & np.isfinite(target)
            inverse = np.divide(1, target, out=np.zeros_like(target), where=mask)
            found = align_robust(depth_map, inverse, mask)
        else:
            found = align_from_range(depth_map, float(self.near_m or 0), float(self.far_m or 0))
        if found.is_inverted:
            raise AlignmentError(f"{self.how}, the map would be turned round: what it has nearer would be farther")
        return found

    def metres(self, depth_map: DepthMap) -> AlignedDepth:
        """Depth in metres.

        Raises:
            AlignmentError: as for ``alignment``, or the values are metres already.
            OutputError: the depth map can't be read.
        """
        return depth_map.aligned(self.alignment(depth_map))


def points_of_map(
    points: Sequence[tuple[int, int, float]], picture: tuple[int, int], size: tuple[int, int]
) -> list[tuple[int, int, float]]:
    """Points of a picture where they lie in its map; one outside the picture lies outside the map too.

    Args:
        points: (row, column, metres).
        picture: (height, width) of the picture.
        size: (height, width) of the map.
    """
    return [
        (
            row * size[0] // picture[0] if row < picture[0] else size[0],
            column * size[1] // picture[1] if column < picture[1] else size[1],
            metres,
        )
        for row, column, metres in points
    ]


def _read_metres(path: Path) -> Float32[Array, "H W"]:
    values, metadata = read_map(path)
    if path.suffix.lower() == ".png" and kind_said(metadata, path) is None:
        return values * _MILLIMETRE
    return values
