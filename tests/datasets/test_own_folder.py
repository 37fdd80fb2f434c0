"""One's own folder: what its numbers are, and what becomes of them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.own_miniatures import SIZE, floor, nearness, picture_of, write_pair

from midas.datasets.depth_files import guess_unit, rank_correlation, read_depth
from midas.datasets.layouts import find_pairs
from midas.datasets.own_folder import open_own_folder
from midas.datasets.readers.folder import FolderReader
from midas.errors import DatasetError
from midas.maps.depth_map import AlignedDepth


def write_set(root: Path, depth_name: str, unit: str) -> Path:
    for number in range(4):
        write_pair(root / f"{number}.jpg", root / depth_name.format(n=number), number, unit=unit)
    return root


@pytest.mark.parametrize(
    ("depth_name", "unit", "expected"),
    [
        ("{n}.png", "mm", "mm"),
        ("{n}.npy", "m", "m"),
        ("{n}.npy", "1/m", "disparity"),
        ("{n}.png", "8 bits", "disparity"),
        ("{n}_disp.npy", "1/m", "disparity"),
        ("depth_{n}.png", "mm", "mm"),
    ],
)
def test_the_unit_is_told_by_names_numbers_and_a_prediction(
    tmp_path: Path, depth_name: str, unit: str, expected: str
) -> None:
    found = guess_unit(find_pairs(write_set(tmp_path, depth_name, unit)), nearness)
    assert found.unit == expected
    assert found.reason


def test_a_model_that_sees_it_the_wrong_way_round_has_no_say_against_names_but_is_mentioned(tmp_path: Path) -> None:
    pairs = find_pairs(write_set(tmp_path, "depth_{n}.png", "mm"))
    found = guess_unit(pairs, lambda picture: -nearness(picture))
    assert found.unit == "mm"
    assert "--depth-unit" in found.reason


def test_numbers_that_go_with_nothing_are_refused(tmp_path: Path) -> None:
    pairs = find_pairs(write_set(tmp_path, "{n}.npy", "m"))
    noise = np.random.default_rng(0).random(SIZE).astype(np.float32)
    with pytest.raises(DatasetError, match="--depth-unit"):
        guess_unit(pairs, lambda _: noise)


def test_a_sample_holds_inverse_depth_whatever_the_unit(tmp_path: Path) -> None:
    for unit, name in (("mm", "{n}.png"), ("m", "{n}.npy")):
        reader = FolderReader(write_set(tmp_path / unit, name, unit), depth_unit=unit)
        np.testing.assert_allclose(1 / reader[1].disparity, floor(1), rtol=1e-3)
        assert reader[1].metric
    relative = FolderReader(write_set(tmp_path / "d", "{n}.npy", "1/m"), depth_unit="disparity")[1]
    assert not relative.metric
    assert not relative.shift_known


@pytest.mark.parametrize("suffix", ["png", "npy", "npz", "exr", "tiff", "pfm"])
def test_depth_is_read_from_any_kind_of_file(tmp_path: Path, suffix: str) -> None:
    cv2.imwrite(str(tmp_path / "a.jpg"), picture_of(floor()))
    AlignedDepth(floor(), 1.0, 0.0).save(tmp_path / f"a_depth.{suffix}", "png-mm" if suffix == "png" else None)
    found = open_own_folder(tmp_path, None, nearness)
    assert found.unit.unit == ("mm" if suffix == "png" else "m")
    np.testing.assert_allclose(1 / found.reader[0].disparity, floor(), rtol=1e-3)


def test_depth_in_a_jpeg_is_disparity_in_eight_bits(tmp_path: Path) -> None:
    for number in range(4):
        cv2.imwrite(str(tmp_path / f"{number}.png"), picture_of(floor(number)))
        grey = np.rint(255 * 1.5 / floor(number)).astype(np.uint8)
        cv2.imwrite(str(tmp_path / f"{number}_depth.jpg"), grey, [cv2.IMWRITE_JPEG_QUALITY, 98])
    found = open_own_folder(tmp_path, None, nearness)
    assert found.unit.unit == "disparity"
    assert np.corrcoef(found.reader[0].disparity.ravel(), (1 / floor(0)).ravel())[0, 1] > 0.99


def test_a_smaller_depth_map_is_brought_to_the_picture_without_mixing(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.jpg"), picture_of(floor()))
    half = np.rint(floor()[::2, ::2] * 1000).astype(np.uint16)
    cv2.imwrite(str(tmp_path / "a.png"), half)
    sample = FolderReader(tmp_path, depth_unit="mm")[0]
    assert sample.mask.shape == SIZE
    assert set(np.unique(np.rint(1000 / sample.disparity))) <= set(np.unique(half))


def test_another_shape_and_a_coloured_map_are_errors(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.jpg"), picture_of(floor()))
    cv2.imwrite(str(tmp_path / "a.png"), np.ones((50, 50), np.uint16))
    with pytest.raises(DatasetError, match="different shapes"):
        FolderReader(tmp_path)[0]
    cv2.imwrite(str(tmp_path / "a.png"), picture_of(floor()))
    with pytest.raises(DatasetError, match="in colours"):
        read_depth(tmp_path / "a.png")


def test_a_corpus_folder_is_opened_by_what_its_json_says(tmp_path: Path) -> None:
    write_pair(tmp_path / "s" / "a.jpg", tmp_path / "s" / "a.png")
    # No more than what docs/train.md asks for.
    (tmp_path / "dataset.json").write_text('{"depth_kind": "depth", "depth_scale": 0.001, "split": "train"}')
    found = open_own_folder(tmp_path, None, nearness)
    assert (found.reader_name, found.unit.unit) == ("corpus", "m")
    assert found.reader[0].metric


def test_equal_values_share_their_rank_whichever_way_a_processor_sorts_them() -> None:
    steps = np.repeat(np.arange(1, 9, dtype=np.float32), 8)[:, None].repeat(64, axis=1)
    assert rank_correlation(steps, steps) == pytest.approx(1)
    assert rank_correlation(steps, -steps) == pytest.approx(-1)
    halves = np.where(steps > 4, np.float32(2), np.float32(1))
    # Of the numbers 0 to 7 and whether they are above 3: covariance 1, variances 21 / 4 and 1 / 4.
    assert rank_correlation(halves, steps) == pytest.approx((16 / 21) ** 0.5, abs=0.01)
    assert rank_correlation(halves, steps) == rank_correlation(halves[:, ::-1], steps[:, ::-1])
    assert rank_correlation(steps, np.ones_like(steps)) == 0
