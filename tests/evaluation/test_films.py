"""How steady maps of a film are, and how true: what flickers is found, and the truth has no error."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.tiny_model import write_tiny_model
from tests.video.clips import write_clip
from tests.video.moves import Move

import midas
from midas.arrays import Array
from midas.errors import ConfigError, OutputError, VideoError
from midas.evaluation.film_report import films_json, films_markdown, strip_picture, write_strip
from midas.evaluation.film_truth import FilmTruth
from midas.evaluation.films import NETWORK, OWN_RANGE, WAYS, measure_film
from midas.maps.formats import write_map
from midas.predictor import Predictor

FRAMES = 12


class Wobbling:
    """A network whose scale and shift are others in each frame."""

    def __init__(self, predictor: Predictor) -> None:
        self.name, self.input, self.kind, self._predictor = "wobbling", predictor.input, predictor.kind, predictor
        self._random = np.random.default_rng(0)

    def prepare(self, image, /, **how):
        return self._predictor.prepare(image, **how)

    def infer_batch(self, batch, /, **how):
        outcomes = self._predictor.infer_batch(batch, **how)
        scales = [np.float32(np.exp(self._random.normal(0, 0.2))) for _ in outcomes]
        return [replace(each, values=each.values * scale) for each, scale in zip(outcomes, scales, strict=True)]


@pytest.fixture(scope="module")
def predictor(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    return midas.load(write_tiny_model(tmp_path_factory.mktemp("model") / "tiny.onnx"))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pictures = [picture for picture, _, _ in Move(FRAMES)]
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mkv", pictures, options={"crf": "5"})


def test_what_wobbles_is_found_and_the_steady_maps_hardly_do(predictor: Predictor, clip: Path, tmp_path: Path) -> None:
    found = measure_film(Wobbling(predictor), clip)
    assert (found.frames, found.shots, tuple(found.ways)) == (FRAMES, 1, WAYS)
    flicker = {way: scores.flicker_percent for way, scores in found.ways.items()}
    assert flicker[NETWORK] > 3
    assert flicker["flow"] < flicker[NETWORK] / 4
    assert flicker["fast"] < flicker[NETWORK] / 4
    assert flicker["two-pass"] < flicker[NETWORK] / 4
    # The wobble is one of scale alone, which each frame's own range takes out.
    assert flicker[OWN_RANGE] < flicker[NETWORK] / 4
    low, high = found.range_ratio("flow")
    assert 0.5 < low <= high < 2
    assert {len(scores.consistency) for scores in found.ways.values()} == {FRAMES - 1}
    picture = strip_picture(found.strip)
    assert picture.shape[1] == 8 * FRAMES
    write_strip(tmp_path / "strip.png", found.strip, overwrite=False)
    with pytest.raises(OutputError, match="no picture"):
        write_strip(tmp_path / "strip.txt", found.strip, overwrite=False)
    lines = films_markdown([found]).splitlines()
    assert len(lines) == 2 + len(WAYS)
    assert "gauge" not in lines[0]
    assert json.loads(films_json([found]))[0]["ways"]["flow"]["pairs"] == FRAMES - 1


def test_a_part_of_a_film_may_be_measured(predictor: Predictor, clip: Path) -> None:
    assert measure_film(predictor, clip, limit=3).frames == 3
    with clip.open("rb") as pipe:
        assert tuple(measure_film(predictor, pipe, limit=3).ways) == tuple(way for way in WAYS if way != "two-pass")
    with pytest.raises(ConfigError, match="column"):
        measure_film(predictor, clip, strip_at=1.5)


def truth_folder(folder: Path, depths: list[Array], suffix: str = ".npy") -> Path:
    folder.mkdir()
    for number, depth in enumerate(depths):
        write_map(folder / f"{number:04d}{suffix}", depth, suffix.strip("."), kind="metric")
    return folder


def depths_of(move: Move) -> list[Array]:
    return [1 / truth for _, truth, _ in move]


def test_maps_that_are_true_have_no_error_and_those_that_wobble_have_it(tmp_path: Path) -> None:
    depths = depths_of(Move(6))
    folder = truth_folder(tmp_path / "depth", depths)
    cameras = {"intrinsics": [[100, 0, 107.5], [0, 100, 71.5], [0, 0, 1]], "poses": [np.eye(4).tolist()] * 6}
    (folder / "cameras.json").write_text(json.dumps(cameras))
    truth = FilmTruth(folder, "affine_invariant_inverse")
    scales = np.exp([0.2, -0.2, 0.2, -0.2, 0.2, -0.2]).astype(np.float32)
    for depth, scale in zip(depths, scales, strict=True):
        truth.take({"true": np.float32(3) / depth + np.float32(0.7), "wobbling": scale / depth})
    figures = truth.figures(whole=True)
    assert figures["true"]["gauge_wobble"] < 1e-2  # edges between the grid's points are drawn another way in the map
    assert figures["true"]["abs_rel"] < 0.03
    assert figures["true"]["temporal_gradient_error"] < 1e-3
    assert figures["true"]["tae"] < 0.1
    assert figures["wobbling"]["gauge_wobble"] == pytest.approx(0.2, abs=0.01)
    assert figures["wobbling"]["tae"] > 5
    assert figures["wobbling"]["temporal_gradient_error"] > 0.05


def test_there_is_measured_depth_of_each_frame_or_an_error(tmp_path: Path, predictor: Predictor, clip: Path) -> None:
    more = truth_folder(tmp_path / "more", depths_of(Move(FRAMES + 1)))
    with pytest.raises(VideoError, match=f"has {FRAMES} frames"):
        measure_film(predictor, clip, more)
    fewer = truth_folder(tmp_path / "fewer", depths_of(Move(FRAMES - 1)))
    with pytest.raises(VideoError, match="more frames"):
        measure_film(predictor, clip, fewer)
    (tmp_path / "none").mkdir()
    with pytest.raises(ConfigError, match="has 0 depth maps"):
        FilmTruth(tmp_path / "none", predictor.kind)
    (fewer / "cameras.json").write_text('{"intrinsics": [[1, 0, 0], [0, 1, 0], [0, 0, 1]], "poses": []}')
    with pytest.raises(ConfigError, match="poses"):
        FilmTruth(fewer, predictor.kind)
