"""Colours that things have: drawn from lists of what paint, wood, cloth and stone look like, not from the whole wheel.

All results are linear RGB, as shaders take it; the lists are sRGB, as people write it.
"""

from __future__ import annotations

import colorsys
from random import Random

import numpy as np

Colour = np.ndarray

WALLS = ("f2efe8", "ece7dd", "e8e6e1", "f4f3f0", "dfd9cd", "e3ddd0", "d9d6d0", "cfcac1", "c9cdcb", "d8dcd6")
WALL_ACCENTS = (
    "b9c2b3",
    "9fb0b5",
    "c7b8a0",
    "8e9aa0",
    "b5a391",
    "a8584a",
    "5e6f6a",
    "d2c08f",
    "7d8791",
    "c9a68d",
    "cfd8df",
    "e2c9b8",
)
WOODS = ("b58a5a", "a3764a", "8a5d38", "6e4528", "c7a477", "d3b68c", "7a5533", "57371f", "9c7a55", "bfa27e", "4a3122")
CLOTHS = (
    "3b4250", "2b2d33", "55585e", "7b7f85", "a7a9ab", "c8c5bd", "e5e1d8", "8c7a66", "6b5643", "4d5a45",
    "5f6f52", "39506b", "53708f", "7d97ad", "8a3b35", "a3574a", "c08a4e", "b8a063", "6a3f4e", "304a46",
)  # fmt: skip
GARMENTS = (
    "1f2126", "2c3340", "36455c", "46658a", "6f8fb3", "e9e7e2", "d7d3ca", "b9b4aa", "8e8a84", "5c5a58",
    "6d2f2f", "94433a", "b5704a", "c9a15a", "4b5a3c", "6b7a58", "2f4b45", "7a6a58", "a08c72", "4a3a33",
    "c9d3dd", "e3c9bd", "395a7a", "20304a",
)  # fmt: skip
TROUSERS = ("22262e", "2d3a50", "3c4f6e", "5a6f8d", "1c1c1e", "4b4640", "7d7465", "a79b85", "55585e", "3a3f36")
CERAMICS = (
    "efece6",
    "e3ddd2",
    "d8d2c4",
    "f5f4f1",
    "9fb1b8",
    "54707a",
    "2e3f4c",
    "8c4d3a",
    "b98b62",
    "3a3a3c",
    "7c8a6f",
    "c9b79a",
)
PLASTICS = ("1d1d1f", "f0f0ee", "8d9094", "c23b30", "2f5f9e", "e0b23a", "3d8b5a", "d9d5cb", "e07b3a", "4a4d52")
CARS = (
    "d9dbdd",
    "b4b8bc",
    "7d8286",
    "3c4045",
    "18191b",
    "22304a",
    "6e1a1c",
    "2f4a3a",
    "e8e6e0",
    "8e8676",
    "41566e",
)
STONES = ("a8a297", "b9b2a5", "8f8a82", "77736c", "c5bda9", "6a665f", "9a8f7c", "b3a68e")
BRICKS = ("8c4a36", "a05a42", "7a4132", "b06c4e", "9a6a50", "c0a17a", "6e3a2e", "b58f6c")
FRONTS = (
    "e6dcc8",
    "d9cdb5",
    "efe9dc",
    "cfc6b6",
    "d8c3a0",
    "c9a98a",
    "bfc3c0",
    "e2d6be",
    "b8b0a2",
    "d6b98c",
    "c2ccc6",
    "e0d9cf",
    "c98f6f",
    "a9b2b5",
)
LEAVES = ("4d6b2c", "3f5a26", "5c7a35", "6f8a3c", "34502a", "52702f", "7a9148", "45612f")
AUTUMN = ("b5672a", "c98a2e", "a3472a", "d1a53a", "8c5a2a", "c4562f")
CONIFERS = ("3a5436", "465e3c", "344c38", "526a46", "5c6f4a")
BARKS = ("4f4034", "6a5a4a", "3c3028", "7d7062", "5a4a3a", "8a8378")
METALS = ("b8babd", "8d9093", "c9c9c7", "6a6c6f")
DOORS = ("efece6", "e3ded4", "8a5d38", "6e4528", "b58a5a", "d9d6d0", "4a3b30", "aeb4b2")
PRINTS = ("c94f3d", "2f6f9f", "e0b548", "3f7f5a", "2b2b30", "efe8da", "d98a4a", "7a5a8a", "8fb0bf", "b8463a", "5f7f4a")


def linear(code: str) -> Colour:
    """An sRGB hexadecimal code as linear RGB."""
    coded = np.array([int(code[place : place + 2], 16) for place in (0, 2, 4)]) / 255
    return np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)


def pick(rng: Random, codes: tuple[str, ...], spread: float = 0.15) -> Colour:
    """One of the colours, a little lighter or darker, a little warmer or colder."""
    colour = linear(rng.choice(codes)) * (1 + rng.uniform(-spread, spread))
    warmth = rng.gauss(0, 0.25 * spread)
    return np.clip(colour * (1 + warmth, 1, 1 - warmth), 0.004, 0.92)


def wall(rng: Random) -> Colour:
    """A painted wall: mostly some white."""
    return pick(rng, WALLS if rng.random() < 0.68 else WALL_ACCENTS, 0.08)


def leaf(rng: Random, season: float) -> Colour:
    """A leaf; seasons beyond 0.8 are autumn."""
    return pick(rng, AUTUMN if season > 0.8 else LEAVES, 0.2)


def hsv(hue: float, saturation: float, value: float) -> Colour:
    """A colour of the wheel, for fruit and lamps."""
    return np.array(colorsys.hsv_to_rgb(hue % 1, min(max(saturation, 0), 1), min(max(value, 0), 1)))


def kelvin(temperature_k: float) -> Colour:
    """A lamp's colour from its temperature, brightest channel 1 (a fit to Planck's curve by T. Helland)."""
    t = temperature_k / 100
    red = 1.0 if t <= 66 else 1.293 * (t - 60) ** -0.1332
    green = 0.3901 * np.log(t) - 0.6318 if t <= 66 else 1.13 * (t - 60) ** -0.0755
    blue = 1.0 if t >= 66 else (0.0 if t <= 19 else 0.5432 * np.log(t - 10) - 1.1963)
    return np.clip([red, green, blue], 0, 1) ** 2.2
