"""Stereo pairs from files, folders and films become a set in the corpus format."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.stereo_views import SIZE, ramp, views

from midas.datasets.readers.corpus import CorpusDataset
from midas.datasets.stereo import STEPS_PER_PX
from midas.datasets.stereo_set import (
    StereoOptions,
    StereoPair,
    StereoSet,
    judge,
    side_by_side,
    two_views,
    write_single,
)
from midas.errors import ConfigError, DatasetError, OutputError
from midas.maps.png import read_png

OPTIONS = StereoOptions(sky=False)


def pair(far: float = -12.0, near: float = 9.0, name: str = "frame") -> StereoPair:
    return StereoPair(name, *views(ramp(far, near)))


def write_rgb(path: Path, picture: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), picture[..., ::-1])
    return path


def write_film(path: Path, frames: int, fps: float) -> Path:
    """A film whose frames have rising brightness, the right half twice that of the left one."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), fps, (96, 48))
    for number in range(frames):
        picture = np.full((48, 96, 3), 10 * number + 5, np.uint8)
        picture[:, 48:] *= 2
        writer.write(picture)
    writer.release()
    return path


def test_a_kept_frame_reads_back_as_pixels_above_the_farthest(tmp_path: Path) -> None:
    written = StereoSet(tmp_path, "film", name="films")
    report = written.add(pair(), OPTIONS)
    (sample,) = CorpusDataset(tmp_path).samples()
    assert (sample.name, sample.metric, report.kept) == ("films/film/frame", False, True)
    assert sample.mask.mean() == pytest.approx(report.consistent_share)
    assert report.shift_px is not None
    assert (np.abs(sample.disparity + report.shift_px - ramp(-12, 9))[sample.mask] < 1).mean() > 0.98


def test_a_rejected_frame_is_not_written_but_reported_with_its_reason(tmp_path: Path) -> None:
    written = StereoSet(tmp_path, "film", name="films")
    assert not written.add(pair(5, 12), OPTIONS).kept
    (record,) = json.loads(written.close().read_text())
    assert (record["name"], record["reason"]) == ("film/frame", "small range of disparity")
    assert not (tmp_path / "film").exists()


def test_a_rejected_frame_may_be_kept_all_the_same() -> None:
    frame = judge(pair(5, 12), StereoOptions(keep_all=True))
    assert frame.target is not None
    assert (frame.report.kept, frame.report.reason) == (True, "small range of disparity")


def test_a_scene_is_added_to_its_like_and_never_written_over_by_chance(tmp_path: Path) -> None:
    for scene in ("a", "b"):
        StereoSet(tmp_path, scene, name="films").add(pair(), OPTIONS)
    assert len(CorpusDataset(tmp_path)) == 2
    with pytest.raises(OutputError, match="allow overwriting"):
        StereoSet(tmp_path, "a", name="films")
    StereoSet(tmp_path, "a", name="films", overwrite=True).add(pair(), OPTIONS)


@pytest.mark.parametrize("there", ['{"depth_kind": "depth", "depth_scale": 0.001}', "[]", "{"])
def test_a_folder_with_another_kind_of_set_is_refused(there: str, tmp_path: Path) -> None:
    (tmp_path / "dataset.json").write_text(there)
    with pytest.raises(OutputError):
        StereoSet(tmp_path, "a", name="films")


@pytest.mark.parametrize("scene", ["", "a/b", "..", "a/"])
def test_a_scene_is_the_name_of_one_folder(scene: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the name of one folder"):
        StereoSet(tmp_path, scene, name="films")


def test_a_lone_map_says_what_its_codes_mean(tmp_path: Path) -> None:
    report = write_single(pair(), tmp_path / "map.png", OPTIONS)
    with (tmp_path / "map.png").open("rb") as file:
        codes, text = read_png(file)
    disparity = codes * float(text["midas:scale_px"]) + float(text["midas:shift_px"])
    assert float(text["midas:scale_px"]) == 1 / STEPS_PER_PX
    assert (np.abs(disparity - ramp(-12, 9))[codes > 0] < 1).mean() > 0.98
    assert report.shift_px == float(text["midas:shift_px"])


def test_folders_give_the_pictures_that_share_a_name(tmp_path: Path) -> None:
    picture = np.zeros((*SIZE, 3), np.uint8)
    for name in ("left/1.png", "left/2.png", "left/3.png", "right/2.jpg", "right/3.png", "right/4.png"):
        write_rgb(tmp_path / name, picture)
    source = two_views(tmp_path / "left", tmp_path / "right")
    assert (source.scene, source.count) == ("left", 2)
    assert [read().name for read in source.readers] == ["2", "3"]


def test_pictures_and_folders_that_do_not_go_together_are_refused(tmp_path: Path) -> None:
    picture = write_rgb(tmp_path / "left" / "1.png", np.zeros((*SIZE, 3), np.uint8))
    (tmp_path / "right").mkdir()
    with pytest.raises(ConfigError, match="two pictures or two folders"):
        two_views(picture, tmp_path / "right")
    with pytest.raises(DatasetError, match="shares its name"):
        two_views(tmp_path / "left", tmp_path / "right")
    with pytest.raises(DatasetError, match="holds no picture"):
        side_by_side(tmp_path / "right")
    with pytest.raises(DatasetError, match="there is no"):
        side_by_side(tmp_path / "missing.mp4")
    (tmp_path / "torn.mp4").write_bytes(b"torn")
    with pytest.raises(DatasetError, match="is damaged"):
        side_by_side(tmp_path / "torn.mp4")


@pytest.mark.parametrize(("squeezed", "width"), [(False, 50), (True, 100)])
def test_a_picture_side_by_side_is_split_in_its_middle(squeezed: bool, width: int, tmp_path: Path) -> None:
    picture = np.full((40, 101, 3), 10, np.uint8)
    picture[:, 51:] = 200
    write_rgb(tmp_path / "1.png", picture)
    (read,) = side_by_side(tmp_path, squeezed=squeezed).readers
    found = read()
    assert found.left.shape == found.right.shape == (40, width, 3)
    assert (found.left.max(), found.right.min()) == (10, 200)


def test_a_film_gives_so_many_frames_per_second(tmp_path: Path) -> None:
    source = side_by_side(write_film(tmp_path / "film.avi", 12, fps=12), fps=4.0)
    pairs = [read() for read in source.readers]
    assert (source.scene, source.count) == ("film", 4)
    assert [found.name for found in pairs] == ["000000", "000003", "000006", "000009"]
    assert [round(float(found.left.mean()), -1) for found in pairs] == pytest.approx([5, 35, 65, 95], abs=6)
    assert all(found.right.mean() == pytest.approx(2 * found.left.mean(), abs=6) for found in pairs)


def test_a_film_without_a_rate_gives_all_its_frames(tmp_path: Path) -> None:
    assert len(list(side_by_side(write_film(tmp_path / "film.avi", 5, fps=25)).readers)) == 5
