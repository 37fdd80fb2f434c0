"""A shallow focus: what a wide lens makes of a scene."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np

from midas.arrays import Array, Float32, UInt8
from midas.effects.stereo import check_pair
from midas.errors import ConfigError
from midas.pictures.light import to_light, to_screen

APERTURE = 2.0
MOST_APERTURE = 10.0
_LAYERS = 16
# A blur of this radius is as good at half the size.
_LARGEST_DISC_PX = 8.0
# Light above this was cut off by the camera, and was brighter by up to this factor.
_CLIPPED, _HIGHLIGHT = 0.85, 3.0


def bokeh(
    image: UInt8[Array, "H W 3"],
    nearness: Float32[Array, "h w"],
    *,
    focus: float = 1.0,
    aperture: float = APERTURE,
) -> UInt8[Array, "H W 3"]:
    """Blur what is off the plane in focus, in linear light.

    The circle of confusion of a thin lens is proportional to the difference of inverse depths, and so to that of
    nearness. Layers are blurred each by its disc and laid over one another from far to near, so that a blurred
    foreground covers what is behind it, and what is sharp doesn't run into a blurred background.

    Args:
        image: RGB.
        nearness: 1 for the nearest to 0 for the farthest.
        focus: the nearness that stays sharp.
        aperture: radius of the disc at a difference of 1, in percent of the longer side.

    Raises:
        ConfigError: sizes differ, or a value is out of range.
    """
    check_pair(image, nearness)
    if not 0 <= aperture <= MOST_APERTURE:
        raise ConfigError(f"an aperture of {aperture} %: expected 0 to {MOST_APERTURE:g}")
    if not 0 <= focus <= 1:
        raise ConfigError(f"a focus at nearness {focus}: expected 0 (the farthest) to 1 (the nearest)")
    largest_px = aperture / 100 * max(image.shape[:2])
    light = _highlights_back(to_light(image))
    color, weight = np.zeros_like(light), np.zeros(nearness.shape, np.float32)
    for low, high in _slices(focus):
        share = _share(nearness, low, high)
        if not share.any():
            continue
        radius_px = largest_px * _off_focus((low + high) / 2, focus, (high - low) / 2)
        blurred, alpha = _disc_blur(light * share[..., None], share, radius_px)
        color *= 1 - alpha[..., None]
        color += blurred
        weight *= 1 - alpha
        weight += alpha
    return to_screen(_highlights_off(color / np.maximum(weight, np.float32(1e-6))[..., None]))


def nearness_at(nearness: Float32[Array, "H W"], row: int, column: int) -> float:
    """The nearness of a point to focus on: the median of a small patch around it.

    Raises:
        ConfigError: it lies outside.
    """
    height, width = nearness.shape
    if not (0 <= row < height and 0 <= column < width):
        raise ConfigError(f"focus at row {row}, column {column}: outside of {height} rows, {width} columns")
    reach = max(1, max(height, width) // 200)
    patch = nearness[max(0, row - reach) : row + reach + 1, max(0, column - reach) : column + reach + 1]
    return float(np.clip(np.median(patch), 0, 1))


def _slices(focus: float) -> list[tuple[float, float]]:
    """Ranges of nearness from far to near, one of them with the focus in its middle."""
    step = 1 / _LAYERS
    first = focus - step / 2
    edges = [first + step * number for number in range(-_LAYERS - 1, _LAYERS + 2)]
    return [(low, high) for low, high in pairwise(edges) if high > 0 and low < 1]


def _share(nearness: Float32[Array, "H W"], low: float, high: float) -> Float32[Array, "H W"]:
    """How much of a pixel belongs to a slice: 1 within, falling to 0 over half a slice, so that slices don't show."""
    step = np.float32(high - low)
    distance = np.abs(nearness - np.float32((low + high) / 2)) / step
    share: Array = np.clip(np.float32(1) - distance, 0, 1)
    # The outermost slices take what lies beyond.
    return share


def _off_focus(middle: float, focus: float, half: float) -> float:
    off = abs(middle - focus)
    return 0.0 if off <= half else off


def _disc_blur(
    premultiplied: Float32[Array, "H W 3"], alpha: Float32[Array, "H W"], radius_px: float
) -> tuple[Float32[Array, "H W 3"], Float32[Array, "H W"]]:
    """Light and cover of a layer, spread over discs; large ones at a smaller size."""
    if radius_px < 0.5:
        return premultiplied, alpha
    both = np.dstack([premultiplied, alpha])
    height, width = alpha.shape
    smaller = max(1, int(np.ceil(radius_px / _LARGEST_DISC_PX)))
    if smaller > 1:
        size = (max(1, width // smaller), max(1, height // smaller))
        both = cv2.resize(both, size, interpolation=cv2.INTER_AREA)
    both = cv2.filter2D(both, -1, _disc(radius_px / smaller), borderType=cv2.BORDER_REFLECT)
    if smaller > 1:
        both = cv2.resize(both, (width, height), interpolation=cv2.INTER_LINEAR)
    blurred = np.asarray(both, np.float32)
    return np.ascontiguousarray(blurred[..., :3]), np.clip(blurred[..., 3], 0, 1)


def _disc(radius_px: float) -> Float32[Array, "k k"]:
    reach = int(np.ceil(radius_px))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disc = np.clip(radius_px + 0.5 - np.hypot(x, y), 0, 1)
    result: Array = (disc / disc.sum()).astype(np.float32)
    return result


def _highlights_back(light: Float32[Array, "H W 3"]) -> Float32[Array, "H W 3"]:
    """Light that was cut off, guessed: without it, lamps in the background become grey discs."""
    over = np.maximum(light - np.float32(_CLIPPED), 0) / np.float32(1 - _CLIPPED)
    return light + over * over * np.float32(_HIGHLIGHT - 1)


def _highlights_off(light: Float32[Array, "H W 3"]) -> Float32[Array, "H W 3"]:
    """The inverse of ``_highlights_back``, exactly, where nothing was blurred."""
    span, gain = np.float32(1 - _CLIPPED), np.float32(_HIGHLIGHT - 1)
    # light = c + span * o + gain * o²  for the share o above c; solved for o.
    above = np.maximum(light - np.float32(_CLIPPED), 0)
    over = (np.sqrt(span * span + 4 * gain * above) - span) / (2 * gain)
    return np.where(light > _CLIPPED, np.float32(_CLIPPED) + span * over, light).astype(np.float32)
