"""Two eyes' views of one picture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from midas.arrays import Array, Float32, UInt8
from midas.effects.views import shifted_view
from midas.errors import ConfigError

DIVERGENCE = 2.0
CONVERGENCE = 0.5
MOST_DIVERGENCE = 20.0


@dataclass(frozen=True, eq=False)
class StereoPair:
    """What the left and the right eye see, each uint8 RGB of the picture's size."""

    left: UInt8[Array, "H W 3"]
    right: UInt8[Array, "H W 3"]

    def side_by_side(self, *, half: bool = False, crossed: bool = False) -> UInt8[Array, "H W2 3"]:
        """Both in one picture.

        Args:
            half: each squeezed to half its width, as television sets want it.
            crossed: the right eye's view on the left, for those who cross their eyes.
        """
        views = [self.right, self.left] if crossed else [self.left, self.right]
        if half:
            height, width = self.left.shape[:2]
            views = [
                np.asarray(cv2.resize(view, (max(1, width // 2), height), interpolation=cv2.INTER_AREA))
                for view in views
            ]
        return np.hstack(views)

    def top_bottom(self) -> UInt8[Array, "H2 W 3"]:
        """The left eye's view above the right one's."""
        return np.vstack([self.left, self.right])


def stereo_pair(
    image: UInt8[Array, "H W 3"],
    nearness: Float32[Array, "h w"],
    *,
    divergence: float = DIVERGENCE,
    convergence: float = CONVERGENCE,
) -> StereoPair:
    """The views of two eyes.

    Between them are ``stereo_disparity = divergence / 100 * width * (nearness - convergence)`` pixels; each view moves
    by half of it. What uncovers itself behind near things is filled from the background.

    Args:
        image: RGB.
        nearness: 1 for the nearest to 0 for the farthest.
        divergence: disparity between the nearest and the farthest things, in percent of the width; up to 2 is easy on
            the eyes.
        convergence: the nearness that lies in the plane of the screen; nearer things stand out before it.

    Raises:
        ConfigError: sizes differ, or a value is out of range.
    """
    check_pair(image, nearness)
    if not 0 <= divergence <= MOST_DIVERGENCE:
        raise ConfigError(f"a divergence of {divergence} %: expected 0 to {MOST_DIVERGENCE:g}")
    if not -1 <= convergence <= 2:
        raise ConfigError(
            f"a convergence of {convergence}: expected -1 to 2, where 0 is the farthest and 1 the nearest"
        )
    half_px = divergence / 100 * image.shape[1] / 2
    near, far = half_px * (1 - convergence), -half_px * convergence
    return StereoPair(shifted_view(image, nearness, near, far), shifted_view(image, nearness, -near, -far))


def check_pair(image: UInt8[Array, "H W 3"], nearness: Float32[Array, "h w"]) -> None:
    """Make sure that picture and map are of one size.

    Raises:
        ConfigError: they aren't.
    """
    if image.shape[:2] != nearness.shape:
        raise ConfigError(f"a picture of {image.shape[:2]} with a map of {nearness.shape}: expected one size")
