"""Pictures made worse: the same each time, worse with strength, and true to what they are called."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from midas.datasets.corruptions import CORRUPTIONS, STRENGTHS, corrupt
from midas.datasets.readers.synthetic import SyntheticDataset
from midas.datasets.sample import Sample
from midas.errors import ConfigError


@pytest.fixture(scope="module")
def sample() -> Sample:
    return SyntheticDataset(1, (96, 128), 5, ["rooms"])[0]


def linear(image: np.ndarray) -> np.ndarray:
    codes = image / 255
    return np.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4)


def difference(one: Sample, other: Sample) -> float:
    return float(np.abs(one.image.astype(float) - other.image).mean())


def test_there_are_the_seven_that_were_named() -> None:
    assert list(CORRUPTIONS) == ["dark", "fog", "snow", "motion_blur", "defocus_blur", "noise", "jpeg"]


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_a_stronger_one_leaves_less_of_the_picture_and_none_touches_the_target(kind: str, sample: Sample) -> None:
    worse = [corrupt(sample, kind, strength) for strength in STRENGTHS]
    left = [difference(one, sample) for one in worse]
    assert left == sorted(left)
    assert left[0] > 0
    assert all(one.disparity is sample.disparity and one.image.shape == sample.image.shape for one in worse)


@pytest.mark.parametrize("kind", ["dark", "snow", "noise"])
def test_chance_depends_on_the_seed_and_the_picture_s_name_alone(kind: str, sample: Sample) -> None:
    same, again = corrupt(sample, kind, 3, seed=1), corrupt(sample, kind, 3, seed=1)
    np.testing.assert_array_equal(same.image, again.image)
    assert difference(same, corrupt(sample, kind, 3, seed=2)) > 0
    assert difference(same, corrupt(replace(sample, name="another"), kind, 3, seed=1)) > 0


@pytest.mark.parametrize("kind", ["motion_blur", "defocus_blur"])
def test_blur_moves_light_and_takes_none(kind: str, sample: Sample) -> None:
    assert linear(corrupt(sample, kind, 5).image).mean() == pytest.approx(linear(sample.image).mean(), rel=0.05)


def test_dark_takes_the_same_share_of_all_light(sample: Sample) -> None:
    bright = replace(sample, image=np.full_like(sample.image, 200))
    assert linear(corrupt(bright, "dark", 1).image).mean() == pytest.approx(0.3 * linear(bright.image).mean(), rel=0.02)


def grey(disparity: np.ndarray, **facts: bool) -> Sample:
    """A dark grey wall in one picture, of given disparity."""
    mask = np.ones(disparity.shape, np.bool_)
    image = np.full((*disparity.shape, 3), 40, np.uint8)
    return Sample(
        image, disparity.astype(np.float32), mask, "grey", facts.get("metric", True), False, facts.get("shift", True)
    )


def test_fog_grows_with_depth_as_koschmieder_says() -> None:
    disparity = np.repeat([2.0, 1.0, 0.5, 0.25], 40)[:, None].repeat(60, 1)
    image = corrupt(grey(disparity), "fog", 3).image[..., 0]
    light = linear(image[[20, 60, 100, 140], 30])
    fog, black = light[-1], linear(np.uint8(40))
    assert (np.diff(light) > 0).all()
    # Median inverse depth is 0.75, so the bands lie at 0.375, 0.75, 1.5 and 3 median depths; 0.7 comes through one.
    airlight = (light[1] - black * 0.7**0.75) / (1 - 0.7**0.75)
    assert light[0] == pytest.approx(airlight + (black - airlight) * 0.7**0.375, abs=0.01)
    assert fog == pytest.approx(airlight + (black - airlight) * 0.7**3, abs=0.01)


def test_fog_does_not_ask_what_an_unknown_scale_or_shift_is() -> None:
    disparity = np.linspace(1, 0.2, 80)[:, None].repeat(60, 1)
    scaled = corrupt(grey(7 * disparity, metric=False), "fog", 4)
    np.testing.assert_array_equal(scaled.image, corrupt(grey(disparity), "fog", 4).image)
    shifted = [corrupt(grey(disparity + shift, metric=False, shift=False), "fog", 4).image for shift in (0, 5)]
    assert np.abs(shifted[0].astype(int) - shifted[1]).max() <= 1


def test_where_the_target_is_silent_fog_takes_the_nearest_depth() -> None:
    whole = grey(np.ones((60, 80)))
    holes = whole.mask.copy()
    holes[10:30, 20:50] = False
    silent = replace(whole, mask=holes, disparity=np.where(holes, whole.disparity, 0))
    np.testing.assert_array_equal(corrupt(silent, "fog", 3).image, corrupt(whole, "fog", 3).image)


@pytest.mark.parametrize("kind", CORRUPTIONS)
@pytest.mark.parametrize("size", [(16, 16), (40, 300)])
def test_any_picture_can_be_made_worse_with_or_without_a_target(kind: str, size: tuple[int, int]) -> None:
    nothing = grey(np.zeros(size))
    nothing = replace(nothing, mask=np.zeros(size, np.bool_))
    assert corrupt(nothing, kind, 5).image.shape == (*size, 3)


def test_an_unknown_corruption_or_strength_is_answered(sample: Sample) -> None:
    with pytest.raises(ConfigError, match="expected one of dark, fog, snow"):
        corrupt(sample, "rain", 1)
    with pytest.raises(ConfigError, match="1 to 5"):
        corrupt(sample, "fog", 6)
