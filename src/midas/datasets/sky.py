"""Sky: where outdoor targets are silent, and what the authors put there.

Stereo and structure from motion measure nothing in the sky, so outdoor sets leave it invalid or fill it with noise, and
a network trained on them alone draws it at any depth. The MiDaS authors count it as valid with disparity 0. Without
labels the sky is found by what it is in nearly every photograph: bright, smooth, not warmer than grey, joined to the
upper border, and not measured near.

Where a target's shift is unknown its disparity 0 is some distance or other, not infinitely far, and no sky may be put
there: asking for it is an error.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from midas.arrays import Array, Bool
from midas.datasets.sample import Sample
from midas.errors import ConfigError

MIN_SHARE = 0.02
MAX_GRADIENT = 8.0


@dataclass(frozen=True)
class SkyLook:
    """One look that sky has, and how far measured points may contradict it.

    Stereo often claims to see something in real sky: noise, and a fringe of leaves and wires. A white wall looks like
    overcast sky but its measured points are many and near; nothing but sky is large, smooth and saturated blue.

    Attributes:
        min_grey: smallest brightness, 0–255.
        min_blueness: smallest blue minus red.
        max_near_share: largest share of pixels measured nearer than the far quarter of the picture.
    """

    min_grey: int
    min_blueness: int
    max_near_share: float


SKY_LOOKS = (
    SkyLook(min_grey=90, min_blueness=60, max_near_share=1.0),
    SkyLook(min_grey=235, min_blueness=-12, max_near_share=0.35),
    SkyLook(min_grey=170, min_blueness=-12, max_near_share=0.06),
)
FAR_QUANTILE = 0.25


def find_sky(sample: Sample) -> Bool[Array, "H W"]:
    """Pixels that are almost surely sky; misses some rather than claim a wall."""
    grey = cv2.GaussianBlur(cv2.cvtColor(sample.image, cv2.COLOR_RGB2GRAY), (5, 5), 0)
    blueness = sample.image[..., 2].astype(np.int16) - sample.image[..., 0]
    slope = cv2.magnitude(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)) / 4
    far = np.quantile(sample.disparity[sample.mask], FAR_QUANTILE) if sample.mask.any() else 0.0
    near = sample.mask & (sample.disparity > far)
    sky = np.zeros_like(sample.mask)
    for look in SKY_LOOKS:
        candidate = (grey >= look.min_grey) & (blueness >= look.min_blueness) & (slope < MAX_GRADIENT)
        for region in _regions_at_top(candidate):
            if region.mean() >= MIN_SHARE and near[region].mean() <= look.max_near_share:
                sky |= region
    return sky


def _regions_at_top(candidate: Bool[Array, "H W"]) -> list[Bool[Array, "H W"]]:
    _, labels = cv2.connectedComponents(candidate.astype(np.uint8), connectivity=4)
    return [labels == label for label in np.unique(labels[0]) if label != 0]


def with_sky(sample: Sample) -> Sample:
    """The same sample with its sky valid at disparity 0.

    Raises:
        ConfigError: the target's shift is unknown, so that 0 is not infinitely far.
    """
    if not sample.shift_known:
        raise ConfigError(
            f"{sample.name} has disparities of unknown shift, whose 0 is not infinitely far, so that its sky has no "
            "value: leave out the setting `sky` of its set"
        )
    sky = find_sky(sample)
    return replace(sample, disparity=np.where(sky, np.float32(0.0), sample.disparity), mask=sample.mask | sky)
