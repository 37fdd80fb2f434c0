"""A map in a notebook: one line of text, and a picture."""

from __future__ import annotations

import io
import math

import numpy as np
from PIL import Image

from midas.arrays import Array, Float32
from midas.maps.colormaps import colorize
from midas.maps.kinds import METRIC, Kind, nearness

LARGEST_SHOWN_PX = 1024


def one_line(name: str, values: Float32[Array, "H W"], kind: Kind, *known: str | None) -> str:
    """A map in one line: its size, the range of its values, what they are, and what else is known of it."""
    height, width = values.shape
    finite = values[np.isfinite(values)]
    unit = " m" if kind == METRIC else ""
    spread = f"{finite.min():.4g} to {finite.max():.4g}{unit}" if finite.size else "no finite value"
    return f"{name}({', '.join([f'{width}x{height}', kind, spread, *(text for text in known if text)])})"


def shown_png(values: Float32[Array, "H W"], kind: Kind) -> bytes:
    """A PNG of a map in colours, nearer is brighter, no larger than a page has room for."""
    picture = Image.fromarray(colorize(nearness(values, kind)))
    factor = LARGEST_SHOWN_PX / max(picture.size)
    if factor < 1:
        picture = picture.resize((math.ceil(picture.width * factor), math.ceil(picture.height * factor)))
    file = io.BytesIO()
    picture.save(file, format="PNG")
    return file.getvalue()
