"""How the camera itself moved from one frame to the next, by the pictures and a map: direct visual odometry.

What comes nearer grows in true maps, most where it is nearest, and what a turning camera takes to the picture's edge does a
little. No comparison of two maps tells that from a change of scale, but the pictures do: things shift against each
other by their inverse depth. So the motion is sought by which the earlier picture, moved by its map, becomes the later
one: by turning, a step, a zoom and a change of light, to some hundredths of a pixel (Engel et al., "Direct Sparse
Odometry", 2018, for two frames and with a map that is known up to scale and shift). Two numbers are the film's and not
the frame's, and are learnt as it goes: the focal length, and which value of the maps is infinitely far.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np

from midas.arrays import Array, Float32, Float64, UInt8
from midas.video.flow import Sight

_LONGEST_PX = 256  # of pictures that are compared
_MOST_GRID = 3600  # points that are looked at; about half of them show something
_BORDER_PX = 4
_BLUR_PX = 0.8
_LEAST_POINTS = 60
_STEEP = 0.5  # of the median steepness
_LEAST_STEEP = 1.0  # grey levels per pixel
_EDGE = 0.08  # of the map's range, per pixel: there a point belongs to two depths
_BY_FLOW, _BY_LIGHT = 3, 4  # iterations
_OUTLIER = 2.0  # robust standard deviations
_LEAST_SIGMA, _LEAST_FLOW_SIGMA_PX = 0.3, 0.05
_NORMAL = 1.4826
_AGREE_PX, _MOST = 1.0, 0.5  # so many points must move as the flow says
_ALIKE = 30.0  # points beside each other err alike
_LEAST_DEPTH = 0.2  # of the depth before, after a frame
_FOCAL, _FOCAL_SPREAD = 0.87, 0.35  # of the longer side: 60 degrees over it; of the logarithm
_LEAST_FOCAL, _MOST_FOCAL = 0.35, 4.0
_OFFSET, _OFFSET_SPREAD = 0.15, 0.3  # of the range, below the farthest thing in sight
_KEPT = 0.99  # of what is known, per frame
_STEP_SPREAD = 0.03  # per frame, by how much of its depth the nearest thing is passed
_ANY_ZOOM, _NO_ZOOM = 2e-2, 1e-3  # per frame
_GAIN_SPREAD, _LIGHT_SPREAD = 0.1, 30.0
_TINY = 1e-9
_FRAMES, _NO_STEP = 25, 1e-3
_SEEN_KEPT, _PARALLAX, _PARALLAX_POWER, _LEAST_ALONE = 0.96, 0.42, 8, 1e-5
WALKS = 0.5
"""From this share of ``Odometry.walks`` on a comparison of far frames without their motion says nothing."""
_DEEPEST = 1.5  # of the range below the farthest thing
_ROTATION, _STEP, _ZOOM, _LIGHT = slice(0, 3), slice(3, 6), 6, slice(7, 9)


class Pose(NamedTuple):
    """From the axes of an earlier camera to those of a later one: columns to the right, rows down, depth ahead.

    Attributes:
        rotation: matrix.
        step: of the earlier camera's points, per unit of its map: times a value above that of infinity it is the step as a share of
            the depth there.
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


