"""Folders of pictures with depth as people keep them, small enough to write in a test."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from midas.arrays import Array, Float32, UInt8

SIZE = (72, 96)


def floor(seed: int = 0, size: tuple[int, int] = SIZE) -> Float32[Array, "H W"]:
    """Depth in metres of a floor that runs away under a wall, with a box on it."""
    height, width = size
    depth_m = np.interp(np.arange(height), [0, height / 2, height - 1], [6.0, 6.0, 1.5])[:, None].repeat(width, 1)
    left = int(np.random.default_rng(seed).integers(5, width - 30))
    depth_m[height // 2 :, left : left + 24] = 1.5
    return depth_m.astype(np.float32)


def picture_of(depth_m: Float32[Array, "H W"]) -> UInt8[Array, "H W 3"]:
    """Nearer is brighter."""
    return (255 * (1.2 / depth_m)[..., None] * np.array([1.0, 0.8, 0.6])).clip(0, 255).astype(np.uint8)


def write_pair(picture: Path, depth: Path, seed: int = 0, *, unit: str = "mm") -> None:
    """Write a picture and its depth map: 16-bit millimetres, or floats, by the suffix and the unit."""
    depth_m = floor(seed)
    picture.parent.mkdir(parents=True, exist_ok=True)
    depth.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(picture), picture_of(depth_m))
    if depth.suffix == ".npy":
        np.save(depth, depth_m if unit == "m" else 1 / depth_m)
    elif unit == "mm":
        cv2.imwrite(str(depth), np.rint(depth_m * 1000).astype(np.uint16))
    else:
        cv2.imwrite(str(depth), np.rint(255 * 1.5 / depth_m).astype(np.uint8))


def nearness(picture: UInt8[Array, "H W 3"]) -> Float32[Array, "H W"]:
    """What a model would see in these pictures: brighter is nearer."""
    return picture.mean(axis=2).astype(np.float32)
