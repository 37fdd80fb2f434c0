"""A demonstration for places that host Gradio: pip install gradio midas-depth && python gradio_app.py.

On a machine of one's own, `midas serve` does more with less: Gradio brings some sixty packages, and routes of its own.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import gradio
import numpy as np

import midas
from midas.maps.colormaps import COLORMAPS

EXPLANATION = "Relative depth: brighter is nearer. The values are not metres; scale and shift are unknown."
predictor = midas.load()


def depth(image: np.ndarray | None, colormap: str) -> tuple[np.ndarray, str]:
    """The map's picture, and a 16-bit PNG file of its values."""
    if image is None:
        raise gradio.Error("choose a picture first")
    depth_map = predictor(image)
    file = Path(tempfile.mkdtemp()) / "depth.png"
    depth_map.save(file)
    return depth_map.colorize(colormap), str(file)


page = gradio.Interface(
    depth,
    [gradio.Image(type="numpy", label="Picture"), gradio.Dropdown(list(COLORMAPS), value="inferno", label="Colours")],
    [gradio.Image(label="Depth"), gradio.File(label="16-bit PNG")],
    title="midas",
    description=EXPLANATION,
)

if __name__ == "__main__":
    page.launch()
