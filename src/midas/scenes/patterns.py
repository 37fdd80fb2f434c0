"""Patterns: what surfaces are painted with, as tiles of values from 0 to 1 that repeat without a seam.

All pictures share one bank of them. A surface mixes two colours by a pattern and takes scale, turn and place by chance,
so that few tiles look like many. Smaller copies of each tile lie beside it: far surfaces read those and don't flicker.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import cv2
import numpy as np

from midas.arrays import Array, Float32, UInt8

TILE = 256
LEVELS = 7
# Bilinear reading needs one more texel at each border.
BORDER = 1
ROW = TILE + 2 * BORDER


def octave(rng: np.random.Generator, rows: int, columns: int) -> Float32[Array, "256 256"]:
    """Smooth noise of mean 0 with that many bumps per tile."""
    grid = np.pad(rng.random((rows, columns), np.float32) - 0.5, ((2, 2), (2, 2)), mode="wrap")
    steps = (TILE // rows, TILE // columns)
    fine = cv2.resize(grid, None, fx=steps[1], fy=steps[0], interpolation=cv2.INTER_CUBIC)
    return fine[2 * steps[0] :, 2 * steps[1] :][:TILE, :TILE].copy()


def fractal(rng: np.random.Generator, first: int, decay: float = 0.55, stretch: int = 1) -> Float32[Array, "256 256"]:
    """Noise of several scales, stretched along the tile's height; values spread over 0 to 1."""
    total, weight, bumps = np.zeros((TILE, TILE), np.float32), 1.0, first
    while bumps <= TILE // 2:
        total += np.float32(weight) * octave(rng, max(1, bumps // stretch), bumps)
        weight, bumps = weight * decay, bumps * 2
    return _spread(total)


def _spread(values: Float32[Array, "256 256"]) -> Float32[Array, "256 256"]:
    low, high = np.quantile(values, (0.02, 0.98))
    spread: Array = np.clip((values - low) / (high - low), 0, 1).astype(np.float32)
    return spread


def _grid() -> tuple[Float32[Array, "256 256"], Float32[Array, "256 256"]]:
    along = (np.arange(TILE, dtype=np.float32) + 0.5) / TILE
    return np.meshgrid(along, along)[0], np.meshgrid(along, along)[1]


def _plain(rng: np.random.Generator) -> Float32[Array, "256 256"]:
    return 0.15 * fractal(rng, 4)


def _wood(rng: np.random.Generator) -> Float32[Array, "256 256"]:
    x, _ = _grid()
    grain = fractal(rng, 8, 0.8, stretch=8)
    return 0.5 * grain + 0.5 * (0.5 + 0.5 * np.sin(2 * np.pi * (6 * x + 1.5 * grain)))


def _planks(rng: np.random.Generator) -> Float32[Array, "256 256"]:
    x, y = _grid()
    column = np.floor(x * 8).astype(int)
    row = np.floor(y * 2 + rng.random(8)[column])
    tone = rng.random((8, 4), np.float32)[column, row.astype(int) % 2]
    gap = ((x * 8) % 1 < 0.05) | ((y * 2 + rng.random(8)[column] * 0) % 1 < 0.004)
    return np.where(gap, 1.0, 0.5 * tone + 0.35 * fractal(rng, 16, 0.8, stretch=8)).astype(np.float32)


def _courses(rng: np.random.Generator, rows: int, columns: int, joint: float) -> Float32[Array, "256 256"]:
    x, y = _grid()
    row = np.floor(y * rows).astype(int)
    along = x * columns + 0.5 * (row % 2)
    stone = np.floor(along).astype(int) % columns
    is_joint = ((y * rows) % 1 < joint) | (along % 1 < joint * columns / rows)
    tone = rng.random((rows, columns), np.float32)[row, stone]
    return np.where(is_joint, 1.0, 0.4 * tone + 0.2 * fractal(rng, 16)).astype(np.float32)


def _bricks(rng: np.random.Generator) -> Float32[Array, "256 256"]:
    return _courses(rng, 12, 4, 0.14)


def _blocks(rng: np.random.Generator) -> Float32[Array, "256 256"]:
    return _courses(rng, 4, 2, 0.06)


def _tiles(rng: np.random.Generator) -> Float32[Array, "256 256"]:
    x, y = _grid()
    joint = ((x * 4) % 1 < 0.05) | ((y * 4) % 1 < 0.05)
    return np.where(joint, 1.0, 0.25 * fractal(rng, 8)).astype(np.float32)


def _checker(rng: np.random.Generator) -> Float32[Array, "256 256"]:
    x, y = _grid()
    squares: Array = (np.floor(x * 4) + np.floor(y * 4)) % 2
    return np.float32(0.85) * squares + np.float32(0.15) * fractal(rng, 8)


def _stripes(rng: np.random.Generator) -> Float32[Array, "256 256"]:
    x, _ = _grid()
    return (0.9 * ((x * 6) % 1 < 0.4) + 0.1 * fractal(rng, 16)).astype(np.float32)


def _plaid(rng: np.random.Generator) -> Float32[Array, "256 256"]:
    x, y = _grid()
    bands = ((x * 4) % 1 < 0.45) * 0.4 + ((y * 4) % 1 < 0.45) * 0.4 + ((x * 4) % 1 < 0.06) * 0.2
    plaid: Array = (bands + 0.1 * fractal(rng, 32)).clip(0, 1).astype(np.float32)
    return plaid


def _weave(rng: np.random.Generator) -> Float32[Array, "256 256"]:
    x, y = _grid()
    threads = 0.25 + 0.25 * np.sin(2 * np.pi * 32 * x) * np.sin(2 * np.pi * 32 * y)
    return (threads + 0.4 * fractal(rng, 8)).clip(0, 1).astype(np.float32)


def _clouded(rng: np.random.Generator) -> Float32[Array, "256 256"]:
    return fractal(rng, 4)


def _rough(rng: np.random.Generator) -> Float32[Array, "256 256"]:
    return fractal(rng, 16, 0.8)


def _grain(rng: np.random.Generator) -> Float32[Array, "256 256"]:
    return fractal(rng, 64, 0.9)


def _blades(rng: np.random.Generator) -> Float32[Array, "256 256"]:
    return _spread(0.6 * fractal(rng, 64, 0.9, stretch=4) + 0.5 * fractal(rng, 4))


def _marble(rng: np.random.Generator) -> Float32[Array, "256 256"]:
    x, y = _grid()
    vein = np.abs(np.sin(np.pi * (2 * x + 2 * y + 2 * fractal(rng, 4))))
    marble: Array = np.float32(1) - np.power(vein, np.float32(0.4))
    return marble


def _cells(rng: np.random.Generator) -> Float32[Array, "256 256"]:
    points = rng.random((60, 2)) * TILE
    wrapped = np.concatenate([points + np.array((dx, dy)) for dx in (-TILE, 0, TILE) for dy in (-TILE, 0, TILE)])
    seeds = np.full((2 * TILE, 2 * TILE), 255, np.uint8)
    inside = wrapped[((wrapped > -TILE // 2) & (wrapped < 3 * TILE // 2 - 1)).all(axis=1)].astype(int) + TILE // 2
    seeds[inside[:, 1], inside[:, 0]] = 0
    distance = cv2.distanceTransform(seeds, cv2.DIST_L2, 5)[TILE // 2 : -TILE // 2, TILE // 2 : -TILE // 2]
    return _spread(distance.astype(np.float32))


def _spots(rng: np.random.Generator) -> Float32[Array, "256 256"]:
    return (fractal(rng, 8, 0.4) > 0.62).astype(np.float32) * 0.9 + 0.1 * fractal(rng, 32)


def _painting(rng: np.random.Generator) -> Float32[Array, "256 256"]:
    canvas = np.full((TILE, TILE), 0.4, np.float32)
    for _ in range(14):
        centre, axes = rng.integers(0, TILE, 2).tolist(), rng.integers(15, 110, 2).tolist()
        cv2.ellipse(canvas, centre, axes, float(rng.uniform(0, 180)), 0, 360, float(rng.random()), -1, cv2.LINE_AA)
    return (0.85 * canvas + 0.15 * fractal(rng, 8)).astype(np.float32)


def _spines(rng: np.random.Generator) -> Float32[Array, "256 256"]:
    x, y = _grid()
    edges = np.sort(rng.random(22))
    book = np.searchsorted(edges, x)
    tone = rng.random(23, np.float32)[book]
    tops = rng.uniform(0.0, 0.25, 23)[book]
    title = (np.abs(y - 0.5) < 0.12) & (rng.random(23)[book] < 0.6)
    return np.where(y < tops, 0.0, np.where(title, 1 - tone, 0.15 + 0.85 * tone)).astype(np.float32)


def _windows(
    rng: np.random.Generator, rows: int, columns: int, share: tuple[float, float]
) -> Float32[Array, "256 256"]:
    x, y = _grid()
    across, up = (x * columns) % 1 - 0.5, (y * rows) % 1 - 0.5
    pane = (np.abs(across) < share[0] / 2) & (np.abs(up) < share[1] / 2)
    frame = (np.abs(across) < share[0] / 2 + 0.04) & (np.abs(up) < share[1] / 2 + 0.04) & ~pane
    tone = rng.uniform(0.65, 1.0, (rows, columns))[np.floor(y * rows).astype(int), np.floor(x * columns).astype(int)]
    bar = pane & ((np.abs(across) < 0.015) | (np.abs(up + 0.1) < 0.012))
    wall = 0.18 * fractal(rng, 16)
    return np.where(frame | bar, 0.0, np.where(pane, tone, wall + 0.08)).astype(np.float32)


def _facade(rng: np.random.Generator) -> Float32[Array, "256 256"]:
    return _windows(rng, 2, 2, (0.4, 0.55))


def _offices(rng: np.random.Generator) -> Float32[Array, "256 256"]:
    return _windows(rng, 4, 4, (0.8, 0.6))


def _ribbons(rng: np.random.Generator) -> Float32[Array, "256 256"]:
    return _windows(rng, 3, 2, (1.0, 0.5))


def _panels(rng: np.random.Generator) -> Float32[Array, "256 256"]:
    x, y = _grid()
    across, up = np.abs((x * 2) % 1 - 0.5), np.abs((y * 3) % 1 - 0.5)
    groove = (np.maximum(across, up) > 0.33) & (np.maximum(across, up) < 0.37)
    return np.where(groove, 0.9, 0.12 * fractal(rng, 16, 0.8, stretch=4)).astype(np.float32)


def _outlook(rng: np.random.Generator) -> Float32[Array, "256 256"]:
    _, y = _grid()
    hills, trees = 0.55 + 0.1 * fractal(rng, 4), fractal(rng, 16)
    return np.where(y > hills, 0.5 + 0.5 * trees, 0.15 * y).astype(np.float32)


PATTERNS: dict[str, Callable[[np.random.Generator], Array]] = {
    "plain": _plain,
    "wood": _wood,
    "planks": _planks,
    "bricks": _bricks,
    "blocks": _blocks,
    "tiles": _tiles,
    "checker": _checker,
    "stripes": _stripes,
    "plaid": _plaid,
    "weave": _weave,
    "clouded": _clouded,
    "rough": _rough,
    "grain": _grain,
    "blades": _blades,
    "marble": _marble,
    "cells": _cells,
    "spots": _spots,
    "painting": _painting,
    "painting2": _painting,
    "painting3": _painting,
    "spines": _spines,
    "facade": _facade,
    "offices": _offices,
    "ribbons": _ribbons,
    "panels": _panels,
    "outlook": _outlook,
}
NUMBERS = {name: number for number, name in enumerate(PATTERNS)}
# Where each level starts, in columns of the atlas; its rows start with its pattern's.
LEVEL_LEFT = np.cumsum([0, *((TILE >> level) + 2 * BORDER for level in range(LEVELS - 1))]).astype(np.float32)


@cache
def atlas() -> UInt8[Array, "R C"]:
    """All patterns below each other, each with its halved copies to the right; made once per process."""
    sheet = np.zeros((len(PATTERNS) * ROW, int(LEVEL_LEFT[-1]) + (TILE >> (LEVELS - 1)) + 2 * BORDER), np.uint8)
    for number, make in enumerate(PATTERNS.values()):
        tile: Array = make(np.random.default_rng(number)).astype(np.float32)
        for level in range(LEVELS):
            framed = np.pad(np.rint(255 * tile.clip(0, 1)).astype(np.uint8), BORDER, mode="wrap")
            left = int(LEVEL_LEFT[level])
            sheet[number * ROW :][: framed.shape[0], left : left + framed.shape[1]] = framed
            tile = cv2.resize(tile, (tile.shape[1] // 2, tile.shape[0] // 2), interpolation=cv2.INTER_AREA)
    sheet.setflags(write=False)
    return sheet


def read_patterns(
    number: Float32[Array, "H W"],
    u: Float32[Array, "H W"],
    v: Float32[Array, "H W"],
    tiles_per_px: Float32[Array, "H W"],
) -> Float32[Array, "H W"]:
    """The patterns' values, 0 to 1, at a place of each pixel's own.

    Args:
        number: which pattern.
        u, v: place in tiles; whole numbers are the seams.
        tiles_per_px: how many tiles a pixel covers, which chooses the level.
    """
    level = np.log2(tiles_per_px * TILE + 1e-6).round().clip(0, LEVELS - 1).astype(np.int32)
    side = np.ldexp(np.float32(TILE), -level)
    left = LEVEL_LEFT[level]
    column = (u - np.floor(u)) * side + (left + np.float32(BORDER - 0.5))
    row = (v - np.floor(v)) * side + (number * np.float32(ROW) + np.float32(BORDER - 0.5))
    return cv2.remap(atlas(), column, row, cv2.INTER_LINEAR).astype(np.float32) * np.float32(1 / 255)
