"""Maps in notebooks: a line, a picture, an array; and files of aligned depth read back."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from midas import DepthMap
from midas.alignment import ALIGNMENTS, Alignment, align_from_points, align_from_range
from midas.errors import AlignmentError, OutputError
from midas.maps.depth_map import AlignedDepth

VALUES = np.linspace(0.5, 4.0, 60 * 80, dtype=np.float32).reshape(60, 80)


def depth_map() -> DepthMap:
    return DepthMap(VALUES, "nano", "photo.jpg")


def test_a_map_is_one_line_that_says_what_it_is() -> None:
    assert repr(depth_map()) == "DepthMap(80x60, affine_invariant_inverse, 0.5 to 4, nano, photo.jpg)"
    assert repr(depth_map().aligned(1.0, 0.0)) == "AlignedDepth(80x60, metric, 0.25 to 2 m, nano, photo.jpg)"
    assert "no finite value" in repr(AlignedDepth(np.full((2, 2), np.inf, np.float32), 1.0, 0.0))


def test_a_notebook_gets_a_picture_in_which_near_is_bright_for_disparity_and_for_metres() -> None:
    for shown in (depth_map(), depth_map().aligned(1.0, 0.0)):
        picture = np.asarray(Image.open(io.BytesIO(shown._repr_png_())).convert("L")).astype(int)
        assert picture.shape == (60, 80)
        assert picture[-1].mean() > picture[0].mean() + 100
    assert max(Image.open(io.BytesIO(depth_map().resized((1500, 2000))._repr_png_())).size) == 1024


def test_a_map_is_an_array() -> None:
    np.testing.assert_array_equal(np.asarray(depth_map()), VALUES)
    assert np.asarray(depth_map(), dtype=np.float64).dtype == np.float64
    np.testing.assert_array_equal(np.array(depth_map().aligned(1.0, 0.0), copy=True), 1 / VALUES)


def test_alignments_take_maps_and_maps_take_alignments() -> None:
    target = 0.5 * VALUES + 0.25
    for align in ALIGNMENTS.values():
        assert align(depth_map(), target) == align(VALUES, target)
    found = align_from_points(depth_map(), [(0, 0, 2.0), (59, 79, 0.44)])
    assert found == align_from_points(VALUES, [(0, 0, 2.0), (59, 79, 0.44)])
    assert align_from_range(depth_map(), 1.0, 5.0) == align_from_range(VALUES, 1.0, 5.0)
    np.testing.assert_array_equal(
        depth_map().aligned(Alignment(0.5, 0.25)).depth_m, depth_map().aligned(0.5, 0.25).depth_m
    )


@pytest.mark.parametrize("arguments", [(1.0,), (Alignment(1.0, 0.0), 0.5)])
def test_what_is_no_scale_and_shift_is_our_error(arguments: tuple[object, ...]) -> None:
    with pytest.raises(AlignmentError):
        depth_map().aligned(*arguments)


@pytest.mark.parametrize("suffix", ["npy", "npz", "pfm", "exr", "tiff"])
def test_aligned_depth_is_read_back(tmp_path: Path, suffix: str) -> None:
    depth = depth_map().aligned(0.5, 0.25)
    depth.save(tmp_path / f"d.{suffix}")
    again = AlignedDepth.load(tmp_path / f"d.{suffix}")
    np.testing.assert_array_equal(again.depth_m, depth.depth_m)
    if suffix != "pfm":  # which has no room for it
        assert (again.scale, again.shift, again.model) == (0.5, 0.25, "nano")


def test_relative_maps_are_no_aligned_depth_and_an_existing_file_names_the_way_out(tmp_path: Path) -> None:
    depth_map().save(tmp_path / "d.npz")
    with pytest.raises(OutputError, match="affine_invariant_inverse"):
        AlignedDepth.load(tmp_path / "d.npz")
    with pytest.raises(OutputError, match="overwrite=True"):
        depth_map().save(tmp_path / "d.npz")


def test_both_have_a_picture_for_the_eye(tmp_path: Path) -> None:
    depth_map().save(tmp_path / "a.png", "color")
    depth_map().aligned(1.0, 0.0).save(tmp_path / "b.png", "color", colormap="turbo")
    assert np.asarray(Image.open(tmp_path / "b.png")).shape == (60, 80, 3)
