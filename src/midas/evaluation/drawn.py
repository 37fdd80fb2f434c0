"""Drawn scenes as a benchmark: their depth is exact up to the pixel, so that outlines can be measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from midas.datasets.readers.synthetic import SyntheticDataset
from midas.errors import ConfigError

SYNTHETIC = "synthetic"

# 24 scenes of the size of a photograph, those of the tables in docs/predict.md and docs/evaluate.md. No network of this
# project was trained on this seed.
PICTURES, SIZE, SEED = 24, (1024, 1365), 2026
OPTIONS = ("count", "size", "seed", "worlds")


def open_drawn(options: Mapping[str, str] | None = None) -> SyntheticDataset:
    """The scenes of this project's tables, or others.

    Args:
        options: ``count`` and ``seed`` as numbers, ``size`` as ``HEIGHTxWIDTH``, ``worlds`` as names with commas
            between them.

    Raises:
        ConfigError: no such option or world, or a value that is none.
    """
    given = dict(options or {})
    unknown = sorted(set(given) - set(OPTIONS))
    if unknown:
        raise ConfigError(f"drawn scenes have no option {unknown[0]!r}; there are: {', '.join(OPTIONS)}")
    settings: dict[str, Any] = {"count": PICTURES, "size": SIZE, "seed": SEED}
    try:
        settings |= {name: int(given[name]) for name in ("count", "seed") if name in given}
        if "size" in given:
            height, width = map(int, given["size"].split("x"))
            settings["size"] = (height, width)
    except ValueError as error:
        raise ConfigError(f"{error}: expected whole numbers, and a size such as 1024x1365 (height x width)") from error
    if "worlds" in given:
        settings["worlds"] = tuple(given["worlds"].split(","))
    return SyntheticDataset(**settings)
