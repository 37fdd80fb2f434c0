"""Photo: what lens, sensor and camera make of the light of a scene."""

from __future__ import annotations

import cv2
import numpy as np

from midas.arrays import Array, Float32, UInt8
from midas.scenes.raster import Raster

# Subjects nearer than this are photographed with lenses and apertures that leave the rest soft.
LONGEST_PORTRAIT_M = 3.0


def take_photo(light: Float32[Array, "H W 3"], raster: Raster, rng: np.random.Generator) -> UInt8[Array, "H W 3"]:
    """An RGB picture of the light, with the faults that photographs have."""
    light = _smooth_edges(light, raster.surface)
    if rng.random() < _defocus_chance(raster.inverse_depth):
        light = _defocus(light, raster.inverse_depth, rng)
    light = light * _vignette(raster.size, float(rng.uniform(0, 0.35)))
    light *= _exposure(light, rng)
    # The square root is near the gamma of screens, and fast.
    screen = np.sqrt(np.clip(light, 0, 1))
    contrast = np.float32(rng.uniform(0, 0.5))
    screen += contrast * (screen * screen * (3 - 2 * screen) - screen)
    if rng.random() < 0.7:
        screen += np.float32(rng.uniform(0.003, 0.03)) * rng.standard_normal(screen.shape, np.float32)
    picture: Array = np.rint(np.clip(screen, 0, 1) * 255).astype(np.uint8)
    return picture


def _smooth_edges(light: Float32[Array, "H W 3"], surface: Array) -> Float32[Array, "H W 3"]:
    """Mix colours, not depths, across the outlines of surfaces."""
    edge = np.zeros(surface.shape, np.bool_)
    across, down = surface[:, 1:] != surface[:, :-1], surface[1:] != surface[:-1]
    edge[:, 1:] |= across
    edge[:, :-1] |= across
    edge[1:] |= down
    edge[:-1] |= down
    soft = cv2.GaussianBlur(light, (3, 3), 0.6)
    np.copyto(light, soft, where=edge[..., None])
    return light


def _middle(inverse_depth: Float32[Array, "H W"]) -> Float32[Array, "h w"]:
    """The part of the picture where the subject is."""
    height, width = inverse_depth.shape
    middle: Array = inverse_depth[height // 4 : 3 * height // 4, width // 4 : 3 * width // 4]
    return middle


def _defocus_chance(inverse_depth: Float32[Array, "H W"]) -> float:
    """Half of the pictures of near subjects, as of people and flowers, have a soft background; few of rooms do."""
    return 0.5 if np.quantile(_middle(inverse_depth), 0.75) > 1 / LONGEST_PORTRAIT_M else 0.15


def _defocus(
    light: Float32[Array, "H W 3"], inverse_depth: Float32[Array, "H W"], rng: np.random.Generator
) -> Float32[Array, "H W 3"]:
    """Blur what is off the plane in focus, which lies in the middle of the picture and most often near.

    The circle of confusion of a thin lens grows with the difference of inverse depths. What is sharp doesn't bleed into
    what is blurred.
    """
    focus = np.quantile(_middle(inverse_depth), rng.uniform(0.4, 0.95))
    off = np.abs(inverse_depth - focus) / max(float(focus), 1e-3)
    share = np.clip(off * np.float32(rng.uniform(0.8, 2)) - np.float32(0.2), 0, 1).astype(np.float32)
    largest = float(np.exp(rng.uniform(np.log(0.7), np.log(8.0)))) * inverse_depth.shape[0] / 240
    for sigma, least in ((largest / 3, 0.0), (largest, 0.5)):
        weight = np.clip(2 * (share - np.float32(least)), 0, 1)
        total = cv2.GaussianBlur(weight, (0, 0), sigma)[..., None] + np.float32(1e-6)
        blurred = cv2.GaussianBlur(light * weight[..., None], (0, 0), sigma) / total
        # An outline is as sharp as the thing in front of it.
        mix = weight[..., None]
        light = light + mix * (blurred - light)
    return light


def _vignette(size: tuple[int, int], strength: float) -> Float32[Array, "H W 1"]:
    y, x = (np.linspace(-1, 1, side, dtype=np.float32) for side in size)
    squared: Array = x[None, :, None] ** 2 + y[:, None, None] ** 2
    falloff: Array = np.float32(1) - np.float32(strength / 2) * squared
    return falloff


def _exposure(light: Float32[Array, "H W 3"], rng: np.random.Generator) -> Float32[Array, " 3"]:
    """What brings the picture to a usual brightness, and the error of the white balance."""
    mean = float(light[::4, ::4].mean())
    balance = 1 + rng.uniform(-1, 1, 3) * rng.uniform(0, 0.12)
    return (balance * rng.uniform(0.15, 0.42) / max(mean, 1e-4)).astype(np.float32)
