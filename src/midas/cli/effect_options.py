"""The options of effects, for pictures and for films."""

from __future__ import annotations

from typing import Annotated

import typer

from midas.cli.pictures_in import names_among, numbers_of
from midas.effects.anaglyph import ANAGLYPH_COLORS

LAYOUTS = ("side-by-side", "half", "crossed", "top-bottom")


def one_of(*choices: str) -> object:
    """A callback that lets one of these names pass."""
    return lambda name: names_among(choices)([name])[0]


DivergenceOption = Annotated[
    float,
    typer.Option(metavar="PERCENT", help="Of stereo and anaglyph: between nearest and farthest, of the width."),
]
ConvergenceOption = Annotated[
    float,
    typer.Option(
        metavar="N",
        help="Of stereo and anaglyph: what lies in the plane of the screen, 0 the farthest, 1 the nearest.",
    ),
]
LayoutOption = Annotated[
    str, typer.Option(metavar="NAME", callback=one_of(*LAYOUTS), help=f"Of stereo: {', '.join(LAYOUTS)}.")
]
AnaglyphColorsOption = Annotated[
    str,
    typer.Option(metavar="NAME", callback=one_of(*ANAGLYPH_COLORS), help=f"Of anaglyph: {', '.join(ANAGLYPH_COLORS)}."),
]
FocusOption = Annotated[
    str | None,
    typer.Option(
        metavar="ROW,COLUMN|N",
        help="Of bokeh: the pixel to focus on, by default the middle; or 0 (farthest) to 1 (nearest).",
    ),
]
ApertureOption = Annotated[
    float, typer.Option(metavar="PERCENT", help="Of bokeh: radius of the largest blur, of the longer side.")
]


def focus_of(text: str | None) -> tuple[float, tuple[int, int] | None]:
    """Nearness, or a pixel."""
    if text is None:
        return 1.0, None
    if "," not in text:
        return numbers_of(text, "ROW,COLUMN or a number from 0 to 1", 1)[0], None
    row, column = numbers_of(text, "ROW,COLUMN or a number from 0 to 1", 2)
    return 1.0, (int(row), int(column))
