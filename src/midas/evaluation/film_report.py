"""Figures of films as a table or JSON, and their strips as pictures."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from midas.arrays import Array, UInt8
from midas.errors import OutputError
from midas.evaluation.films import NETWORK, OWN_RANGE, FilmScores, FilmStrip
from midas.maps.colormaps import apply_colormap
from midas.storage.atomic import atomic_file

STRIP_SUFFIXES = (".png", ".jpg", ".jpeg")
STRIP_WAYS = (OWN_RANGE, NETWORK, "flow")
_STRIP_WIDTH_PX = 1200
_MOST_PER_FRAME_PX = 8
_GAP_PX = 6
_PERCENT = (1.0, 99.0)
_JPEG_QUALITY = 90

# Heading, name in ``FilmScores``, factor, digits.
_TRUTH_COLUMNS = (
    ("gauge wobble", "gauge_wobble", 1.0, 4),
    ("AbsRel", "abs_rel", 1.0, 4),
    ("temporal gradient, %", "temporal_gradient_error", 100.0, 3),
    ("TAE, %", "tae", 1.0, 2),
)


def films_markdown(results: Sequence[FilmScores]) -> str:
    """A table with one row per film, model and way of steadying."""
    columns = [column for column in _TRUTH_COLUMNS if any(column[1] in _figures(result) for result in results)]
    head = ["model", "film", "frames", "shots", "maps", "change along the flow, %", "of own range", "range per second"]
    head += [heading for heading, *_ in columns]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for result in results:
        alone = result.ways[OWN_RANGE].flicker_percent
        for way, scores in result.ways.items():
            low, high = result.range_ratio(way)
            cells = [result.model, result.film, str(result.frames), str(result.shots), way]
            cells += [_number(scores.flicker_percent, 2), _share(alone, scores.flicker_percent)]
            cells.append("–" if way == OWN_RANGE else f"{_number(low, 2)} to {_number(high, 2)}")
            for _, name, factor, digits in columns:
                cells.append(_number(factor * scores.figures.get(name, math.nan), digits))
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def films_json(results: Sequence[FilmScores]) -> str:
    """The same, and the pairs of frames that were compared, for programs."""
    content = []
    for result in results:
        ways = {}
        for way, scores in result.ways.items():
            low, high = result.range_ratio(way)
            figures = {"flicker_percent": scores.flicker_percent, "range_low": low, "range_high": high}
            known = {name: value for name, value in {**figures, **scores.figures}.items() if math.isfinite(value)}
            ways[way] = {"pairs": len(scores.consistency), **known}
        content.append(
            {
                "model": result.model,
                "film": result.film,
                "frames": result.frames,
                "shots": result.shots,
                "ways": ways,
            }
        )
    return json.dumps(content, indent=1)


def strip_picture(strip: FilmStrip) -> UInt8[Array, "H W 3"]:
    """Rows over time, left to right: the film; each frame in its own range; the network's values; the steady maps.

    The last two have one range of colours for each shot, so that what flickers there is the maps.
    """
    wide = max(1, min(_MOST_PER_FRAME_PX, _STRIP_WIDTH_PX // len(strip.picture)))
    rows = [np.stack(strip.picture, axis=1)]
    for way in STRIP_WAYS:
        near = np.stack(strip.near[way], axis=1)
        unit = near if way == OWN_RANGE else _unit_per_shot(near, strip.cuts)
        rows.append(apply_colormap(np.ascontiguousarray(unit, np.float32)))
    gap = np.full((_GAP_PX, wide * len(strip.picture), 3), 255, np.uint8)
    parts = [part for row in rows for part in (np.repeat(row, wide, axis=1), gap)]
    return np.concatenate(parts[:-1])


def write_strip(path: Path, strip: FilmStrip, *, overwrite: bool) -> None:
    """Write the strip as PNG or JPEG.

    Raises:
        OutputError: another suffix, or the file can't be written or is there already.
    """
    suffix = path.suffix.lower()
    if suffix not in STRIP_SUFFIXES:
        raise OutputError(f"{path} is no picture: expected {', '.join(STRIP_SUFFIXES)}")
    with atomic_file(path, overwrite=overwrite) as file:
        how = {"format": "PNG"} if suffix == ".png" else {"format": "JPEG", "quality": _JPEG_QUALITY}
        Image.fromarray(strip_picture(strip)).save(file, **how)


def _unit_per_shot(near: Array, cuts: Sequence[int]) -> Array:
    unit = np.zeros(near.shape, np.float32)
    begins = sorted({0, *cuts})
    for begin, end in zip(begins, [*begins[1:], near.shape[1]], strict=True):
        low, high = np.percentile(near[:, begin:end], _PERCENT)
        if high > low:
            unit[:, begin:end] = (near[:, begin:end] - low) / (high - low)
    return unit


def _figures(result: FilmScores) -> set[str]:
    return {name for scores in result.ways.values() for name in scores.figures}


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}" if math.isfinite(value) else "–"


def _share(alone: float, value: float) -> str:
    return f"1 / {alone / value:.1f}" if math.isfinite(value) and value > 0 else "–"
