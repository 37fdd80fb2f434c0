"""Sparse measurements: robust, and locally corrected only where that helps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from midas.alignment import align_sparse
from midas.alignment.measured import read_lidar, read_points
from midas.errors import AlignmentError

SIZE = (90, 120)


def scene(bend: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Inverse depth of a smooth scene, and disparity that is off by a share that grows to the right."""
    y, x = np.mgrid[: SIZE[0], : SIZE[1]] / max(SIZE)
    inverse = 0.2 + 0.5 * y + 0.2 * np.sin(5 * x) ** 2
    bent = inverse * (1 + bend * (x - 0.5))
    return inverse, ((bent - 0.1) * 7).astype(np.float32)


def points_of(inverse: np.ndarray, count: int, wrong: float = 0.0, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rows, columns = rng.integers(0, SIZE[0], count), rng.integers(0, SIZE[1], count)
    depth = 1 / inverse[rows, columns]
    depth = np.where(rng.random(count) < wrong, depth * rng.uniform(0.2, 5, count), depth)
    return np.stack([rows, columns, depth], 1).astype(float)


def error(aligned: np.ndarray, inverse: np.ndarray) -> float:
    return float(np.median(np.abs(aligned / inverse - 1)))


def test_wrong_points_have_no_say() -> None:
    inverse, disparity = scene()
    found = align_sparse(disparity, points_of(inverse, 100, wrong=0.3))
    assert error(found.apply(disparity), inverse) < 1e-3
    assert 0.6 < found.inlier_share < 0.85


@pytest.mark.parametrize("wrong", [0.0, 0.2])
def test_a_bent_map_is_straightened_and_the_gain_is_true(wrong: float) -> None:
    inverse, disparity = scene(bend=0.3)
    points = points_of(inverse, 300, wrong)
    whole, local = align_sparse(disparity, points, local=False), align_sparse(disparity, points)
    before, after = error(whole.apply(disparity), inverse), error(local.apply(disparity), inverse)
    assert local.field is not None
    assert after < 0.6 * before
    assert local.gain == pytest.approx(1 - after / before, abs=0.25)


def test_where_nothing_is_bent_nothing_is_corrected() -> None:
    inverse, disparity = scene()
    points = points_of(inverse, 300)
    points[:, 2] *= 1 + 0.05 * np.random.default_rng(2).standard_normal(300)
    found = align_sparse(disparity, points)
    assert found.field is None
    assert found.gain == 0


@pytest.mark.parametrize("side", [1.0, 0.02, 300.0])
def test_rounding_is_not_corrected(side: float) -> None:
    disparity = np.float32(side) * scene()[1]
    for seed in range(20):
        # Exact but for the rounding of the map's and the measurements' single precision.
        measured = 1 / (0.4 * disparity / np.float32(side) + np.float32(1.5))
        found = align_sparse(disparity, points_of(1 / measured, 126, seed=seed))
        assert found.field is None
        assert found.gain == 0


def test_a_few_points_give_one_scale() -> None:
    inverse, disparity = scene(bend=0.3)
    assert align_sparse(disparity, points_of(inverse, 20)).field is None


def test_points_are_read_from_csv_and_npy(tmp_path: Path) -> None:
    points = np.array([[1, 2, 0.5], [3.5, 4, 6]])
    np.save(tmp_path / "points.npy", points)
    (tmp_path / "points.csv").write_text("row,column,metres\n1,2,0.5\n3.5,4,6\n")
    for name in ("points.npy", "points.csv"):
        np.testing.assert_array_equal(read_points(tmp_path / name), points)


def test_a_small_depth_map_gives_points_at_their_places(tmp_path: Path) -> None:
    codes = np.zeros((3, 4), np.uint16)
    codes[1, 2] = 2500
    Image.fromarray(codes).save(tmp_path / "lidar.png")
    np.testing.assert_allclose(read_lidar(tmp_path / "lidar.png", (30, 40)), [[14.5, 24.5, 2.5]])


@pytest.mark.parametrize("text", ["", "1,2\n", "a,b,c\nd,e,f\n", "1,2,x\n"])
def test_other_files_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "points.csv").write_text(text)
    with pytest.raises(AlignmentError, match=r"points\.csv"):
        read_points(tmp_path / "points.csv")


def test_a_picture_of_8_bits_is_no_lidar(tmp_path: Path) -> None:
    Image.new("L", (4, 4), 9).save(tmp_path / "grey.png")
    with pytest.raises(AlignmentError, match="16 bits"):
        read_lidar(tmp_path / "grey.png", (4, 4))


def test_points_outside_or_without_depth_do_not_count() -> None:
    _, disparity = scene()
    with pytest.raises(AlignmentError, match="0 of 2"):
        align_sparse(disparity, np.array([[-5.0, 3, 1], [4, 4, 0]]))
