"""Effects on films: what is asked for, at the film's times, and calm within a shot."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from tests.tiny_model import write_tiny_model
from tests.video.clips import SIZE, ramp, times_of, write_clip

import midas
from midas.effects import FILM_EFFECTS, EffectOptions, bokeh, film_effect, frame_effect
from midas.errors import ConfigError
from midas.predictor import Predictor
from midas.video import FilmSettings, write_film

HEIGHT, WIDTH = SIZE


@pytest.fixture(scope="module")
def predictor(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    return midas.load(write_tiny_model(tmp_path_factory.mktemp("model") / "tiny.onnx"))


def pictures_of(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as film:
        return [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]


@pytest.mark.parametrize("name", FILM_EFFECTS)
def test_a_film_shows_the_effect_of_each_frame_and_its_map(tmp_path: Path, predictor: Predictor, name: str) -> None:
    clip = write_clip(tmp_path / "clip.mkv", map(ramp, range(8)), times_ms=[0, 33, 50, 90, 200, 210, 300, 400])
    seen: list[np.ndarray] = []
    effect = film_effect(name)

    def paint(picture: np.ndarray, nearness: np.ndarray, begins_shot: bool) -> np.ndarray:
        assert nearness.min() >= 0
        assert nearness.max() <= 1
        np.testing.assert_array_equal(effect(picture, nearness, begins_shot), frame_effect(name)(picture, nearness))
        seen.append(effect(picture, nearness, begins_shot))
        return seen[-1]

    write_film(predictor, clip, {name: tmp_path / "out.mkv"}, FilmSettings(crf=1, painters={name: paint}))
    shown = pictures_of(tmp_path / "out.mkv")
    assert times_of(tmp_path / "out.mkv") == times_of(clip)
    assert [each.shape for each in shown] == [each.shape for each in seen]
    assert np.mean(np.abs(np.float32(shown) - np.float32(seen))) < 6  # colours at half the resolution


def test_two_eyes_stand_still_where_camera_and_scene_do(tmp_path: Path, predictor: Predictor) -> None:
    """The maps of one picture with noise differ; the views may move by less than a tenth of a pixel on the mean."""
    rng = np.random.default_rng(0)
    noisy = [np.clip(ramp(0) + rng.normal(0, 4, (HEIGHT, WIDTH, 3)), 0, 255).astype(np.uint8) for _ in range(12)]
    clip = write_clip(tmp_path / "clip.mkv", noisy)
    maps: list[np.ndarray] = []

    def paint(picture: np.ndarray, nearness: np.ndarray, begins_shot: bool) -> np.ndarray:
        maps.append(nearness)
        return film_effect("stereo")(picture, nearness, begins_shot)

    write_film(predictor, clip, {"stereo": tmp_path / "out.mp4"}, FilmSettings(painters={"stereo": paint}))
    disparity_px = np.stack(maps) * 0.02 * WIDTH
    assert np.abs(np.diff(disparity_px, axis=0)).mean() < 0.1


def ramp_with(value: float) -> np.ndarray:
    """Nearness from 0 to 1, and so much in the middle."""
    nearness = np.tile(np.linspace(0, 1, WIDTH, dtype=np.float32), (HEIGHT, 1))
    nearness[HEIGHT // 2 - 4 : HEIGHT // 2 + 4, WIDTH // 2 - 4 : WIDTH // 2 + 4] = value
    return nearness


def test_the_focus_follows_slowly_in_a_shot_and_at_once_at_a_cut() -> None:
    effect = film_effect("bokeh", EffectOptions(aperture=4.0), lambda size: (size[0] // 2, size[1] // 2))
    picture = ramp(3)

    def focused(focus: float, near: float) -> np.ndarray:
        return bokeh(picture, ramp_with(near), focus=focus, aperture=4.0)

    np.testing.assert_array_equal(effect(picture, ramp_with(0.9), True), focused(float(np.float32(0.9)), 0.9))
    later = [effect(picture, ramp_with(0.1), False) for _ in range(60)]
    assert not np.array_equal(later[0], focused(float(np.float32(0.1)), 0.1))
    assert np.abs(later[-1].astype(int) - focused(float(np.float32(0.1)), 0.1)).mean() < 0.5
    np.testing.assert_array_equal(effect(picture, ramp_with(0.6), True), focused(float(np.float32(0.6)), 0.6))


def test_what_is_no_effect_of_films_is_refused() -> None:
    with pytest.raises(ConfigError, match="parallax"):
        film_effect("parallax")
