"""Maps of a film, frame by frame, brought to one scale and shift and freed of flicker: causal, for any network.

Each frame's map is known up to a scale and a shift only, and the network's choice of them wobbles. Two maps are kept:
the aligned one, to which the next frame is fitted, and the fused one, which is the result. A fit to the fused map, or
by least squares, would multiply into a scale of nothing within a hundred frames: noise in what is fitted makes a slope
too small (regression dilution), every time. So the scale is the ratio of the two spreads, over pixels that are seen in
both frames and agree, which noise of equal strength in both leaves alone. What the camera's own motion brings nearer
belongs to no scale (``odometry``).
"""

from __future__ import annotations

import math
from typing import Literal, get_args

import cv2
import numpy as np

from midas.arrays import Array, Float32, UInt8
from midas.errors import ConfigError
from midas.maps.kinds import RELATIVE_DISPARITY, Kind
from midas.video.cuts import SuddenChanges, change, thumbnail
from midas.video.flow import FlowFinder, Motion, standing_still
from midas.video.fusion import fused
from midas.video.gauges import Fit, FitPoints, Gauge, is_flat
from midas.video.odometry import Odometry
from midas.video.shots import Key, Shot

SteadyMode = Literal["flow", "fast", "off", "two-pass"]
STEADY_MODES: tuple[str, ...] = get_args(SteadyMode)

DEFAULT_FUSION = 0.935
DEFAULT_LEAK = 0.008
DEFAULT_NEWS = 3.0

