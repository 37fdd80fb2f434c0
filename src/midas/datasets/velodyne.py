"""KITTI's laser points as a depth map: calibration files, projection, the nearest point of each pixel."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from midas.arrays import Array, Float32, Float64
from midas.datasets.formats import read_lines
from midas.errors import DatasetError


@dataclass(frozen=True)
class Projection:
    """From the laser's coordinates (forward, left, up; metres) to a rectified picture of one size.

    Attributes:
        matrix: takes (x, y, z, 1) to (column × depth, row × depth, depth).
        size: (height, width) of the picture.
    """

    matrix: Float64[Array, "3 4"]
    size: tuple[int, int]

    def depth_map(self, points: Float32[Array, "N 4"]) -> Float32[Array, "H W"]:
        """Depth in metres along the camera's optical axis; 0 where no point fell, the nearest where several did.

        Pixels are rounded and moved by one to the left and up, as KITTI's development kit has it and published figures
        do. Those often take the distance ahead of the laser for depth; here it is z of the camera.

        Args:
            points: x, y, z and reflectance, as the ``.bin`` files have them.
        """
        ahead = points[points[:, 0] >= 0, :3].astype(np.float64)
        projected = ahead @ self.matrix[:, :3].T + self.matrix[:, 3]
        projected = projected[projected[:, 2] > 0]
        depth = projected[:, 2]
        columns, rows = (np.round(projected[:, axis] / depth).astype(np.int64) - 1 for axis in (0, 1))
        height, width = self.size
        inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
        nearest = np.full(height * width, np.inf)
        np.minimum.at(nearest, rows[inside] * width + columns[inside], depth[inside])
        nearest[np.isinf(nearest)] = 0
        return nearest.reshape(self.size).astype(np.float32)


def read_projection(camera_path: Path, laser_path: Path, camera: str, size: tuple[int, int]) -> Projection:
    """The projection into one camera.

    Args:
        camera_path: ``calib_cam_to_cam.txt``.
        laser_path: ``calib_velo_to_cam.txt``.
        camera: ``"02"`` is the left colour camera, ``"03"`` the right.
        size: (height, width) of its pictures.

    Raises:
        DatasetError: a file isn't as described.
    """
    cameras, laser = _read_calibration(camera_path), _read_calibration(laser_path)
    try:
        rectify, to_camera = np.eye(4), np.eye(4)
        rectify[:3, :3] = cameras["R_rect_00"].reshape(3, 3)
        to_camera[:3, :3], to_camera[:3, 3] = laser["R"].reshape(3, 3), laser["T"]
        return Projection(cameras[f"P_rect_{camera}"].reshape(3, 4) @ rectify @ to_camera, size)
    except (KeyError, ValueError) as error:
        raise DatasetError(f"{camera_path} or {laser_path} lacks a matrix: {error!r}") from error


def read_points(path: Path) -> Float32[Array, "N 4"]:
    """Laser points of a ``.bin`` file: x, y, z in metres and reflectance, float32.

    Raises:
        DatasetError: the file is cut short.
    """
    values = np.fromfile(path, dtype="<f4")
    if values.size % 4:
        raise DatasetError(f"{path} is cut short: {values.size} numbers don't make points of 4")
    return values.reshape(-1, 4).astype(np.float32, copy=False)


def _read_calibration(path: Path) -> dict[str, Float64[Array, " N"]]:
    """Entries of numbers; others, such as dates, are left out."""
    entries = {}
    for line in read_lines(path):
        name, _, numbers = line.partition(":")
        try:
            entries[name] = np.array(numbers.split(), dtype=np.float64)
        except ValueError:
            continue
    return entries
