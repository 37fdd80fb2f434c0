"""One way to draw sheets: pictures beside maps, for whoever wants to look at data, a training or an evaluation.

Tiles in rows; each has its name and a range with its unit above, and cells of one size beside each other, so that the
headings at the top hold for all rows. Maps go from dark (far) to bright (near), all maps of a tile in the colours of
its target; what has no value is grey.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from midas.arrays import Array, Bool, Float32, UInt8
from midas.maps.colormaps import apply_colormap
from midas.maps.value_range import ValueRange

CELL_SIZE = (180, 240)
"""(height, width) of a cell, px; pictures are fitted into it."""

LINE_PX, GAP_PX = 16, 6
NO_VALUE = 90
"""The grey of pixels without a value."""

PERCENTILES = (2.0, 98.0)
LEGEND = "dark: far, bright: near (2nd to 98th percentile of the target); grey: no value"
_CHARACTER_PX = 7  # of the built-in font, at most on the average


@dataclass(frozen=True)
class Tile:
    """What belongs to one sample.

    Attributes:
        caption: its name and figures.
        cells: pictures, one per heading, any sizes.
        smooth: whether each is shrunk as photographs are; otherwise its nearest pixels stay as they are.
    """

    caption: str
    cells: tuple[UInt8[Array, "_ _ 3"], ...]
    smooth: tuple[bool, ...] = ()


def target_range(target: Float32[Array, "H W"], mask: Bool[Array, "H W"] | None = None) -> ValueRange:
    """The values of a target that get the two ends of the colours."""
    values = target if mask is None else target[mask][None]
    if not values.size:
        return ValueRange(0.0, 0.0)
    low, high = (float(value) for value in np.percentile(values, PERCENTILES))
    return ValueRange(low, high) if high > low else ValueRange.of(values)


def painted(
    values: Float32[Array, "H W"], within: ValueRange, mask: Bool[Array, "H W"] | None = None
) -> UInt8[Array, "H W 3"]:
    """A map in the sheets' colours, grey where it has no value.

    Args:
        values: larger is nearer.
        within: what gets the ends of the colours: for all maps of a tile ``target_range`` of its target.
        mask: True where there is a value; None for everywhere.
    """
    coloured = apply_colormap(within.unit(values))
    if mask is not None:
        coloured[~mask] = NO_VALUE
    return coloured


def range_text(within: ValueRange, *, metric: bool) -> str:
    """What the ends of the colours stand for, with the unit.

    Args:
        within: of disparity; of inverse depth in 1/metre where ``metric``.
        metric: whether it has a unit.
    """
    if metric and within.low > 0:
        return f"{1 / within.high:.3g} to {1 / within.low:.3g} m"
    if metric:
        return f"from {1 / within.high:.3g} m" if within.high > 0 else "infinitely far"
    return f"disparity {within.low:.3g} to {within.high:.3g}, no unit"


def fitted_size(picture: UInt8[Array, "H W 3"] | Bool[Array, "H W"]) -> tuple[int, int]:
    """(width, height) of a picture in its cell, px."""
    height, width = picture.shape[:2]
    factor = min(CELL_SIZE[0] / height, CELL_SIZE[1] / width)
    return max(1, round(width * factor)), max(1, round(height * factor))


def draw_tiles(
    tiles: Sequence[Tile], headings: Sequence[str], *, across: int = 1, legend: str = LEGEND
) -> UInt8[Array, "h w 3"]:
    """A sheet of tiles.

    Args:
        tiles: one or more.
        headings: of the cells.
        across: how many tiles stand beside each other at most.
        legend: what the colours mean.
    """
    across = min(across, len(tiles))
    tallest = max(fitted_size(cell)[1] for tile in tiles for cell in tile.cells)
    step_x, step_y = len(headings) * (CELL_SIZE[1] + GAP_PX), tallest + LINE_PX + GAP_PX
    top = GAP_PX + 2 * LINE_PX
    size = across * step_x + GAP_PX, top + -(-len(tiles) // across) * step_y + GAP_PX
    sheet = Image.new("RGB", size, "white")
    _write(sheet, (GAP_PX, GAP_PX), legend, size[0])
    for column in range(across):
        for number, heading in enumerate(headings):
            left = GAP_PX + column * step_x + number * (CELL_SIZE[1] + GAP_PX)
            _write(sheet, (left, GAP_PX + LINE_PX), heading, CELL_SIZE[1], fill="dimgrey")
    for place, tile in enumerate(tiles):
        row, column = divmod(place, across)
        corner = (GAP_PX + column * step_x, top + GAP_PX + row * step_y)
        _write(sheet, corner, tile.caption, step_x)
        for number, cell in enumerate(tile.cells):
            smooth = tile.smooth[number] if tile.smooth else True
            how = Image.Resampling.LANCZOS if smooth else Image.Resampling.NEAREST
            shown = Image.fromarray(cell).resize(fitted_size(cell), how)
            sheet.paste(shown, (corner[0] + number * (CELL_SIZE[1] + GAP_PX), corner[1] + LINE_PX))
    return np.asarray(sheet)


def _write(sheet: Image.Image, corner: tuple[int, int], text: str, width_px: int, *, fill: str = "black") -> None:
    # The built-in font has Latin letters only, and the end of a long name tells frames apart.
    plain = text.encode("ascii", "replace").decode()
    most = max(8, width_px // _CHARACTER_PX)
    shown = plain if len(plain) <= most or _fits(plain, width_px) else f"...{plain[3 - most :]}"
    ImageDraw.Draw(sheet).text(corner, shown, fill=fill, font=ImageFont.load_default())


def _fits(text: str, width_px: int) -> bool:
    left, _, right, _ = ImageFont.load_default().getbbox(text)
    return bool(right - left <= width_px)
