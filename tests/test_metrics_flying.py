"""Flying pixels on maps made by hand: none where surfaces are sharp, many where a ramp joins them."""

from __future__ import annotations

import numpy as np
import pytest

from midas.errors import MidasError
from midas.metrics import flying_pixels

# A near half and a far half, in inverse depth.
STEP = np.where(np.arange(40) < 20, 1.0, 0.25)[None].repeat(30, 0).astype(np.float32)


def blurred(values: np.ndarray, radius_px: int) -> np.ndarray:
    """The mean along rows."""
    padded = np.pad(values, ((0, 0), (radius_px, radius_px)), mode="edge")
    width = values.shape[1]
    return np.mean([padded[:, step : step + width] for step in range(2 * radius_px + 1)], axis=0).astype(np.float32)


def flying_slowly(prediction: np.ndarray, target: np.ndarray, mask: np.ndarray, radius_px: int, ratio: float) -> float:
    beside = floating = 0
    for row, column in np.argwhere(mask):
        window = np.s_[
            max(row - radius_px, 0) : row + radius_px + 1, max(column - radius_px, 0) : column + radius_px + 1
        ]
        surfaces = target[window][mask[window]]
        near, far = float(surfaces.max()), float(surfaces.min())
        if near > ratio * far:
            beside += 1
            point, margin = float(prediction[row, column]), 0.25 * (near - far)
            floating += far + margin < point < near - margin and all(abs(surfaces - point) > margin)
    return 100 * floating / beside


def test_the_target_itself_has_none() -> None:
    assert flying_pixels(STEP, STEP) == 0


def test_a_ramp_between_two_surfaces_is_full_of_them() -> None:
    assert flying_pixels(blurred(STEP, 2), STEP) > 30
    assert flying_pixels(blurred(STEP, 4), STEP) > flying_pixels(blurred(STEP, 1), STEP) > 0


def test_a_map_halfway_between_the_surfaces_flies_as_a_whole() -> None:
    assert flying_pixels(np.full_like(STEP, 0.625), STEP) == 100


@pytest.mark.parametrize("shift_px", [-2, 2])
def test_an_edge_that_is_sharp_but_misplaced_does_not_fly(shift_px: int) -> None:
    assert flying_pixels(np.roll(STEP, shift_px, axis=1)[:, 3:-3], STEP[:, 3:-3]) == 0


def test_a_thin_third_thing_between_two_surfaces_does_not_fly() -> None:
    target = STEP.copy()
    target[:, 20] = 0.6
    assert flying_pixels(target, target) == 0
    assert flying_pixels(target, STEP) > 0


def test_a_point_on_either_surface_though_a_little_off_does_not_fly() -> None:
    assert flying_pixels(np.where(STEP == 1, 0.85, 0.4).astype(np.float32), STEP) == 0


def test_the_sky_is_a_surface_too() -> None:
    skyline = np.where(STEP == 1, 1.0, 0.0).astype(np.float32)
    assert flying_pixels(skyline, skyline) == 0
    assert flying_pixels(blurred(skyline, 2), skyline) > 30


@pytest.mark.parametrize(("radius_px", "ratio"), [(1, 1.1), (2, 1.5), (3, 1.25)])
def test_it_equals_a_plain_loop(radius_px: int, ratio: float) -> None:
    rng = np.random.default_rng(radius_px)
    target = rng.choice([0.2, 0.5, 1.0], (17, 23), p=[0.5, 0.3, 0.2]).astype(np.float32)
    prediction = (target + rng.normal(0, 0.2, target.shape)).astype(np.float32)
    mask = rng.random(target.shape) < 0.8
    expected = flying_slowly(prediction, target, mask, radius_px, ratio)
    elsewhere = np.where(mask, target, 7.0).astype(np.float32)
    assert flying_pixels(prediction, elsewhere, mask, radius_px=radius_px, edge_ratio=ratio) == pytest.approx(expected)
    assert 0 < expected < 100


def test_a_factor_of_both_maps_changes_nothing() -> None:
    soft = blurred(STEP, 2)
    assert flying_pixels(30 * soft, 30 * STEP) == flying_pixels(soft, STEP)


def test_without_an_edge_or_with_numbers_that_are_none_there_is_no_figure() -> None:
    with pytest.raises(MidasError, match="no depth edge"):
        flying_pixels(STEP, np.ones_like(STEP))
    with pytest.raises(MidasError, match="the prediction isn't finite"):
        flying_pixels(np.full_like(STEP, np.nan), STEP)
    with pytest.raises(MidasError, match="negative or not finite"):
        flying_pixels(STEP, -STEP)
    with pytest.raises(MidasError, match="at least 1 px"):
        flying_pixels(STEP, STEP, radius_px=0)
