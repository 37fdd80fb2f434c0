"""The camera's motion between two pictures, by the map of the earlier one: direct alignment.

The motion is sought by which the earlier picture, moved by its map, becomes the later one: a turn, a step, a zoom, and
a change of light, which is found to some hundredths of a pixel (Engel et al., "Direct Sparse Odometry", 2018, section
2.1, for two frames and a map that is known up to scale and shift). Optical flow is where the search begins, and what
the result must be no worse than: where things move by themselves it is, and then the camera's motion isn't known.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np

from midas.arrays import Array, Float32, Float64, UInt8
from midas.video.flow import Sight

LEAST_DEPTH = 0.2
"""No thing comes nearer than to this share of its depth."""

_LONGEST_PX = 256  # of pictures that are compared
_MOST_GRID = 2500  # points that are looked at; about half of them show something
_BORDER_PX = 4
_TILES = 6  # of a row and of a column, of which none counts more than most others
_BLUR_PX = 0.8
_LEAST_POINTS = 60
_STEEP = 0.5  # of the median steepness
_LEAST_STEEP = 1.0  # grey levels per pixel
_EDGE = 0.08  # of the map's range, per pixel: there a point belongs to two depths
_FLOW_ITERATIONS, _LIGHT_ITERATIONS = 3, 3
_OUTLIER, _ALONE = 2.0, 4.0  # usual errors
_LEAST_ERROR, _LEAST_ERROR_PX = 0.3, 0.05
_NORMAL = 1.4826  # standard deviations per median absolute deviation
_AGREE_PX, _MOST = 1.0, 0.5  # of the points, by which the flow is a camera's motion
_MOST_UNLIKE = 20.0  # grey levels
_AS_ALIKE = 1.05  # static scenes come to 0.7 to 1.04, people who walk through the picture to 1.06 and more
_ALIKE = 30.0  # points beside each other err alike
_TURN_SPREAD = 1.0
_STEP_SPREAD = 0.03  # by how much of its depth the nearest thing is passed from frame to frame
_ANY_ZOOM, _NO_ZOOM = 2e-2, 1e-3
_GAIN_SPREAD, _LIGHT_SPREAD = 0.1, 30.0
_ROTATION, _STEP, _AHEAD, _ZOOM, _GAIN, _LIGHT = slice(0, 3), slice(3, 6), 5, 6, 7, 8
_OF_PLACE, _OF_FRAME, _OF_FILM = slice(0, 7), slice(0, 9), slice(9, 11)
_UNMOVED = np.array([0.0] * 7 + [1.0, 0.0])


class Pose(NamedTuple):
    """From the axes of an earlier camera to those of a later one: columns to the right, rows down, depth ahead.

    Attributes:
        rotation: matrix.
        step: by which the points move, per unit of the earlier map: times a value above that of infinity it is a share
            of the depth there.
        zoom: by which share the picture has become larger besides.
        ahead: the step's last component for a lens that doesn't zoom.
    """

    rotation: Float64[Array, "3 3"] = np.eye(3)
    step: Float64[Array, " 3"] = np.zeros(3)
    zoom: float = 0.0
    ahead: float = 0.0

    def rescaled(self, scale: float) -> Pose:
        """The same for maps times so much."""
        return self._replace(step=self.step / scale, ahead=self.ahead / scale)


class Aligned(NamedTuple):
    """What two pictures say.

    Attributes:
        pose: the motion.
        information: on the logarithm of the focal length and on the map's value of infinity, if the lens doesn't zoom.
        slope: of the errors over both.
    """

    pose: Pose
    information: Float64[Array, "2 2"]
    slope: Float64[Array, " 2"]


def align(sight: Sight, values: Float32[Array, "h w"], focal: float, infinity: float) -> Aligned | None:
    """The camera's motion between two pictures; None if none says where things went.

    Args:
        sight: the pictures.
        values: the map of the earlier one, of any size.
        focal: the focal length over the longer side.
        infinity: the map's value of what is infinitely far.
    """
    while max(sight.earlier.shape) > _LONGEST_PX:
        sight = sight.half
    height, width = sight.earlier.shape[:2]
    if values.shape != (height, width):
        values = np.asarray(cv2.resize(values, (width, height), interpolation=cv2.INTER_AREA), np.float32)
    spread = range_of(values)[1]
    if not spread > 0 or min(height, width) < 4 * _BORDER_PX:
        return None
    points = _grid(height, width)
    steep = _steepness(_smooth(sight.earlier))[points]
    uneven = cv2.dilate(_steepness(values), np.ones((3, 3), np.uint8))[points]
    chosen = (steep > max(_STEEP * float(np.median(steep)), _LEAST_STEEP)) & (uneven < _EDGE * spread)
    if chosen.sum() < _LEAST_POINTS:
        return None
    rows, columns = points[0][chosen], points[1][chosen]
    views = _TwoViews(
        sight, np.stack([columns, rows]), values[rows, columns] - infinity, focal * max(height, width), spread
    )
    numbers = views.by_flow()
    return None if numbers is None else views.by_light(numbers)


def range_of(values: Float32[Array, "h w"]) -> tuple[float, float]:
    """A map's value of its farthest thing, and from there to its nearest: percentiles."""
    low, high = np.percentile(values[::4, ::4], (2, 95))
    return float(low), float(high - low)


