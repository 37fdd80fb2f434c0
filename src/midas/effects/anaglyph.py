"""Red and cyan: two views in one picture, for glasses of coloured foil."""

from __future__ import annotations

from typing import Literal

import numpy as np

from midas.arrays import Array, UInt8
from midas.effects.stereo import StereoPair
from midas.pictures.light import to_light, to_screen

AnaglyphColors = Literal["dubois", "half-color", "color", "grey"]

_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
_ZERO = np.zeros(3, np.float32)
_RED, _GREEN, _BLUE = np.eye(3, dtype=np.float32)

# What of the left and of the right view's light goes into red, green and blue. Dubois: "A projection method to generate
# anaglyph stereo images" (2001), least squares over the spectra of screen and foils.
_MATRICES: dict[str, tuple[Array, Array]] = {
    "dubois": (
        np.array(
            [
                [0.4561, 0.500484, 0.176381],
                [-0.0400822, -0.0378246, -0.0157589],
                [-0.0152161, -0.0205971, -0.00546856],
            ],
            np.float32,
        ),
        np.array(
            [
                [-0.0434706, -0.0879388, -0.00155529],
                [0.378476, 0.73364, -0.0184503],
                [-0.0721527, -0.112961, 1.2264],
            ],
            np.float32,
        ),
    ),
    "half-color": (np.stack([_LUMINANCE, _ZERO, _ZERO]), np.stack([_ZERO, _GREEN, _BLUE])),
    "color": (np.stack([_RED, _ZERO, _ZERO]), np.stack([_ZERO, _GREEN, _BLUE])),
    "grey": (np.stack([_LUMINANCE, _ZERO, _ZERO]), np.stack([_ZERO, _LUMINANCE, _LUMINANCE])),
}
ANAGLYPH_COLORS = tuple(_MATRICES)


def anaglyph(pair: StereoPair, colors: AnaglyphColors = "dubois") -> UInt8[Array, "H W 3"]:
    """One picture of both views, mixed in linear light.

    Save it as PNG, or as JPEG with colours at full resolution: where these are halved, each eye sees the other's view.

    Args:
        pair: both views.
        colors: ``"dubois"`` keeps colours best; ``"half-color"`` is easier on the eyes with strong reds.
    """
    left, right = _MATRICES[colors]
    light = to_light(pair.left) @ left.T
    light += to_light(pair.right) @ right.T
    return to_screen(light)
