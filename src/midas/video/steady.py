"""Maps of a film, frame by frame, brought to one scale and shift and freed of flicker: causal, for any network.

Each frame's map is known up to a scale and a shift only, and the network's choice of them wobbles. Two maps are kept:
the aligned one, to which the next frame is fitted, and the fused one, which is the result. A fit to the fused map, or
by least squares, would multiply into a scale of nothing within a hundred frames: noise in what is fitted makes a slope
too small (regression dilution), every time. So the scale is the ratio of the two spreads, over pixels that are seen in
both frames and agree, which noise of equal strength in both leaves alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import cv2
import numpy as np

from midas.arrays import Array, Float, Float32, UInt8
from midas.errors import ConfigError
from midas.video.cuts import SuddenChanges, change, thumbnail
from midas.video.flow import FlowFinder, Motion, standing_still
from midas.video.fusion import fused

SteadyMode = Literal["flow", "fast", "off", "two-pass"]
STEADY_MODES: tuple[str, ...] = get_args(SteadyMode)

DEFAULT_FUSION = 0.9
DEFAULT_LEAK = 0.004

_WORK_PX = 384  # longer side of the pictures whose flow is taken
_GRID_PX = 6  # every sixth pixel of a row and of a column goes into a fit
_HUBER = 1.345 * 1.4826
_ITERATIONS = 4
_LEAST_WEIGHT = 0.05  # share of the points
_MOST_STEP = 2.5  # of the scale, from one frame to the next
_UNUSUAL, _SMALL_RESIDUAL, _GROWTH = 3.0, 0.1, 1.1
_FITS_BEFORE_LEAK = 24
_FAR_LOG_SCALE, _RETURN = 0.35, 0.2
_FLASH_FRAMES = 10
_BACK = 0.45
_SAME_GEOMETRY = 0.95
_EDGE = 0.08  # of the spread, per pixel: values on an edge change with the smallest motion
_LEAST_POINTS = 8
_BELIEVED = 0.1
_FLAT = 1e-3
_TINY = 1e-12
_EXACT = 1e-6


class _Shot(NamedTuple):
    """What is kept of a shot from one frame to the next."""

    small: Array
    aligned: Array
    fused: Array
    gauge: Gauge
    usual_residual: float = 0.0
    fits: int = 0
    mean_log_scale: float = 0.0
    mean_shift: float = 0.0


@dataclass(frozen=True)
class Gauge:
    """What makes a network's map part of a film: ``scale * map + shift``.

    Attributes:
        scale: factor.
        shift: added then, in the map's unit.
    """

    scale: float = 1.0
    shift: float = 0.0

    def of(self, values: Float32[Array, "h w"]) -> Float32[Array, "h w"]:
        """The map in the film's scale and shift."""
        return np.float32(self.scale) * values + np.float32(self.shift)


