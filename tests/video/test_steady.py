"""Maps of a film keep one scale and shift, and hardly flicker, whatever the network does."""

from __future__ import annotations

import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.video.moves import Move, RenderedMove, Street, Turn, gauge_of

from midas.arrays import Array
from midas.errors import ConfigError
from midas.video.gauges import Gauge, fit
from midas.video.steady import Steady

# Films of midas data render --film, by the folder that they are in: docs/video.md has the commands.
RENDERED = [
    path.parent
    for path in sorted(Path(os.environ.get("MIDAS_RENDERED_FILMS", ".")).glob("*/render.json"))
    if json.loads(path.read_text(encoding="utf-8")).get("move") in ("static", "pan", "things")
]

MOVES = {"static": Move(40), "pan": Move(40, pan_px=2), "walker": Move(40, walker=True)}


def measured(move: Move | RenderedMove | Street | Turn, mode: str = "off") -> tuple[Array, float]:
    """The logarithm of each frame's scale, and the mean departure from the truth when that and the shift are known."""
    steady, log_scales, departures = Steady(mode), [], []  # type: ignore[arg-type]
    for number, (picture, truth, values) in enumerate(move):
        shown = steady.update(picture, values, cut=number == 0)
        log_scales.append(np.log(gauge_of(shown, truth)[0]))
        departures.append(departure(shown, truth))
    return np.array(log_scales), float(np.mean(departures))


def departure(values: Array, truth: Array) -> float:
    scale, shift = gauge_of(values, truth)
    return float(np.abs((values - shift) / scale - truth).mean())


@pytest.mark.parametrize("name", ["static", "pan", pytest.param("walker", marks=pytest.mark.slow)])
def test_the_scale_wobbles_a_tenth_as_much_does_not_shrink_and_the_maps_are_nearer_to_the_truth(name: str) -> None:
    (before, alone), (after, together) = measured(MOVES[name]), measured(MOVES[name], "flow")
    assert after.std() < 0.15 * before.std()
    assert np.diff(after).std() < 0.05 * np.diff(before).std()
    assert abs(after[-1] - after[0]) < 0.06
    assert together < alone


@pytest.mark.slow
@pytest.mark.parametrize(
    "move", [Move(300), Move(300, pan_px=2), Move(300, walker=True)], ids=["static", "pan", "walker"]
)
def test_over_three_hundred_frames_the_scale_wobbles_a_tenth_as_much(move: Move) -> None:
    (before, _), (after, _) = measured(move), measured(move, "flow")
    assert after.std() < 0.1 * before.std()


@pytest.mark.slow
@pytest.mark.parametrize(
    "folder",
    RENDERED or [pytest.param(None, marks=pytest.mark.skip(reason="MIDAS_RENDERED_FILMS names no folder of films"))],
    ids=lambda folder: folder.name if folder else "none",
)
def test_on_rendered_moves_too_the_scale_wobbles_a_tenth_as_much(folder: Path) -> None:
    (before, alone), (after, together) = measured(RenderedMove(folder)), measured(RenderedMove(folder), "flow")
    # A tenth is what is wanted of all. A turn by a hundred degrees before a sofa came to 0.08 to 0.12; in rooms
    # rendered later pans come to 0.11 to 0.24, people who fill half of the picture to 0.55: see docs/video.md.
    assert after.std() < (0.13 if folder.name == "pan" else 0.1) * before.std()
    assert together < 1.01 * alone


@pytest.mark.parametrize("pan_px", [30, pytest.param(45, marks=pytest.mark.slow)])
def test_frames_that_lie_far_apart_wobble_no_more_than_the_network_does(pan_px: float) -> None:
    """Chains of fits that know little would be worse than the network's own scale, again and again."""
    move = Move(20, pan_px=pan_px)
    (before, _), (after, _) = measured(move), measured(move, "flow")
    assert after.std() < 1.02 * before.std()


@pytest.mark.slow
@pytest.mark.parametrize("move", [Move(1000), Move(1000, pan_px=2)], ids=["static", "pan"])
def test_a_thousand_frames_do_not_drift(move: Move) -> None:
    after, _ = measured(move, "flow")
    assert np.abs(after - after.mean()).max() < 0.1


def test_a_camera_that_turns_takes_the_scale_nowhere() -> None:
    """What stands still comes nearer, counted along the axis, while a turning camera takes it to the picture's edge."""
    (before, _), (after, _) = measured(Turn(90)), measured(Turn(90), "flow")
    assert after.std() < 0.1 * before.std()
    assert abs(after[-10:].mean() - after[:10].mean()) < 0.03


def test_depth_comes_nearer_by_a_turn_as_its_inverse_does() -> None:
    """In maps of the other kinds what a turning camera takes to the edge becomes less."""
    steady, log_scales = Steady(kind="metric"), []
    for number, (picture, truth, _) in enumerate(Turn(90, wobble=0, noise=0)):
        depth_m = 1 / truth
        shown = steady.update(picture, depth_m, cut=number == 0)
        log_scales.append(np.log(gauge_of(shown, depth_m)[0]))
    assert np.std(log_scales) < 0.005


