"""Colours as photographs have them: linear light, 0 to 1, more grey than bright."""

from __future__ import annotations

import colorsys

import numpy as np

Color = tuple[float, float, float]


def hsv(hue: float, saturation: float, value: float) -> Color:
    """Linear light of a colour given as screens show it; each number from 0 to 1, the hue wraps."""
    red, green, blue = colorsys.hsv_to_rgb(hue % 1, min(max(saturation, 0.0), 1.0), min(max(value, 0.0), 1.0))
    return red**2, green**2, blue**2


# Hue, saturation and value, each from … to; a hue may run over 1.
_RANGES = {
    "any": ((0.0, 1.0), (0.0, 0.75), (0.15, 0.95)),
    "wall": ((0.0, 1.0), (0.0, 0.22), (0.6, 0.98)),
    "vivid": ((0.0, 1.0), (0.5, 0.95), (0.35, 0.95)),
    "cloth": ((0.0, 1.0), (0.05, 0.7), (0.1, 0.85)),
    "wood": ((0.04, 0.11), (0.3, 0.65), (0.25, 0.8)),
    "stone": ((0.05, 0.16), (0.02, 0.2), (0.35, 0.75)),
    "brick": ((0.98, 1.08), (0.3, 0.6), (0.35, 0.7)),
    "dark": ((0.0, 1.0), (0.0, 0.4), (0.04, 0.25)),
    "leaf": ((0.19, 0.36), (0.35, 0.75), (0.2, 0.6)),
    "grass": ((0.15, 0.32), (0.3, 0.7), (0.3, 0.65)),
    "earth": ((0.04, 0.12), (0.2, 0.55), (0.3, 0.65)),
    "autumn": ((0.02, 0.13), (0.55, 0.9), (0.4, 0.85)),
    "sand": ((0.09, 0.13), (0.15, 0.4), (0.65, 0.9)),
    "snow": ((0.5, 0.65), (0.0, 0.08), (0.85, 1.0)),
    "water": ((0.42, 0.6), (0.25, 0.6), (0.2, 0.55)),
    "asphalt": ((0.5, 0.7), (0.0, 0.08), (0.22, 0.5)),
    "skin": ((0.02, 0.075), (0.25, 0.6), (0.3, 0.95)),
    "hair": ((0.02, 0.12), (0.1, 0.6), (0.05, 0.6)),
    "fur": ((0.03, 0.11), (0.05, 0.6), (0.1, 0.85)),
    "metal": ((0.5, 0.65), (0.0, 0.1), (0.2, 0.7)),
    "white": ((0.0, 1.0), (0.0, 0.06), (0.85, 1.0)),
    "glass": ((0.5, 0.62), (0.1, 0.45), (0.1, 0.5)),
}


def draw_color(rng: np.random.Generator, kind: str) -> Color:
    """A colour of a kind: ``wall``, ``leaf``, ``skin`` ..."""
    hue, saturation, value = (low + (high - low) * float(rng.random()) for low, high in _RANGES[kind])
    return hsv(hue, saturation, value)


def shade(color: Color, factor: float) -> Color:
    """The colour, lighter or darker."""
    red, green, blue = (min(channel * factor, 1.0) for channel in color)
    return red, green, blue