class Odometry(NamedTuple):
    """What is known of a film's lens and of its maps, and the last motion of its camera.

    Attributes:
        log_focal: logarithm of the focal length over the longer side.
        offset: the maps' value of what is infinitely far.
        information: of both, the inverse of their covariance.
        pose: of the last frame.
        ahead: mean step ahead per frame, of late, as a share of the nearest thing's depth.
        together, alone: sums over the frames of late: of the step ahead with a lens that may zoom times that without zoom, and of the latter's
            square. Their ratio is 1 for a walk, and 0 for a zoom.
        lost: whether that is not known.
    """

    log_focal: float
    offset: float
    information: Float64[Array, "2 2"]
    pose: Pose = Pose()
    ahead: float = 0.0
    together: float = 0.0
    alone: float = 0.0
    lost: bool = True

    @classmethod
    def beginning(cls, values: Float32[Array, "h w"]) -> Odometry:
        """At the first frame of a shot, by its map: a usual lens, and infinity a little below the farthest thing."""
        low, spread = _range_of(values)
        return cls(math.log(_FOCAL), low - _OFFSET * spread, _prior(spread))

    def in_gauge(self, scale: float, shift: float) -> Odometry:
        """The same of maps in another scale and shift."""
        scales = np.diag([1.0, 1 / scale])
        offset = scale * self.offset + shift
        information = scales @ self.information @ scales
        return self._replace(offset=offset, information=information, pose=self.pose.rescaled(scale))

    @property
    def known_pose(self) -> Pose | None:
        """The last motion, if it is known."""
        return None if self.lost else self.pose

    def carried(
        self, earlier: Float32[Array, "h w"], places: tuple[Array, Array], turning: float
    ) -> Float32[Array, "h w"]:
        """A map of the frame before, moved to where its things are now, with what they have come nearer by.

        Args:
            earlier: the map.
            places: where each pixel was.
            turning: how much of the camera's turning is seen in the maps.
        """
        size = (earlier.shape[0], earlier.shape[1])
        ahead, turned = self.nearer(self.known_pose, places, _all(*size), earlier, size)
        offset = np.float32(self.offset)
        grown = ahead * (1 + np.float32(turning) * (turned - 1))
        return np.asarray(offset + (earlier - offset) * grown, np.float32)

    def seeing(self, sight: Sight | None, values: Float32[Array, "h w"]) -> Odometry:
        """With two more frames.

        Args:
            sight: their pictures; None where there are none.
            values: the map of the earlier one.
        """
        there = None if sight is None else _Points.of(sight, values, self)
        found = None if there is None else there.solved()
        if found is None:
            return self._replace(pose=Pose(), ahead=(1 - 1 / _FRAMES) * self.ahead, lost=True)
        low, spread = _range_of(values)
        with_zoom, without = found.pose.step[2] * spread, found.ahead * spread
        together = _SEEN_KEPT * self.together + with_zoom * without
        alone = _SEEN_KEPT * self.alone + without**2
        parallax = self._replace(together=together, alone=alone).parallax
        known = _KEPT * self.information + (1 - _KEPT) * _prior(spread) + parallax * found.information
        change = np.linalg.solve(known, parallax * found.slope)
        offset = min(max(self.offset - change[1], low - _DEEPEST * spread), low)
        return Odometry(
            log_focal=_bounded_focal(self.log_focal - change[0]),
            offset=offset,
            information=known,
            pose=found.pose._replace(ahead=found.ahead),
            ahead=self.ahead + (without - self.ahead) / _FRAMES,
            together=together,
            alone=alone,
            lost=False,
        )

    def learning(self, information: float, slope: float) -> Odometry:
        """With what the maps say of their value of infinity: information, and the slope of their errors over it."""
        known = self.information + np.diag([0.0, max(information, 0.0)])
        change = np.linalg.solve(known, np.array([0.0, slope]))
        return self._replace(
            log_focal=_bounded_focal(self.log_focal - change[0]), offset=self.offset - change[1], information=known
        )

    @property
    def walks(self) -> float:
        """From 0 to 1, how surely the camera goes ahead or back.

        Errors add up to small steps too; and a picture that grows is a walk only if near things in it grow more.
        """
        return self.parallax * self.ahead**4 / (self.ahead**4 + _NO_STEP**4)

    @property
    def parallax(self) -> float:
        """From 0 to 1, how surely near things grow more than far ones, so that the lens didn't zoom into a photograph."""
        seen = max(self.together / (self.alone + _LEAST_ALONE), 0.0) ** _PARALLAX_POWER
        return float(seen / (seen + _PARALLAX**_PARALLAX_POWER))

    def between(self, sight: Sight | None, values: Float32[Array, "h w"]) -> Pose | None:
        """The motion between two frames by what is known by now; None if it can't be told."""
        there = None if sight is None else _Points.of(sight, values, self)
        found = None if there is None else there.solved()
        return None if found is None else found.pose._replace(ahead=found.ahead)

    def places(
        self, pose: Pose | None, points: tuple[Array, Array], values: Array, size: tuple[int, int]
    ) -> tuple[Array, Array] | None:
        """Columns and rows to which points of an earlier map have moved; None where the motion isn't known.

        Args:
            pose: the motion.
            points: columns and rows.
            values: the map's at the points.
            size: height and width of the map.
        """
        if pose is None:
            return None
        focal, middle, rays = self._rays(points, size)
        above = values - np.float32(self.offset)
        there = [_row(pose.rotation, axis, rays) + np.float32(pose.step[axis]) * above for axis in range(3)]
        depth = np.maximum(there[2], np.float32(_LEAST_DEPTH))
        zoomed = focal * np.float32(1 + pose.zoom)
        return there[0] / depth * zoomed + middle[0], there[1] / depth * zoomed + middle[1]

    def nearer(
        self,
        pose: Pose | None,
        points: tuple[Array, Array],
        later: tuple[Array, Array],
        values: Array,
        size: tuple[int, int],
    ) -> tuple[Array, Array]:
        """By which factor what is above infinity grows in a map: by the camera's step, and by its turning.

        Args:
            pose: the motion; None if it isn't known: then it is taken for a turn that the places say.
            points: columns and rows in the earlier map.
            later: those in the later one.
            values: the earlier map's at the points.
            size: height and width of both.
        """
        _, _, rays = self._rays(points, size)
        if pose is None:
            # A thing at the distance r from the lens, seen at p from the middle, has the inverse depth sqrt(f² + p²) / (f r).
            _, _, after = self._rays(later, size)
            grown = np.sqrt((1 + after[0] ** 2 + after[1] ** 2) / (1 + rays[0] ** 2 + rays[1] ** 2))
            return np.ones_like(grown), grown
        turned = np.maximum(_row(pose.rotation, 2, rays), np.float32(_LEAST_DEPTH))
        ahead = np.float32(self.walks * pose.ahead) * (values - np.float32(self.offset)) / turned
        return 1 / np.maximum(1 + ahead, np.float32(_LEAST_DEPTH)), 1 / turned

    def _rays(self, points: tuple[Array, Array], size: tuple[int, int]) -> tuple[np.float32, tuple[float, float], list[Array]]:
        """Focal length in pixels, the picture's middle, and the points from there in focal lengths."""
        focal = np.float32(math.exp(self.log_focal) * max(size))
        middle = (size[1] - 1) / 2, (size[0] - 1) / 2
        return focal, middle, [(each - np.float32(half)) / focal for each, half in zip(points, middle, strict=True)]


