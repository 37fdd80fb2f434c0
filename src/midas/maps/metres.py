"""What somebody knows of a picture's distances, and the metres that it makes of a relative map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from midas.alignment import Alignment, align_from_points, align_from_range, align_robust, align_sparse
from midas.alignment.measured import CODES_PER_METRE, read_lidar, read_points
from midas.arrays import Array, Float32, Float64
from midas.errors import AlignmentError, ConfigError
from midas.maps.aligned_depth import AlignedDepth
from midas.maps.depth_map import DepthMap
from midas.maps.formats import read_map
from midas.maps.kinds import RELATIVE_DISPARITY, kind_said
from midas.maps.resize import resize_map

_MILLIMETRE = np.float32(0.001)


@dataclass(frozen=True)
class KnownDistances:
    """One of four: a few points, a range, a depth map of the same view, or many measured points, some of them wrong.

    Attributes:
        points: (row, column, depth in metres), two at least, in pixels of the picture.
        near_m, far_m: depth of the nearest and of the farthest pixel.
        depth: a file with depth in metres, or a 16-bit PNG of millimetres; 0 is unknown.
        measured: a file of measured points (``midas.alignment.measured.read_points``).
        lidar: a small or sparse depth map by a sensor, a 16-bit PNG; these points count with those.
        lidar_per_metre: its codes per metre.

    Raises:
        ConfigError: none of them, or several.
    """

    points: Sequence[tuple[int, int, float]] = ()
    near_m: float | None = None
    far_m: float | None = None
    depth: Path | None = None
    measured: Path | None = None
    lidar: Path | None = None
    lidar_per_metre: float = CODES_PER_METRE

    def __post_init__(self) -> None:
        if (self.near_m is None) != (self.far_m is None):
            raise ConfigError("--near and --far belong together: the depths of the nearest and the farthest pixel")
        ways = (self.points, self.near_m is not None, self.depth, self.measured or self.lidar)
        if sum(map(bool, ways)) != 1:
            raise ConfigError("expected known points, or near and far, or a depth map, or measured points: one of them")

    @property
    def how(self) -> str:
        """In words, how scale and shift are found."""
        if self.points:
            return f"from {len(self.points)} known points"
        if self.measured or self.lidar:
            return f"from measured points in {' and '.join(str(path) for path in (self.measured, self.lidar) if path)}"
        return f"from the range {self.near_m:g} m to {self.far_m:g} m" if self.depth is None else f"from {self.depth}"

    def in_metres(self, depth_map: DepthMap, picture: tuple[int, int] | None = None) -> AlignedDepth:
        """Depth in metres, with the scale and shift that made it.

        With measured points the map is also corrected from place to place, where that brings it nearer to points that
        the correction wasn't made from (``midas.alignment.align_sparse``).

        Args:
            depth_map: relative.
            picture: (height, width) of the picture, in whose pixels points are given; None is the map's.

        Raises:
            AlignmentError: they can't be told, near and far would change places, or the values are metres already.
            OutputError: the depth map can't be read.
        """
        if not (self.measured or self.lidar):
            found = self.alignment(depth_map, picture)
            return depth_map.aligned(found.scale, found.shift)
        if depth_map.kind != RELATIVE_DISPARITY:
            raise AlignmentError(
                f"measured points make metres of relative disparity; these values are {depth_map.kind}"
            )
        sparse = align_sparse(depth_map.values, self._measured_points(picture or depth_map.size, depth_map.size))
        depth = replace(depth_map, values=sparse.apply(depth_map.values)).aligned(1.0, 0.0)
        return replace(depth, scale=sparse.alignment.scale, shift=sparse.alignment.shift)

    def _measured_points(self, picture: tuple[int, int], size: tuple[int, int]) -> Float64[Array, "N 3"]:
        parts = []
        if self.measured is not None:
            points = read_points(self.measured)
            share = np.array(size) / np.array(picture)
            parts.append(np.column_stack([(points[:, :2] + 0.5) * share - 0.5, points[:, 2]]))
        if self.lidar is not None:
            parts.append(read_lidar(self.lidar, size, self.lidar_per_metre))
        return np.concatenate(parts)

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
