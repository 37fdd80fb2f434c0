"""Stereo pairs into targets: disparity by matching, and the rules that drop frames which can't be trusted.

The rules are those of section 4 of the MiDaS paper, for frames of stereoscopic films. The matcher is not: semi-global
matching stands in for a network for optical flow. Films set where the screen lies as they please: what lies behind it
has a negative disparity, so that a target's scale is known, in pixels, but its shift isn't.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import cv2
import numpy as np

from midas.arrays import Array, Bool, Float32, UInt8, UInt16
from midas.datasets.sample import Sample
from midas.datasets.sky import find_sky
from midas.errors import ConfigError, DatasetError

STEPS_PER_PX = 16  # of the matcher, and therefore of the codes that are stored
MIN_SIDE_PX = 32

_LARGEST_CODE = 65535
_BLOCK_PX = 5
# A near thing may be too small to move the flow's percentiles.
_SEARCH_MARGIN_PX, _SEARCH_MARGIN_SHARE = 8.0, 0.25
# More than a third of the width is no film and no stereo camera, but flow that has lost its way.
_SEARCH_LIMIT_SHARE = 1 / 3
# Single wrong matches must not make a flat frame deep.
_RANGE_PERCENTILES = (1.0, 99.0)


class Rejection(str, Enum):
    """Why a frame is dropped."""

    vertical = "vertical disparity"
    flat = "small range of disparity"
    inconsistent = "left and right disagree"


@dataclass(frozen=True)
class StereoRules:
    """What a frame must satisfy; the defaults are the paper's.

    Attributes:
        max_vertical_share: largest share of pixels whose vertical disparity is above ``max_vertical_px``.
        max_vertical_px: pixels.
        min_range_px: smallest range of the valid disparities, pixels.
        min_consistent_share: smallest share of pixels on which left and right agree.
    """

    max_vertical_share: float = 0.10
    max_vertical_px: float = 2.0
    min_range_px: float = 10.0
    min_consistent_share: float = 0.70


PAPER_RULES = StereoRules()
MAX_DISAGREEMENT_PX = 2.0


@dataclass(frozen=True)
class StereoMatch:
    """What the matching of two views found.

    Attributes:
        disparity_px: stereo disparity of the left view, pixels: the column there minus the column in the right view,
            larger is nearer, negative behind the screen; 0 where invalid.
        mask: True where the right view agrees within ``MAX_DISAGREEMENT_PX``.
        vertical_px: how far each pixel moves up or down between the views, by optical flow, without sign; NaN where the
            flow back from the right view doesn't return to it.
    """

    disparity_px: Float32[Array, "H W"]
    mask: Bool[Array, "H W"]
    vertical_px: Float32[Array, "H W"]

    @property
    def consistent_share(self) -> float:
        """Share of pixels on which left and right agree."""
        return float(self.mask.mean())

    @property
    def range_px(self) -> float:
        """Range of the valid disparities without their outermost hundredths, pixels; 0 where there are none."""
        if not self.mask.any():
            return 0.0
        low, high = np.percentile(self.disparity_px[self.mask], _RANGE_PERCENTILES)
        return float(high - low)

    def vertical_share(self, limit_px: float) -> float:
        """Share of pixels that move up or down by more than so many pixels, of those whose movement is known.

        What one eye alone sees moves anyhow, and in a level pair of a deep scene that may be a fifth of the pixels.
        """
        known = self.vertical_px[np.isfinite(self.vertical_px)]
        return float((known > limit_px).mean()) if known.size else 0.0

    def rejection(self, rules: StereoRules = PAPER_RULES) -> Rejection | None:
        """The first rule that the frame breaks, or None."""
        if self.vertical_share(rules.max_vertical_px) > rules.max_vertical_share:
            return Rejection.vertical
        # Views that don't show the same thing have no range to speak of.
        if self.consistent_share < rules.min_consistent_share:
            return Rejection.inconsistent
        if self.range_px < rules.min_range_px:
            return Rejection.flat
        return None


@dataclass(frozen=True)
class StereoTarget:
    """A disparity as it is stored.

    Attributes:
        codes: 0 is invalid; others rise by 1 for each 1 / ``STEPS_PER_PX`` pixel, from 1 at the farthest pixel.
        shift_px: what to add to ``codes / STEPS_PER_PX`` for the stereo disparity between the views, pixels.
    """

    codes: UInt16[Array, "H W"]
    shift_px: float


def match_views(
    left: UInt8[Array, "H W 3"], right: UInt8[Array, "h w 3"], search_px: tuple[int, int] | None = None
) -> StereoMatch:
    """Match two rectified views.

    Args:
        left: RGB.
        right: RGB, of the same size.
        search_px: smallest and largest disparity to look for, pixels; None asks the optical flow.

    Raises:
        DatasetError: the views differ in size, or are smaller than ``MIN_SIDE_PX``.
        ConfigError: the range to search is empty.
    """
    if left.shape != right.shape:
        raise DatasetError(f"the left view is {left.shape[:2]}, the right one {right.shape[:2]} (rows, columns)")
    if min(left.shape[:2]) < MIN_SIDE_PX:
        raise DatasetError(f"views of {left.shape[:2]} (rows, columns) are too small: at least {MIN_SIDE_PX} px a side")
    flow = _flow(left, right)
    vertical_px = np.where(_returns(flow, _flow(right, left)), np.abs(flow[..., 1]), np.float32(np.nan))
    low, high = _search_range(flow) if search_px is None else search_px
    if low >= high:
        raise ConfigError(f"disparities from {low} to {high} px are none: the first must be the smaller")
    # Seen in a mirror, the right view is a left one.
    disparity = _match(left, right, (low, high))
    seen_from_right = _match(right[:, ::-1], left[:, ::-1], (low, high))[:, ::-1]
    mask = _agreement(disparity, seen_from_right)
    return StereoMatch(np.where(mask, disparity, np.float32(0)), mask, vertical_px)


def encode_target(left: UInt8[Array, "H W 3"], match: StereoMatch, *, sky: bool = True) -> StereoTarget:
    """The disparity of a match as 16-bit codes above its farthest pixel.

    Args:
        left: RGB, the picture that the target belongs to.
        match: of the two views.
        sky: find the sky and give it the least disparity of the frame, as the paper does.

    Raises:
        DatasetError: no pixel is valid, or the disparities span more than 16 bits hold.
    """
    if not match.mask.any():
        raise DatasetError("left and right agree nowhere: there is no disparity to store")
    far_px = float(match.disparity_px[match.mask].min())
    above_far = np.where(match.mask, match.disparity_px - np.float32(far_px), np.float32(0))
    steps = np.rint(above_far * STEPS_PER_PX) + 1
    if steps.max() > _LARGEST_CODE:
        raise DatasetError(f"disparities span {above_far.max():.0f} px: 16 bits hold {_LARGEST_CODE // STEPS_PER_PX}")
    codes = np.where(match.mask, steps, 0).astype(np.uint16)
    if sky:
        codes[find_sky(Sample(left, above_far, match.mask, name="frame", metric=False, sparse=False))] = 1
    return StereoTarget(codes, far_px - 1 / STEPS_PER_PX)


def _flow(left: Array, right: Array) -> Float32[Array, "H W 2"]:
    grey = [cv2.cvtColor(view, cv2.COLOR_RGB2GRAY) for view in (left, right)]
    estimator = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return np.asarray(estimator.calc(grey[0], grey[1], np.zeros((*grey[0].shape, 2), np.float32)), dtype=np.float32)


def _returns(flow: Float32[Array, "H W 2"], back: Float32[Array, "H W 2"]) -> Bool[Array, "H W"]:
    """True where the flow back returns to the pixel that the flow came from, within ``MAX_DISAGREEMENT_PX``."""
    rows, columns = np.indices(flow.shape[:2], dtype=np.float32)
    returned = cv2.remap(back, columns + flow[..., 0], rows + flow[..., 1], cv2.INTER_LINEAR, borderValue=(np.inf,) * 2)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.hypot(*np.moveaxis(flow + returned, -1, 0)) <= MAX_DISAGREEMENT_PX)


def _search_range(flow: Float32[Array, "H W 2"]) -> tuple[int, int]:
    low, high = (float(value) for value in np.percentile(-flow[..., 0], _RANGE_PERCENTILES))
    margin = _SEARCH_MARGIN_PX + _SEARCH_MARGIN_SHARE * (high - low)
    limit = int(flow.shape[1] * _SEARCH_LIMIT_SHARE)
    first, last = max(int(np.floor(low - margin)), -limit), min(int(np.ceil(high + margin)), limit)
    return (first, last) if first < last else (-limit, limit)


def _match(left: Array, right: Array, search_px: tuple[int, int]) -> Float32[Array, "H W"]:
    """Disparity of every pixel of the left view, below the search's first where there is none."""
    low, high = search_px
    count = -(-(high - low + 1) // 16) * 16  # the matcher wants a multiple of 16
    # Without it the matcher gives up on a border as wide as the search.
    border = max(abs(low), abs(low + count)) + 1
    views = [cv2.copyMakeBorder(view, 0, 0, border, border, cv2.BORDER_REPLICATE) for view in (left, right)]
    matcher = cv2.StereoSGBM.create(
        minDisparity=low,
        numDisparities=count,
        blockSize=_BLOCK_PX,
        P1=8 * 3 * _BLOCK_PX**2,
        P2=32 * 3 * _BLOCK_PX**2,
        disp12MaxDiff=-1,
        uniquenessRatio=5,
        speckleWindowSize=100,
        speckleRange=2,
    )
    steps = matcher.compute(views[0], views[1])[:, border : border + left.shape[1]]
    disparity = steps.astype(np.float32) / np.float32(STEPS_PER_PX)
    return np.where(disparity < low, np.float32(np.nan), disparity)


def _agreement(from_left: Float32[Array, "H W"], from_right: Float32[Array, "H W"]) -> Bool[Array, "H W"]:
    """True where a pixel's match in the right view leads back to it, within ``MAX_DISAGREEMENT_PX``."""
    rows, columns = np.indices(from_left.shape)
    known = np.isfinite(from_left)
    there = np.rint(columns - np.where(known, from_left, 0)).astype(np.int64)
    inside = known & (there >= 0) & (there < from_left.shape[1])
    back = from_right[rows, np.where(inside, there, 0)]
    with np.errstate(invalid="ignore"):
        return np.asarray(inside & (np.abs(from_left - back) <= MAX_DISAGREEMENT_PX))