class _TwoViews:
    """Points of two pictures, and the equations of the motion between them.

    Its nine numbers are a rotation, a step, a zoom, and factor and summand of the light.

    Args:
        sight: the pictures.
        points: columns and rows in the earlier one.
        above: its map there, above infinity.
        focal_px: focal length.
        spread: the map's range.
    """

    def __init__(self, sight: Sight, points: Array, above: Array, focal_px: float, spread: float) -> None:
        height, width = sight.earlier.shape[:2]
        self._earlier, self._later = _smooth(sight.earlier), _smooth(sight.later)
        self._points, self._focal_px, self._spread = points, focal_px, spread
        self._above = above.astype(np.float64)
        self._flow = sight.forth[points[1], points[0]].T
        self._seen = self._earlier[points[1], points[0]]
        self._middle = np.array([[(width - 1) / 2], [(height - 1) / 2]])
        self._last = np.array([[width - 2], [height - 2]])
        self._rays = np.vstack([(points - self._middle) / focal_px, np.ones(points.shape[1])])
        self._tiled = _shares(points[0] * _TILES // width + _TILES * (points[1] * _TILES // height))
        self._still = self._tiled

    def by_flow(self) -> Array | None:
        """Nearly the numbers, by optical flow; None if most of it is no camera's motion."""
        numbers, prior = _UNMOVED.copy(), self._prior(_ANY_ZOOM)[_OF_PLACE]
        moves = self._moves(numbers)[_OF_PLACE].reshape(7, -1)
        for _ in range(_FLOW_ITERATIONS):
            left, away = self._from_flow(numbers)
            usual = max(float(np.median(away)), _LEAST_ERROR_PX)
            weights = self._tiled / (1 + np.square(away / (_OUTLIER * usual))) / (usual**2 * _ALIKE)
            weighted = moves * np.tile(weights, 2)
            slope = weighted @ left.ravel() + prior * numbers[_OF_PLACE]
            numbers[_OF_PLACE] -= np.linalg.solve(weighted @ moves.T + np.diag(prior), slope)
        _, away = self._from_flow(numbers)
        if np.average(away < _AGREE_PX, weights=self._tiled) < _MOST:
            return None
        # What moves by itself is left out from here on, however alike it looks.
        usual = max(float(np.median(away)), _LEAST_ERROR_PX)
        self._still = self._tiled / (1 + (away / (_ALONE * usual)) ** 4)
        return numbers

    def by_light(self, numbers: Array) -> Aligned | None:
        """The motion by what the pictures show, from nearly that on; None if flow knows better."""
        prior, last = self._prior(_ANY_ZOOM), numbers
        equations = self._of_light(numbers)
        for _ in range(_LIGHT_ITERATIONS):
            places = self._places(numbers)
            left = self._unlike(places, numbers)
            inside = ((places >= 1) & (places <= self._last)).all(0)
            if inside.sum() < _LEAST_POINTS:
                return None
            error = max(_NORMAL * float(np.median(np.abs(left[inside]))), _LEAST_ERROR)
            weights = self._still * inside / (1 + np.square(left / (_OUTLIER * error))) / (error**2 * _ALIKE)
            weighted = equations * weights
            normal, slope = weighted @ equations.T, weighted @ left
            last = numbers
            numbers = last - np.linalg.solve(*_of_frame(normal, slope, prior, last))
        by_camera, by_flow = (
            np.average(np.minimum(np.abs(self._unlike(each, numbers)), _MOST_UNLIKE), weights=self._tiled)
            for each in (self._places(numbers), self._points + self._flow)
        )
        if by_camera > _AS_ALIKE * by_flow:
            return None
        # The same for a lens that doesn't zoom: then all that the picture has grown says how far the camera went, and
        # with that how far infinity is below the rest.
        own, own_slope = _of_frame(normal, slope, self._prior(_NO_ZOOM), last)
        ahead = float((last - np.linalg.solve(own, own_slope))[_AHEAD])
        rotation = np.asarray(cv2.Rodrigues(numbers[_ROTATION])[0])
        pose = Pose(rotation, numbers[_STEP].copy(), float(numbers[_ZOOM]), ahead)
        # What is left for the film's numbers when the frame's own have had what they can explain.
        share = np.linalg.solve(own, normal[_OF_FRAME, _OF_FILM]).T
        information = normal[_OF_FILM, _OF_FILM] - share @ normal[_OF_FRAME, _OF_FILM]
        return Aligned(pose, information, slope[_OF_FILM] - share @ own_slope)

    def _from_flow(self, numbers: Array) -> tuple[Array, Array]:
        left = self._places(numbers) - self._points - self._flow
        return left, np.asarray(np.hypot(left[0], left[1]))

    def _unlike(self, places: Array, numbers: Array) -> Array:
        return np.asarray(_at(self._later, places) - numbers[_GAIN] * self._seen - numbers[_LIGHT])

    def _of_light(self, numbers: Array) -> Array:
        """How what is seen changes with each number, the frame's and the film's."""
        places, moves = self._places(numbers), self._moves(numbers)
        slopes = zip(_slopes(self._earlier), _slopes(self._later), strict=True)
        across, down = ((one[self._points[1], self._points[0]] + _at(other, places)) / 2 for one, other in slopes)
        by_place = moves[:, 0] * across + moves[:, 1] * down
        light = np.stack([-self._seen, -np.ones_like(self._seen)])
        return np.concatenate([by_place[_OF_PLACE], light, by_place[_OF_PLACE.stop :]])

    def _prior(self, zoom: float) -> Array:
        """What is known of the frame's numbers beforehand: inverse variances."""
        step = _STEP_SPREAD / self._spread
        return np.array([*[_TURN_SPREAD] * 3, *[step] * 3, zoom, _GAIN_SPREAD, _LIGHT_SPREAD]) ** -2

    def _there(self, numbers: Array) -> tuple[Array, Array, Array]:
        """Where points are after turning, and after the step; and their depth as a share of that before."""
        turned = np.asarray(cv2.Rodrigues(numbers[_ROTATION])[0]) @ self._rays
        there = turned + numbers[_STEP, None] * self._above
        return turned, there, np.maximum(there[2], LEAST_DEPTH)

    def _places(self, numbers: Array) -> Array:
        """Columns and rows in the later picture."""
        _, there, depth = self._there(numbers)
        return np.asarray(there[:2] / depth * (self._focal_px * (1 + numbers[_ZOOM])) + self._middle)

    def _moves(self, numbers: Array) -> Array:
        """How places move with rotation, step and zoom, with the focal length's logarithm, and with infinity."""
        turned, there, depth = self._there(numbers)
        zoomed = self._focal_px * (1 + numbers[_ZOOM])
        across, down = there[:2] / depth
        moves = np.zeros((9, 2, len(depth)))

        def seen(number: int, x: Array | float, y: Array | float, z: Array | float) -> None:
            moves[number, 0] = (x - across * z) * zoomed / depth
            moves[number, 1] = (y - down * z) * zoomed / depth

        seen(0, 0.0, -turned[2], turned[1])
        seen(1, turned[2], 0.0, -turned[0])
        seen(2, -turned[1], turned[0], 0.0)
        seen(3, self._above, 0.0, 0.0)
        seen(4, 0.0, self._above, 0.0)
        seen(5, 0.0, 0.0, self._above)
        moves[_ZOOM] = np.stack([across, down]) * self._focal_px
        # A longer lens has narrower rays and a larger picture.
        narrower = np.asarray(cv2.Rodrigues(numbers[_ROTATION])[0])[:, :2] @ -self._rays[:2]
        seen(7, narrower[0], narrower[1], narrower[2])
        moves[7] += np.stack([across, down]) * zoomed
        seen(8, *(-numbers[_STEP]))
        return moves


def _of_frame(normal: Array, slope: Array, prior: Array, numbers: Array) -> tuple[Array, Array]:
    """The normal equations of a frame's own numbers, with what is known of them beforehand."""
    return normal[_OF_FRAME, _OF_FRAME] + np.diag(prior), slope[_OF_FRAME] + prior * (numbers - _UNMOVED)


def _smooth(picture: UInt8[Array, "h w 3"]) -> Float32[Array, "h w"]:
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.GaussianBlur(grey.astype(np.float32), (0, 0), _BLUR_PX), np.float32)


