"""Photo: what lens, sensor and camera make of the light of a scene."""

from __future__ import annotations

import cv2
import numpy as np

from midas.arrays import Array, Float32, UInt8
from midas.datasets.synthetic.raster import Raster


def take_photo(light: Float32[Array, "H W 3"], raster: Raster, rng: np.random.Generator) -> UInt8[Array, "H W 3"]:
    """An RGB picture of the light, with the faults that photographs have."""
    light = _smooth_edges(light, raster.surface)
    if rng.random() < 0.25:
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


def _defocus(light: Float32[Array, "H W 3"], inverse_depth: Array, rng: np.random.Generator) -> Float32[Array, "H W 3"]:
    """Blur what is far from the plane in focus; that plane is near the middle of the picture."""
    height, width = inverse_depth.shape
    middle = inverse_depth[height // 4 : 3 * height // 4, width // 4 : 3 * width // 4]
    focus = np.quantile(middle, rng.uniform(0.4, 0.95))
    off = np.abs(inverse_depth - focus) / max(float(focus), 1e-3)
    share = np.clip(off * np.float32(rng.uniform(0.8, 2)) - np.float32(0.2), 0, 1)
    sigma = float(rng.uniform(0.7, 2.5)) * height / 240
    share = cv2.GaussianBlur(share.astype(np.float32), (0, 0), sigma / 2)[..., None]
    blurred: Array = cv2.GaussianBlur(light, (0, 0), sigma)
    blurred -= light
    blurred *= share
    blurred += light
    return blurred


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
