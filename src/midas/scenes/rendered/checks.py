"""Which pictures failed: a camera inside something, nothing but sky, one colour, no spread of depth."""

from __future__ import annotations

import numpy as np

from midas.arrays import Array, Float32, UInt8
from midas.scenes.rendered.depth_files import sky_mask

MAX_SKY_SHARE = 0.75
MIN_GREY, MAX_GREY = 14.0, 236.0
MIN_GREY_DEVIATION = 10.0
BURNT_GREY, MAX_BURNT_SHARE = 252.0, 0.4
INSIDE_DEPTH_M, MAX_INSIDE_SHARE = 0.12, 0.08
MIN_DEPTH_RATIO = 1.3


def failure(photo: UInt8[Array, "H W 3"], depth_m: Float32[Array, "H W"]) -> str | None:
    """Why a picture is of no use, or None for one that is."""
    sky = sky_mask(depth_m)
    return _depth_failure(depth_m[~sky], float(sky.mean())) or _photo_failure(photo)


def _depth_failure(depths_m: Float32[Array, " n"], sky_share: float) -> str | None:
    if sky_share > MAX_SKY_SHARE:
        return "hardly anything but sky"
    if not (depths_m > 0).all() or (depths_m < INSIDE_DEPTH_M).mean() > MAX_INSIDE_SHARE:
        return "the camera is inside something"
    near, far = np.percentile(depths_m, (5, 95))
    # A horizon gives a picture its spread, however flat the rest is.
    if sky_share < 0.03 and far < MIN_DEPTH_RATIO * near:
        return "no spread of depth"
    return None


def _photo_failure(photo: UInt8[Array, "H W 3"]) -> str | None:
    grey = photo.mean(axis=-1)
    if not MIN_GREY < grey.mean() < MAX_GREY:
        return "black or white"
    if grey.std() < MIN_GREY_DEVIATION:
        return "one colour"
    if (grey > BURNT_GREY).mean() > MAX_BURNT_SHARE:
        return "burnt out"
    return None
