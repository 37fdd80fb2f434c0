"""The part of a picture that counts, where a protocol leaves its borders out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from midas.arrays import Array, Bool
from midas.errors import ConfigError


@dataclass(frozen=True)
class Crop:
    """A window, as shares of the picture's height and width, or of so many pixels at its bottom centre.

    Attributes:
        source: who introduced it.
        rows: first row and the one behind the last, as shares of the height.
        columns: likewise, of the width.
        window_px: (height, width) at the bottom centre, instead of shares.
    """

    source: str
    rows: tuple[float, float] = (0.0, 1.0)
    columns: tuple[float, float] = (0.0, 1.0)
    window_px: tuple[int, int] | None = None

    def mask(self, size: tuple[int, int]) -> Bool[Array, "H W"]:
        """True within the window of a picture of (height, width) pixels."""
        inside = np.zeros(size, np.bool_)
        if self.window_px is not None:
            top, left = max(size[0] - self.window_px[0], 0), max((size[1] - self.window_px[1]) // 2, 0)
            inside[top:, left : left + self.window_px[1]] = True
            return inside
        (top, bottom), (left, right) = (
            (int(first * side), int(last * side))
            for (first, last), side in zip((self.rows, self.columns), size, strict=True)
        )
        inside[top:bottom, left:right] = True
        return inside


CROPS: dict[str, Crop] = {
    "none": Crop("the whole picture"),
    # Rows 45 to 471 and columns 41 to 601 of 480 x 640: without the white frame of the registered pictures.
    "nyu_eigen": Crop("Eigen et al. 2014", (45 / 480, 471 / 480), (41 / 640, 601 / 640)),
    "garg": Crop("Garg et al. 2016", (0.40810811, 0.99189189), (0.03594771, 0.96405229)),
    "kitti_eigen": Crop("Eigen et al. 2014", (0.3324324, 0.91351351), (0.0359477, 0.96405229)),
    "kitti_benchmark": Crop("KITTI depth benchmark, Uhrig et al. 2017", window_px=(352, 1216)),
}


def find_crop(name: str) -> Crop:
    """The crop of that name.

    Raises:
        ConfigError: there is none.
    """
    if name not in CROPS:
        raise ConfigError(f"no crop is called {name!r}; there are: {', '.join(CROPS)}")
    return CROPS[name]