def _slopes(values: Float32[Array, "h w"]) -> tuple[Array, Array]:
    across, down = (cv2.Sobel(values, cv2.CV_32F, *axis, scale=1 / 8) for axis in ((1, 0), (0, 1)))
    return across, down


def _steepness(values: Float32[Array, "h w"]) -> Float32[Array, "h w"]:
    return np.asarray(cv2.magnitude(*_slopes(values)), np.float32)


def _at(values: Float32[Array, "h w"], places: Array) -> Array:
    columns, rows = np.asarray(places, np.float32)
    return np.asarray(cv2.remap(values, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)).ravel()


def _shares(tiles: Array) -> Array:
    """What each point counts: where many of them crowd a tile, each less; 1 in the mean."""
    _, of, counts = np.unique(tiles, return_inverse=True, return_counts=True)
    shares = 1 / np.maximum(counts, np.median(counts))[of]
    return np.asarray(shares / shares.mean())


@lru_cache(maxsize=4)
def _grid(height: int, width: int) -> tuple[Array, Array]:
    step = max(1, math.ceil(math.sqrt(height * width / _MOST_GRID)))
    rows, columns = np.meshgrid(
        np.arange(_BORDER_PX, height - _BORDER_PX, step), np.arange(_BORDER_PX, width - _BORDER_PX, step), indexing="ij"
    )
    return rows.ravel(), columns.ravel()
