"""Options that make metres of a map."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from midas.alignment.measured import CODES_PER_METRE
from midas.cli import finite
from midas.errors import ConfigError
from midas.maps.metres import KnownDistances

KNOWN_HELP = "A point of known depth, in pixels and metres; twice at least. Maps become metres."
NEAR_HELP = "Depth of the nearest pixel in metres; with --far."
BESIDE_HELP = "Write the relative maps too; the metres lie beside them as NAME_metres."
DEPTH_HELP = "A depth map of the same view, in metres, or a 16-bit PNG in millimetres."

PointsOption = Annotated[
    Path | None,
    typer.Option(
        "--points",
        metavar="FILE",
        help="Measured points, some of them wrong: CSV or NPY of row,column,metres.",
    ),
]
LidarOption = Annotated[
    Path | None,
    typer.Option(metavar="PNG", help="Measured depth, 16 bit in millimetres, 0 unknown; may be small or sparse."),
]
LidarUnitOption = Annotated[
    float, typer.Option(metavar="N", min=1e-6, callback=finite, help="Codes of --lidar per metre, if not millimetres.")
]


def known_distances(
    points: Sequence[str],
    near_m: float | None,
    far_m: float | None,
    depth: Path | None = None,
    measured: Path | None = None,
    lidar: Path | None = None,
    lidar_per_metre: float = CODES_PER_METRE,
) -> KnownDistances | None:
    """What the options say; None without any.

    Raises:
        ConfigError: a point isn't ROW,COL,METRES, or several ways are named.
    """
    if not points and near_m is None and far_m is None and not (depth or measured or lidar):
        return None
    known = [_point(text) for text in points]
    return KnownDistances(known, near_m, far_m, depth, measured, lidar, lidar_per_metre)


def _point(text: str) -> tuple[int, int, float]:
    try:
        row, column, metres = text.split(",")
        return int(row), int(column), float(metres)
    except ValueError as error:
        raise ConfigError(f"--known {text}: expected ROW,COL,METRES such as 240,320,1.5") from error
