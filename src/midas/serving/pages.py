"""The page's files, and what it is told of models and colours, whether or not a server stands behind it."""

from __future__ import annotations

import base64
from importlib.resources import files
from pathlib import Path
from typing import Any

from midas.maps.colormaps import COLORMAPS, colormap_table
from midas.models.specs import ModelSpec


def page_folder() -> Path:
    """Where the page's files are."""
    return Path(str(files("midas.serving").joinpath("page")))


def colormap_tables() -> dict[str, str]:
    """Each colour map as base64 of its 256 rows of RGB."""
    return {name: base64.b64encode(colormap_table(name).tobytes()).decode() for name in COLORMAPS}


def facts_of(spec: ModelSpec | None) -> dict[str, Any]:
    """What the card of a model shows, of a file that the table doesn't know too."""
    if spec is None:
        return {"summary": "a file of this server", "licence": None, "commercial": None, "parameters": None, "note": ""}
    return {
        "summary": spec.summary,
        "licence": spec.weights.licence,
        "commercial": not spec.weights.non_commercial,
        "parameters": spec.parameters,
        "note": spec.weights.note,
    }
