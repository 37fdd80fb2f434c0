"""Films with exact depth, by a stand-in for the generator: complete, resumed, measured; and refused."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from midas.errors import ConfigError, RenderError
from midas.maps.formats import read_map
from midas.scenes.rendered.films import FRAMES_PER_JOB, FilmOptions, find_move, render_film
from midas.scenes.rendered.library import Library
from midas.scenes.rendered.worlds import find_worlds

STAND_IN = [sys.executable, str(Path(__file__).parent / "stand_in.py")]
OPTIONS = FilmOptions(find_worlds(("rooms",))[0], "pan", frames=FRAMES_PER_JOB + 5, limit_s=30.0)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    folder = tmp_path / "library"
    folder.mkdir()
    (folder / "library.json").write_text("{}", encoding="utf-8")
    return Library(folder)


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def test_each_frame_has_a_picture_its_depth_and_its_camera(tmp_path: Path, library: Library) -> None:
    told = []
    output = tmp_path / "film"
    render_film([*STAND_IN, "good"], library, output, OPTIONS, lambda progress: told.append(progress.kept))
    assert told == [FRAMES_PER_JOB, OPTIONS.frames]
    assert len(list((output / "pictures").iterdir())) == OPTIONS.frames
    depth_m, _ = read_map(output / "depth" / "0003.npz")
    assert depth_m[0, 0] == 0  # sky
    assert depth_m[-1, 0] == pytest.approx(1, rel=1e-3)
    cameras = json.loads((output / "depth" / "cameras.json").read_text(encoding="utf-8"))
    assert np.shape(cameras["poses"]) == (OPTIONS.frames, 4, 4)
    assert not (output / ".partial").exists()


def test_what_is_missing_is_made_again_and_nothing_else(tmp_path: Path, library: Library) -> None:
    output = tmp_path / "film"
    render_film([*STAND_IN, "good"], library, output, OPTIONS)
    before = digests(output / "pictures") | digests(output / "depth")
    for number in (4, 21):
        (output / "cameras" / f"{number:04d}.json").unlink()
        (output / "pictures" / f"{number:04d}.png").unlink()
    times = {path: path.stat().st_mtime_ns for path in (output / "pictures").iterdir()}
    assert render_film([*STAND_IN, "good"], library, output, OPTIONS).new == 2
    assert digests(output / "pictures") | digests(output / "depth") == before
    assert all(path.stat().st_mtime_ns == time for path, time in times.items())


def test_another_film_is_not_put_into_the_same_folder(tmp_path: Path, library: Library) -> None:
    render_film([*STAND_IN, "good"], library, tmp_path / "film", OPTIONS)
    other = FilmOptions(OPTIONS.world, "walk", frames=OPTIONS.frames)
    with pytest.raises(RenderError, match="was begun with move 'pan', not 'walk'"):
        render_film([*STAND_IN, "good"], library, tmp_path / "film", other)


def test_frames_that_fail_are_named_with_the_reason(tmp_path: Path, library: Library) -> None:
    with pytest.raises(RenderError, match=r"frames 0 to 19 failed: .*no view of this scene was worth taking"):
        render_film([*STAND_IN, "error"], library, tmp_path / "film", OPTIONS)


def test_an_unknown_move_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ConfigError, match="no move is called 'jump'; there are: static, pan, walk, things"):
        find_move("jump")
