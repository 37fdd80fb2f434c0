"""A set in the corpus format, small enough to write in a test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

FACTS: dict[str, Any] = {
    "name": "miniature",
    "domain": "indoor",
    "depth_kind": "depth",
    "depth_scale": 0.001,
    "split": "train",
    "sparse": False,
}


def write_miniature(
    root: Path, *, scenes: tuple[str, ...] = ("a", "b"), frames: int = 3, size: tuple[int, int] = (72, 96), **facts: Any
) -> Path:
    """Write scenes of a floor that runs away under a wall, with a box on it; a corner is left invalid.

    The stored value is 1000 × metres, or × pixels where ``depth_kind`` is a disparity.
    """
    rng = np.random.default_rng(0)
    height, width = size
    (root / scenes[0]).mkdir(parents=True)
    (root / "dataset.json").write_text(json.dumps(FACTS | facts), encoding="utf-8")
    for scene in scenes:
        (root / scene).mkdir(exist_ok=True)
        for frame in range(frames):
            depth = np.interp(np.arange(height), [0, height / 2, height - 1], [6.0, 6.0, 1.5])[:, None].repeat(width, 1)
            left = int(rng.integers(5, width - 30))
            depth[height // 2 :, left : left + 24] = 1.5
            picture = (255 * (1.2 / depth)[..., None] * [1.0, 0.8, 0.6]).clip(0, 255) + rng.normal(0, 4, (*size, 3))
            stored = np.rint(depth * 1000).astype(np.uint16)
            stored[:8, :8] = 0
            cv2.imwrite(str(root / scene / f"{frame:03d}.jpg"), picture.clip(0, 255).astype(np.uint8))
            cv2.imwrite(str(root / scene / f"{frame:03d}.png"), stored)
    return root
