"""DepthMap: what its values mean, at which size, in which range, and metres only when asked."""

from __future__ import annotations

import copy
import io
import pickle
from dataclasses import FrozenInstanceError
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from midas.alignment import align_from_points
from midas.errors import AlignmentError, ConfigError, MidasError, OutputError
from midas.maps.depth_map import AlignedDepth, DepthMap
from midas.maps.formats import encode_map, read_map, write_map
from midas.maps.kinds import KINDS, METRIC, RELATIVE_DISPARITY, Kind
from midas.maps.resize import resize_map

SUFFIXES = (".png", ".pfm", ".npy", ".npz", ".exr", ".tiff")


@pytest.fixture
def depth_map() -> DepthMap:
    values = np.random.default_rng(0).gamma(2, 5, (24, 36)).astype(np.float32)
    return DepthMap(values, model="midas_nano_256", source="photo.jpg")


@pytest.fixture(scope="module")
def post(shared_dir: Path) -> dict[str, np.ndarray]:
    with np.load(shared_dir / "parity" / "preprocess.npz") as archive:
        return {name.removeprefix("post/"): archive[name] for name in archive.files if name.startswith("post/")}


@pytest.mark.parametrize(("width", "height", "step"), [(320, 240, 6), (97, 61, 2), (128, 96, 3), (641, 37, 4)])
def test_cubic_resizing_is_that_of_the_official_code(
    post: dict[str, np.ndarray], width: int, height: int, step: int
) -> None:
    resized = resize_map(post["prediction"], (height, width))
    value_range = np.ptp(post["prediction"])
    np.testing.assert_allclose(resized[::step, ::step], post[f"bicubic_{width}x{height}"], atol=1e-4 * value_range)


@pytest.mark.parametrize("size", [(61, 97), (24, 36), (7, 130), (1, 1), (480, 2), (30, 20)])
def test_aligned_resizing_is_that_of_pytorch(size: tuple[int, int], depth_map: DepthMap) -> None:
    values = torch.from_numpy(depth_map.values.copy())[None, None]
    expected = torch.nn.functional.interpolate(values, size, mode="bilinear", align_corners=True)[0, 0].numpy()
    np.testing.assert_allclose(resize_map(depth_map.values, size, "aligned_linear"), expected, atol=1e-4, rtol=1e-5)


def test_aligned_resizing_keeps_the_corners_and_the_range(depth_map: DepthMap) -> None:
    resized = resize_map(depth_map.values, (100, 211), "aligned_linear")
    np.testing.assert_allclose(resized[::99, ::210], depth_map.values[::23, ::35], rtol=1e-6)
    assert resized.min() >= depth_map.values.min() - 1e-5
    assert resized.max() <= depth_map.values.max() + 1e-5


def test_16_bit_codes_are_those_of_the_official_code_but_rounded(post: dict[str, np.ndarray]) -> None:
    difference = DepthMap(post["base_97x61"]).to_uint16().astype(int) - post["gray16"]
    assert set(np.unique(difference)) == {0, 1}


def test_8_bit_codes_are_those_of_the_official_code_but_rounded(post: dict[str, np.ndarray]) -> None:
    difference = DepthMap(post["base_97x61"]).to_uint8().astype(int) - post["gray8"]
    assert set(np.unique(difference)) == {0, 1}


def test_values_that_are_not_finite_count_as_0_as_in_the_official_code(post: dict[str, np.ndarray]) -> None:
    values = post["base_97x61"].copy()
    values[[0, 1, 2], [0, 1, 2]] = np.nan, np.inf, -np.inf
    difference = DepthMap(values).to_uint16().astype(int) - post["nonfinite16"]
    assert set(np.unique(difference)) <= {0, 1}


def test_a_constant_map_gives_zeros_in_every_range() -> None:
    constant = DepthMap(np.full((5, 7), 3.25, np.float32))
    assert not constant.normalized().any()
    assert not constant.to_uint8().any()
    assert not constant.to_uint16().any()


