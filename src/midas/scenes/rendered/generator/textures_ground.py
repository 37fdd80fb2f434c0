"""Textures of the ground, of rock and bark. Each gives colour, linear, and height."""

from __future__ import annotations

from random import Random

import cv2
import numpy as np
from generator import palette
from generator.texture_noise import SIDE, blend, cells, fractal, shade, splash, unit

Result = tuple[np.ndarray, np.ndarray]


def grass(rng: Random, chance: np.random.Generator) -> Result:
    """Blades over soil, with paler and barer patches."""
    canvas = np.zeros((SIDE, SIDE, 4), np.float32)
    canvas[..., :3] = np.array([0.06, 0.045, 0.025])
    tones = [palette.pick(rng, palette.LEAVES, 0.3) for _ in range(5)] + [
        palette.linear("8f8a4a"),
        palette.linear("a39a5c"),
    ]
    patches, shapes = fractal(chance, steepness=1.5, lowest=1), []
    for step in range(9000):
        start = chance.uniform(0, SIDE, 2)
        length, heading = chance.uniform(8, 26), chance.uniform(0, 2 * np.pi)
        way = np.array([np.cos(heading), np.sin(heading)])
        side = np.array([-way[1], way[0]]) * chance.uniform(0.5, 1.1)
        dry = patches[int(start[1]), int(start[0])] + chance.normal(0, 0.5) > 1.2
        tone = tones[chance.integers(5, 7) if dry else chance.integers(0, 5)]
        level = 0.35 + 0.65 * step / 9000
        colour = np.clip(tone * level * chance.uniform(0.7, 1.3), 0, 1)
        shapes.append((np.array([start - side, start + side, start + way * length]), (*colour, level)))
    canvas = splash(canvas, shapes)
    return canvas[..., :3], canvas[..., 3]


def litter(rng: Random, chance: np.random.Generator) -> Result:
    """Fallen leaves, needles and twigs."""
    canvas = np.zeros((SIDE, SIDE, 4), np.float32)
    canvas[..., :3] = np.array([0.04, 0.028, 0.018])
    tones = [palette.linear(code) for code in ("6b4a2e", "8a6238", "a07a48", "5a3d28", "7d5a3a", "b08a55", "4a3626")]
    tones += [palette.linear("6f7a3a")] * rng.randrange(0, 3)
    outline = np.array([(1, 0), (0.5, 0.32), (0, 0.38), (-0.6, 0.25), (-1, 0), (-0.6, -0.25), (0, -0.38), (0.5, -0.32)])
    shapes, leaf_px = [], rng.uniform(9, 20)
    for step in range(2600):
        start, heading = chance.uniform(0, SIDE, 2), chance.uniform(0, 2 * np.pi)
        turn = np.array([[np.cos(heading), -np.sin(heading)], [np.sin(heading), np.cos(heading)]])
        level = 0.3 + 0.7 * step / 2600
        colour = np.clip(tones[chance.integers(len(tones))] * level * chance.uniform(0.6, 1.3), 0, 1)
        twig = chance.random() < 0.25
        form = outline * ((1.3, 0.12) if twig else (1, chance.uniform(0.7, 1.4)))
        shapes.append((start + form * leaf_px * chance.uniform(0.4, 1.1) @ turn.T, (*colour, level)))
    canvas = splash(canvas, shapes)
    return canvas[..., :3], canvas[..., 3]


def soil(rng: Random, chance: np.random.Generator) -> Result:
    """Trodden earth with small stones."""
    earth = palette.linear(rng.choice(["6b5540", "7d6750", "5a4636", "8f7a5e", "6a5f52"]))
    ground = fractal(chance, steepness=1.3)
    near, _, index = cells(chance, 900)
    stone = (near < 0.28) & (chance.random(1000)[index % 1000] < 0.3)
    colour = shade(earth, 1 + 0.22 * ground)
    colour = blend(
        colour, shade(palette.pick(rng, palette.STONES), 0.8 + 0.4 * chance.random(1000)[index % 1000]), stone * 0.8
    )
    return colour, unit(ground + 1.2 * stone * (0.28 - near) / 0.28)


def gravel(rng: Random, chance: np.random.Generator) -> Result:
    """Small stones side by side."""
    _, border, index = cells(chance, rng.randrange(700, 1800), regular=0.35)
    tones = np.array([palette.pick(rng, palette.STONES, 0.35) for _ in range(64)])
    height = np.clip(border * 2.2, 0, 1) ** 0.6
    colour = tones[index * 37 % 64] * (0.25 + 0.75 * height)[..., None]
    return shade(colour, 1 + 0.1 * fractal(chance, steepness=0.8)), height * (
        0.7 + 0.3 * chance.random(64)[index * 17 % 64]
    )