def _bounded_focal(log_focal: float) -> float:
    return min(max(log_focal, math.log(_LEAST_FOCAL)), math.log(_MOST_FOCAL))


def _row(rotation: Float64[Array, "3 3"], axis: int, rays: list[Array]) -> Array:
    across, down, depth = np.asarray(rotation[axis], np.float32)
    return np.asarray(across * rays[0] + down * rays[1] + depth)


class _Found(NamedTuple):
    """What two frames say.

    Attributes:
        pose: the motion.
        ahead: the step ahead for a lens that doesn't zoom.
        information: of them on focal length and offset.
        slope: of their errors over both.
    """

    pose: Pose
    ahead: float
    information: Float64[Array, "2 2"]
    slope: Float64[Array, " 2"]


class _Points:
    """What of two pictures is compared, and the equations of it."""

    def __init__(self, sight: Sight, columns: Array, rows: Array, above: Array, spread: float, log_focal: float) -> None:
        self._sight, self._spread = sight, spread
        self._height, self._width = sight.earlier.shape[:2]
        self._columns, self._rows = columns, rows
        self._above = above.astype(np.float64)
        self._focal = math.exp(log_focal) * max(self._height, self._width)
        self._rays = np.stack(
            [
                (columns - (self._width - 1) / 2) / self._focal,
                (rows - (self._height - 1) / 2) / self._focal,
                np.ones(len(rows)),
            ]
        )

    @classmethod
    def of(cls, sight: Sight, values: Float32[Array, "h w"], known: Odometry) -> _Points | None:
        """Where the earlier picture shows something and its map has no edge; None if that is hardly anywhere."""
        while max(sight.earlier.shape) > _LONGEST_PX:
            sight = sight.halved()
        height, width = sight.earlier.shape[:2]
        if values.shape != (height, width):
            values = cv2.resize(values, (width, height), interpolation=cv2.INTER_AREA)
        spread = _range_of(values)[1]
        if not spread > 0 or min(height, width) < 4 * _BORDER_PX:
            return None
        points = _grid(height, width)
        steep = _steepness(_smooth(sight.earlier))[points]
        uneven = cv2.dilate(_steepness(values), np.ones((3, 3), np.uint8))[points]
        chosen = (steep > max(_STEEP * float(np.median(steep)), _LEAST_STEEP)) & (uneven < _EDGE * spread)
        if chosen.sum() < _LEAST_POINTS:
            return None
        rows, columns = points[0][chosen], points[1][chosen]
        return cls(sight, columns, rows, values[rows, columns] - np.float32(known.offset), spread, known.log_focal)

    def solved(self) -> _Found | None:
        """What they say; None if they don't show the same thing."""
        numbers = self._by_flow()
        return None if numbers is None else self._by_light(numbers)

    def _by_flow(self) -> Array | None:
        flow = self._sight.forth[self._rows, self._columns].T
        numbers = np.zeros(9)
        numbers[7] = 1.0
        for _ in range(_BY_FLOW):
            places, moves = self._moved(numbers)
            left = places - np.stack([self._columns, self._rows]) - flow
            away = np.hypot(*left)
            weights = 1 / (1 + np.square(away / (_OUTLIER * max(float(np.median(away)), _LEAST_FLOW_SIGMA_PX))))
            sigma2 = max(float(np.median(away)), _LEAST_FLOW_SIGMA_PX) ** 2 * _ALIKE
            equations = moves[:7].reshape(7, -1)
            both = np.concatenate([weights, weights]) / sigma2
            normal = (equations * both) @ equations.T + np.diag(self._prior()[:7])
            slope = (equations * both) @ left.ravel() + self._prior()[:7] * numbers[:7]
            numbers[:7] -= np.linalg.solve(normal, slope)
        away = np.hypot(*(self._moved(numbers)[0] - np.stack([self._columns, self._rows]) - flow))
        return numbers if np.mean(away < _AGREE_PX) >= _MOST else None

    def _by_light(self, numbers: Array) -> _Found | None:
        earlier, later = _smooth(self._sight.earlier), _smooth(self._sight.later)
        seen = earlier[self._rows, self._columns]
        slopes = [
            0.5 * (_slopes(earlier)[axis][self._rows, self._columns] + _at(_slopes(later)[axis], self._moved(numbers)[0]))
            for axis in (0, 1)
        ]
        prior = self._prior()
        usual = np.array([0.0] * 7 + [1.0, 0.0])
        equations = normal = slope = None
        for _ in range(_BY_LIGHT):
            places, moves = self._moved(numbers)
            if equations is None:
                by_place = moves[:, 0] * slopes[0] + moves[:, 1] * slopes[1]
                equations = np.concatenate([by_place[:7], [-seen, -np.ones_like(seen)], by_place[7:]])
            left = _at(later, places) - numbers[7] * seen - numbers[8]
            inside = (places >= 1).all(0) & (places[0] <= self._width - 2) & (places[1] <= self._height - 2)
            if inside.sum() < _LEAST_POINTS:
                return None
            sigma = max(_NORMAL * float(np.median(np.abs(left[inside]))), _LEAST_SIGMA)
            weights = inside / (1 + np.square(left / (_OUTLIER * sigma))) / (sigma**2 * _ALIKE)
            weighted = equations * weights
            normal, slope = weighted @ equations.T, weighted @ left
            before = numbers
            numbers = before - np.linalg.solve(normal[:9, :9] + np.diag(prior), slope[:9] + prior * (before - usual))
        pose = Pose(np.asarray(cv2.Rodrigues(numbers[_ROTATION])[0]), numbers[_STEP].copy(), float(numbers[_ZOOM]))
        # The same for a lens that doesn't zoom: then all that the picture has grown says how far the camera went, and
        # with that, how far infinity is below the rest.
        prior = self._prior(_NO_ZOOM)
        own, own_slope = normal[:9, :9] + np.diag(prior), slope[:9] + prior * (before - usual)
        ahead = float((before - np.linalg.solve(own, own_slope))[5])
        # What is left for focal length and offset when the frame's own numbers have had what they can explain.
        share = np.linalg.solve(own, normal[:9, 9:]).T
        information = normal[9:, 9:] - share @ normal[:9, 9:]
        rest = slope[9:] - share @ own_slope
        return _Found(pose, ahead, information, rest)

    def _prior(self, zoom: float = _ANY_ZOOM) -> Array:
        step = (self._spread / _STEP_SPREAD) ** 2
        return np.array(
            [_TINY] * 3 + [step] * 3 + [zoom**-2, _GAIN_SPREAD**-2, _LIGHT_SPREAD**-2],
        )

    def _moved(self, numbers: Array) -> tuple[Array, Array]:
        """Places in the later picture, and how they move with rotation, step and zoom, focal length and offset."""
        turned = cv2.Rodrigues(numbers[_ROTATION])[0] @ self._rays
        there = turned + numbers[_STEP, None] * self._above
        depth = np.maximum(there[2], _LEAST_DEPTH)
        zoomed = self._focal * (1 + numbers[_ZOOM])
        across, down = there[0] / depth, there[1] / depth
        middle = np.array([[(self._width - 1) / 2], [(self._height - 1) / 2]])
        places = np.stack([across, down]) * zoomed + middle
        moves = np.zeros((9, 2, len(depth)))
        inverse = zoomed / depth

        def seen(row: int, x: Array | float, y: Array | float, z: Array | float) -> None:
            moves[row, 0] = (x - across * z) * inverse
            moves[row, 1] = (y - down * z) * inverse

        seen(0, 0.0, -turned[2], turned[1])
        seen(1, turned[2], 0.0, -turned[0])
        seen(2, -turned[1], turned[0], 0.0)
        seen(3, self._above, 0.0, 0.0)
        seen(4, 0.0, self._above, 0.0)
        seen(5, 0.0, 0.0, self._above)
        moves[_ZOOM, 0], moves[_ZOOM, 1] = across * self._focal, down * self._focal
        # A longer lens makes the rays narrower and the picture larger.
        seen(7, *(cv2.Rodrigues(numbers[_ROTATION])[0] @ (self._rays * [[-1.0], [-1.0], [0.0]])))
        moves[7, 0] += across * zoomed
        moves[7, 1] += down * zoomed
        seen(8, *(-numbers[_STEP]))
        return places, moves


def _prior(spread: float) -> Float64[Array, "2 2"]:
    return np.diag([_FOCAL_SPREAD**-2, (_OFFSET_SPREAD * max(spread, _TINY)) ** -2])


def _range_of(values: Array) -> tuple[float, float]:
    low, high = np.percentile(values[::4, ::4], (2, 95))
    return float(low), float(high - low)


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


@lru_cache(maxsize=4)
def _all(height: int, width: int) -> tuple[Array, Array]:
    columns, rows = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return columns, rows


@lru_cache(maxsize=4)
def _grid(height: int, width: int) -> tuple[Array, Array]:
    step = max(1, math.ceil(math.sqrt(height * width / _MOST_GRID)))
    rows, columns = np.meshgrid(
        np.arange(_BORDER_PX, height - _BORDER_PX, step), np.arange(_BORDER_PX, width - _BORDER_PX, step), indexing="ij"
    )
    return rows.ravel(), columns.ravel()
