"""Picture and depth side by side, as holographic displays read them."""

from __future__ import annotations

import numpy as np

from midas.arrays import Array, Float32, UInt8
from midas.effects.stereo import check_pair


def color_and_depth(image: UInt8[Array, "H W 3"], nearness: Float32[Array, "h w"]) -> UInt8[Array, "H W2 3"]:
    """The picture on the left, its nearness in grey on the right: white is near.

    Raises:
        ConfigError: sizes differ.
    """
    check_pair(image, nearness)
    codes = np.rint(np.clip(nearness, 0, 1) * 255).astype(np.uint8)
    return np.hstack([image, np.repeat(codes[..., None], 3, axis=2)])