class Steady:
    """Makes the maps of a film steady, in any program: feed it frame by frame.

    Args:
        mode: ``"flow"`` follows what moves by optical flow; ``"fast"`` looks only at what stands still, which does for
            a tripod; ``"off"`` returns the maps as they are; ``"two-pass"`` takes scales and shifts that are
            known.
        fusion: how much of the result comes from the frames before, where they show the same thing: from 0 to 1. More
            is calmer and slower to follow.
        leak: how fast the film's scale returns to the network's own mean of the shot, as a share per frame: without,
            errors add up.
        news: from how many times the map's spread on a difference to the frames before is taken for news rather than
            for flicker; less where frames are skipped, as by a camera, since flow is wrong more often then.

    Attributes:
        gauge: scale and shift of the last frame.
        is_cut: whether it began a new shot.
        held: how many frames could not be fitted and kept the scale and shift of the one before.

    Raises:
        ConfigError: an unknown mode, or a number out of range.
    """

    def __init__(
        self,
        mode: SteadyMode = "flow",
        *,
        fusion: float = DEFAULT_FUSION,
        leak: float = DEFAULT_LEAK,
        news: float = math.inf,
    ) -> None:
        if mode not in STEADY_MODES:
            raise ConfigError(f"steady is {mode!r}; expected one of {', '.join(STEADY_MODES)}")
        for name, value in (("fusion", fusion), ("leak", leak)):
            if not 0 <= value <= 1:
                raise ConfigError(f"{name} is {value}; expected a number from 0 to 1")
        if not news > 0:
            raise ConfigError(f"news is {news}; expected a positive number")
        self._mode, self._fusion, self._leak, self._news = mode, fusion, leak, news
        self.gauge = Gauge()
        self.is_cut = False
        self.held = 0
        self._flow = FlowFinder()
        self._changes = SuddenChanges()
        self._shot: _Shot | None = None
        self._left: tuple[_Shot, Array] | None = None
        self._frames_since = 0

    def update(
        self,
        picture: UInt8[Array, "H W 3"],
        values: Float32[Array, "h w"],
        *,
        cut: bool | None = None,
        gauge: Gauge | None = None,
    ) -> Float32[Array, "h w"]:
        """Take the next frame.

        Args:
            picture: RGB, of any size; when its shape changes, a new shot begins.
            values: its map, at the picture's size or, sooner done, at the network's.
            cut: whether a new shot begins here; None to judge that from the picture and the map.
            gauge: scale and shift where they are known, as in a second pass; None to find them.

        Returns:
            The map, steady.
        """
        if self._mode == "off":
            self.is_cut = bool(cut)
            return values
        small = small_picture(picture, values.shape)
        if cut is None:
            cut = self._looks_cut(small, values)
        shot = self._shot
        self.is_cut = cut or shot is None or shot.small.shape != small.shape or shot.aligned.shape != values.shape
        if shot is None or self.is_cut:
            self.gauge = gauge or Gauge()
            first = self.gauge.of(values)
            self._shot = _Shot(small, first, first, self.gauge)
            return first
        motion = self._motion(shot.small, small, values.shape)
        if gauge is None:
            shot = self._with_next_gauge(shot, values, motion.warped(shot.aligned), motion.trust)
        self.gauge = gauge or shot.gauge
        aligned = self.gauge.of(values)
        result = fused(aligned, motion.warped(shot.fused), motion.trust, self._fusion, self._news)
        self._shot = shot._replace(small=small, aligned=aligned, fused=result)
        return result

    def _looks_cut(self, small: Array, values: Array) -> bool:
        """Whether a new shot begins, by what is known by now; when a flash ends that seemed to, the old one goes on."""
        before, thumb = self._changes.last, thumbnail(small)
        changed = self._changes.by(thumb)
        self._frames_since += 1
        shot = self._shot
        if not changed or shot is None or before is None:
            return False
        if self._left is not None and self._frames_since <= _FLASH_FRAMES:
            left, left_thumb = self._left
            if change(left_thumb, thumb) < _BACK * changed:
                self._shot, self._left = left, None
                return False
        if shot.aligned.shape == values.shape and _correlation(shot.aligned, values) > _SAME_GEOMETRY:
            return False  # a change of light
        self._left, self._frames_since = (shot, before), 0
        return True

    def _motion(self, before: Array, small: Array, size: tuple[int, ...]) -> Motion:
        motion = (self._flow.motion if self._mode != "fast" else standing_still)(before, small)
        return motion.at_size((size[0], size[1]))

    def _with_next_gauge(self, shot: _Shot, values: Array, expected: Array, trust: Array) -> _Shot:
        """Scale and shift of a frame, from where the frame before is seen again; held where that says too little."""
        points = fit_points(values, expected, trust)
        found = fit(*points)
        usual = shot.usual_residual
        unlike = found is None or not 1 / _MOST_STEP < found.gauge.scale / shot.gauge.scale < _MOST_STEP
        if found is None or unlike or (usual and found.residual > max(_UNUSUAL * usual, _SMALL_RESIDUAL)):
            self.held += 1
            return shot._replace(usual_residual=_GROWTH * usual)  # a new state of things is taken up in the end
        # The network's own scale and shift are right in the long run, where errors of the fits add up.
        fits, log_scale, shift = shot.fits + 1, math.log(found.gauge.scale), found.gauge.shift
        mean_log_scale = shot.mean_log_scale + (log_scale - shot.mean_log_scale) / fits
        mean_shift = shot.mean_shift + (shift - shot.mean_shift) / fits
        leak = self._leak if fits > _FITS_BEFORE_LEAK else 0.0
        kept = log_scale + leak * (mean_log_scale - log_scale)
        # Far from what the network says now, the shot has become another scene: near things have come, or gone.
        far = max(0.0, abs(kept) - _FAR_LOG_SCALE)
        kept -= math.copysign(_RETURN * far, kept)
        shift += leak * (mean_shift - shift)
        if far:
            shift += (found.gauge.scale - math.exp(kept)) * float(points[0].mean())
        return shot._replace(
            gauge=Gauge(math.exp(kept), shift),
            usual_residual=0.9 * (usual or found.residual) + 0.1 * found.residual,
            fits=fits,
            mean_log_scale=mean_log_scale,
            mean_shift=mean_shift,
        )


