"""Textures of walls, floors, roofs and boards. Each gives colour, linear, and height."""

from __future__ import annotations

from random import Random

import numpy as np
from generator import palette
from generator.texture_noise import SIDE, blend, cells, courses, fractal, joint, shade, unit

Result = tuple[np.ndarray, np.ndarray]


def brick(rng: Random, chance: np.random.Generator) -> Result:
    """Bricks in courses; some are painted over."""
    base = palette.pick(rng, palette.BRICKS)
    tones = np.array([base * rng.uniform(0.65, 1.25) * (1 + rng.gauss(0, 0.05), 1, 1) for _ in range(97)])
    mortar = palette.linear(rng.choice(["b5aea2", "8d867b", "c9c3b8", "5f5a54"]))
    if rng.random() < 0.2:
        tones, mortar = np.full_like(tones, 1) * palette.pick(rng, palette.FRONTS), palette.pick(rng, palette.FRONTS)
    return _masonry(rng, chance, tones, mortar, (8, 26), 0.006)


def blocks(rng: Random, chance: np.random.Generator) -> Result:
    """Cut stones in courses."""
    base = palette.pick(rng, palette.STONES + palette.FRONTS[:6])
    tones = np.array([base * rng.uniform(0.82, 1.12) for _ in range(97)])
    return _masonry(
        rng, chance, tones, base * rng.uniform(0.5, 0.9), (rng.choice([3, 4, 5]), rng.choice([6, 8, 9])), 0.006
    )


def _masonry(
    rng: Random,
    chance: np.random.Generator,
    tones: np.ndarray,
    mortar: np.ndarray,
    counts: tuple[int, int],
    width: float,
) -> Result:
    columns, rows = counts
    rows -= rows % 2
    u, v, index = courses(columns, rows)
    rough = fractal(chance, steepness=1.0, lowest=8)
    inside = np.clip(joint(u, v, columns, rows, width) + 0.15 * rough, 0, 1)
    face = shade(tones[index * 31 % len(tones)], 1 + 0.10 * rough)
    colour = blend(np.broadcast_to(mortar, face.shape), face, inside)
    return shade(colour, 1 + 0.10 * fractal(chance, steepness=1.6, lowest=1)), unit(inside + 0.25 * rough)


def cobbles(rng: Random, chance: np.random.Generator) -> Result:
    """Rounded paving stones."""
    _, border, index = cells(chance, rng.randrange(110, 260), regular=rng.uniform(0.5, 0.85))
    base = palette.pick(rng, palette.STONES)
    tones = np.array([base * rng.uniform(0.65, 1.2) for _ in range(61)])
    height = np.clip(border * 2.6, 0, 1) ** 0.5
    colour = blend(np.broadcast_to(palette.linear("4f4a42"), (SIDE, SIDE, 3)), tones[index * 29 % 61], height * 1.2)
    return shade(colour, 1 + 0.12 * fractal(chance, steepness=1.0)), height


def slabs(rng: Random, chance: np.random.Generator) -> Result:
    """Square or oblong paving slabs with stains."""
    columns, rows = rng.choice([(4, 4), (3, 6), (5, 5), (2, 4), (4, 8)])
    u, v, index = courses(columns, rows, offset=rng.choice([0.0, 0.5]))
    base = palette.pick(rng, palette.STONES)
    tones = np.array([base * rng.uniform(0.88, 1.1) for _ in range(53)])
    inside = joint(u, v, columns, rows, 0.006)
    stains = fractal(chance, steepness=1.5, lowest=1)
    colour = blend(np.broadcast_to(base * 0.45, (SIDE, SIDE, 3)), tones[index * 23 % 53], inside)
    return shade(colour, 1 + 0.10 * stains + 0.07 * fractal(chance, steepness=0.5, lowest=20)), unit(
        inside + 0.1 * stains
    )


def plaster(rng: Random, chance: np.random.Generator) -> Result:
    """Painted render of house fronts: rain streaks, patches."""
    tone = palette.pick(rng, palette.FRONTS, 0.12)
    streaks = fractal(chance, steepness=1.4, lowest=1, stretch=(0.5, 4.0))
    patches, grain = fractal(chance, steepness=1.8, lowest=1), fractal(chance, steepness=0.6, lowest=16)
    return shade(tone, 1 + 0.05 * streaks + 0.05 * patches + 0.025 * grain), unit(grain + 0.4 * patches)