def test_normalized_runs_from_0_at_the_farthest_to_1_at_the_nearest(depth_map: DepthMap) -> None:
    unit = depth_map.normalized()
    assert (unit.dtype, unit.min(), unit.max()) == (np.float32, 0, 1)
    assert unit.argmax() == depth_map.values.argmax()
    np.testing.assert_array_equal(unit.argsort(axis=None, kind="stable"), depth_map.values.argsort(axis=None))


def test_codes_are_the_rounded_unit_values(depth_map: DepthMap) -> None:
    unit = depth_map.normalized().astype(np.float64)
    assert np.abs(depth_map.to_uint8() - 255 * unit).max() < 0.5001
    assert np.abs(depth_map.to_uint16() - 65535 * unit).max() < 0.51


@pytest.mark.parametrize("extreme", [1e-42, 3e38])
def test_the_smallest_and_the_largest_ranges_of_float32_are_spread_over_all_codes(extreme: float) -> None:
    values = np.array([[-extreme, 0, extreme]], np.float32)
    np.testing.assert_array_equal(DepthMap(values).to_uint8(), [[0, 128, 255]])


def test_it_says_that_its_values_are_relative_disparity(depth_map: DepthMap) -> None:
    assert depth_map.space == "relative_disparity"
    assert depth_map.metadata["space"] == "relative_disparity"


def test_neither_fields_nor_values_can_be_changed(depth_map: DepthMap) -> None:
    with pytest.raises(FrozenInstanceError):
        depth_map.model = "other"  # type: ignore[misc]
    with pytest.raises(ValueError, match="read-only"):
        depth_map.values[0, 0] = 1


def test_the_array_that_it_was_made_from_stays_writable() -> None:
    values = np.zeros((2, 2), np.float32)
    DepthMap(values)
    values[0, 0] = 1


@pytest.mark.parametrize("shape", [(0, 3), (3, 0)])
def test_a_map_without_pixels_is_an_error(shape: tuple[int, int]) -> None:
    with pytest.raises(MidasError, match="none of them 0"):
        DepthMap(np.zeros(shape, np.float32))


@pytest.mark.parametrize("interpolation", ["cubic", "linear", "nearest"])
def test_resizing_gives_the_size_asked_for_and_keeps_what_is_known(depth_map: DepthMap, interpolation: str) -> None:
    resized = depth_map.resized((50, 41), interpolation)  # type: ignore[arg-type]
    assert resized.size == (50, 41)
    assert (resized.model, resized.source) == (depth_map.model, depth_map.source)


@pytest.mark.parametrize("interpolation", ["cubic", "linear", "nearest"])
def test_resizing_to_the_same_size_changes_nothing(depth_map: DepthMap, interpolation: str) -> None:
    same = depth_map.resized(depth_map.size, interpolation)  # type: ignore[arg-type]
    np.testing.assert_allclose(same.values, depth_map.values, rtol=1e-6)


def test_nearest_makes_no_new_values_and_is_centred() -> None:
    values = np.array([[1, 2, 3]], np.float32)
    np.testing.assert_array_equal(resize_map(values, (1, 9), "nearest"), [[1, 1, 1, 2, 2, 2, 3, 3, 3]])


@pytest.mark.parametrize("size", [(0, 5), (5, -1)])
def test_an_impossible_size_is_an_error(depth_map: DepthMap, size: tuple[int, int]) -> None:
    with pytest.raises(ConfigError, match="at least 1 pixel"):
        depth_map.resized(size)


def test_the_nearest_pixel_gets_the_brightest_colour(depth_map: DepthMap) -> None:
    picture = depth_map.colorize("grey", (0.0, 100.0))[..., 0]
    assert picture.flat[depth_map.values.argmax()] == 255
    assert picture.flat[depth_map.values.argmin()] == 0


def test_aligned_depth_is_one_over_scale_times_value_plus_shift(depth_map: DepthMap) -> None:
    aligned = depth_map.aligned(0.02, 0.01)
    np.testing.assert_allclose(aligned.depth_m, 1 / (0.02 * depth_map.values + 0.01), rtol=1e-5)
    assert (aligned.scale, aligned.shift, aligned.size) == (0.02, 0.01, depth_map.size)


