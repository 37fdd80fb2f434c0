"""Options of ``midas predict`` that make metres of a map."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from midas.errors import ConfigError
from midas.maps.metres import KnownDistances

KNOWN_HELP = "A point of known depth, in pixels and metres; twice at least. Maps become metres."
NEAR_HELP = "Depth of the nearest pixel in metres; with --far."
BESIDE_HELP = "Write the relative maps too; the metres lie beside them as NAME_metres."
DEPTH_HELP = "A depth map of the same view, in metres, or a 16-bit PNG in millimetres."


def known_distances(
    points: Sequence[str], near_m: float | None, far_m: float | None, depth: Path | None
) -> KnownDistances | None:
    """What the options say; None without any.

    Raises:
        ConfigError: a point isn't ROW,COL,METRES, or several ways are named.
    """
    if not points and near_m is None and far_m is None and depth is None:
        return None
    return KnownDistances([_point(text) for text in points], near_m, far_m, depth)


def _point(text: str) -> tuple[int, int, float]:
    try:
        row, column, metres = text.split(",")
        return int(row), int(column), float(metres)
    except ValueError as error:
        raise ConfigError(f"--known {text}: expected ROW,COL,METRES such as 240,320,1.5") from error
