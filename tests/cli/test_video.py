"""``midas video`` as its users meet it: files, exit statuses, what is said and where."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.tiny_model import write_tiny_model
from tests.video.clips import ramp, times_of, write_clip

from midas.cli import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_model(tmp_path_factory.mktemp("model") / "tiny.onnx")


@pytest.fixture
def video(tiny: Path, here: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: str) -> tuple[int, str, str]:
        command = ["midas", "video", "--model", str(tiny), "--backend", "onnxruntime", *arguments]
        monkeypatch.setattr(sys, "argv", command)
        with pytest.raises(SystemExit) as exit_info:
            main()
        return int(exit_info.value.code or 0), *capfd.readouterr()

    return run


def clip(name: str = "clip.mkv", frames: int = 12, **how: str) -> Path:
    return write_clip(Path(name), map(ramp, range(frames)), **how)  # type: ignore[arg-type]


def test_a_clip_gives_a_film_beside_its_pictures(video: Run) -> None:
    clip()
    assert video("clip.mkv") == (0, "", "")
    assert len(times_of(Path("depth/clip_side-by-side.mp4"))) == 12


def test_several_clips_and_formats_at_once(video: Run) -> None:
    clip("a.mkv"), clip("b.mp4"), clip("b.mkv")
    status, out, _ = video("a.mkv", "b.mp4", "b.mkv", "-o", "maps", "--format", "color,values,frames", "--json")
    assert status == 0
    assert [json.loads(line)["frames"] for line in out.splitlines()] == [12, 12, 12]
    names = {path.name for path in Path("maps").iterdir()}
    assert {"a_color.mp4", "a_values.mkv", "a_values.json", "a_frames", "b.mp4_color.mp4", "b.mkv_color.mp4"} <= names
    assert not [name for name in names if name.startswith(".")]


def test_effects_take_the_place_of_maps_unless_these_are_asked_for_too(video: Run) -> None:
    clip()
    assert video("clip.mkv", "--effect", "stereo,bokeh", "--layout", "half") == (0, "", "")
    assert {path.name for path in Path("depth").iterdir()} == {"clip_LR.mp4", "clip_bokeh.mp4"}
    assert video("clip.mkv", "-o", "both", "--effect", "anaglyph", "--format", "color") == (0, "", "")
    assert {path.name for path in Path("both").iterdir()} == {"clip_anaglyph.mp4", "clip_color.mp4"}
    assert times_of(Path("both/clip_anaglyph.mp4")) == times_of(Path("clip.mkv"))


def test_a_setting_out_of_range_ends_with_a_sentence_and_leaves_nothing(video: Run) -> None:
    clip()
    status, _, err = video("clip.mkv", "--effect", "stereo", "--divergence", "50")
    assert status == 2
    assert "a divergence of 50.0 %: expected 0 to 20" in err
    assert list(Path("depth").glob("*")) == []


def test_one_clip_may_be_given_its_file(video: Run) -> None:
    expected = [time_s for time_s in times_of(clip(sound="aac")) if time_s < 0.2]
    status, _, err = video("clip.mkv", "--format", "color", "-o", "deep.webm", "--end", "0.2")
    assert status == 0
    assert "its sound (aac) becomes opus" in err
    assert times_of(Path("deep.webm")) == expected


def test_what_is_done_is_left_alone(video: Run) -> None:
    clip()
    video("clip.mkv")
    before = Path("depth/clip_side-by-side.mp4").stat().st_mtime_ns
    status, _, err = video("clip.mkv")
    assert (status, Path("depth/clip_side-by-side.mp4").stat().st_mtime_ns) == (0, before)
    assert "1 there already" in err


def test_a_clip_that_is_none_fails_and_the_others_are_written(video: Run) -> None:
    clip("good.mkv")
    Path("bad.mp4").write_bytes(b"")
    status, _, err = video("bad.mp4", "missing.mp4", "good.mkv")
    assert status == 1
    assert len(err.splitlines()) == 2
    assert "Traceback" not in err
    assert [path.name for path in Path("depth").iterdir()] == ["good_side-by-side.mp4"]


def test_a_clip_that_is_cut_off_is_kept_as_far_as_it_goes(video: Run) -> None:
    path = clip("clip.mkv", 100)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    status, _, err = video("clip.mkv")
    assert status == 1
    assert "are missing" in err
    assert len(times_of(Path("depth/clip_side-by-side.mp4"))) > 30


@pytest.mark.parametrize(
    "wrong", [["--format", "gold"], ["--steady", "very"], ["--start", "2", "--end", "1"], ["--container", "avi"]]
)
def test_wrong_usage_is_said_before_anything_is_done(video: Run, wrong: list[str]) -> None:
    clip()
    status, _, err = video("clip.mkv", *wrong)
    assert status == 2
    assert "Traceback" not in err
    assert not Path("depth").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_a_run_that_is_stopped_leaves_nothing(tiny: Path, here: Path, number: int) -> None:
    clip("clip.mkv", 1500)
    command = [
        sys.executable,
        "-m",
        "midas",
        "video",
        "clip.mkv",
        "--model",
        str(tiny),
        "--format",
        "color,values,frames",
    ]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, env=os.environ)
    deadline = time.monotonic() + 60
    while not list(here.glob("depth/.midas-*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.3)
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 128 + number
    assert err.decode().splitlines() == ["midas: stopped"]
    assert list(here.glob("depth/*")) == []
    assert list(here.glob("depth/.*")) == []


@pytest.fixture
def evaluate(tiny: Path, here: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: str) -> tuple[int, str, str]:
        command = ["midas", "evaluate", "--model", str(tiny), "--backend", "onnxruntime", *arguments]
        monkeypatch.setattr(sys, "argv", command)
        with pytest.raises(SystemExit) as exit_info:
            main()
        return int(exit_info.value.code or 0), *capfd.readouterr()

    return run


def test_how_steady_a_film_is_comes_as_a_table_and_a_strip(evaluate: Run) -> None:
    clip()
    status, out, err = evaluate("--video", "clip.mkv", "--strip", "strip.png")
    assert (status, err) == (0, "")
    ways = ["own range", "network", "flow", "fast", "two-pass"]
    assert [line.split("|")[5].strip() for line in out.splitlines()[2:]] == ways
    assert Path("strip.png").exists()
    status, out, _ = evaluate("--video", "clip.mkv", "--limit", "4", "--json", "-o", "figures.json")
    assert (status, out) == (0, "")
    assert json.loads(Path("figures.json").read_text())[0]["frames"] == 4


@pytest.mark.parametrize(
    "wrong",
    [
        ["--truth", "depth"],
        ["--strip", "strip.png"],
        ["--video", "clip.mkv", "--root", "."],
        ["--video", "clip.mkv", "--video", "clip.mkv", "--strip", "strip.png"],
        ["--video", "clip.mkv", "--format", "latex"],
    ],
)
def test_what_does_not_go_with_a_film_is_refused(evaluate: Run, wrong: list[str]) -> None:
    status, out, err = evaluate(*wrong)
    assert (status, out) == (2, "")
    assert len(err.splitlines()) == 1