def test_a_larger_disparity_is_a_smaller_depth(depth_map: DepthMap) -> None:
    depth_m = depth_map.aligned(0.02, 0.01).depth_m
    assert depth_m.argmin() == depth_map.values.argmax()


def test_an_inverse_depth_that_is_not_positive_is_infinitely_far() -> None:
    aligned = DepthMap(np.array([[-1, 0, 1e-45, 1]], np.float32)).aligned(1.0, 0.0)
    np.testing.assert_array_equal(aligned.depth_m, [[np.inf, np.inf, np.inf, 1]])


def test_the_limit_cuts_every_larger_depth() -> None:
    aligned = DepthMap(np.array([[-1, 0, 0.01, 1]], np.float32)).aligned(1.0, 0.0, max_depth_m=80.0)
    np.testing.assert_array_equal(aligned.depth_m, [[80, 80, 80, 1]])


def test_known_points_come_back_in_metres(depth_map: DepthMap) -> None:
    near, far = (np.unravel_index(at, depth_map.size) for at in (depth_map.values.argmax(), depth_map.values.argmin()))
    points = [(int(near[0]), int(near[1]), 1.5), (int(far[0]), int(far[1]), 40.0)]
    alignment = align_from_points(depth_map.values, points)
    depth_m = depth_map.aligned(alignment.scale, alignment.shift).depth_m
    np.testing.assert_allclose([depth_m[near], depth_m[far]], [1.5, 40], rtol=1e-4)


@pytest.mark.parametrize(("scale", "shift"), [(-1.0, 0.0), (float("nan"), 0.0), (1.0, float("inf"))])
def test_a_scale_or_shift_that_gives_no_depth_is_an_error(depth_map: DepthMap, scale: float, shift: float) -> None:
    with pytest.raises(AlignmentError, match="larger disparity is nearer"):
        depth_map.aligned(scale, shift)


@pytest.mark.parametrize("limit", [0.0, -5.0, float("nan")])
def test_a_limit_that_is_not_positive_is_an_error(depth_map: DepthMap, limit: float) -> None:
    with pytest.raises(AlignmentError, match="positive number of metres"):
        depth_map.aligned(1.0, 0.0, max_depth_m=limit)


@pytest.mark.parametrize("suffix", [".npz", ".exr", ".tiff"])
def test_a_saved_map_loads_with_its_values_and_what_is_known(depth_map: DepthMap, tmp_path: Path, suffix: str) -> None:
    depth_map.save(tmp_path / f"photo{suffix}")
    loaded = DepthMap.load(tmp_path / f"photo{suffix}")
    np.testing.assert_array_equal(loaded.values, depth_map.values)
    assert (loaded.model, loaded.source) == ("midas_nano_256", "photo.jpg")


def test_a_saved_png_has_16_bits_and_is_not_replaced_unasked(depth_map: DepthMap, tmp_path: Path) -> None:
    depth_map.save(tmp_path / "photo.png")
    loaded = DepthMap.load(tmp_path / "photo.png")
    assert np.abs(loaded.values - depth_map.values).max() <= np.ptp(depth_map.values) / 65535
    with pytest.raises(OutputError, match="exists already"):
        depth_map.save(tmp_path / "photo.png")
    depth_map.save(tmp_path / "photo.png", overwrite=True)