@pytest.mark.parametrize("step_m", [0.05, -0.03])
def test_what_comes_nearer_on_a_walk_takes_the_scale_nowhere(step_m: float) -> None:
    """In true maps it grows; where two maps were compared and no more, the scale fell by a third in these."""
    street = Street(60, step_m=step_m)
    (before, _), (after, _) = measured(street), measured(street, "flow")
    assert after.std() < 0.2 * before.std()
    assert abs(after[-10:].mean() - after[:10].mean()) < 0.1


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_over_three_hundred_frames_of_a_walk_the_scale_wobbles_less_than_the_network_does(seed: int) -> None:
    street = Street(300, step_m=0.04, seed=seed)
    (before, _), (after, _) = measured(street), measured(street, "flow")
    assert after.std() < 0.4 * before.std()


def test_a_camera_that_stands_still_needs_no_flow() -> None:
    (before, _), (after, _) = measured(Move(20)), measured(Move(20), "fast")
    assert after.std() < 0.1 * before.std()


def test_off_returns_the_maps_as_they_are() -> None:
    steady = Steady("off")
    for picture, _, values in Move(3):
        assert steady.update(picture, values) is values


def test_the_first_frame_of_a_shot_is_that_of_the_shot_alone() -> None:
    one, other = list(Move(10, seed=1)), list(Move(10, seed=2))
    steady = Steady()
    for picture, _, values in one:
        steady.update(picture, values)
    picture, _, values = other[0]
    assert np.array_equal(steady.update(picture, values), values)
    assert steady.is_cut
    assert steady.gauge == Gauge()


def test_a_flash_neither_begins_a_shot_nor_moves_the_scale() -> None:
    frames = list(Move(40, noise=0.005))
    steady, cuts = Steady(), []
    for number, (picture, _, values) in enumerate(frames):
        if number == 20:
            picture, values = np.full_like(picture, 255), np.full_like(values, 3.0)
        shown = steady.update(picture, values)
        cuts.append(steady.is_cut)
    assert sum(cuts[21:]) == 0
    scale, _ = gauge_of(shown, frames[-1][1])
    first, _ = gauge_of(frames[0][2], frames[0][1])
    assert abs(np.log(scale / first)) < 0.05


def test_black_frames_are_held_and_leave_nothing_black_behind() -> None:
    frames = list(Move(30))
    steady = Steady()
    for number, (picture, _, values) in enumerate(frames):
        if 10 <= number < 13:
            picture, values = np.zeros_like(picture), np.zeros_like(values)
        shown = steady.update(picture, values, cut=number == 0)
        assert np.isfinite(shown).all()
    assert steady.held >= 1
    assert departure(shown, frames[-1][1]) < 0.05


def test_a_fit_by_the_spread_ratio_is_not_fooled_by_noise() -> None:
    random = np.random.default_rng(0)
    truth = random.uniform(0, 1, (60, 60)).astype(np.float32)
    one, other = ((truth + random.normal(0, 0.1, truth.shape)).astype(np.float32) for _ in range(2))
    found = fit(one, np.float32(1.3) * other + np.float32(0.2), np.ones_like(one))
    assert found is not None
    assert abs(found.gauge.scale - 1.3) < 0.03  # a slope of least squares is at 1.16
    assert abs(found.gauge.shift - 0.2) < 0.03


def test_what_walks_into_the_picture_is_at_its_distance() -> None:
    """Flow takes some of a thing without texture for what was there before; that much change is no flicker."""
    steady, errors = Steady(), []
    for number, (picture, truth, values) in enumerate(Move(60, walker=True, wobble=0, noise=0.005)):
        shown = steady.update(picture, values, cut=number == 0)
        errors.append(float((shown - truth)[truth == np.float32(1.4)].mean()) if number > 25 else 0.0)
    assert np.abs(errors).max() < 0.1  # of 0.9 before the wall; 0.25 where all that trust allows was taken over


def steepness(values: Array) -> Array:
    return np.hypot(cv2.Sobel(values, cv2.CV_32F, 1, 0, scale=1 / 8), cv2.Sobel(values, cv2.CV_32F, 0, 1, scale=1 / 8))


def test_skipped_frames_leave_no_edge_that_the_network_has_not_drawn() -> None:
    """Flow over many frames is wrong here and there; what little it says must not be said of the whole surroundings."""
    extra, steady = [], Steady(fusion=0.7, news=1.0)
    for number, (picture, _, values) in enumerate(Move(10, pan_px=45, walker=True, seed=3)):
        shown = steady.update(picture, values, cut=number == 0)
        alone = steady.gauge.of(values)
        own = cv2.dilate(steepness(alone), np.ones((9, 9)))
        extra.append(float((steepness(shown) - own).max() / alone.std()))
    assert max(extra) < 0.2


def test_a_frame_that_repeats_the_one_before_changes_nothing_and_is_fitted() -> None:
    (picture, _, values), steady = next(iter(Move(1))), Steady()
    for _ in range(3):
        shown = steady.update(picture, values)
    assert steady.held == 0
    assert steady.gauge.scale == pytest.approx(1, abs=1e-6)
    assert np.abs(shown - values).max() < 1e-5


@pytest.mark.parametrize("settings", [{"fusion": 1.5}, {"leak": -0.1}, {"news": 0.0}])
def test_settings_out_of_range_are_refused(settings: dict) -> None:
    with pytest.raises(ConfigError):
        Steady(**settings)


def test_a_map_may_be_as_large_as_the_picture_or_smaller() -> None:
    for picture, _, values in Move(2):
        large = np.repeat(np.repeat(picture, 4, 0), 4, 1)
        assert Steady().update(large, values).shape == values.shape
        wide = np.repeat(np.repeat(values, 4, 0), 4, 1)
        assert Steady().update(picture, wide).shape == wide.shape
