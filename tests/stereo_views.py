"""Stereo pairs of textured planes and boxes at known disparities."""

from __future__ import annotations

import cv2
import numpy as np

SIZE = (120, 200)
BOX = (slice(40, 90), slice(70, 130))


def texture(seed: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """Colours that vary at several sizes."""
    rng = np.random.default_rng(seed)
    layers = [cv2.resize(rng.random((size[0] // step + 2, size[1] // step + 2, 3)), size[::-1]) for step in (2, 5, 12)]
    return np.asarray((255 * sum(layers) / len(layers)).astype(np.uint8))


def views(disparity: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A right view, and the left one whose pixel (row, column) shows its (row, column - disparity)."""
    wide = texture(seed, (SIZE[0], SIZE[1] + 100))
    rows, columns = np.indices(SIZE, dtype=np.float32)
    left = cv2.remap(wide, (columns - disparity + 50).astype(np.float32), rows, cv2.INTER_LINEAR)
    return left, wide[:, 50:-50].copy()


def ramp(far: float, near: float) -> np.ndarray:
    """A floor: far above, near below."""
    return np.linspace(far, near, SIZE[0], dtype=np.float32)[:, None].repeat(SIZE[1], axis=1)


def box_in_front(wall: float, box: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two views of a box before a wall, and the left one's disparity."""
    wall_texture, box_texture = texture(1, (SIZE[0], SIZE[1] + 100)), texture(2)
    disparity = np.full(SIZE, wall, np.float32)
    disparity[BOX] = box
    pictures = []
    for eye in (0, 1):
        picture = wall_texture[:, 50 + int(wall) * eye :][:, : SIZE[1]].copy()
        start = BOX[1].start - int(box) * eye
        picture[BOX[0], start : start + 60] = box_texture[BOX]
        pictures.append(picture)
    return pictures[0], pictures[1], disparity