def concrete(rng: Random, chance: np.random.Generator) -> Result:
    """Concrete with pits and shuttering marks."""
    tone = palette.linear(rng.choice(["a8a6a0", "8f8d88", "bdb9b1", "77756f"]))
    stains, grain = fractal(chance, steepness=1.6, lowest=1), fractal(chance, steepness=0.5, lowest=16)
    near, _, index = cells(chance, 400)
    pits = (near < 0.12) & (chance.random(1000)[index % 1000] < 0.35)
    return shade(tone, 1 + 0.11 * stains + 0.05 * grain - 0.4 * pits), unit(grain - 4 * pits)


def tiles(rng: Random, chance: np.random.Generator) -> Result:
    """Glazed tiles with grout."""
    columns, rows = rng.choice([(6, 6), (8, 8), (4, 4), (5, 10), (4, 8), (3, 3)])
    u, v, index = courses(columns, rows, offset=rng.choice([0.0, 0.0, 0.5]))
    base = palette.pick(
        rng, ("eceae5", "e3ded5", "d8d4cb", "c9c6bf", "a9b5b5", "8a949a", "d3c4ac", "5a5f63", "b8b2a6", "cfdad8")
    )
    tones = np.array([base * rng.uniform(0.93, 1.05) for _ in range(41)])
    if rng.random() < 0.18:
        tones[::2] = palette.pick(rng, ("2f3234", "4a5a66", "8a8f8d", "6b4a3c"))
    inside = joint(u, v, columns, rows, 0.005)
    colour = blend(
        np.broadcast_to(palette.linear(rng.choice(["b8b5ae", "8d8a84", "dcd9d2"])), (SIDE, SIDE, 3)),
        tones[index * 19 % 41],
        inside,
    )
    return shade(colour, 1 + 0.04 * fractal(chance, steepness=1.4)), inside


def wood(rng: Random, chance: np.random.Generator) -> Result:
    """A board's grain along x."""
    colour, height = _grain(palette.pick(rng, palette.WOODS), rng, chance)
    return colour, height


def _grain(tone: np.ndarray, rng: Random, chance: np.random.Generator) -> Result:
    warp = fractal(chance, steepness=1.9, lowest=1, stretch=(5.0, 1.0))
    y = np.mgrid[:SIDE, :SIDE][0] / SIDE
    rings = 0.5 + 0.5 * np.sin(2 * np.pi * (rng.randrange(6, 16) * y + rng.uniform(0.5, 1.4) * warp))
    fibres = fractal(chance, steepness=0.5, lowest=8, stretch=(24.0, 1.0))
    light = 0.82 + 0.30 * rings**1.5 * rng.uniform(0.4, 1.0) + 0.09 * fibres
    return shade(tone, light), unit(fibres)


def planks(rng: Random, chance: np.random.Generator) -> Result:
    """Floor boards along x."""
    return _boards(rng, chance, (rng.choice([1, 1, 2]), rng.choice([8, 10, 12, 16])), 0.37)


def parquet(rng: Random, chance: np.random.Generator) -> Result:
    """Short staves."""
    return _boards(rng, chance, (rng.choice([3, 4, 5]), rng.choice([16, 20, 24])), 0.5)


def _boards(rng: Random, chance: np.random.Generator, counts: tuple[int, int], offset: float) -> Result:
    columns, rows = counts
    u, v, index = courses(columns, rows, offset=offset)
    grain, height = _grain(np.ones(3), rng, chance)
    # Each board shows another part of the grain.
    y, x = np.mgrid[:SIDE, :SIDE]
    grain = grain[(y + index * 131) % SIDE, (x + index * 57) % SIDE]
    base = palette.pick(rng, palette.WOODS)
    tones = np.array([base * rng.uniform(0.78, 1.18) for _ in range(43)])
    inside = joint(u, v, columns, rows, 0.003)
    return grain * tones[index * 17 % 43] * (0.35 + 0.65 * inside)[..., None], unit(inside + 0.15 * height)


def rooftiles(rng: Random, chance: np.random.Generator) -> Result:
    """Rows of roof tiles."""
    columns, rows = 10, 8
    u, v, index = courses(columns, rows, offset=rng.choice([0.0, 0.5]))
    base = palette.pick(rng, ("8c4a34", "a0573c", "6b4436", "4f4a48", "5a5f63", "94553c"))
    tones = np.array([base * rng.uniform(0.7, 1.2) for _ in range(37)])
    height = np.sin(np.pi * u) * 0.6 + (1 - v) * 0.4
    dirt = fractal(chance, steepness=1.5, lowest=1)
    return shade(tones[index * 13 % 37], (0.45 + 0.65 * height) * (1 + 0.14 * dirt)), unit(height)
