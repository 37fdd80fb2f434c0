"""What is too far to have a place: the sky, and what a wrong shift puts behind infinity."""

from __future__ import annotations

from typing import Literal

import numpy as np

from midas.arrays import Array, Bool, Float32

Far = Literal["clamp", "drop"]

# The farthest things and the sky differ by so little of the range, and lie so little nearer than the limit.
_SKY_SHARE = 0.02


def far_limit(inverse_depth: Float32[Array, "H W"]) -> float:
    """The inverse depth of the farthest things that keep their place: its 1st percentile of what is before infinity.

    The limit is at least a thousandth of the 99th, so that nothing lies a thousand times as far as the near things.
    """
    finite = inverse_depth[np.isfinite(inverse_depth)]
    positive = finite[finite > 0]
    if positive.size == 0:
        return 0.0
    low, high = np.percentile(positive, (1, 99))
    return float(max(low / 2, high / 1000))


def place_far(inverse_depth: Float32[Array, "H W"], far: Far) -> tuple[Float32[Array, "H W"], Bool[Array, "H W"]]:
    """Give what lies too far a place at the limit, or take it away.

    Args:
        inverse_depth: 1 / depth; 0 or less is behind everything.
        far: ``"clamp"`` puts it at the limit, as a backdrop; ``"drop"`` takes away all within 2 % of the range of the
            farthest, which outdoors is the sky.

    Returns:
        Positive inverse depth, and the mask of the pixels that stay.
    """
    limit = far_limit(inverse_depth)
    there = np.isfinite(inverse_depth)
    placed = np.maximum(np.where(there, inverse_depth, 0), np.float32(limit))
    if far == "drop":
        least, most = float(placed[there].min(initial=limit)), float(placed[there].max(initial=limit))
        there = there & (placed > least + _SKY_SHARE * (most - least))
    return placed.astype(np.float32), there & (placed > 0)
