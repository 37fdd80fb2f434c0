"""Pictures for walls, screens and covers: landscapes, shapes, lettering that nobody can read. They don't repeat."""

from __future__ import annotations

from random import Random

import cv2
import numpy as np
from generator import palette
from generator.texture_noise import SIDE, blend, fractal, shade

Result = tuple[np.ndarray, np.ndarray]


def art(rng: Random, chance: np.random.Generator) -> Result:
    """A picture to hang."""
    make = rng.choice([_landscape, _landscape, _shapes, _portrait, _flowers, _grey_photograph])
    canvas = make(rng, chance)
    return canvas, np.zeros((SIDE, SIDE))


def paper(rng: Random, chance: np.random.Generator) -> Result:
    """A cover, a poster, a box's side."""
    canvas = (
        np.broadcast_to(palette.pick(rng, palette.PRINTS + palette.WALLS), (SIDE, SIDE, 3)).astype(np.float32).copy()
    )
    if rng.random() < 0.6:
        top = rng.randrange(0, SIDE // 3)
        part = make(rng, chance) if (make := rng.choice([_landscape, _shapes, _flowers, None])) else None
        if part is not None:
            canvas[top : top + SIDE // 2] = part[: SIDE // 2]
    ink = palette.pick(rng, ("1d1d1f", "f2efe8", "7a2a22", "22304a"))
    y = rng.randrange(20, 120)
    while y < SIDE - 40:
        size = rng.choice([9, 12, 18, 40])
        _lettering(rng, canvas, (rng.randrange(20, 80), y), size, ink)
        y += int(size * rng.uniform(1.4, 3))
    return shade(canvas, 1 + 0.03 * fractal(chance)), np.zeros((SIDE, SIDE))


def _lettering(rng: Random, canvas: np.ndarray, start: tuple[int, int], size: int, ink: np.ndarray) -> None:
    """A line of words that no language has."""
    syllables = ("ka", "ro", "min", "tel", "sa", "vo", "li", "ber", "no", "pra", "du", "en", "ti", "gos", "al", "mu")
    words = ["".join(rng.choices(syllables, k=rng.randint(1, 4))) for _ in range(rng.randint(1, 7))]
    text = " ".join(words)
    text = text.upper() if rng.random() < 0.3 else text.capitalize()
    font = rng.choice((cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_TRIPLEX, cv2.FONT_HERSHEY_COMPLEX))
    cv2.putText(
        canvas, text, (start[0], start[1] + size), font, size / 22, ink.tolist(), max(1, size // 10), cv2.LINE_AA
    )


def _landscape(rng: Random, chance: np.random.Generator) -> np.ndarray:
    rows = np.linspace(0, 1, SIDE)[:, None, None]
    top, low = (
        palette.linear(rng.choice(["7fa3c4", "a9bccb", "d9b48a", "8a93a8"])),
        palette.linear(rng.choice(["dfe4e6", "f0d9b8", "c9d3d9"])),
    )
    canvas = np.broadcast_to(top * (1 - rows) + low * rows, (SIDE, SIDE, 3)).astype(np.float32).copy()
    for layer in range(4):
        line = SIDE * (0.4 + 0.15 * layer) + 40 * rng.uniform(0.2, 1) * fractal(chance, steepness=1.8, lowest=1)[0]
        tone = palette.pick(rng, palette.LEAVES + palette.STONES + palette.AUTUMN) * (0.6 + 0.15 * layer)
        ground = np.arange(SIDE)[:, None] > line[None, :]
        canvas = blend(canvas, shade(tone, 1 + 0.2 * fractal(chance, steepness=1.0, lowest=4)), ground.astype(float))
    return canvas


def _shapes(rng: Random, chance: np.random.Generator) -> np.ndarray:
    canvas = np.broadcast_to(palette.pick(rng, palette.WALLS), (SIDE, SIDE, 3)).astype(np.float32).copy()
    for _ in range(rng.randrange(3, 12)):
        tone = palette.pick(rng, palette.PRINTS + palette.CLOTHS).tolist()
        middle, radius = (rng.randrange(SIDE), rng.randrange(SIDE)), rng.randrange(20, 180)
        if rng.random() < 0.5:
            cv2.circle(canvas, middle, radius, tone, -1, cv2.LINE_AA)
        else:
            cv2.rectangle(canvas, middle, (middle[0] + radius * 2, middle[1] + radius), tone, -1)
    return shade(canvas, 1 + 0.08 * fractal(chance, steepness=1.0, lowest=2))


def _portrait(rng: Random, chance: np.random.Generator) -> np.ndarray:
    canvas = shade(palette.pick(rng, palette.CLOTHS), 0.6 + 0.2 * fractal(chance, lowest=1)).astype(np.float32)
    middle = SIDE // 2 + rng.randrange(-30, 30)
    cv2.ellipse(
        canvas,
        (middle, SIDE + 40),
        (190, 210),
        0,
        0,
        360,
        palette.pick(rng, palette.GARMENTS).tolist(),
        -1,
        cv2.LINE_AA,
    )
    cv2.ellipse(
        canvas, (middle, 230), (100, 125), 0, 0, 360, palette.pick(rng, palette.WOODS).tolist(), -1, cv2.LINE_AA
    )
    cv2.ellipse(
        canvas,
        (middle, 250),
        (78, 105),
        0,
        0,
        360,
        palette.linear(rng.choice(["d9a98a", "b07d5c", "8a5a40", "e3bfa3"])).tolist(),
        -1,
        cv2.LINE_AA,
    )
    return shade(canvas, 1 + 0.1 * fractal(chance, steepness=1.2))


def _flowers(rng: Random, chance: np.random.Generator) -> np.ndarray:
    canvas = shade(palette.pick(rng, palette.WALLS + palette.CLOTHS), 0.9 + 0.1 * fractal(chance, lowest=1)).astype(
        np.float32
    )
    for _ in range(rng.randrange(12, 40)):
        x, y, radius = int(rng.gauss(SIDE / 2, 90)), int(rng.gauss(SIDE / 2, 90)), rng.randrange(10, 44)
        cv2.line(canvas, (x, y), (SIDE // 2, SIDE), palette.pick(rng, palette.LEAVES).tolist(), 3, cv2.LINE_AA)
        cv2.circle(canvas, (x, y), radius, palette.pick(rng, palette.PRINTS).tolist(), -1, cv2.LINE_AA)
    return shade(canvas, 1 + 0.1 * fractal(chance, steepness=1.0, lowest=3))


def _grey_photograph(rng: Random, chance: np.random.Generator) -> np.ndarray:
    canvas = _landscape(rng, chance)
    grey = canvas.mean(axis=-1, keepdims=True)
    return np.repeat(np.clip(grey * 1.4, 0, 1), 3, axis=-1)
