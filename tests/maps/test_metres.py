"""What is known of a picture's distances makes metres of its map."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from midas import DepthMap
from midas.errors import AlignmentError, ConfigError, OutputError
from midas.maps.depth_map import AlignedDepth
from midas.maps.metres import KnownDistances
from midas.maps.names import is_one_file, usual_format

DEPTH_M = np.linspace(0.5, 8.0, 40 * 50, dtype=np.float32).reshape(40, 50)
RELATIVE = DepthMap((1 / DEPTH_M - 0.1) / 0.3)


def test_points_a_range_and_a_depth_map_lead_to_the_same_metres(tmp_path: Path) -> None:
    AlignedDepth(DEPTH_M, 1.0, 0.0).save(tmp_path / "d.png", "png-mm")
    AlignedDepth(DEPTH_M[::2, ::2], 1.0, 0.0).save(tmp_path / "half.npy")
    for known in (
        KnownDistances([(0, 0, 0.5), (39, 49, 8.0)]),
        KnownDistances(near_m=0.5, far_m=8.0),
        KnownDistances(depth=tmp_path / "d.png"),
    ):
        np.testing.assert_allclose(known.in_metres(RELATIVE).depth_m, DEPTH_M, rtol=3e-3)
    np.testing.assert_allclose(
        KnownDistances(depth=tmp_path / "half.npy").in_metres(RELATIVE).depth_m, DEPTH_M, rtol=0.05
    )


def test_measured_points_make_metres_though_a_third_are_wrong_and_the_map_is_smaller(tmp_path: Path) -> None:
    rows, columns = np.mgrid[0:40:4, 0:50:5].reshape(2, -1)
    metres = DEPTH_M[rows, columns].astype(float)
    metres[::3] *= 3
    np.savetxt(tmp_path / "points.csv", np.stack([rows, columns, metres], axis=1), delimiter=",", header="row,column,m")
    codes = np.zeros((20, 25), np.uint16)
    codes[::2, ::2] = np.rint(256 * DEPTH_M[::4, ::4])
    Image.fromarray(codes).save(tmp_path / "lidar.png")
    lidar = KnownDistances(lidar=tmp_path / "lidar.png", lidar_per_metre=256.0)
    for known, rtol in ((KnownDistances(measured=tmp_path / "points.csv"), 1e-3), (lidar, 0.06)):
        depth = known.in_metres(RELATIVE)
        np.testing.assert_allclose(depth.depth_m, DEPTH_M, rtol=rtol)
        assert depth.scale == pytest.approx(0.3, rel=0.05)
    small = DepthMap(RELATIVE.values[::2, ::2].copy())
    depth = KnownDistances(measured=tmp_path / "points.csv").in_metres(small, RELATIVE.size)
    np.testing.assert_allclose(depth.depth_m, DEPTH_M[::2, ::2], rtol=0.06)


def test_one_way_is_asked_for_not_two_and_near_and_far_belong_together() -> None:
    for wrong in ({}, {"near_m": 1.0}, {"near_m": 1.0, "far_m": 2.0, "points": [(0, 0, 1.0), (1, 1, 2.0)]}):
        with pytest.raises(ConfigError):
            KnownDistances(**wrong)


def test_points_that_turn_the_map_round_are_refused() -> None:
    with pytest.raises(AlignmentError, match="turned round"):
        KnownDistances([(0, 0, 8.0), (39, 49, 0.5)]).in_metres(RELATIVE)


def test_a_png_of_millimetres_is_read_back_as_metres_with_0_for_what_it_cannot_hold(tmp_path: Path) -> None:
    depth_m = np.array([[0.0014, 1.5], [np.inf, 70.0]], np.float32)
    AlignedDepth(depth_m, 1.0, 0.0).save(tmp_path / "d.png", "png-mm")
    np.testing.assert_allclose(AlignedDepth.load(tmp_path / "d.png").depth_m, [[0.001, 1.5], [0, 0]], atol=1e-6)
    with pytest.raises(OutputError, match="depth in metres"):
        RELATIVE.save(tmp_path / "r.png", "png-mm")


def test_the_output_of_one_picture_may_be_a_file_whose_suffix_is_its_format(tmp_path: Path) -> None:
    assert usual_format(Path("a.exr"), metric=False) == "exr"
    assert usual_format(Path("a.png"), metric=True) == "png-mm"
    assert usual_format(None, metric=False) == usual_format(tmp_path, metric=False) == "png16"
    assert is_one_file(Path("a.png"), 1, ["color"])
    assert not is_one_file(Path("a.png"), 2, ["png16"])
    assert not is_one_file(Path("maps"), 1, ["png16"])