_WORK_PX = 384  # longer side of the pictures whose flow is taken
_COARSE_PX = 6
_MOST_STEP = 2.5  # of the scale, from one frame to the next
_UNUSUAL, _SMALL_RESIDUAL, _GROWTH = 3.0, 0.1, 1.1
_FITS_BEFORE_LEAK = 24
_RETURN_HELD, _DOUBTFUL = 0.15, 0.07
_FAR_STEP, _FAR_LEAK = 0.04, 0.3  # of the picture's width, from frame to frame; share per frame
_FAR_POWER, _NO_STEP = 4, 1e-6
_KEY_EVERY, _FITS_BEFORE_KEY = 5, 20
_KEY_SHARE, _KEY_SEEN, _MOST_KEY_STEP = 0.3, 0.3, 1.25
_FLASH_FRAMES = 10
_BACK = 0.45
_SAME_GEOMETRY = 0.95


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
        kind: what the maps' values are. What a walking camera brings nearer is known in inverse kinds alone.

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
        news: float = DEFAULT_NEWS,
        kind: Kind = RELATIVE_DISPARITY,
    ) -> None:
        if mode not in STEADY_MODES:
            raise ConfigError(f"steady is {mode!r}; expected one of {', '.join(STEADY_MODES)}")
        for name, value in (("fusion", fusion), ("leak", leak)):
            if not 0 <= value <= 1:
                raise ConfigError(f"{name} is {value}; expected a number from 0 to 1")
        if not news > 0:
            raise ConfigError(f"news is {news}; expected a positive number")
        self._mode, self._fusion, self._leak, self._news, self._kind = mode, fusion, leak, news, kind
        self.gauge = Gauge()
        self.is_cut = False
        self.held = 0
        self._flow = FlowFinder()
        self._changes = SuddenChanges()
        self._shot: Shot | None = None
        self._left: tuple[Shot, Array] | None = None
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
            self._shot = Shot(small, first, first, self.gauge, Key(small, first), Odometry.beginning(first, self._kind))
            return first
        motion = self._motion(shot.small, small, values.shape)
        shot = shot.moving(motion)
        points = FitPoints.of(values, shot.aligned, motion, shot.odometry, shot.odometry.pose)
        found = points.fit(shot.turning.share)
        if gauge is None:
            shot = self._with_next_gauge(shot, points, found, motion.step)
        elif found is not None:  # scale and shift are known, how the camera moves is not
            shot = shot.learning(points, found)
        self.gauge = gauge or shot.gauge
        aligned = self.gauge.of(values)
        fusion = (1 - shot.doubt**2) * self._fusion
        earlier = shot.odometry.carried(
            motion.warped(shot.fused), (motion.columns_px, motion.rows_px), shot.turning.share
        )
        result = fused(aligned, earlier, motion.trust, fusion, self._news)
        shot = shot._replace(small=small, aligned=aligned, fused=result)
        if gauge is None:
            shot = self._corrected_by_key(shot).in_range(values)
            self.gauge = shot.gauge
        self._shot = shot
        return shot.fused

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

    def _with_next_gauge(self, shot: Shot, points: FitPoints, found: Fit | None, step: float) -> Shot:
        """Scale and shift of a frame, from where the frame before is seen again; held where that says too little."""
        far = 1 / (1 + (_FAR_STEP / max(step, _NO_STEP)) ** _FAR_POWER)
        usual = shot.usual_residual
        unlike = found is None or not 1 / _MOST_STEP < found.gauge.scale / shot.gauge.scale < _MOST_STEP
        if found is None or unlike or (usual and found.residual > max(_UNUSUAL * usual, _SMALL_RESIDUAL)):
            self.held += 1
            # A new state of things is taken up in the end; until then nothing is known but the network's own.
            share = 0.0 if is_flat(points.values) else _RETURN_HELD
            return shot.nearer_to_own(share)._replace(usual_residual=_GROWTH * usual, doubt=far, held=True)
        doubt = far * _doubt(found, points.trust.size)
        shot = shot.learning(points, found).counting(found.gauge, 1 - doubt)
        leak = self._leak if shot.fits > _FITS_BEFORE_LEAK else 0.0
        usual = 0.9 * (usual or found.residual) + 0.1 * found.residual
        shot = shot._replace(usual_residual=usual, doubt=doubt, held=False)
        return shot.nearer_to_own(max(leak, doubt, _FAR_LEAK * far))

    def _corrected_by_key(self, shot: Shot) -> Shot:
        """Every few frames a part of the way to what the key frame says; a new key where it is out of sight.

        Result is compared with result: both are means over many frames, so that their noise is small, and as it is
        equal it leaves the ratio of the spreads alone.
        """
        key = shot.key._replace(age=shot.key.age + 1)
        if key.age % _KEY_EVERY or shot.held:  # a flash is no key
            return shot._replace(key=key)
        if shot.fits < _FITS_BEFORE_KEY:  # one frame's noise is no measure for the whole shot
            return shot._replace(key=Key(shot.small, shot.fused))
        motion = self._motion(key.small, shot.small, shot.fused.shape)
        pose = shot.odometry.between(motion.sight, key.fused)
        points = FitPoints.of(shot.fused, key.fused, motion, shot.odometry, pose)
        found = points.fit(shot.turning.share) if shot.odometry.tells(pose) else None
        seen = found is not None and found.weight >= _KEY_SEEN * points.trust.size
        if found is None or not seen or not 1 / _MOST_KEY_STEP < found.gauge.scale < _MOST_KEY_STEP:
            return shot._replace(key=Key(shot.small, shot.fused))
        shot = shot.learning(points, found)
        level = float(np.average(points.values, weights=points.trust))
        return shot.changed(found.gauge.share(_KEY_SHARE, level))._replace(key=key)


def _doubt(found: Fit, points: int) -> float:
    """How little a fit says of what two frames don't have in common, from 0 to 1.

    Where much is new and what is old doesn't fit well, as between frames that lie far apart, fits are as wrong as the
    network's own scale, and their errors add up.
    """
    new = max(0.0, 1 - found.weight / points)
    return 1 - math.exp(-((found.residual * math.sqrt(new) / _DOUBTFUL) ** 6))


def _correlation(one: Array, other: Array) -> float:
    points = (slice(None, None, _COARSE_PX),) * 2
    x, y = one[points].ravel(), other[points].ravel()
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return 0.0
    return float(np.corrcoef(x, y)[0, 1])


def small_picture(picture: Array, size: tuple[int, ...]) -> Array:
    """The picture at the map's size, or at no more than what the flow needs."""
    height, width = size
    shrink = min(1.0, _WORK_PX / max(size))
    target = max(1, round(width * shrink)), max(1, round(height * shrink))
    # Halving takes a tenth of the time of a mean over areas of any size, and what is left to do is less than that.
    while picture.shape[0] >= 2 * target[1] and picture.shape[1] >= 2 * target[0]:
        half = picture.shape[1] // 2, picture.shape[0] // 2
        picture = cv2.resize(picture[: 2 * half[1], : 2 * half[0]], half, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(picture, target, interpolation=cv2.INTER_LINEAR), np.uint8)
