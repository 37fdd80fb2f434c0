"""Terrain: a height field, and where rays meet it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from midas.arrays import Array, Float32, Float64

CELLS = 1024
MAPS = 3
STEPS = 160
FARTHEST_M = 6000.0


@cache
def height_map(number: int) -> Float32[Array, "N N"]:
    """Hills between 0 and 1 that repeat without a seam; made once per process."""
    rng = np.random.default_rng((77, number))
    total = np.zeros((CELLS, CELLS), np.float32)
    for bumps, weight in (
        (2, 1.0),
        (4, 0.6),
        (8, 0.34),
        (16, 0.17),
        (32, 0.085),
        (64, 0.04),
        (128, 0.018),
        (256, 0.008),
    ):
        grid = np.pad(rng.random((bumps, bumps), np.float32), 2, mode="wrap")
        step = CELLS // bumps
        fine = cv2.resize(grid, None, fx=step, fy=step, interpolation=cv2.INTER_CUBIC)
        total += np.float32(weight) * fine[2 * step :, 2 * step :][:CELLS, :CELLS]
    total -= total.min()
    total /= total.max()
    total.setflags(write=False)
    return total


@dataclass(frozen=True)
class Terrain:
    """Hills.

    Attributes:
        number: which of the height maps.
        cell_m: size of one of its cells.
        relief_m: height of the highest hill above the deepest valley.
        sharpness: above 1 for wide valleys and steep peaks.
        offset: of the map, in cells.
        base_m: height of the deepest valley.
    """

    number: int
    cell_m: float
    relief_m: float
    sharpness: float
    offset: tuple[float, float]
    base_m: float

    def heights(self, x: Array, y: Array) -> Array:
        """Height of the ground, metres, at places in metres: two arrays of one shape with one or two axes."""
        columns = np.asarray(x * np.float32(1 / self.cell_m) + np.float32(self.offset[0]), np.float32)
        rows = np.asarray(y * np.float32(1 / self.cell_m) + np.float32(self.offset[1]), np.float32)
        shape = columns.shape
        # OpenCV takes maps of up to 32767 rows; a picture's rays are more.
        width = 1 if columns.size < 1024 else max(64, -(-columns.size // 32767))
        padded = np.zeros((2, -(-columns.size // width), width), np.float32)
        padded[0].ravel()[: columns.size], padded[1].ravel()[: columns.size] = columns.ravel(), rows.ravel()
        unit = cv2.remap(height_map(self.number), padded[0], padded[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        unit = unit.ravel()[: columns.size].reshape(shape)
        shaped = (
            unit
            if self.sharpness == 1.0
            else unit * unit * np.float32(self.sharpness - 1) + unit * np.float32(2 - self.sharpness)
        )
        return shaped * np.float32(self.relief_m) + np.float32(self.base_m)

    def slopes(self, x: Array, y: Array, step_m: Array) -> tuple[Array, Array]:
        """Rise per metre in x and in y, over a step."""
        here = self.heights(x, y)
        return (self.heights(x + step_m, y) - here) / step_m, (self.heights(x, y + step_m) - here) / step_m

    def hit(self, origin: Float64[Array, " 3"], rays: Float32[Array, "3 N"]) -> Float32[Array, " N"]:
        """How many times its own length each ray goes until it meets the ground; infinite where it doesn't.

        Steps grow with the height above the ground. Where one ends below it, the last two ends are joined by a line.
        """
        answer = np.full(rays.shape[1], np.inf, np.float32)
        alive = np.arange(rays.shape[1])
        x0, y0, z0 = (np.float32(value) for value in origin)
        top = self.base_m + self.relief_m
        dx, dy, dz = rays
        at = np.full(len(alive), np.float32(0.3))
        before, gap_before = at * 0, np.full(len(alive), np.float32(1.0))
        steepness = np.float32(1.1 * self.sharpness * self.relief_m / self.cell_m / 150)
        closing = np.maximum(steepness * np.sqrt(dx * dx + dy * dy) - dz, np.float32(0.02))
        for _ in range(STEPS):
            z = z0 + at * dz
            gap = z - self.heights(x0 + at * dx, y0 + at * dy)
            below = gap <= 0
            share = gap_before[below] / np.maximum(gap_before[below] - gap[below], np.float32(1e-9))
            answer[alive[below]] = before[below] + share * (at[below] - before[below])
            keep = ~below & (at < FARTHEST_M) & ((z < top) | (dz < 0))
            # Rays that still fall would meet the ground farther on: that is the horizon, not the sky.
            falling = ~below & ~keep & (dz < 0)
            answer[alive[falling]] = at[falling]
            if not keep.any():
                break
            before, gap_before = at[keep], gap[keep]
            alive, dx, dy, dz, closing = alive[keep], dx[keep], dy[keep], dz[keep], closing[keep]
            at = before + np.maximum(gap_before / closing, np.float32(0.012) * before)
        else:
            answer[alive] = np.where(dz < 0, at, np.float32(np.inf))
        return answer
