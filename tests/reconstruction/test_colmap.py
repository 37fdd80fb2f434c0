"""Depth priors: aligned to a reconstruction's points, and readable by those that read them."""

from __future__ import annotations

import io
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from midas.errors import DatasetError
from midas.pictures.exif import upright
from midas.reconstruction.consumers import CONSUMERS, dense_map
from midas.reconstruction.priors import align_prior, outlying_scales
from midas.reconstruction.workspace import as_stored, find_images, find_model, make_priors

from .drawn_workspace import SIZE, DrawnWorkspace, make_workspace


@pytest.fixture(params=["binary", "text"])
def drawn(tmp_path: Path, request: pytest.FixtureRequest) -> DrawnWorkspace:
    return make_workspace(tmp_path / "scene", binary=request.param == "binary")


def run(drawn: DrawnWorkspace, consumer: str, least_points: int = 20) -> list:
    model = find_model(drawn.folder)
    writer = CONSUMERS[consumer](model, drawn.folder, drawn.folder / "depths")
    images = find_images(drawn.folder, model)
    reports = list(make_priors(drawn, model, images, writer, least_points=least_points))  # type: ignore[arg-type]
    writer.finish()
    return reports


def relative_error(depth: np.ndarray, true: np.ndarray) -> float:
    return float(np.mean(np.abs(depth / true - 1)))


def test_splatting_reads_inverse_depth_within_a_percent_though_points_are_wrong(drawn: DrawnWorkspace) -> None:
    """The trainer's own rule: code / 65535 * scale + offset."""
    reports = run(drawn, "3dgs")
    params = json.loads((drawn.folder / "sparse" / "0" / "depth_params.json").read_text())
    for name, true in drawn.depth.items():
        stem = name.removesuffix(".jpg")
        codes = cv2.imread(str(drawn.folder / "depths" / f"{stem}.png"), cv2.IMREAD_UNCHANGED)
        assert codes.dtype == np.uint16
        inverse = codes.astype(np.float32) / 65535 * params[stem]["scale"] + params[stem]["offset"]
        assert relative_error(1 / inverse, true) < 0.01
    assert all(0.75 < report.inlier_share < 0.95 for report in reports)


def test_nerfstudio_finds_a_map_for_each_frame_in_thousandths(drawn: DrawnWorkspace) -> None:
    run(drawn, "nerfstudio")
    document = json.loads((drawn.folder / "transforms.json").read_text())
    assert document["depth_unit_scale_factor"] == 0.001
    assert len(document["frames"]) == len(drawn.depth)
    for frame in document["frames"]:
        depth = cv2.imread(str(drawn.folder / frame["depth_file_path"]), cv2.IMREAD_ANYDEPTH) * 0.001
        assert relative_error(depth, drawn.depth[Path(frame["file_path"]).name]) < 0.01


def test_an_existing_transforms_json_is_kept_but_for_what_is_new(drawn: DrawnWorkspace) -> None:
    path = drawn.folder / "transforms.json"
    path.write_text(json.dumps({"applied_scale": 2, "frames": [{"file_path": "./images/view_1.jpg", "mine": 1}]}))
    run(drawn, "nerfstudio")
    document = json.loads(path.read_text())
    assert document["applied_scale"] == 2
    assert document["frames"] == [
        {"file_path": "./images/view_1.jpg", "mine": 1, "depth_file_path": "depths/view_1.png"}
    ]


def test_colmap_reads_its_maps(drawn: DrawnWorkspace) -> None:
    run(drawn, "colmap")
    for name, true in drawn.depth.items():
        data = (drawn.folder / "depths" / "stereo" / "depth_maps" / f"{name}.geometric.bin").read_bytes()
        width, height, channels, values = data.split(b"&", 3)
        depth = np.frombuffer(values, "<f4").reshape(int(height), int(width))
        assert int(channels) == 1
        assert relative_error(depth, true) < 0.01


def test_pycolmap_reads_the_same_model_and_the_same_map(tmp_path: Path) -> None:
    pycolmap = pytest.importorskip("pycolmap")
    drawn = make_workspace(tmp_path / "scene")
    theirs = pycolmap.Reconstruction(str(drawn.folder / "sparse" / "0"))
    ours = find_model(drawn.folder)
    for image in ours.images:
        other = next(each for each in theirs.images.values() if each.name == image.name)
        pose = other.cam_from_world() if callable(other.cam_from_world) else other.cam_from_world
        np.testing.assert_allclose(pose.matrix(), np.c_[image.rotation, image.translation], atol=1e-9)
        points = [point for point in other.points2D if point.has_point3D()]
        np.testing.assert_allclose([point.xy for point in points], image.xy)
    np.testing.assert_allclose(theirs.points3D[7].xyz, ours.places[7])
    depth = np.random.default_rng(0).random((5, 7), np.float32)
    (tmp_path / "map.bin").write_bytes(dense_map(depth))
    read = pycolmap.DepthMap()
    read.read(str(tmp_path / "map.bin"))
    np.testing.assert_array_equal(np.asarray(read.to_array()).reshape(5, 7), depth)


def test_images_that_saw_too_few_points_are_marked_and_left_out_by_the_trainer(tmp_path: Path) -> None:
    drawn = make_workspace(tmp_path / "scene", images=2)
    reports = run(drawn, "3dgs", least_points=1000)
    params = json.loads((drawn.folder / "sparse" / "0" / "depth_params.json").read_text())
    assert [report.scale for report in reports] == [None, None]
    assert set(params) == {"view_0", "view_1"}
    assert all(each == {"scale": 0.0, "offset": 0.0} for each in params.values())


def test_scales_far_from_the_median_are_named() -> None:
    assert outlying_scales({"a": 1.0, "b": 1.1, "c": 0.1, "d": 6.0, "e": 0.0}) == ["c", "d"]


def test_a_map_that_runs_against_the_points_gets_no_alignment() -> None:
    rng = np.random.default_rng(0)
    values = rng.random((20, 20), np.float32)
    xy = np.stack(np.meshgrid(np.arange(20) + 0.5, np.arange(20) + 0.5), -1).reshape(-1, 2)
    prior = align_prior("a.jpg", values, (20, 20), xy, 1 / (2 - values.ravel().astype(np.float64)))
    assert prior.alignment is None


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_map_of_a_turned_picture_is_turned_back(orientation: int) -> None:
    """COLMAP counts in the pixels that the file stores, whatever its orientation says."""
    stored = np.random.default_rng(0).integers(0, 255, (4, 6, 3), dtype=np.uint8)
    seen = upright(stored, orientation)[..., 0].astype(np.float32)
    np.testing.assert_array_equal(as_stored(seen, orientation, (4, 6)), stored[..., 0])


def test_a_damaged_model_is_named(tmp_path: Path) -> None:
    drawn = make_workspace(tmp_path / "scene", images=1)
    path = drawn.folder / "sparse" / "0" / "images.bin"
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(DatasetError, match=r"images\.bin is damaged"):
        find_model(drawn.folder)


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no reconstruction"):
        find_model(tmp_path)


def test_maps_have_the_size_of_their_images(tmp_path: Path) -> None:
    drawn = make_workspace(tmp_path / "scene", images=1)
    run(drawn, "3dgs")
    data = (drawn.folder / "depths" / "view_0.png").read_bytes()
    assert cv2.imdecode(np.frombuffer(io.BytesIO(data).read(), np.uint8), cv2.IMREAD_UNCHANGED).shape == SIZE
