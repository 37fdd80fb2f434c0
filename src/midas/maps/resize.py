"""Network output → picture size."""

from __future__ import annotations

from operator import index
from typing import Literal, get_args

import cv2
import numpy as np

from midas.arrays import Array, Float32, UInt8
from midas.errors import ConfigError
from midas.maps.guided import enlarge_guided, gains
from midas.pictures.resampling import resample_aligned

Interpolation = Literal["cubic", "linear", "nearest", "aligned_linear", "guided"]

_CV2_FLAGS: dict[str, int] = {
    "cubic": cv2.INTER_CUBIC,
    "linear": cv2.INTER_LINEAR,
    # INTER_NEAREST takes the pixel at floor(x * ratio), half a pixel away from the other two.
    "nearest": cv2.INTER_NEAREST_EXACT,
}
_ALIGNED = "aligned_linear"
GUIDED = "guided"
"""The rule that needs the picture."""


def resize_map(
    values: Float32[Array, "h w"],
    size: tuple[int, int],
    interpolation: Interpolation = "cubic",
    guide: UInt8[Array, "_ _ 3"] | None = None,
) -> Float32[Array, "H W"]:
    """Resize a map of values without antialiasing; cubic and with half-pixel centres, as the official MiDaS code does.

    Cubic (a = -0.75) equals ``torch.nn.functional.interpolate(mode="bicubic", align_corners=False)``. It may run a
    little past the values on either side of an edge, below zero too; the others don't. ``"aligned_linear"`` puts the
    corners of the result on those of the map, as with ``align_corners=True``; all others line up their outer borders.
    ``"guided"`` puts edges where the picture has them (``midas.maps.guided``), and is cubic where the map doesn't grow.

    Args:
        values: one value per pixel, any unit.
        size: (height, width) wanted, both at least 1.
        interpolation: how values in between are made.
        guide: the picture, or a smaller copy of it, for ``"guided"``; else not looked at.

    Raises:
        ConfigError: for a size that isn't two whole numbers from 1 on, an unknown interpolation, or ``"guided"``
            without a picture.
    """
    try:
        height, width = (index(side) for side in size)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"size {size!r}: expected (height, width), two whole numbers of pixels") from error
    if height < 1 or width < 1:
        raise ConfigError(f"size {size}: expected height and width of at least 1 pixel")
    if interpolation == _ALIGNED:
        return resample_aligned(values, (height, width))
    if interpolation == GUIDED:
        if not gains((values.shape[0], values.shape[1]), (height, width)):
            interpolation = "cubic"
        elif guide is None:
            raise ConfigError("a guided enlargement needs the picture: give it, or take another interpolation")
        else:
            return enlarge_guided(values, guide, (height, width))
    if not isinstance(interpolation, str) or interpolation not in _CV2_FLAGS:
        expected = ", ".join(get_args(Interpolation))
        raise ConfigError(f"unknown interpolation {interpolation!r}: expected one of {expected}")
    resized = cv2.resize(np.ascontiguousarray(values), (width, height), interpolation=_CV2_FLAGS[interpolation])
    return np.asarray(resized, np.float32)


def unguided(interpolation: Interpolation) -> Interpolation:
    """What takes the rule's place where there is no picture, as in a film of values: cubic for ``"guided"``."""
    return "cubic" if interpolation == GUIDED else interpolation
