"""Clouds over the upper half of the sphere: how much of the sky they hide and how much light they give."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import cv2
import numpy as np
from generator.texture_noise import SIDE, fractal

HEIGHT, WIDTH = 512, 2048
STEPS_TO_SUN = 7


def build_sky(job: dict[str, Any]) -> dict[str, Any]:
    """Do a job of the kind ``sky``: ``{"seed", "file"}``. The sun is at the picture's middle column.

    The first row is the zenith, the last the horizon. Red is how bright the clouds are, alpha how much they hide.
    """
    rng = Random(f"sky-{job['seed']}")
    cover = rng.choice([0.12, 0.25, 0.35, 0.5, 0.65, 0.9])
    bright, opacity = _clouds(rng, np.random.default_rng(rng.randrange(1 << 32)), cover)
    pixels = np.stack([bright, bright, bright, opacity], -1)
    file = Path(job["file"])
    file.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(file), (np.clip(pixels, 0, 1) * 255 + 0.5).astype(np.uint8))
    return {"cover": cover}


def _clouds(rng: Random, chance: np.random.Generator, cover: float) -> tuple[np.ndarray, np.ndarray]:
    elevation = (np.pi / 2) * (1 - (np.arange(HEIGHT) + 0.5) / HEIGHT)
    azimuth = 2 * np.pi * ((np.arange(WIDTH) + 0.5) / WIDTH - 0.5)
    # A layer of clouds over a round earth: at the horizon it is far, but not infinitely.
    reach = np.cos(elevation) / (np.sin(elevation) + 0.07)
    x, y = np.cos(azimuth)[None] * reach[:, None], np.sin(azimuth)[None] * reach[:, None]
    density = _density(rng, chance, cover)
    here = density(x, y)
    shadow = np.zeros_like(here)
    step = rng.uniform(0.03, 0.06)
    for number in range(1, STEPS_TO_SUN + 1):
        shadow += density(x + step * number, y)
    lit = np.exp(-rng.uniform(0.35, 0.7) * shadow)
    # Thick parts are dark below, thin ones let light through.
    below = np.exp(-rng.uniform(0.3, 0.8) * here)
    bright = 0.28 + 0.45 * lit + 0.27 * below
    opacity = 1 - np.exp(-rng.uniform(2.0, 5.0) * here)
    haze = np.clip(np.sin(elevation) / 0.12, 0.25, 1)[:, None]
    return bright.astype(np.float32), (opacity * haze).astype(np.float32)


def _density(rng: Random, chance: np.random.Generator, cover: float) -> Any:
    stretch = rng.choice([(1.0, 1.0), (1.0, 1.0), (3.0, 1.0)])
    large = fractal(chance, steepness=1.75, lowest=2, stretch=stretch).astype(np.float32)
    small = fractal(chance, steepness=1.3, lowest=6, stretch=stretch).astype(np.float32)
    threshold = float(np.quantile(large, 1 - cover))
    scale = rng.uniform(0.22, 0.5)
    softness = rng.uniform(0.35, 1.2)

    def density(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        form = _sampled(large, x * scale, y * scale) + 0.28 * _sampled(small, x * scale * 2.7, y * scale * 2.7)
        return np.clip((form - threshold) / softness, 0, 2)

    return density


def _sampled(noise: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    u, v = (x * SIDE % SIDE).astype(np.float32), (y * SIDE % SIDE).astype(np.float32)
    return cv2.remap(noise, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
