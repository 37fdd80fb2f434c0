"""What each set says of itself: units, validity, splits, order. Read from its miniature."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from tests.datasets.miniatures import (
    COLOUR,
    DEPTH_M,
    DRIVES,
    HOLE,
    MINIATURES,
    PIXEL,
    SIZE,
    pair,
    write_codes,
    write_picture,
    write_text,
)

from midas.datasets.catalogue import open_reader
from midas.datasets.reader import Reader, samples
from midas.datasets.readers.tum import associate
from midas.errors import ConfigError, DatasetError, MissingExtraError


def opened(name: str, tmp_path: Path, **options: Any) -> Reader:
    return open_reader(name, MINIATURES[name](tmp_path / name).root, **options)


def names(reader: Reader) -> list[str]:
    return [sample.name for sample in samples(reader)]


# NYU Depth v2


def test_nyu_splits_count_from_1(tmp_path: Path) -> None:
    assert names(opened("nyu", tmp_path / "a")) == ["nyu/test/0002", "nyu/test/0004"]
    assert names(opened("nyu", tmp_path / "b", split="train")) == ["nyu/train/0001", "nyu/train/0003"]


def test_nyu_depth_is_raw_unless_filled_is_asked_for(tmp_path: Path) -> None:
    assert opened("nyu", tmp_path / "a")[0].disparity[PIXEL] == pytest.approx(1 / DEPTH_M)
    filled = opened("nyu", tmp_path / "b", depth="filled")[0]
    assert filled.disparity[PIXEL] == pytest.approx(1 / 3.0)
    assert filled.mask.all()


def test_a_nyu_file_of_another_kind_is_an_error(tmp_path: Path) -> None:
    root = MINIATURES["nyu"](tmp_path / "set").root
    (root / "splits.mat").write_bytes(b"MATLAB 5.0 MAT-file, cut short")
    with pytest.raises(DatasetError, match=r"splits\.mat"):
        open_reader("nyu", root)


@pytest.mark.parametrize(("name", "package"), [("nyu", "h5py"), ("nyu", "scipy.io"), ("tum_dynamic", "h5py")])
def test_without_its_packages_a_reader_names_the_extra(
    name: str, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = MINIATURES[name](tmp_path / "set").root
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match="lab"):
        open_reader(name, root)[0]


# KITTI


def test_kitti_takes_the_frames_of_the_list_that_have_a_map_in_the_part(tmp_path: Path) -> None:
    assert names(opened("kitti", tmp_path / "a")) == [f"kitti/{DRIVES[0]}/image_02_0000000069"]
    assert names(opened("kitti", tmp_path / "b", part="train")) == [f"kitti/{DRIVES[1]}/image_02_0000000069"]
    assert len(opened("kitti", tmp_path / "c", part="any")) == 2


def test_kitti_lists_may_name_pictures_by_their_path(tmp_path: Path) -> None:
    path = f"2011_09_26/{DRIVES[0]}/image_02/data/0000000069.png"
    listed = write_text(tmp_path / "list.txt", f"{path} {DRIVES[0]}/proj_depth/0000000069.png 721.5377")
    assert len(opened("kitti", tmp_path, frames=listed)) == 1


def test_a_kitti_list_of_something_else_is_an_error_that_shows_the_line(tmp_path: Path) -> None:
    listed = write_text(tmp_path / "list.txt", "drive 2 frame 69")
    with pytest.raises(DatasetError, match="'drive 2 frame 69' names no frame"):
        opened("kitti", tmp_path, frames=listed)


def test_kitti_laser_points_fall_on_pixels_of_all_frames_that_have_them_and_nowhere_else(tmp_path: Path) -> None:
    reader = opened("kitti", tmp_path, ground_truth="velodyne")
    assert len(reader) == 4
    sample = reader[0]
    assert sample.sparse
    assert sample.disparity[PIXEL] == pytest.approx(1 / DEPTH_M)
    assert sample.mask.sum() == 1
    with pytest.raises(DatasetError, match=r"0000000001\.png is missing"):
        reader[1]


def test_kitti_selection_needs_no_list(tmp_path: Path) -> None:
    root = MINIATURES["kitti"](tmp_path / "set").root
    (root / "eigen_test_files.txt").unlink()
    reader = open_reader("kitti", root, ground_truth="selection")
    assert names(reader) == [f"kitti/{DRIVES[0]}/image_02_0000000005"]
    assert reader[0].disparity[PIXEL] == pytest.approx(1 / DEPTH_M)


# Sintel, ETH3D


def test_sintel_has_two_renders_with_one_depth(tmp_path: Path) -> None:
    clean = opened("sintel", tmp_path, render="clean")
    assert len(clean) == 4
    assert clean[0].name == "sintel/alley_1/frame_0001"
    with pytest.raises(ConfigError, match="render 'albedo' is none of final, clean"):
        open_reader("sintel", tmp_path / "sintel", render="albedo")


def test_eth3d_masks_count_only_when_they_are_asked_for(tmp_path: Path) -> None:
    assert opened("eth3d", tmp_path / "a")[0].mask[10].all()
    masked = opened("eth3d", tmp_path / "b", masks="applied")
    assert not masked[0].mask[10].any()
    assert masked[0].mask[11].all()
    assert masked[1].mask[10].all()  # Not every photograph has one.


# TUM


def test_moments_are_paired_one_to_one_the_closest_first() -> None:
    assert associate([0.0, 1.0, 2.0], [0.5, 1.1], max_difference_s=0.7) == [(0, 0), (1, 1)]
    assert associate([1.0, 1.01], [1.011], max_difference_s=0.02) == [(1, 0)]
    assert associate([1.0], [1.5], max_difference_s=0.5) == []


def test_pairing_is_what_trying_every_pair_gives() -> None:
    rng = np.random.default_rng(0)
    first, second = sorted(rng.uniform(0, 3, 90).tolist()), sorted(rng.uniform(0, 3, 80).tolist())
    left, expected = {*range(90)}, {}
    for difference, i, j in sorted((abs(a - b), i, j) for i, a in enumerate(first) for j, b in enumerate(second)):
        if difference < 0.02 and i in left and j not in expected.values():
            left.remove(i)
            expected[i] = j
    assert associate(first, second) == sorted(expected.items())


def test_tum_reads_one_sequence_too(tmp_path: Path) -> None:
    root = MINIATURES["tum"](tmp_path / "set").root
    sequence = root / "rgbd_dataset_freiburg3_walking_xyz"
    assert names(open_reader("tum", sequence)) == names(open_reader("tum", root))


def test_tum_reads_the_frames_of_a_list_in_its_order(tmp_path: Path) -> None:
    listed = [f"rgbd_dataset_freiburg3_walking_xyz/{stamp}" for stamp in ("10.100000", "10.000000")]
    reader = opened("tum", tmp_path, frames=write_text(tmp_path / "list.txt", *listed))
    assert names(reader) == [f"tum/{name}" for name in listed]


def test_a_listed_frame_of_tum_without_depth_is_an_error(tmp_path: Path) -> None:
    listed = write_text(tmp_path / "list.txt", "rgbd_dataset_freiburg3_walking_xyz/10.200000")
    with pytest.raises(DatasetError, match=r"10\.200000.*no picture with a depth map within 0\.02 s"):
        opened("tum", tmp_path, frames=listed)


def test_a_tum_list_that_is_no_list_is_an_error(tmp_path: Path) -> None:
    root = MINIATURES["tum"](tmp_path / "set").root
    write_text(root / "rgbd_dataset_freiburg3_walking_xyz" / "depth.txt", "soon depth/soon.png")
    with pytest.raises(DatasetError, match=r"depth\.txt isn't a list of moments"):
        open_reader("tum", root)


# Pairs of points


def test_in_diw_the_greater_depth_is_the_farther_point(tmp_path: Path) -> None:
    reader = opened("diw", tmp_path)
    assert reader[0].relation.tolist() == [-1]  # '>': the second is nearer.
    assert reader[1].relation.tolist() == [1]


def test_diw_counts_rows_and_columns_from_1(tmp_path: Path) -> None:
    reader = opened("diw", tmp_path)
    assert reader[0].first.tolist() == [list(PIXEL)]
    assert reader[1].second.tolist() == [[SIZE[0] - 1, SIZE[1] - 1]]


def test_diw_annotations_may_lie_beside_the_pictures_or_name_them_in_full(tmp_path: Path) -> None:
    root = MINIATURES["diw"](tmp_path / "set").root
    write_text(root / "own.csv", str(root / "DIW_test" / "b.thumb"), "1,1,2,2,<,32,24")
    assert names(open_reader("diw", root, annotations="own.csv")) == ["diw/DIW_test/b"]


@pytest.mark.parametrize("pair_line", ["4,8,20,30,=,32,24", "4,8,20", "a,b,c,d,>,32,24"])
def test_a_diw_pair_of_another_form_is_an_error_that_shows_it(pair_line: str, tmp_path: Path) -> None:
    root = MINIATURES["diw"](tmp_path / "set").root
    write_text(root / "DIW_test.csv", "./DIW_test/a.thumb", pair_line)
    with pytest.raises(DatasetError, match=f"'{pair_line}' under './DIW_test/a.thumb'"):
        open_reader("diw", root)


def test_a_diw_file_with_half_a_pair_is_cut_short(tmp_path: Path) -> None:
    root = MINIATURES["diw"](tmp_path / "set").root
    write_text(root / "DIW_test.csv", "./DIW_test/a.thumb")
    with pytest.raises(DatasetError, match="cut short"):
        open_reader("diw", root)


def test_da2k_gives_all_pairs_of_a_picture_with_the_closer_point_s_sign(tmp_path: Path) -> None:
    sample = opened("da2k", tmp_path)[0]
    assert sample.first.tolist() == [[3, 7], [1, 2]]
    assert sample.second.tolist() == [[20, 30], [3, 4]]
    assert sample.relation.tolist() == [1, -1]


@pytest.mark.parametrize("wrong", [pair([1, 2], [3, 4], "both"), pair([1], [3, 4], "point1"), {"point1": [1, 2]}])
def test_da2k_pairs_of_another_form_are_an_error(wrong: dict[str, Any], tmp_path: Path) -> None:
    root = MINIATURES["da2k"](tmp_path / "set").root
    write_text(root / "annotations.json", json.dumps({"images/a.jpg": [wrong]}))
    with pytest.raises(DatasetError, match=r"annotations\.json isn't a map"):
        open_reader("da2k", root)


def test_a_da2k_point_outside_its_picture_is_an_error(tmp_path: Path) -> None:
    root = MINIATURES["da2k"](tmp_path / "set").root
    outside = pair([SIZE[0], 0], [0, 0], "point1")
    write_text(root / "annotations.json", json.dumps({"images/a.jpg": [outside]}))
    with pytest.raises(DatasetError, match="outside"):
        open_reader("da2k", root)[0]


# DIODE, iBims-1, ScanNet


def test_diode_has_an_indoor_and_an_outdoor_part(tmp_path: Path) -> None:
    indoors, outdoor = (names(opened("diode", tmp_path / part, part=part)) for part in ("indoors", "outdoor"))
    assert [len(indoors), len(outdoor)] == [1, 1]
    assert "indoors" in indoors[0]
    assert "outdoor" in outdoor[0]


def test_ibims1_leaves_out_what_either_mask_does(tmp_path: Path) -> None:
    mask = opened("ibims1", tmp_path)[0].mask
    assert not mask[10:12].any()
    assert mask[12:].all()


def test_ibims1_reads_what_its_list_names_wherever_it_lies(tmp_path: Path) -> None:
    root = MINIATURES["ibims1"](tmp_path / "set").root
    (root / "imagelist.txt").unlink()
    assert len(open_reader("ibims1", root)) == 2
    write_text(root.parent / "imagelist.txt", "office_02")
    assert names(open_reader("ibims1", root)) == ["ibims1/office/office_02"]


def test_a_name_on_the_ibims1_list_without_its_picture_is_an_error(tmp_path: Path) -> None:
    root = MINIATURES["ibims1"](tmp_path / "set").root
    write_text(root / "imagelist.txt", "attic_01")
    with pytest.raises(DatasetError, match=r"attic_01\.png is missing"):
        open_reader("ibims1", root)[0]


def test_scannet_frames_are_in_order_of_time(tmp_path: Path) -> None:
    assert names(opened("scannet", tmp_path)) == [f"scannet/scene0707_00/{frame}" for frame in (0, 2, 10)]


def test_scannet_frames_may_be_listed(tmp_path: Path) -> None:
    listed = write_text(tmp_path / "list.txt", "scene0707_00/10")
    assert names(opened("scannet", tmp_path, frames=listed)) == ["scannet/scene0707_00/10"]


# Stereo


def test_middlebury_is_metric_by_its_calibration(tmp_path: Path) -> None:
    root = MINIATURES["middlebury2014"](tmp_path / "set").root
    before = open_reader("middlebury2014", root)[0].disparity[PIXEL]
    calibration = root / "Adirondack-perfect" / "calib.txt"
    calibration.write_text(calibration.read_text().replace("baseline=100", "baseline=200"), encoding="utf-8")
    assert open_reader("middlebury2014", root)[0].disparity[PIXEL] == pytest.approx(before / 2)


def test_a_calibration_without_its_entries_is_an_error(tmp_path: Path) -> None:
    root = MINIATURES["middlebury2014"](tmp_path / "set").root
    write_text(root / "Adirondack-perfect" / "calib.txt", "cam0=[1000 0 16; 0 1000 12; 0 0 1]")
    with pytest.raises(DatasetError, match=r"calib\.txt isn't a calibration"):
        open_reader("middlebury2014", root)[0]


@pytest.mark.parametrize("text", ["no XML", '<?xml version="1.0"?>\n<opencv_storage>\n</opencv_storage>\n'])
def test_a_booster_calibration_without_its_entries_is_an_error(text: str, tmp_path: Path) -> None:
    root = MINIATURES["booster"](tmp_path / "set").root
    (root / "train/balanced/Bathroom/calib_00-02.xml").write_text(text, encoding="utf-8")
    with pytest.raises(DatasetError, match=r"calib_00-02\.xml"):
        open_reader("booster", root)[0]


def test_booster_leaves_out_what_the_right_camera_does_not_see(tmp_path: Path) -> None:
    mask = opened("booster", tmp_path)[0].mask
    assert not mask[10].any()
    assert mask[11:].all()


# All


def test_a_target_of_another_size_is_an_error_that_names_the_sample(tmp_path: Path) -> None:
    root = MINIATURES["tum"](tmp_path / "set").root
    sequence = root / "rgbd_dataset_freiburg3_walking_xyz"
    write_codes(sequence / "depth" / "10.005000.png", np.ones((10, 10)))
    with pytest.raises(DatasetError, match=r"walking_xyz/10\.000000: the picture is \(24, 32\), its target or mask"):
        open_reader("tum", root)[0]


def test_a_target_lies_over_the_pixels_as_they_are_stored_whatever_exif_says(tmp_path: Path) -> None:
    root = MINIATURES["eth3d"](tmp_path / "set").root
    picture = root / "courtyard" / "images" / "dslr_images" / "DSC_0286.JPG"
    plain = write_picture(picture).read_bytes()
    orientation = bytes.fromhex("ffe1 0022 457869660000 4d4d002a00000008 0001 0112 0003 00000001 0006 0000 00000000")
    picture.write_bytes(plain[:2] + orientation + plain[2:])
    assert cv2.imread(str(picture)).shape[:2] == SIZE[::-1]
    image = open_reader("eth3d", root)[0].image
    assert image.shape[:2] == SIZE
    assert np.abs(image[HOLE].astype(int) - COLOUR).max() <= 4
