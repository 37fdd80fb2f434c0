"""From radiance and depth to a photograph and its target, or to the reason why there is none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from midas.arrays import Array, Float32
from midas.datasets.readers.corpus import CorpusDataset
from midas.scenes.rendered.checks import failure
from midas.scenes.rendered.depth_files import NEAR_VALUE, SKY_VALUE, encode_depth
from midas.scenes.rendered.photograph import View, develop
from midas.scenes.rendered.sheet import chosen, draw_sheet
from midas.scenes.rendered.store import Picture, description, write_picture
from midas.scenes.rendered.worlds import WORLDS


@pytest.fixture
def view() -> View:
    """A ramp from 1 to 9 metres below a sky, in random light."""
    rng = np.random.default_rng(0)
    depth_m = np.tile(np.linspace(9, 1, 48, dtype=np.float32)[:, None], (1, 64))
    depth_m[:8] = np.inf
    radiance = rng.uniform(0.05, 0.9, (48, 64, 3)).astype(np.float32)
    return View(radiance, depth_m, np.where(np.isfinite(depth_m), depth_m, 3000).astype(np.float32))


def developed(view: View, seed: int = 0) -> np.ndarray:
    return develop(view, np.random.default_rng(seed))


def test_stored_depth_is_inverse_depth_up_to_one_scale(view: View) -> None:
    values = encode_depth(view.depth_m)
    measured = np.isfinite(view.depth_m)
    products = values[measured] * view.depth_m[measured]
    assert products.max() / products.min() < 1.001


def test_sky_is_infinitely_far_and_valid(view: View) -> None:
    values = encode_depth(view.depth_m)
    assert (values[~np.isfinite(view.depth_m)] == SKY_VALUE).all()
    assert values.min() > 0


def test_the_nearest_hundredth_sets_the_scale(view: View) -> None:
    assert encode_depth(view.depth_m).max() == pytest.approx(NEAR_VALUE, rel=0.01)


@pytest.mark.parametrize("depth_m", [np.full((4, 4), np.inf), np.full((4, 4), -1.0)])
def test_depth_that_is_none_is_refused(depth_m: Float32[Array, "H W"]) -> None:
    with pytest.raises(ValueError, match="expected positive depths"):
        encode_depth(depth_m.astype(np.float32))


def test_the_same_seed_gives_the_same_photograph_and_another_a_different_one(view: View) -> None:
    assert np.array_equal(developed(view), developed(view))
    assert not np.array_equal(developed(view), developed(view, 1))


@pytest.mark.parametrize("gain", [1e-3, 1.0, 1e3])
def test_a_photograph_is_exposed_whatever_the_light(view: View, gain: float) -> None:
    photo = developed(replace(view, radiance=view.radiance * np.float32(gain)))
    assert 60 < photo.mean() < 190


def test_haze_hides_the_far_more_than_the_near(view: View) -> None:
    hazy = replace(view, haze_m=2.0)
    contrast = [
        developed(each).astype(float)[rows].std() for each in (view, hazy) for rows in (slice(8, 20), slice(40, 48))
    ]
    assert contrast[2] / contrast[0] < 0.6 * contrast[3] / contrast[1]


def test_a_good_picture_has_no_failure(view: View) -> None:
    assert failure(developed(view), view.depth_m) is None


@pytest.mark.parametrize(
    ("depth_m", "reason"),
    [
        (np.full((48, 64), np.inf), "sky"),
        (np.full((48, 64), 0.05), "inside"),
        (np.full((48, 64), 2.0), "no spread"),
    ],
)
def test_pictures_of_failed_cameras_are_named(view: View, depth_m: Float32[Array, "H W"], reason: str) -> None:
    assert reason in str(failure(developed(view), depth_m.astype(np.float32)))


@pytest.mark.parametrize(("grey", "reason"), [(0, "black"), (255, "white"), (128, "one colour")])
def test_pictures_without_content_are_named(view: View, grey: int, reason: str) -> None:
    assert reason in str(failure(np.full((48, 64, 3), grey, np.uint8), view.depth_m))


def test_the_reader_of_the_corpus_reads_what_is_written(view: View, tmp_path: Path) -> None:
    import json

    (tmp_path / "s00000").mkdir()
    write_picture(tmp_path / "s00000" / "00", Picture(developed(view), encode_depth(view.depth_m)))
    (tmp_path / "dataset.json").write_text(json.dumps(description(WORLDS[0])), encoding="utf-8")
    sample = CorpusDataset(tmp_path)[0]
    assert sample.mask.all()
    assert not sample.metric
    assert sample.disparity[47, 0] / sample.disparity[20, 0] == pytest.approx(
        view.depth_m[20, 0] / view.depth_m[47, 0], rel=1e-3
    )


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
def test_a_set_says_that_models_trained_on_it_may_be_sold(world: object) -> None:
    facts = description(world)  # type: ignore[arg-type]
    assert facts["licence"] == "CC0-1.0"
    assert facts["commercial_use"] is True
    assert facts["shift_known"] is True
    assert {source["name"].split()[0] for source in facts["sources"]} == {"Blender", "Infinigen", "Anny"}


def test_a_sheet_shows_pictures_beside_their_depth(view: View, tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    for number in range(5):
        write_picture(tmp_path / "s" / f"{number:02d}", Picture(developed(view, number), encode_depth(view.depth_m)))
    assert [path.stem for path in chosen(tmp_path, 3)] == ["00", "02", "04"]
    sheet = draw_sheet(chosen(tmp_path, 5))
    assert sheet.shape[1] == 1500
    assert (sheet != 255).any()
