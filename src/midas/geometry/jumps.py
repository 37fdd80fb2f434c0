"""Where a surface ends: jumps of depth between neighbours, across which nothing is to be joined."""

from __future__ import annotations

import numpy as np

from midas.arrays import Array, Bool, Float32

MAX_JUMP = 0.04
"""Relative change of depth per 1/512 of the longer side beyond which two neighbours lie on two surfaces: MoGe's
tolerance at about its resolution. Stated per share of the picture, because an outline that was smoothed on its way up
to a large picture is as wide there as it was, counted so."""

_REFERENCE_SAMPLES = 512


def jump_tolerance(size: tuple[int, int], max_jump: float = MAX_JUMP) -> float:
    """The relative change of depth that neighbours of a map of (height, width) may have."""
    return max_jump * _REFERENCE_SAMPLES / max(size)


def jumps_between(
    inverse_depth: Float32[Array, "H W"], tolerance: float
) -> tuple[Bool[Array, "H w"], Bool[Array, "h W"]]:
    """True where a pixel and its right neighbour, and where a pixel and the one below, are on different surfaces.

    Two depths differ relatively by what their inverses do: ``max / min - 1 > tolerance``.

    Args:
        inverse_depth: positive wherever it counts.
        tolerance: relative change of depth.
    """
    across = _differ(inverse_depth[:, :-1], inverse_depth[:, 1:], tolerance)
    down = _differ(inverse_depth[:-1], inverse_depth[1:], tolerance)
    return across, down


def beside_jumps(inverse_depth: Float32[Array, "H W"], tolerance: float) -> Bool[Array, "H W"]:
    """True for pixels that have a jump to a neighbour: those of an outline, some of which float between surfaces."""
    across, down = jumps_between(inverse_depth, tolerance)
    beside = np.zeros(inverse_depth.shape, np.bool_)
    beside[:, :-1] |= across
    beside[:, 1:] |= across
    beside[:-1] |= down
    beside[1:] |= down
    return beside


def _differ(one: Float32[Array, "H W"], other: Float32[Array, "H W"], tolerance: float) -> Bool[Array, "H W"]:
    low = np.minimum(one, other)
    different: Array = np.maximum(one, other) - low > np.float32(tolerance) * np.maximum(low, 0)
    return different
