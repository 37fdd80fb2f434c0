"""A map of any kind as disparity with its anchor, from which three dimensions are made."""

from __future__ import annotations

import numpy as np

from midas.alignment import Alignment
from midas.arrays import Array, Float32
from midas.errors import AlignmentError
from midas.geometry.anchor import Anchor, anchor_of_zero, assumed_anchor
from midas.maps.kinds import INVERSE, METRIC, RELATIVE_DISPARITY, Kind


def anchored(values: Float32[Array, "H W"], kind: Kind, anchor: Anchor | None) -> tuple[Float32[Array, "H W"], Anchor]:
    """Disparity of a map, and what takes it to 1 / depth.

    Args:
        values: of that kind.
        kind: what they are.
        anchor: for disparity of unknown shift; None assumes one.

    Raises:
        AlignmentError: the map is constant, of a kind whose shift has no meaning in inverse depth, or there is an
            anchor for a map in metres.
    """
    if kind == RELATIVE_DISPARITY:
        return values, anchor or assumed_anchor(values)
    if kind in INVERSE:
        return values, anchor or anchor_of_zero(values, 0.0, kind)
    if anchor is not None:
        raise AlignmentError(f"values of kind {kind!r} are depth already: expected no scale and shift for them")
    if kind not in (METRIC, "scale_invariant"):
        raise AlignmentError(f"values of kind {kind!r} give no shape: neither their zero nor their shift is known")
    disparity = np.zeros_like(values)
    np.divide(1, values, out=disparity, where=values > 0)
    return disparity, Anchor(Alignment(1.0, 0.0), kind, metric=kind == METRIC)
