"""Reader for a folder of one's own pictures and depth maps, however they are named (`midas.datasets.layouts`).

The depth map may be smaller or larger than its picture: it is brought to the picture's size without mixing neighbours.
Pictures that are larger than training has use for are made smaller first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from midas.arrays import Array, Float32, UInt8
from midas.datasets.depth_files import UNITS, DepthUnit, read_depth, valid_numbers
from midas.datasets.formats import read_rgb
from midas.datasets.layouts import find_pairs
from midas.datasets.reader import Layout, check_choice
from midas.datasets.sample import Sample
from midas.errors import DatasetError

LAYOUT = Layout(
    title="a folder of your own pictures and depth maps",
    homepage="docs/train.md",
    licence="yours",
    tree="""
<root>/rgb/<frame>.jpg, <root>/depth/<frame>.png     or
<root>/<frame>.jpg, <root>/<frame>_depth.npy         or
<root>/<scene>/... of any of these
""",
)

# Of two shapes that differ by less the one is the other made smaller, and rounded.
_SAME_ASPECT = 0.02
_SPARSE_SHARE = 0.1
_SCALE_OF_MILLIMETRES = 0.001


class FolderReader:
    """Pictures with depth maps in a folder.

    Args:
        root: the folder.
        depth_unit: what the depth maps hold: ``mm``, ``m``, ``depth`` (of unknown unit) or ``disparity``.
        depth_scale: stored numbers times this are metres, in place of the unit's own; for ``disparity`` any factor.
        long_side_px: pictures with a longer side are made so small.

    Raises:
        DatasetError: the folder isn't there or holds no pair.
        ConfigError: no such unit.
    """

    def __init__(
        self, root: str | Path, *, depth_unit: str = "mm", depth_scale: float | None = None, long_side_px: int = 768
    ) -> None:
        self.root = LAYOUT.folder(root)
        self.unit: DepthUnit = next(unit for unit in UNITS if unit == check_choice("depth_unit", depth_unit, UNITS))
        self.scale = float(depth_scale or (_SCALE_OF_MILLIMETRES if self.unit == "mm" else 1.0))
        self.long_side_px = int(long_side_px)
        self.found = find_pairs(self.root)

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.root.resolve().name

    @property
    def frame_names(self) -> Sequence[str]:
        """``scene/frame`` of each sample, or the frame alone."""
        return [pair.name for pair in self.found.pairs]

    def __len__(self) -> int:
        return len(self.found.pairs)

    def __getitem__(self, index: int) -> Sample:
        """The sample at an index.

        Raises:
            DatasetError: a file is damaged, or picture and depth map have different shapes.
        """
        pair = self.found.pairs[index]
        values = read_depth(pair.depth)
        picture = _fitting(pair.picture, values.shape)
        if picture is None:
            raise DatasetError(
                f"{pair.picture} and {pair.depth} ({values.shape[1]}x{values.shape[0]}) have different shapes: "
                "expected a depth map that lies over its picture"
            )
        picture = _smaller(picture, self.long_side_px)
        values = _resampled(values, (picture.shape[0], picture.shape[1]))
        return self._sample(picture, values, f"{self.name}/{pair.name}")

    def _sample(self, picture: UInt8[Array, "H W 3"], values: Float32[Array, "H W"], name: str) -> Sample:
        valid = valid_numbers(values, self.unit)
        scaled = values * np.float32(self.scale)
        sparse = bool(valid.mean() < _SPARSE_SHARE)
        if self.unit == "disparity":
            return Sample(
                picture, np.where(valid, scaled, np.float32(0)), valid, name, False, sparse, shift_known=False
            )
        sample = Sample.from_depth(picture, scaled, name=name, valid=valid, sparse=sparse)
        return sample if self.unit != "depth" else replace(sample, metric=False)


def _fitting(path: Path, size: tuple[int, ...]) -> UInt8[Array, "H W 3"] | None:
    """The picture, turned as its file asks if only then it has the depth map's shape; None if neither has."""
    for upright in (False, True):
        picture = read_rgb(path, upright=upright)
        if abs(picture.shape[1] * size[0] / (picture.shape[0] * size[1]) - 1) < _SAME_ASPECT:
            return picture
    return None


def _smaller(picture: UInt8[Array, "H W 3"], long_side_px: int) -> UInt8[Array, "h w 3"]:
    factor = long_side_px / max(picture.shape[:2])
    if factor >= 1:
        return picture
    size = (max(1, round(picture.shape[1] * factor)), max(1, round(picture.shape[0] * factor)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))


def _resampled(values: Float32[Array, "h w"], size: tuple[int, int]) -> Float32[Array, "H W"]:
    """The nearest number for each pixel of the picture: a mean over an outline would lie in mid-air."""
    if values.shape == size:
        return values
    return np.asarray(cv2.resize(values, (size[1], size[0]), interpolation=cv2.INTER_NEAREST_EXACT))
