"""Patterns that repeat without a seam: fractal noise, cells, splashes of small shapes. All on a unit square."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from scipy.spatial import cKDTree

SIDE = 512


def fractal(
    rng: np.random.Generator, *, steepness: float = 1.6, lowest: float = 2.0, stretch: tuple[float, float] = (1.0, 1.0)
) -> np.ndarray:
    """Noise with the spectrum 1 / frequency ** steepness above the lowest frequency; mean 0, deviation 1.

    Args:
        stretch: how many times longer its spots are along x and along y.
    """
    fy, fx = np.meshgrid(
        np.fft.fftfreq(SIDE) * SIDE * stretch[1], np.fft.rfftfreq(SIDE) * SIDE * stretch[0], indexing="ij"
    )
    frequency = np.hypot(fx, fy)
    amplitude = np.where(frequency >= lowest, np.maximum(frequency, lowest) ** -steepness, 0.0)
    made = np.fft.irfft2(np.fft.rfft2(rng.normal(size=(SIDE, SIDE))) * amplitude, (SIDE, SIDE))
    return made / (made.std() + 1e-9)


def cells(rng: np.random.Generator, count: int, *, regular: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cells around random points: distance to the nearest, to the border (both in cell widths), the cell's number.

    Args:
        regular: 0 for points anywhere, near 1 for points on a grid.
    """
    across = max(1, round(count**0.5))
    grid = (np.stack(np.meshgrid(np.arange(across), np.arange(across)), -1).reshape(-1, 2) + 0.5) / across
    points = (grid + rng.uniform(-0.5, 0.5, grid.shape) * (1 - regular) / across * 1.6) % 1.0
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    found, index = cKDTree(points, boxsize=1.0).query(np.stack([x, y], -1).reshape(-1, 2), k=2)
    near, border = found[:, 0] * across, (found[:, 1] - found[:, 0]) * across
    return near.reshape(SIDE, SIDE), border.reshape(SIDE, SIDE), index[:, 0].reshape(SIDE, SIDE)


def splash(canvas: np.ndarray, shapes: Sequence[tuple[np.ndarray, Sequence[float]]]) -> np.ndarray:
    """Draw filled polygons, each (corners in pixels, colour of as many channels as the canvas), around the seam."""
    for corners, colour in shapes:
        low, high = corners.min(axis=0), corners.max(axis=0)
        for shift_x in (-SIDE, 0, SIDE):
            for shift_y in (-SIDE, 0, SIDE):
                if (
                    low[0] + shift_x < SIDE
                    and high[0] + shift_x >= 0
                    and low[1] + shift_y < SIDE
                    and high[1] + shift_y >= 0
                ):
                    moved = np.round((corners + (shift_x, shift_y)) * 16).astype(np.int32)
                    cv2.fillPoly(canvas, [moved], [float(value) for value in colour], lineType=cv2.LINE_AA, shift=4)
    return canvas


def courses(columns: int, rows: int, *, offset: float = 0.5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bricks: place inside each along x and y (0 to 1) and its number."""
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    row = np.floor(y * rows).astype(int)
    along = x * columns + (row % 2) * offset
    column = np.floor(along).astype(int) % columns
    return along % 1.0, (y * rows) % 1.0, row * columns + column


def joint(u: np.ndarray, v: np.ndarray, columns: int, rows: int, width: float) -> np.ndarray:
    """1 inside a brick, falling to 0 in the joint, whose width is in parts of the square."""
    edge_x = np.minimum(u, 1 - u) / columns
    edge_y = np.minimum(v, 1 - v) / rows
    return np.clip((np.minimum(edge_x, edge_y) - width / 2) * SIDE / 1.5, 0, 1)


def shade(colour: np.ndarray, light: np.ndarray) -> np.ndarray:
    """A colour, or one per pixel, made lighter and darker by a factor per pixel; linear RGB."""
    return np.clip(np.asarray(colour) * light[..., None], 0.0, 1.0)


def blend(first: np.ndarray, second: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Share 0 is the first, 1 the second."""
    weight = np.clip(share, 0, 1)[..., None]
    return first * (1 - weight) + np.asarray(second) * weight


def unit(values: np.ndarray) -> np.ndarray:
    """Stretched to 0 to 1 between the outermost hundredths."""
    low, high = np.percentile(values, (1, 99))
    return np.clip((values - low) / (high - low + 1e-9), 0, 1)
