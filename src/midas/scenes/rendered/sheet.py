"""Contact sheets: pictures of a set beside their depth, to look at before training on them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from midas.arrays import Array, UInt8, UInt16
from midas.errors import RenderError
from midas.maps.colormaps import apply_colormap
from midas.scenes.rendered.depth_files import NEAR_VALUE, SKY_VALUE

ROW_PX = 150
SHEET_PX = 1500
GAP_PX = 4
_SKY_GREY = 40


def draw_sheet(pictures: Sequence[Path], *, depth: bool = True) -> UInt8[Array, "h w 3"]:
    """A sheet of pictures in rows of one height, each with its depth on the right: near is bright, sky is grey.

    Args:
        pictures: ``.jpg`` files whose ``.png`` lies beside them.
        depth: show the depth.

    Raises:
        RenderError: there is no picture.
    """
    if not pictures:
        raise RenderError("there is no picture to show")
    rows: list[list[UInt8[Array, "h w 3"]]] = [[]]
    for path in pictures:
        tile = _tile(path, depth)
        if rows[-1] and sum(each.shape[1] + GAP_PX for each in rows[-1]) + tile.shape[1] > SHEET_PX:
            rows.append([])
        rows[-1].append(tile)
    sheet = np.full((len(rows) * (ROW_PX + GAP_PX), SHEET_PX, 3), 255, np.uint8)
    for number, row in enumerate(rows):
        x = 0
        for tile in row:
            width = min(tile.shape[1], SHEET_PX - x)
            sheet[number * (ROW_PX + GAP_PX) :][:ROW_PX, x : x + width] = tile[:, :width]
            x += width + GAP_PX
    return sheet


def chosen(folder: Path, count: int) -> list[Path]:
    """Pictures spread evenly over a set, in order; all if there are fewer."""
    pictures = sorted(folder.glob("*/*.jpg"))
    if len(pictures) <= count:
        return pictures
    return [pictures[round(place)] for place in np.linspace(0, len(pictures) - 1, count)]


def _tile(path: Path, depth: bool) -> UInt8[Array, "h w 3"]:
    photo = cv2.imread(str(path), cv2.IMREAD_COLOR)
    stored = cv2.imread(str(path.with_suffix(".png")), cv2.IMREAD_UNCHANGED)
    if photo is None or stored is None:
        raise RenderError(f"{path} or its .png is missing or damaged")
    size = (max(1, round(photo.shape[1] * ROW_PX / photo.shape[0])), ROW_PX)
    halves = [cv2.resize(photo[..., ::-1], size, interpolation=cv2.INTER_AREA)]
    if depth:
        halves.append(cv2.resize(_coloured(stored), size, interpolation=cv2.INTER_NEAREST))
    return np.hstack(halves).astype(np.uint8)


def _coloured(stored: UInt16[Array, "H W"]) -> UInt8[Array, "H W 3"]:
    near = (np.clip(stored / NEAR_VALUE, 0, 1) ** 0.6).astype(np.float32)
    coloured = apply_colormap(near, "inferno")
    coloured[stored <= SKY_VALUE] = _SKY_GREY
    return coloured
