"""A picture that moves: the camera on a small ellipse, as a loop."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from midas.arrays import Array, Float32, UInt8
from midas.effects.stereo import MOST_DIVERGENCE, check_pair
from midas.effects.views import shifted_view
from midas.errors import ConfigError

FRAMES = 24
AMPLITUDE = 2.0
# The ellipse is flatter than wide: heads move so.
_HEIGHT_SHARE = 0.4


def parallax_frames(
    image: UInt8[Array, "H W 3"],
    nearness: Float32[Array, "h w"],
    *,
    frames: int = FRAMES,
    amplitude: float = AMPLITUDE,
    still: float = 0.5,
) -> Iterator[UInt8[Array, "H W 3"]]:
    """The frames of a loop.

    Args:
        image: RGB.
        nearness: 1 for the nearest to 0 for the farthest.
        frames: how many.
        amplitude: how far the nearest and the farthest things move against each other, in percent of the width.
        still: the nearness that stays where it is.

    Raises:
        ConfigError: sizes differ, or a value is out of range.
    """
    check_pair(image, nearness)
    if frames < 2:
        raise ConfigError(f"{frames} frames: expected at least 2")
    if not 0 <= amplitude <= MOST_DIVERGENCE:
        raise ConfigError(f"an amplitude of {amplitude} %: expected 0 to {MOST_DIVERGENCE:g}")
    reach_px = amplitude / 100 * image.shape[1] / 2
    for number in range(frames):
        angle = 2 * math.pi * number / frames
        across, down = reach_px * math.cos(angle), reach_px * _HEIGHT_SHARE * math.sin(angle)
        yield _moved(image, nearness, (across, down), still)


def _moved(
    image: UInt8[Array, "H W 3"], nearness: Float32[Array, "H W"], by_px: tuple[float, float], still: float
) -> UInt8[Array, "H W 3"]:
    """First along the rows, then, with the map moved in the same way, along the columns."""
    across, down = by_px
    view = shifted_view(image, nearness, across * (1 - still), -across * still)
    codes = np.repeat(np.rint(np.clip(nearness, 0, 1) * 255).astype(np.uint8)[..., None], 3, axis=2)
    moved = shifted_view(codes, nearness, across * (1 - still), -across * still)[..., 0].astype(np.float32) / 255
    turned = shifted_view(
        np.ascontiguousarray(view.swapaxes(0, 1)), np.ascontiguousarray(moved.T), down * (1 - still), -down * still
    )
    return np.ascontiguousarray(turned.swapaxes(0, 1))
