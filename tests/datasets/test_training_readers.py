"""What each set to train on says of itself: units, validity, sky, options. Read from its miniature."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.datasets.miniatures import DEPTH_M, HOLE, PIXEL, SIZE, write_codes, write_picture, write_text
from tests.datasets.training_miniatures import SKY, TRAINING_MINIATURES, write_h5, write_npy, write_pgm

from midas.datasets.catalogue import open_reader
from midas.datasets.formats import read_grey
from midas.datasets.reader import Reader, samples
from midas.datasets.readers.hypersim import ray_cosines, usual_camera
from midas.datasets.readers.megadepth import without_outliers
from midas.datasets.readers.nyu_raw import NyuRawReader, registered
from midas.datasets.transforms import normalize_target
from midas.errors import ConfigError, DatasetError, MissingExtraError


def opened(name: str, tmp_path: Path, **options: Any) -> Reader:
    return open_reader(name, TRAINING_MINIATURES[name](tmp_path / name).root, **options)


def names(reader: Reader) -> list[str]:
    return [sample.name for sample in samples(reader)]


# Relative disparity


def test_redweb_is_read_as_the_authors_of_midas_do(tmp_path: Path) -> None:
    root = TRAINING_MINIATURES["redweb"](tmp_path / "set").root
    codes = read_grey(root / "RDs" / "a.png")
    mask = codes != 255
    negated = -codes / 255
    low, high = negated[mask].min(), negated[mask].max()
    sample = open_reader("redweb", root)[0]
    assert (sample.mask == mask).all()
    assert np.allclose(normalize_target(sample)[mask], (negated[mask] - low) / (high - low))


def test_in_hrwsi_the_mask_says_what_is_valid_and_a_valid_0_is_the_farthest(tmp_path: Path) -> None:
    sample = opened("hrwsi", tmp_path)[0]
    assert sample.mask[SKY]
    assert sample.disparity[SKY] == 0
    assert sample.disparity[HOLE] == 0
    assert not sample.mask[HOLE]


def test_hrwsi_has_two_splits(tmp_path: Path) -> None:
    assert names(opened("hrwsi", tmp_path / "a")) == ["hrwsi/train/train_a"]
    assert names(opened("hrwsi", tmp_path / "b", split="val")) == ["hrwsi/val/val_a"]


def test_maps_of_one_channel_may_have_8_or_16_bits_but_no_colour(tmp_path: Path) -> None:
    assert read_grey(write_codes(tmp_path / "a.png", np.full((2, 3), 1000)))[0, 0] == 1000
    with pytest.raises(DatasetError, match=r"b\.png holds uint8 \(24, 32, 3\): expected one channel of 8 or 16 bits"):
        read_grey(write_picture(tmp_path / "b.png"))


def test_blendedmvs_leaves_masked_views_out(tmp_path: Path) -> None:
    assert names(opened("blendedmvs", tmp_path)) == ["blendedmvs/5a3ca9cb270f0e3f14d0eddb/00000000"]


# MegaDepth


def test_megadepth_drops_the_farthest_2_percent_then_the_nearest_1_percent() -> None:
    depth = np.random.default_rng(0).permutation(np.arange(1200, dtype=np.float32)).reshape(30, 40)
    kept = np.sort(without_outliers(depth)[without_outliers(depth) > 0])
    near_first = np.arange(1, 1200)
    near_first = near_first[near_first <= np.percentile(near_first, 98)]
    assert (kept == near_first[near_first >= np.percentile(near_first, 1)]).all()


def test_megadepth_keeps_maps_with_hardly_a_point_as_they_are() -> None:
    depth = np.zeros((5, 5), np.float32)
    depth[0] = [1, 2, 3, 4, 500]
    assert (without_outliers(depth) == depth).all()


def test_megadepth_outliers_may_be_kept(tmp_path: Path) -> None:
    root = TRAINING_MINIATURES["megadepth"](tmp_path / "set").root
    depth = np.full(SIZE, 2, np.float32)
    depth[PIXEL] = 200
    write_h5(root / "0000" / "dense0" / "depths" / "a.h5", "depth", depth)
    assert not open_reader("megadepth", root)[0].mask[PIXEL]
    assert open_reader("megadepth", root, outliers="kept")[0].mask.all()


def test_an_ordinal_map_of_megadepth_has_no_valid_point_and_a_list_leaves_it_out(tmp_path: Path) -> None:
    reader = opened("megadepth", tmp_path)
    assert names(reader) == ["megadepth/0000_dense0/a", "megadepth/0001_dense1/b"]
    assert not reader[1].mask.any()
    listed = write_text(tmp_path / "list.txt", "0000/dense0/depths/a.h5")
    assert names(opened("megadepth", tmp_path, frames=listed)) == ["megadepth/0000_dense0/a"]


@pytest.mark.parametrize("name", ["megadepth", "hypersim"])
def test_without_the_package_for_hdf5_a_reader_names_the_extra(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = TRAINING_MINIATURES[name](tmp_path / "set").root
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingExtraError, match="lab"):
        open_reader(name, root)[0]


def test_a_map_in_hdf5_of_another_kind_is_an_error(tmp_path: Path) -> None:
    root = TRAINING_MINIATURES["megadepth"](tmp_path / "set").root
    path = root / "0000" / "dense0" / "depths" / "a.h5"
    write_h5(path, "depth", np.zeros((*SIZE, 2)))
    with pytest.raises(DatasetError, match=r"a\.h5 holds 'depth' of shape \(24, 32, 2\): expected two axes"):
        open_reader("megadepth", root)[0]
    write_h5(path, "height", np.zeros(SIZE))
    with pytest.raises(DatasetError, match=r"a\.h5 isn't an HDF5 file with a map 'depth'"):
        open_reader("megadepth", root)[0]


# Rendered sets


@pytest.mark.parametrize("name", ["hrwsi", "tartanair", "virtual_kitti2"])
def test_what_the_set_calls_sky_is_valid_with_disparity_0(name: str, tmp_path: Path) -> None:
    sample = opened(name, tmp_path)[0]
    assert sample.mask[SKY]
    assert sample.disparity[SKY] == 0


def test_far_is_not_sky_in_tartanair(tmp_path: Path) -> None:
    root = TRAINING_MINIATURES["tartanair"](tmp_path / "set").root
    depths = root / "hospital" / "Easy" / "P000" / "depth_left" / "000000_left_depth.npy"
    write_npy(depths, np.full(SIZE, 900, np.float32))
    assert open_reader("tartanair", root)[0].disparity == pytest.approx(1 / 900)


def test_tartanair_has_two_difficulties(tmp_path: Path) -> None:
    assert names(opened("tartanair", tmp_path, difficulty="hard")) == ["tartanair/hospital_Hard_P000/000000_left"]


def test_hypersim_takes_depth_along_the_axis_from_distance_along_the_ray() -> None:
    size = (768, 1024)
    cosines = ray_cosines(usual_camera(size), size)
    assert cosines[383:385, 511:513] == pytest.approx(1, abs=1e-6)
    focal_px = 886.81
    corner = np.hypot(np.hypot(511.5, 383.5), focal_px)
    assert cosines[0, 0] == cosines[-1, -1] == pytest.approx(focal_px / corner, rel=1e-4)


def test_hypersim_s_table_of_cameras_holds_for_the_scenes_that_it_names(tmp_path: Path) -> None:
    root = TRAINING_MINIATURES["hypersim"](tmp_path / "set").root
    usual = open_reader("hypersim", root)[0].disparity
    keys = [f"M_cam_from_uv_{row}{column}" for row in range(3) for column in range(3)]
    # A lens that is all but parallel: distance is depth.
    table = write_text(
        root / "metadata_camera_parameters.csv",
        ",".join(["scene_name", "unit", *keys]),
        "ai_001_001,1," + ",".join(["1e-6", "0", "0", "0", "1e-6", "0", "0", "0", "-1"]),
    )
    cosines = ray_cosines(usual_camera(SIZE), SIZE)
    assert open_reader("hypersim", root)[0].disparity == pytest.approx(usual * cosines, rel=1e-5)
    table.write_text(table.read_text().replace("ai_001_001", "ai_002_002"))
    assert (open_reader("hypersim", root)[0].disparity == usual).all()


def test_a_tilted_lens_bends_the_rays_of_a_row_alike() -> None:
    tilted = usual_camera(SIZE)
    tilted[2, 1] = 0.2
    cosines = ray_cosines(tilted, SIZE)
    assert cosines == pytest.approx(cosines[:, ::-1])
    assert (cosines[0] < cosines[-1]).all()


def test_a_table_of_hypersim_without_its_columns_is_an_error(tmp_path: Path) -> None:
    root = TRAINING_MINIATURES["hypersim"](tmp_path / "set").root
    write_text(root / "metadata_camera_parameters.csv", "scene_name,fov", "ai_001_001,1.0")
    with pytest.raises(DatasetError, match=r"metadata_camera_parameters\.csv isn't the table"):
        open_reader("hypersim", root)


# Depth cameras


def test_arkitscenes_counts_what_has_the_confidence_that_is_asked_for(tmp_path: Path) -> None:
    high, medium, everything = (
        opened("arkitscenes", tmp_path / choice, confidence=choice)[0].mask for choice in ("high", "medium", "any")
    )
    assert not high[10].any()
    assert medium[10].all()
    assert not medium[HOLE]
    assert everything.all()


def test_sun_rgbd_turns_the_bits_back_and_stops_at_8_m(tmp_path: Path) -> None:
    root = TRAINING_MINIATURES["sun_rgbd"](tmp_path / "set").root
    codes = np.full(SIZE, 7999 << 3)
    codes[0] = 8001 << 3 & 0xFFFF | 8001 >> 13
    codes[1] = 7 << 13 | 1  # 0b111 at the top are the lowest bits: 8 × 0 + 7, plus 1 << 13.
    write_codes(root / "kv1/NYUdata/NYU0001/depth_bfx/0000103.png", codes)
    sample = open_reader("sun_rgbd", root)[0]
    assert sample.disparity[5, 5] == pytest.approx(1 / 7.999)
    assert not sample.mask[:2].any()


def test_sun_rgbd_has_raw_depth_and_parts_and_can_leave_nyu_out(tmp_path: Path) -> None:
    assert opened("sun_rgbd", tmp_path / "a", depth="raw")[0].disparity[PIXEL] == pytest.approx(1 / 3)
    one = ["sun_rgbd/kv2_kinect2data/000002_2014-05-26_14-23-37"]
    assert names(opened("sun_rgbd", tmp_path / "b", camera="kv2")) == one
    assert names(opened("sun_rgbd", tmp_path / "c", nyu="left_out")) == one


def test_diml_reads_the_pictures_that_have_a_map(tmp_path: Path) -> None:
    assert names(opened("diml", tmp_path)) == ["diml/Bathroom_A/in_00_160225_000001"]


# NYU Depth v2, raw


def test_a_wall_stays_a_wall_when_depth_is_moved_into_the_picture() -> None:
    moved = registered(np.full((480, 640), 0.5, np.float32))
    seen = moved > 0
    assert moved[seen] == pytest.approx(0.5, rel=6e-3)
    assert seen[60:400, 70:580].all()
    assert not seen[:30].any()


def test_of_two_surfaces_at_one_pixel_the_nearer_is_seen() -> None:
    inverse_depth = np.full((480, 640), 0.25, np.float32)
    inverse_depth[:, 320:] = 1.0
    moved = registered(inverse_depth)
    edge = int(np.argmax(moved[240] > 0.9))
    # The colour camera is 0.025 m to the right: 13 columns to the left at 1 m, 3 at 4 m.
    assert 312 < edge < 322
    assert (moved[240, edge:560] > 0.9).all()


def test_raw_kinect_codes_of_nothing_and_of_more_than_10_m_are_invalid(tmp_path: Path) -> None:
    miniature = TRAINING_MINIATURES["nyu_raw"](tmp_path / "set")
    for code, valid in ((2047, False), (1092, False), (1058, False), (1057, True)):
        write_pgm(miniature.needed, np.full(SIZE, code))
        assert open_reader("nyu_raw", miniature.root)[0].mask.any() == valid


@pytest.mark.parametrize("order", ["<u2", ">u2"])
def test_raw_kinect_codes_may_have_their_bytes_in_either_order(order: str, tmp_path: Path) -> None:
    miniature = TRAINING_MINIATURES["nyu_raw"](tmp_path / "set")
    codes = np.full(SIZE, 917)
    codes[:2] = 2047
    miniature.needed.write_bytes(b"P5\n32 24\n65535\n" + codes.astype(order).tobytes())
    disparity = open_reader("nyu_raw", miniature.root)[0].disparity
    assert disparity[disparity > 0] == pytest.approx(0.5, rel=1e-2)


@pytest.mark.parametrize("indexed", [True, False])
def test_raw_kinect_depth_goes_with_the_picture_nearest_in_time(indexed: bool, tmp_path: Path) -> None:
    miniature = TRAINING_MINIATURES["nyu_raw"](tmp_path / "set")
    if not indexed:
        (miniature.needed.parent / "INDEX.txt").unlink()
    reader = NyuRawReader(miniature.root)
    assert [frame.picture.name[:8] for frame in reader.frames] == ["r-9.9900", "r-10.034"]
    assert names(reader)[0] == "nyu_raw/basement_0001a/10.000000-1994674041"


def test_scenes_of_the_raw_kinect_may_be_listed(tmp_path: Path) -> None:
    root = TRAINING_MINIATURES["nyu_raw"](tmp_path / "set").root
    shutil.copytree(root / "basement_0001a", root / "study_0002")
    assert len(open_reader("nyu_raw", root)) == 4
    listed = open_reader("nyu_raw", root, scenes=write_text(tmp_path / "list.txt", "study_0002"))
    assert {name.split("/")[1] for name in names(listed)} == {"study_0002"}
    with pytest.raises(DatasetError, match=r"there is no folder .*attic_0003"):
        open_reader("nyu_raw", root, scenes=write_text(tmp_path / "list.txt", "attic_0003"))


def test_a_raw_kinect_file_without_a_moment_is_an_error(tmp_path: Path) -> None:
    miniature = TRAINING_MINIATURES["nyu_raw"](tmp_path / "set")
    (miniature.needed.parent / "INDEX.txt").unlink()
    miniature.needed.rename(miniature.needed.with_name("d-soon.pgm"))
    with pytest.raises(DatasetError, match=r"d-soon\.pgm names no moment: expected d-<seconds>"):
        open_reader("nyu_raw", miniature.root)


# Stereo


def test_stereo_pairs_are_metric_with_focal_length_and_baseline(tmp_path: Path) -> None:
    reader = opened("stereo_pairs", tmp_path, focal_px="1000", baseline_m=0.1)
    for sample in samples(reader):
        assert sample.metric
        assert sample.disparity[PIXEL] == pytest.approx(1 / DEPTH_M)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"focal_px": 1000.0}, "give both, or neither"),
        ({"focal_px": 1000.0, "baseline_m": "wide"}, "baseline_m 'wide' is no number above 0"),
        ({"focal_px": -1.0, "baseline_m": 1.0}, r"focal_px -1\.0 is no number above 0"),
        ({"focal_px": 1.0, "baseline_m": "nan"}, "baseline_m 'nan' is no number above 0"),
    ],
)
def test_half_a_stereo_camera_is_refused(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        opened("stereo_pairs", tmp_path, **options)


# All


@pytest.mark.parametrize("name", sorted(TRAINING_MINIATURES))
def test_whichever_file_of_a_set_is_damaged_the_error_names_it(name: str, tmp_path: Path) -> None:
    root = TRAINING_MINIATURES[name](tmp_path / "set").root
    reader = open_reader(name, root)
    named = 0
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        content = path.read_bytes()
        path.write_bytes(b"damaged")
        try:
            list(samples(reader))
        except DatasetError as error:
            named += path.name in str(error)
        path.write_bytes(content)
    assert named >= 2 * len(reader) - 1  # Two samples may share a file.
