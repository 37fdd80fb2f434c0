"""Textures of cloth and carpets. Each gives colour, linear, and height."""

from __future__ import annotations

from random import Random

import numpy as np
from generator import palette
from generator.texture_noise import SIDE, blend, fractal, shade, splash, unit

Result = tuple[np.ndarray, np.ndarray]


def _threads(per_side: int) -> np.ndarray:
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    return 0.5 + 0.5 * np.sin(2 * np.pi * per_side * x) * np.sin(2 * np.pi * per_side * y)


def carpet(rng: Random, chance: np.random.Generator) -> Result:
    """Pile of one or two tones."""
    first = palette.pick(rng, palette.CLOTHS)
    second = palette.pick(rng, palette.CLOTHS) if rng.random() < 0.4 else first * rng.uniform(0.6, 0.9)
    pile = fractal(chance, steepness=0.35, lowest=24)
    worn = fractal(chance, steepness=1.7, lowest=1)
    colour = blend(
        np.broadcast_to(first, (SIDE, SIDE, 3)), second, 0.5 + 0.4 * fractal(chance, steepness=0.8, lowest=6)
    )
    return shade(colour, 1 + 0.22 * pile + 0.06 * worn), unit(pile)


def weave(rng: Random, chance: np.random.Generator) -> Result:
    """Linen and canvas."""
    threads = _threads(64)
    slubs = fractal(chance, steepness=0.8, lowest=4, stretch=(8.0, 1.0)) + fractal(
        chance, steepness=0.8, lowest=4, stretch=(1.0, 8.0)
    )
    return shade(palette.pick(rng, palette.CLOTHS), 0.85 + 0.2 * threads + 0.06 * slubs), threads


def plaid(rng: Random, chance: np.random.Generator) -> Result:
    """Crossing bands of a few tones."""
    tones = [palette.pick(rng, palette.GARMENTS) for _ in range(3)]
    colour = np.broadcast_to(tones[0], (SIDE, SIDE, 3)).copy()
    repeat = SIDE // rng.choice([2, 3, 4])
    place = np.arange(SIDE) % repeat / repeat
    for tone in tones[1:]:
        start, width = rng.uniform(0, 0.7), rng.uniform(0.06, 0.3)
        band = ((place > start) & (place < start + width)).astype(float)
        colour = blend(colour, tone, 0.5 * band[None, :] + 0.5 * band[:, None])
    return shade(colour, 0.92 + 0.12 * _threads(64) + 0.03 * fractal(chance)), _threads(64)


def stripes(rng: Random, chance: np.random.Generator) -> Result:
    """Bands along x."""
    tones = [palette.pick(rng, palette.GARMENTS), palette.pick(rng, palette.GARMENTS)]
    count, width = rng.choice([4, 6, 8, 12, 16]), rng.uniform(0.15, 0.6)
    band = (np.arange(SIDE) * count / SIDE % 1 < width).astype(float)
    colour = blend(np.broadcast_to(tones[0], (SIDE, SIDE, 3)), tones[1], np.broadcast_to(band[:, None], (SIDE, SIDE)))
    return shade(colour, 0.92 + 0.12 * _threads(64) + 0.03 * fractal(chance)), _threads(64)


def printed(rng: Random, chance: np.random.Generator) -> Result:
    """Leaves, petals or dots strewn on a ground."""
    ground = palette.pick(rng, palette.GARMENTS + palette.WALLS)
    canvas = np.broadcast_to(ground, (SIDE, SIDE, 3)).astype(np.float32).copy()
    tones = [palette.pick(rng, palette.CLOTHS + palette.PRINTS) for _ in range(3)]
    petals, size_px = rng.choice([1, 4, 5, 6]), rng.uniform(6, 22)
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    outline = (
        np.stack([np.cos(angle), np.sin(angle)], -1)
        * (1 + 0.4 * np.cos(petals * angle))[:, None]
        * (1, rng.uniform(0.4, 1))
    )
    shapes = []
    for _ in range(int(36000 / size_px**1.9)):
        heading = chance.uniform(0, 2 * np.pi)
        turn = np.array([[np.cos(heading), -np.sin(heading)], [np.sin(heading), np.cos(heading)]])
        shapes.append(
            (
                chance.uniform(0, SIDE, 2) + outline * size_px * chance.uniform(0.5, 1.2) @ turn.T,
                tones[chance.integers(3)],
            )
        )
    return shade(splash(canvas, shapes), 0.93 + 0.1 * _threads(64)), _threads(64)


def knit(rng: Random, chance: np.random.Generator) -> Result:
    """Stitches in columns."""
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    columns = 28
    slant = np.abs((x * columns) % 1 - 0.5)
    stitches = 0.5 + 0.5 * np.sin(2 * np.pi * (36 * y + 1.2 * slant))
    height = unit(stitches * np.cos(np.pi * (slant - 0.25)))
    mottled = fractal(chance, steepness=0.9, lowest=8)
    return shade(palette.pick(rng, palette.CLOTHS + palette.GARMENTS), 0.62 + 0.45 * height + 0.06 * mottled), height
