"""The part of a picture that counts, where a protocol leaves its borders out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from midas.arrays import Array, Bool
from midas.errors import ConfigError


@dataclass(frozen=True)
class Crop:
    """A window, as shares of the picture's height and width, or of a window of so many pixels at its bottom centre.

    Attributes:
        source: who introduced it.
        rows: first row and the one behind the last, as shares of the height.
        columns: likewise, of the width.
        window_px: (height, width) at the bottom centre, of which these are the shares; None for the whole picture.
        picture_px: (height, width) of the pictures that this window was made for: of smaller ones it is the same share.
    """

    source: str
    rows: tuple[float, float] = (0.0, 1.0)
    columns: tuple[float, float] = (0.0, 1.0)
    window_px: tuple[int, int] | None = None
    picture_px: tuple[int, int] = (1, 1)

    def mask(self, size: tuple[int, int]) -> Bool[Array, "H W"]:
        """True within the window of a picture of (height, width) pixels."""
        height, width = self._window(size)
        window_top, window_left = size[0] - height, (size[1] - width) // 2
        (top, bottom), (left, right) = (
            (int(first * side), int(last * side))
            for (first, last), side in zip((self.rows, self.columns), (height, width), strict=True)
        )
        inside = np.zeros(size, np.bool_)
        inside[window_top + top : window_top + bottom, window_left + left : window_left + right] = True
        return inside

    def _window(self, size: tuple[int, int]) -> tuple[int, int]:
        """Height and width of what the shares are of."""
        if self.window_px is None:
            return size
        if all(side >= wanted for side, wanted in zip(size, self.window_px, strict=True)):
            return self.window_px
        height, width = (
            round(side * wanted / whole)
            for side, wanted, whole in zip(size, self.window_px, self.picture_px, strict=True)
        )
        return height, width


_KITTI_PX, _KITTI_WINDOW_PX = (375, 1242), (352, 1216)
_KITTI_EIGEN_ROWS, _KITTI_EIGEN_COLUMNS = (0.3324324, 0.91351351), (0.0359477, 0.96405229)

CROPS: dict[str, Crop] = {
    "none": Crop("the whole picture"),
    # Rows 45 to 471 and columns 41 to 601 of 480 x 640: without the white frame of the registered pictures.
    "nyu_eigen": Crop("Eigen et al. 2014", (45 / 480, 471 / 480), (41 / 640, 601 / 640)),
    "garg": Crop("Garg et al. 2016", (0.40810811, 0.99189189), (0.03594771, 0.96405229)),
    "kitti_eigen": Crop("Eigen et al. 2014", _KITTI_EIGEN_ROWS, _KITTI_EIGEN_COLUMNS),
    "kitti_benchmark": Crop(
        "KITTI depth benchmark, Uhrig et al. 2017", window_px=_KITTI_WINDOW_PX, picture_px=_KITTI_PX
    ),
    "kitti_benchmark_eigen": Crop(
        "Ke et al. 2024 (Marigold): Eigen's window within the benchmark's",
        _KITTI_EIGEN_ROWS,
        _KITTI_EIGEN_COLUMNS,
        _KITTI_WINDOW_PX,
        _KITTI_PX,
    ),
}


def find_crop(name: str) -> Crop:
    """The crop of that name.

    Raises:
        ConfigError: there is none.
    """
    if name not in CROPS:
        raise ConfigError(f"no crop is called {name!r}; there are: {', '.join(CROPS)}")
    return CROPS[name]