def sand(rng: Random, chance: np.random.Generator) -> Result:
    """Sand with ripples and footprints' unrest."""
    tone = palette.linear(rng.choice(["c9b48a", "b89c72", "d6c49e", "a88a62"]))
    unrest = fractal(chance, steepness=1.7, lowest=1)
    y = np.mgrid[:SIDE, :SIDE][0] / SIDE
    ripples = 0.5 + 0.5 * np.sin(2 * np.pi * (rng.randrange(8, 16) * y + 0.25 * unrest))
    height = unit(0.6 * ripples * rng.uniform(0, 1.2) + 0.5 * unrest)
    return shade(tone, 0.86 + 0.2 * height + 0.05 * fractal(chance, steepness=0.3)), height


def asphalt(rng: Random, chance: np.random.Generator) -> Result:
    """Asphalt with wear, stains, mended cracks."""
    tone = palette.linear(rng.choice(["4a4a4c", "5c5b5a", "3c3d40", "6e6c69"]))
    grain = fractal(chance, steepness=0.25, lowest=20)
    wear = fractal(chance, steepness=1.6, lowest=1)
    light = 1 + 0.2 * grain + 0.12 * wear
    _, border, _ = cells(chance, 9)
    bent = border + 0.05 * fractal(chance, steepness=1.2, lowest=6)
    cracks = np.clip(1 - np.abs(bent) / 0.012, 0, 1) * (fractal(chance, lowest=1) > rng.uniform(0.2, 1.4))
    return shade(tone, light * (1 - 0.6 * cracks)), unit(0.5 * grain - 3 * cracks)


def snow(rng: Random, chance: np.random.Generator) -> Result:
    """Snow, smooth in the large and grainy in the small."""
    drift, grain = fractal(chance, steepness=2.2, lowest=1), fractal(chance, steepness=0.4, lowest=30)
    tone = np.array([0.80, 0.83, 0.88]) * rng.uniform(0.92, 1.05)
    return shade(tone, 0.97 + 0.03 * drift + 0.02 * grain), unit(drift + 0.1 * grain)


def rock(rng: Random, chance: np.random.Generator) -> Result:
    """Weathered stone with veins, cracks and lichen."""
    stretch = rng.choice([(1.0, 1.0), (2.5, 1.0), (1.0, 2.0)])
    form = fractal(chance, steepness=1.4, lowest=1, stretch=stretch)
    ridges = 1 - np.abs(fractal(chance, steepness=1.5, lowest=2, stretch=stretch))
    base, second = palette.pick(rng, palette.STONES), palette.pick(rng, palette.STONES, 0.3)
    colour = blend(shade(base, 1 + 0.18 * form), second, 0.5 + 0.35 * fractal(chance, lowest=1))
    lichen = fractal(chance, steepness=1.1, lowest=4) > rng.uniform(1.0, 2.4)
    colour = blend(colour, palette.linear(rng.choice(["8a8f5c", "6f7a4a", "b3ab7a", "4d5a38"])), 0.7 * lichen)
    cracks = np.clip((0.06 - np.abs(fractal(chance, steepness=1.6, lowest=2))) / 0.06, 0, 1)
    # Weathered stone out of doors is darker than dressed stone.
    return shade(colour, 0.55 * (1 - 0.5 * cracks)), unit(form + 0.8 * ridges - 1.2 * cracks)


def bark(rng: Random, chance: np.random.Generator) -> Result:
    """Bark: upright ridges with deep furrows; sometimes a birch's."""
    tone = palette.pick(rng, palette.BARKS, 0.2)
    along = fractal(chance, steepness=1.2, lowest=3, stretch=(1.0, 5.0))
    if rng.random() < 0.18:
        spots = fractal(chance, steepness=1.3, lowest=4, stretch=(6.0, 1.0)) > 1.3
        return blend(shade(palette.linear("d6d2c8"), 1 + 0.06 * along), palette.linear("2a2622"), 0.9 * spots), unit(
            along
        )
    furrows = np.clip(np.abs(along) * 1.6, 0, 1)
    mossy = blend(
        shade(tone, 0.35 + 0.75 * furrows + 0.1 * fractal(chance, steepness=0.8)),
        palette.linear("5c6b3a"),
        0.35 * (fractal(chance, lowest=1) > 1),
    )
    return mossy, cv2.GaussianBlur(furrows.astype(np.float32), (0, 0), 1)
