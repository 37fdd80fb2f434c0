"""What the values of a map are, in five words that files, networks and cards carry."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from midas.arrays import Array, Float32
from midas.errors import OutputError

Kind = Literal["affine_invariant_inverse", "scale_invariant_inverse", "metric", "scale_invariant", "affine_invariant"]
"""Inverse kinds are larger where it is nearer: inverse depth but for a scale and a shift (relative disparity, what the
networks of this project give), or but for a scale. The others are larger where it is farther: depth in metres, depth
but for a scale, depth but for a scale and a shift."""

KINDS: tuple[Kind, ...] = get_args(Kind)
RELATIVE_DISPARITY: Kind = "affine_invariant_inverse"
METRIC: Kind = "metric"

INVERSE = frozenset[Kind](("affine_invariant_inverse", "scale_invariant_inverse"))

KIND_KEY = "kind"
SPACE_KEY = "space"

# The word for the two kinds that files of 0.4 and earlier have.
_SPACES: dict[Kind, str] = {RELATIVE_DISPARITY: "relative_disparity", METRIC: "depth_m"}


def space_of(kind: Kind) -> str:
    """The older word for a kind: ``relative_disparity``, ``depth_m``; of those that had none, the kind itself."""
    return _SPACES.get(kind, kind)


def kind_said(metadata: Mapping[str, str], path: str | Path) -> Kind | None:
    """The kind that a file's metadata state; None where they state none.

    Args:
        metadata: what ``read_map`` gives with the values.
        path: the file, for the message.

    Raises:
        OutputError: a word that is none of them.
    """
    said = metadata.get(KIND_KEY)
    if said is None:
        space = metadata.get(SPACE_KEY)
        said = next((kind for kind, word in _SPACES.items() if word == space), space)
    found = next((kind for kind in KINDS if kind == said), None)
    if said is not None and found is None:
        raise OutputError(
            f"{path} can't be read as a map: its values are of a kind {said!r}; expected one of {', '.join(KINDS)}"
        )
    return found


def nearness(values: Float32[Array, "H W"], kind: Kind) -> Float32[Array, "H W"]:
    """Values in whose place larger is nearer, for the eye: those of the inverse kinds themselves, 1 / depth, or -depth.

    What isn't a positive depth becomes 0, as if it were infinitely far.
    """
    if kind in INVERSE:
        return values
    if kind == "affine_invariant":  # whose zero isn't that of depth
        return -values
    near = np.zeros_like(values)
    np.divide(1, values, out=near, where=values > 0)
    return near
