"""Small photographs by the hundred, each unlike all others, and what a destination holds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def write_pictures(folder: Path, count: int, size: tuple[int, int] = (96, 128), suffix: str = ".jpg") -> list[Path]:
    """Write that many pictures, a hundred to a folder."""
    height, width = size
    rows, columns = np.mgrid[0:height, 0:width]
    paths = []
    for number in range(count):
        path = folder / f"{number // 100:03d}" / f"{number:06d}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        paths.append(path)
        if path.exists():
            continue
        rng = np.random.default_rng(number)
        centre = rng.uniform(0, 1, 2) * (height, width)
        distance = np.hypot(rows - centre[0], columns - centre[1])[..., None]
        pixels = rng.uniform(60, 255, 3) * np.exp(-distance / rng.uniform(20, 80)) + rng.normal(20, 6, (*size, 3))
        Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(path)
    return paths


def outputs_of(destination: Path) -> dict[str, bytes]:
    """Every output below a destination, by its path; what the job writes for itself is left out."""
    return {
        path.relative_to(destination).as_posix(): path.read_bytes()
        for path in sorted(destination.rglob("*"))
        if path.is_file() and "_midas" not in path.parts
    }
