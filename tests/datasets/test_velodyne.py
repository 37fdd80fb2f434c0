"""Laser points as a depth map, against a projection that is written out point by point."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.datasets.miniatures import write_text

from midas.datasets.velodyne import Projection, read_points, read_projection
from midas.errors import DatasetError

# Forward, left, up → right, down, forward, by a camera slightly turned and 27 cm ahead.
MATRIX = np.array([[15.9, -40.0, 0.3, 2.0], [11.8, 0.2, -40.0, -3.0], [1.0, 0.01, 0.02, -0.27]])


def one_by_one(projection: Projection, points: np.ndarray) -> np.ndarray:
    depth = np.zeros(projection.size, np.float32)
    for x, y, z, _ in points.astype(np.float64):
        u, v, distance = projection.matrix @ [x, y, z, 1.0]
        if x < 0 or distance <= 0:
            continue
        column, row = round(u / distance) - 1, round(v / distance) - 1
        if 0 <= row < projection.size[0] and 0 <= column < projection.size[1]:
            known = depth[row, column]
            depth[row, column] = distance if known == 0 else min(known, distance)
    return depth


def test_each_pixel_has_the_nearest_of_the_points_that_fall_on_it() -> None:
    rng = np.random.default_rng(0)
    points = rng.uniform([-5, -8, -4, 0], [20, 8, 4, 1], (4000, 4)).astype(np.float32)
    projection = Projection(MATRIX, (24, 32))
    depth = projection.depth_map(points)
    assert 100 < (depth > 0).sum() < len(points)
    np.testing.assert_allclose(depth, one_by_one(projection, points), rtol=1e-6)


def test_no_point_is_a_map_of_nothing() -> None:
    assert not Projection(MATRIX, (24, 32)).depth_map(np.zeros((0, 4), np.float32)).any()


def test_the_projection_is_rectified_projection_times_rotation_times_laser_to_camera(tmp_path: Path) -> None:
    cameras = write_text(tmp_path / "c.txt", "R_rect_00: 0 1 0 1 0 0 0 0 1", "P_rect_03: 2 0 0 5 0 2 0 0 0 0 1 0")
    laser = write_text(tmp_path / "v.txt", "R: 1 0 0 0 1 0 0 0 1", "T: 10 20 30")
    matrix = read_projection(cameras, laser, "03", (4, 5)).matrix
    assert (matrix @ [1, 2, 3, 1]).tolist() == [2 * 22 + 5, 2 * 11, 33]


def test_a_calibration_without_the_camera_is_an_error(tmp_path: Path) -> None:
    cameras = write_text(tmp_path / "c.txt", "R_rect_00: 1 0 0 0 1 0 0 0 1")
    laser = write_text(tmp_path / "v.txt", "R: 1 0 0 0 1 0 0 0 1", "T: 0 0 0")
    with pytest.raises(DatasetError, match="P_rect_02"):
        read_projection(cameras, laser, "02", (4, 5))


def test_points_cut_short_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(bytes(20))
    with pytest.raises(DatasetError, match="cut short"):
        read_points(tmp_path / "a.bin")