class Fit(NamedTuple):
    """How one map becomes the other.

    Attributes:
        gauge: by the ratio of the spreads.
        residual: median distance of the points from it, relative to the spread.
        weight: sum of the weights of the points.
    """

    gauge: Gauge
    residual: float
    weight: float


def fit_points(values: Array, expected: Array, trust: Array) -> tuple[Array, Array, Array]:
    """What of two maps goes into a fit: every sixth pixel of each axis, without the edges."""
    points = (slice(_GRID_PX // 2, None, _GRID_PX),) * 2
    return values[points], expected[points], trust[points] * ~_on_edge(expected)[points]


def fit(values: Float32[Array, "h w"], expected: Float32[Array, "h w"], trust: Float[Array, "h w"]) -> Fit | None:
    """The gauge that makes ``values`` like ``expected``; None where they hold too little to tell.

    Huber's weights about the line through the means whose slope is the ratio of the spreads (reduced major axis).
    """
    x, y, trusted = (each.ravel().astype(np.float64) for each in (values, expected, trust))
    believed = trusted > _BELIEVED
    if trusted.sum() < max(_LEAST_WEIGHT * trusted.size, _LEAST_POINTS) or not believed.any():
        return None
    weights, bound = trusted, 0.0
    for _ in range(_ITERATIONS):
        mean_x, mean_y, spread_x, spread_y = _moments(x, y, weights)
        if spread_x <= _FLAT * np.ptp(x) or spread_y <= _FLAT * np.ptp(y):
            return None
        scale = spread_y / spread_x
        distance = np.abs(y - mean_y - scale * (x - mean_x))
        # Frames that repeat the one before fit exactly; a bound of nothing would leave no weight.
        bound = max(_HUBER * float(np.median(distance[believed])), _EXACT * spread_y)
        weights = trusted * np.minimum(1, bound / np.maximum(distance, bound))
    return Fit(Gauge(scale, mean_y - scale * mean_x), bound / _HUBER / spread_y, float(weights.sum()))


def _moments(x: Array, y: Array, weights: Array) -> tuple[float, float, float, float]:
    share = weights / weights.sum()
    mean_x, mean_y = float(share @ x), float(share @ y)
    return mean_x, mean_y, float(share @ (x - mean_x) ** 2) ** 0.5, float(share @ (y - mean_y) ** 2) ** 0.5


def _correlation(one: Array, other: Array) -> float:
    points = (slice(None, None, _GRID_PX),) * 2
    x, y = one[points].ravel(), other[points].ravel()
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return 0.0
    return float(np.corrcoef(x, y)[0, 1])


def _on_edge(values: Array) -> Array:
    """Where a map is steep: there values change with the smallest error of the flow."""
    across = cv2.Sobel(values, cv2.CV_32F, 1, 0, scale=1 / 8)
    down = cv2.Sobel(values, cv2.CV_32F, 0, 1, scale=1 / 8)
    found: Array = np.hypot(across, down) > _EDGE * max(float(values.std()), _TINY)
    return found


def small_picture(picture: Array, size: tuple[int, ...]) -> Array:
    """The picture at the map's size, or at no more than what the flow needs."""
    height, width = size
    shrink = min(1.0, _WORK_PX / max(size))
    target = max(1, round(width * shrink)), max(1, round(height * shrink))
    return np.asarray(cv2.resize(picture, target, interpolation=cv2.INTER_AREA), np.uint8)
