"""A film in, its films of depth out: sizes, times, sound, values, and nothing half done."""

from __future__ import annotations

import csv
import json
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from tests.tiny_model import write_tiny_model
from tests.video.clips import SIZE, apart, ramp, sound_of, times_of, write_clip

import midas
from midas.errors import ConfigError, FileThereError, OutputError, VideoError
from midas.predictor import Predictor
from midas.video import FilmSettings, read_values, write_film

UNEVEN_MS = [0, 33, 200, 210, 900, 940, 1000]


@pytest.fixture(scope="module")
def predictor(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    return midas.load(write_tiny_model(tmp_path_factory.mktemp("model") / "tiny.onnx"))


def clip_of(folder: Path, frames: int = 20, **how: object) -> Path:
    return write_clip(folder / "clip.mkv", map(ramp, range(frames)), **how)  # type: ignore[arg-type]


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm", ".gif"])
def test_times_survive_in_every_container(tmp_path: Path, predictor: Predictor, suffix: str) -> None:
    clip = clip_of(tmp_path, len(UNEVEN_MS), times_ms=UNEVEN_MS)
    write_film(predictor, clip, {"side-by-side": tmp_path / f"out{suffix}"})
    tick_s = 0.01 if suffix == ".gif" else 0.001
    times = times_of(tmp_path / f"out{suffix}")
    assert np.abs(np.array(times) - np.array(UNEVEN_MS) / 1000).max() <= tick_s


@pytest.mark.parametrize(("suffix", "codec"), [(".mp4", "aac"), (".mkv", "aac"), (".webm", "opus"), (".mov", "aac")])
def test_sound_goes_along(tmp_path: Path, predictor: Predictor, suffix: str, codec: str) -> None:
    clip = clip_of(tmp_path, 50, sound="aac")
    report = write_film(predictor, clip, {"color": tmp_path / f"out{suffix}"})
    with av.open(str(tmp_path / f"out{suffix}")) as film:
        assert film.streams.audio[0].codec_context.name == codec
        heard = sum(frame.samples / frame.sample_rate for frame in film.decode(audio=0))
    with av.open(str(clip)) as film:
        there = sum(frame.samples / frame.sample_rate for frame in film.decode(audio=0))
    assert abs(heard - there) <= 1024 / 48000 + 1e-9
    assert bool(report.notes) == (codec != "aac")


@pytest.mark.parametrize("behind", [True, False], ids=["behind", "in front"])
def test_sound_that_lies_apart_from_the_pictures_goes_along_too(
    tmp_path: Path, predictor: Predictor, monkeypatch: pytest.MonkeyPatch, *, behind: bool
) -> None:
    monkeypatch.setattr("midas.video.sound_waiting._MOST_PACKETS", 8)
    whole = clip_of(tmp_path, 50, sound="aac", options={"bf": "0"})
    clip = apart(whole, tmp_path / "apart.mkv", behind=behind)
    write_film(predictor, clip, {"color": tmp_path / "out.mp4", "side-by-side": tmp_path / "beside.mp4"})
    for name in ("out.mp4", "beside.mp4"):
        assert sound_of(tmp_path / name) == sound_of(whole)


def test_sound_of_a_part_is_as_long_as_the_part(tmp_path: Path, predictor: Predictor) -> None:
    clip = clip_of(tmp_path, 75, sound="aac")
    settings = FilmSettings(start_s=1.0, end_s=2.0)
    write_film(predictor, clip, {"color": tmp_path / "out.mp4"}, settings)
    with av.open(str(tmp_path / "out.mp4")) as film:
        heard = sum(frame.samples / frame.sample_rate for frame in film.decode(audio=0))
    assert len(times_of(tmp_path / "out.mp4")) == 25
    assert abs(heard - 1.0) <= 2 * 1024 / 48000


def test_odd_sides_are_padded_and_said_to_be(tmp_path: Path, predictor: Predictor) -> None:
    pictures = [ramp(number, (47, 63)) for number in range(3)]
    clip = write_clip(tmp_path / "clip.mkv", pictures, pixels="yuv444p")
    report = write_film(predictor, clip, {"color": tmp_path / "out.mp4"})
    with av.open(str(tmp_path / "out.mp4")) as film:
        assert (film.streams.video[0].height, film.streams.video[0].width) == (48, 64)
    assert "63 x 47 pixels become 64 x 48" in " ".join(report.notes)


def test_the_shape_of_the_pixels_is_kept(tmp_path: Path, predictor: Predictor) -> None:
    clip = clip_of(tmp_path, 2, aspect=Fraction(16, 11))
    write_film(predictor, clip, {"side-by-side": tmp_path / "out.mp4"})
    with av.open(str(tmp_path / "out.mp4")) as film:
        stream = film.streams.video[0]
        assert stream.sample_aspect_ratio == Fraction(16, 11)
        assert (stream.height, stream.width) == (SIZE[0], 2 * SIZE[1])


def test_values_come_back_within_half_a_step(tmp_path: Path, predictor: Predictor) -> None:
    clip = clip_of(tmp_path, len(UNEVEN_MS), times_ms=UNEVEN_MS)
    write_film(predictor, clip, {"values": tmp_path / "out.mkv"})
    about = json.loads((tmp_path / "out.json").read_text())
    maps = list(predictor.video(clip))
    read = list(read_values(tmp_path / "out.mkv"))
    assert [depth_map.time_s for depth_map in read] == [depth_map.time_s for depth_map in maps]
    assert max(np.abs(a.values - b.values).max() for a, b in zip(maps, read, strict=True)) <= 0.501 * about["step"]
    assert (read[0].kind, read[0].model, about["kind"]) == (maps[0].kind, "tiny", "affine_invariant_inverse")
    assert len(about["frames"]["scale"]) == len(UNEVEN_MS)


def test_a_constant_film_has_values_too(tmp_path: Path, predictor: Predictor) -> None:
    clip = write_clip(tmp_path / "clip.mkv", [np.full((*SIZE, 3), 90, np.uint8)] * 3)
    write_film(predictor, clip, {"values": tmp_path / "out.mkv"})
    assert all(np.isfinite(depth_map.values).all() for depth_map in read_values(tmp_path / "out.mkv"))


@pytest.mark.parametrize("format_name", ["png16", "exr", "npy"])
def test_single_frames_lie_in_a_folder_with_their_times(tmp_path: Path, predictor: Predictor, format_name: str) -> None:
    clip = clip_of(tmp_path, len(UNEVEN_MS), times_ms=UNEVEN_MS)
    write_film(predictor, clip, {"frames": tmp_path / "frames"}, FilmSettings(frame_format=format_name))
    rows = list(csv.DictReader((tmp_path / "frames" / "times.csv").read_text().splitlines()))
    assert [round(1000 * float(row["time_s"])) for row in rows] == UNEVEN_MS
    maps = list(predictor.video(clip))
    last = midas.DepthMap.load(tmp_path / "frames" / rows[-1]["file"])
    assert np.abs(last.values - maps[-1].values).max() < 1e-4


def test_a_film_in_batches_is_the_same_film(tmp_path: Path, predictor: Predictor) -> None:
    clip = clip_of(tmp_path, 9)
    one, four = (list(predictor.video(clip, batch=batch)) for batch in (1, 4))
    assert max(np.abs(a.values - b.values).max() for a, b in zip(one, four, strict=True)) < 1e-5


def test_maps_have_the_size_of_the_film_and_its_times(tmp_path: Path, predictor: Predictor) -> None:
    maps = list(predictor.video(clip_of(tmp_path, 50), start_s=1.0, end_s=1.2, steady="off"))
    assert [round(depth_map.time_s or 0, 3) for depth_map in maps] == [1.0, 1.04, 1.08, 1.12, 1.16]
    assert {depth_map.size for depth_map in maps} == {SIZE}


def test_what_is_there_already_is_not_replaced(tmp_path: Path, predictor: Predictor) -> None:
    clip = clip_of(tmp_path, 2)
    (tmp_path / "out.mp4").write_text("mine")
    with pytest.raises(FileThereError):
        write_film(predictor, clip, {"color": tmp_path / "out.mp4"})
    assert (tmp_path / "out.mp4").read_text() == "mine"


@pytest.mark.parametrize("formats", [["color"], ["values"], ["frames"]])
def test_a_film_that_fails_leaves_nothing_behind(tmp_path: Path, formats: list[str]) -> None:
    logarithm = midas.load(write_tiny_model(tmp_path / "tiny.onnx", logarithm=True))
    pictures = [np.full((*SIZE, 3), 220 if number < 6 else 20, np.uint8) for number in range(12)]
    clip = write_clip(tmp_path / "clip.mkv", pictures)
    out = tmp_path / "out"
    with pytest.raises(midas.MidasError):
        write_film(logarithm, clip, {name: out / f"{name}.mkv" for name in formats})
    assert list(out.iterdir()) == []


def test_a_part_without_frames_is_an_error(tmp_path: Path, predictor: Predictor) -> None:
    clip = clip_of(tmp_path, 3)
    with pytest.raises(VideoError, match="no frame"):
        write_film(predictor, clip, {"color": tmp_path / "out.mp4"}, FilmSettings(start_s=50.0))
    with pytest.raises(ConfigError):
        write_film(predictor, clip, {"color": tmp_path / "out.mp4"}, FilmSettings(start_s=2.0, end_s=1.0))
    with pytest.raises(OutputError):
        write_film(predictor, clip, {"gold": tmp_path / "out.mp4"})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.mkv"]


def test_a_reader_that_stops_early_ends_the_threads(tmp_path: Path, predictor: Predictor) -> None:
    import threading

    maps = predictor.video(clip_of(tmp_path, 40))
    next(maps)
    maps.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("midas-stage")]