def test_depth_in_metres_is_saved_with_its_alignment(depth_map: DepthMap, tmp_path: Path) -> None:
    aligned = depth_map.aligned(0.02, 0.1)
    aligned.save(tmp_path / "depth.exr")
    values, metadata = read_map(tmp_path / "depth.exr")
    np.testing.assert_array_equal(values, aligned.depth_m)
    assert metadata["space"] == "depth_m"
    assert (float(metadata["alignment_scale"]), float(metadata["alignment_shift"])) == (0.02, 0.1)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_says_of_what_kind_its_values_are(kind: Kind, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"map{suffix}"
    DepthMap(np.array([[1, 2], [3, 4]], np.float32), kind=kind).save(path)
    assert DepthMap.load(path).kind == DepthMap.load(path, kind=kind).kind == kind
    other = METRIC if kind != METRIC else "scale_invariant"
    if kind == RELATIVE_DISPARITY and suffix in (".pfm", ".npy"):  # the same as files of any other program
        assert DepthMap.load(path, kind=other).kind == other
    else:
        with pytest.raises(OutputError, match=f"values of kind '{kind}': expected '{other}'"):
            DepthMap.load(path, kind=other)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_depth_in_metres_does_not_load_as_relative_disparity(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"depth{suffix}"
    AlignedDepth(np.full((2, 2), 3.5, np.float32), 1.0, 0.0).save(path)
    assert (DepthMap.load(path).kind, DepthMap.load(path).space) == ("metric", "depth_m")
    with pytest.raises(OutputError, match="'metric': expected 'affine_invariant_inverse'"):
        DepthMap.load(path, kind=RELATIVE_DISPARITY)


def test_files_of_earlier_versions_say_it_by_an_older_word(tmp_path: Path) -> None:
    for word, kind in (("relative_disparity", RELATIVE_DISPARITY), ("depth_m", METRIC)):
        write_map(tmp_path / f"{word}.npz", np.ones((2, 2), np.float32), metadata={"space": word})
        assert DepthMap.load(tmp_path / f"{word}.npz").kind == kind


@pytest.mark.parametrize("kind", KINDS)
def test_copies_and_pickles_keep_the_kind(kind: Kind) -> None:
    depth_map = DepthMap(np.ones((2, 2), np.float32), "model", "photo.jpg", kind)
    for again in (pickle.loads(pickle.dumps(depth_map)), copy.deepcopy(depth_map)):
        assert (again.model, again.source, again.kind) == ("model", "photo.jpg", kind)


def test_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    write_map(tmp_path / "map.npz", np.ones((2, 2), np.float32), metadata={"kind": "parallax"})
    with pytest.raises(OutputError, match="kind 'parallax'; expected one of affine_invariant_inverse"):
        DepthMap.load(tmp_path / "map.npz")


@pytest.mark.parametrize("kind", ["metric", "scale_invariant", "affine_invariant"])
def test_near_is_bright_and_1_whatever_the_values_are(kind: Kind) -> None:
    depth = np.array([[1, 2, 4]], np.float32)
    nearest_first = DepthMap(depth, kind=kind)
    assert (np.diff(nearest_first.normalized()) < 0).all()
    assert (np.diff(nearest_first.to_uint16().astype(int)) < 0).all()
    assert (np.diff(nearest_first.colorize().sum(axis=2, dtype=int)) < 0).all()
    colours = encode_map(depth, "color", kind=kind)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(colours))), nearest_first.colorize())


@pytest.mark.parametrize(("scale", "shift"), [(1e39, 0.0), (3e38, 3e38), (0.0, -4e38), (1e300, 1e300)])
def test_numbers_that_a_map_can_t_hold_are_refused(scale: float, shift: float, depth_map: DepthMap) -> None:
    with pytest.raises(AlignmentError, match=r"beyond 3e\+38 per metre; expected smaller ones"):
        depth_map.aligned(scale, shift)


def test_depth_can_t_be_aligned_as_if_it_were_disparity() -> None:
    with pytest.raises(AlignmentError, match="kind 'metric'; expected disparity"):
        DepthMap(np.ones((2, 2), np.float32), kind="metric").aligned(1.0, 0.0)


def test_other_programs_read_metric_files_as_ever(tmp_path: Path) -> None:
    values = np.array([[1.5, 2], [3, 4]], np.float32)
    for suffix in (".npy", ".pfm"):
        DepthMap(values, kind="metric").save(tmp_path / f"map{suffix}")
    np.testing.assert_array_equal(np.load(tmp_path / "map.npy"), values)
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "map.pfm"), cv2.IMREAD_UNCHANGED), values)
