"""The motion of most of a picture, where one homography says it: of a camera that turns, or before far or flat things.

Flow looks around each pixel. Where there is little to see, on walls and floors, it goes where it likes, mostly not far
enough: by a tenth of a pixel, which is much of what a slow camera moves by. The whole picture knows better.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np

from midas.arrays import Array, Float32, Float64, UInt8

_GRID_PX = 8
_LEAST_POINTS, _LEAST_SHARE = 40, 0.3  # of a grid, that flow must be sure of
_MOST = 0.6  # of these must agree
_TOLERANCE_PX = 1.0
_ITERATIONS = 3
_OUTLIER = 3.0  # median absolute residuals
_DAMPING, _TINY = 1e-6, 1e-12
_USUAL_FOCAL = 0.87  # of the longer side: 60 degrees over it
ALL = (slice(None), slice(None))


class WholeMotion(NamedTuple):
    """The motion of a picture as a whole.

    Attributes:
        camera: from places in the later picture to those in the earlier one.
        size: height and width of the pictures that it is between.
        trust: from 0 to 1, how far the earlier picture shows the same thing there; of any size.
    """

    camera: Float64[Array, "3 3"]
    size: tuple[int, int]
    trust: Float32[Array, "h w"]

    def places(self, size: tuple[int, int], points: tuple[slice, slice]) -> tuple[Array, Array]:
        """Columns and rows in an earlier map for these pixels of a map of this size."""
        return places_by(rescaled(self.camera, size[1] / self.size[1], size[0] / self.size[0]), size, points)

    def trust_at(self, size: tuple[int, int]) -> Float32[Array, "h w"]:
        """The trust for each pixel of a map of this size."""
        return np.asarray(cv2.resize(self.trust, size[::-1], interpolation=cv2.INTER_NEAREST), np.float32)


def growth(columns: Array, rows: Array, points: tuple[slice, slice], size: tuple[int, int]) -> Array:
    """By which share the inverse depth of each thing has grown, if the camera has done nothing but turn.

    Depth is counted along the axis: a thing at the distance r from the lens, seen at p from the middle of the picture,
    has the inverse depth sqrt(f² + p²) / (f r). What wanders to the edge comes nearer by that count. The focal length f
    is that of a usual lens.

    Args:
        columns, rows: of the earlier picture, for the points.
        points: which of the pixels of the later one.
        size: height and width of both.
    """
    height, width = size
    focal2 = np.float32((_USUAL_FOCAL * max(size)) ** 2)
    across = np.arange(width, dtype=np.float32)[points[1]] - np.float32((width - 1) / 2)
    down = np.arange(height, dtype=np.float32)[points[0], None] - np.float32((height - 1) / 2)
    before = np.square(columns - np.float32((width - 1) / 2)) + np.square(rows - np.float32((height - 1) / 2))
    return np.asarray(np.sqrt((focal2 + across**2 + down**2) / (focal2 + before)) - 1, np.float32)


def whole_motion(
    places: Float32[Array, "h w 2"], sure: Array, earlier: UInt8[Array, "h w"], later: UInt8[Array, "h w"]
) -> Float64[Array, "3 3"] | None:
    """The homography from places in the later picture to those in the earlier one, or None if none says most.

    Args:
        places: by flow, for each pixel of the later picture its place in the earlier one, column before row.
        sure: where the flow can be believed.
        earlier, later: the pictures, grey.
    """
    points = (slice(_GRID_PX // 2, None, _GRID_PX),) * 2
    known = sure[points]
    if known.sum() < max(_LEAST_POINTS, _LEAST_SHARE * known.size):
        return None
    height, width = later.shape
    now = np.stack(np.meshgrid(np.arange(width)[points[1]], np.arange(height)[points[0]]), -1)[known]
    found, agree = cv2.findHomography(
        now.astype(np.float32), places[points][known], cv2.USAC_FAST, _TOLERANCE_PX, maxIters=200, confidence=0.99
    )
    if found is None or agree.mean() < _MOST:
        return None
    halves = (cv2.resize(each, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) for each in (earlier, later))
    return rescaled(_refined(rescaled(found, 0.5, 0.5), *halves), 2.0, 2.0)


def rescaled(camera: Float64[Array, "3 3"], across: float, down: float) -> Float64[Array, "3 3"]:
    """The homography between pictures so many times as wide and as high."""
    # Places count from the middle of the first pixel.
    larger = np.array([[across, 0, across / 2 - 0.5], [0, down, down / 2 - 0.5], [0, 0, 1]])
    return np.asarray(larger @ camera @ np.linalg.inv(larger))


def places_by(
    camera: Float64[Array, "3 3"], size: tuple[int, int], points: tuple[slice, slice] = ALL
) -> tuple[Array, Array]:
    """For pixels of the later picture, their columns and rows in the earlier one."""
    height, width = size
    across = np.arange(width, dtype=np.float32)[points[1]]
    down = np.arange(height, dtype=np.float32)[points[0], None]
    numbers = np.asarray(camera / camera[2, 2], np.float32)
    columns, rows, depth = (row[0] * across + (row[1] * down + row[2]) for row in numbers)
    return columns / depth, rows / depth


def _refined(camera: Array, earlier: UInt8[Array, "h w"], later: UInt8[Array, "h w"]) -> Array:
    """The same by the pictures themselves, to some hundredths of a pixel.

    Gauss-Newton with the later picture's gradients: Baker and Matthews, "Lucas-Kanade 20 Years On" (2004), the inverse
    compositional algorithm; light may change by a factor and a summand.
    """
    blurred = [cv2.GaussianBlur(each, (3, 3), 0).astype(np.float32) for each in (earlier, later)]
    across, down = (cv2.Sobel(blurred[1], cv2.CV_32F, *axis, scale=1 / 8) for axis in ((1, 0), (0, 1)))
    columns, rows = _every_third(later.shape)
    steep = np.hypot(across, down)[rows, columns]
    chosen = steep > np.median(steep)
    if chosen.sum() < _LEAST_POINTS:  # nothing to see
        return camera
    columns, rows = columns[chosen], rows[chosen]
    seen = blurred[1][rows, columns]
    to_unit = _to_unit(later.shape)
    x, y = ((columns - to_unit[2]) / to_unit[0]), ((rows - to_unit[3]) / to_unit[1])
    u, v = across[rows, columns] * to_unit[0], down[rows, columns] * to_unit[1]
    radial = u * x + v * y
    moves = np.stack([u * x, u * y, u, v * x, v * y, v, -radial * x, -radial * y, seen, np.ones_like(seen)])
    unit = np.array([[to_unit[0], 0, to_unit[2]], [0, to_unit[1], to_unit[3]], [0, 0, 1]])
    for _ in range(_ITERATIONS):
        there = camera @ np.stack([columns, rows, np.ones_like(columns)])
        places = np.asarray(there[:2] / there[2], np.float32)
        there_seen = cv2.remap(blurred[0], places[0], places[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        left = there_seen.ravel() - seen
        inside = (places >= 0).all(0) & (places[0] <= later.shape[1] - 1) & (places[1] <= later.shape[0] - 1)
        if inside.sum() < _LEAST_POINTS:
            break
        size = np.abs(left - np.median(left[inside]))
        weights = inside / (1 + np.square(size / (_OUTLIER * max(float(np.median(size)), 1e-3))))
        weighted = moves * weights.astype(np.float32)
        normal = (weighted @ moves.T).astype(np.float64)
        # Of stripes nothing is known along them: there the motion stays what it was.
        normal[np.diag_indices(10)] += _DAMPING * np.diag(normal) + _TINY * np.diag(normal).max()
        step = np.linalg.solve(normal, (weighted @ left).astype(np.float64))
        change = np.eye(3) + np.array([step[0:3], step[3:6], [step[6], step[7], 0.0]])
        camera = camera @ unit @ np.linalg.inv(change) @ np.linalg.inv(unit)
    return camera


@lru_cache(maxsize=2)
def _every_third(size: tuple[int, int]) -> tuple[Array, Array]:
    columns, rows = np.meshgrid(np.arange(4, size[1] - 4, 3), np.arange(4, size[0] - 4, 3))
    return columns.ravel(), rows.ravel()


def _to_unit(size: tuple[int, ...]) -> tuple[float, float, float, float]:
    """Half the width and height, and the middle: numbers of the size of one are solved for more exactly."""
    return size[1] / 2, size[0] / 2, (size[1] - 1) / 2, (size[0] - 1) / 2
