"""Network output → picture size."""

from __future__ import annotations

from operator import index
from typing import Literal, get_args

import cv2
import numpy as np

from midas.arrays import Array, Float32
from midas.errors import ConfigError
from midas.pictures.resampling import resample_aligned

Interpolation = Literal["cubic", "linear", "nearest", "aligned_linear"]

_CV2_FLAGS: dict[str, int] = {
    "cubic": cv2.INTER_CUBIC,
    "linear": cv2.INTER_LINEAR,
    # INTER_NEAREST takes the pixel at floor(x * ratio), half a pixel away from the other two.
    "nearest": cv2.INTER_NEAREST_EXACT,
}
_ALIGNED = "aligned_linear"


def resize_map(
    values: Float32[Array, "h w"], size: tuple[int, int], interpolation: Interpolation = "cubic"
) -> Float32[Array, "H W"]:
    """Resize a map of values without antialiasing; cubic and with half-pixel centres, as the official MiDaS code does.

    Cubic (a = -0.75) equals ``torch.nn.functional.interpolate(mode="bicubic", align_corners=False)``. It may run a
    little past the values on either side of an edge, below zero too; the others don't. ``"aligned_linear"`` puts the
    corners of the result on those of the map, as with ``align_corners=True``; all others line up their outer borders.

    Args:
        values: one value per pixel, any unit.
        size: (height, width) wanted, both at least 1.
        interpolation: how values in between are made.

    Raises:
        ConfigError: for a size that isn't two whole numbers from 1 on, or an unknown interpolation.
    """
    try:
        height, width = (index(side) for side in size)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"size {size!r}: expected (height, width), two whole numbers of pixels") from error
    if height < 1 or width < 1:
        raise ConfigError(f"size {size}: expected height and width of at least 1 pixel")
    if interpolation == _ALIGNED:
        return resample_aligned(values, (height, width))
    if not isinstance(interpolation, str) or interpolation not in _CV2_FLAGS:
        expected = ", ".join(get_args(Interpolation))
        raise ConfigError(f"unknown interpolation {interpolation!r}: expected one of {expected}")
    resized = cv2.resize(np.ascontiguousarray(values), (width, height), interpolation=_CV2_FLAGS[interpolation])
    return np.asarray(resized, np.float32)
