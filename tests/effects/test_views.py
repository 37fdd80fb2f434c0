"""Two eyes: disparity is what was asked for, near covers far, and gaps show what is behind."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from midas.effects import FRAME_EFFECTS, EffectOptions, anaglyph, bokeh, frame_effect, parallax_frames, stereo_pair
from midas.effects.views import shifted_view
from midas.errors import ConfigError
from midas.pictures.light import to_light, to_screen
from midas.scenes import WORLDS, render

SIZE = (160, 240)


def texture(seed: int = 0, size: tuple[int, int] = SIZE) -> np.ndarray:
    noise = np.random.default_rng(seed).random((*size, 3)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 1.2)
    return np.clip((soft - 0.5) * 800 + 128, 0, 255).astype(np.uint8)


def board(size: tuple[int, int] = SIZE) -> np.ndarray:
    """Nearness of a near board before a far wall."""
    near = np.zeros(size, np.float32)
    near[40:120, 80:160] = 1
    return near


def moved_px(one: np.ndarray, other: np.ndarray, rows: slice, columns: slice, reach: int = 20) -> float:
    """How far a patch of one view lies to the right of where it is in the other, to a fraction of a pixel."""
    patch = other[rows, columns].astype(np.float32)
    wide = one[rows, columns.start - reach : columns.stop + reach].astype(np.float32)
    score = cv2.matchTemplate(wide, patch, cv2.TM_SQDIFF)[0]
    best = int(score.argmin())
    left, middle, right = score[best - 1 : best + 2]
    return best - reach + 0.5 * float(left - right) / float(left - 2 * middle + right)


@pytest.mark.parametrize("divergence", [2.5, 5.0])
def test_disparity_between_the_eyes_is_as_asked_to_5_percent(divergence: float) -> None:
    pair = stereo_pair(texture(), board(), divergence=divergence, convergence=0.25)
    asked_px = divergence / 100 * SIZE[1]
    near = moved_px(pair.left, pair.right, slice(60, 100), slice(100, 140))
    far = moved_px(pair.left, pair.right, slice(125, 155), slice(100, 140))
    assert near == pytest.approx(0.75 * asked_px, abs=0.05 * asked_px)
    assert far == pytest.approx(-0.25 * asked_px, abs=0.05 * asked_px)


def test_disparity_of_a_drawn_scene_is_within_5_percent_of_asked() -> None:
    """At twelve patches on smooth surfaces of a drawn room."""
    rng = np.random.default_rng(3)
    drawn = render(WORLDS["rooms"](rng), (240, 320), rng)
    low, high = np.percentile(drawn.inverse_depth, (1, 99))
    nearness = np.clip((drawn.inverse_depth - low) / (high - low), 0, 1).astype(np.float32)
    image = texture(1, (240, 320))
    pair = stereo_pair(image, nearness, divergence=6.0, convergence=0.0)
    errors = []
    for row in range(15, 225, 8):
        for column in range(50, 270, 10):
            patch = nearness[row : row + 12, column : column + 12]
            if np.ptp(patch) < 0.08 and patch.mean() > 0.1:
                asked = 0.06 * 320 * float(patch.mean())
                # Each eye sees the patch half of it away from where the picture has it.
                got = moved_px(pair.left, image, slice(row, row + 12), slice(column, column + 12))
                got -= moved_px(pair.right, image, slice(row, row + 12), slice(column, column + 12))
                errors.append(abs(got / asked - 1))
    assert len(errors) >= 12
    assert np.median(errors) < 0.05


def test_without_divergence_both_eyes_see_the_picture() -> None:
    pair = stereo_pair(texture(), board(), divergence=0.0)
    np.testing.assert_array_equal(pair.left, texture())
    np.testing.assert_array_equal(pair.right, texture())


@pytest.mark.parametrize("near_px", [7.0, -7.0])
def test_the_board_stays_whole_and_gaps_are_filled_from_the_wall(near_px: float) -> None:
    image = np.full((*SIZE, 3), 50, np.uint8)
    image[40:120, 80:160] = 200
    view = shifted_view(image, board(), near_px, 0.0)
    shift = int(near_px)
    assert (view[42:118, 82 + shift : 158 + shift] == 200).all()
    outside = np.ones(SIZE, bool)
    outside[38:122, 78 + shift : 162 + shift] = False
    assert (view[outside] == 50).all()


def test_a_slanted_surface_has_no_cracks() -> None:
    image = np.full((*SIZE, 3), 130, np.uint8)
    nearness = np.broadcast_to(np.linspace(0, 1, SIZE[1], dtype=np.float32), SIZE).copy()
    for near_px in (12.0, -12.0):
        assert (shifted_view(image, nearness, near_px, 0.0) == 130).all()


def test_light_comes_back_as_the_code_that_it_was() -> None:
    codes = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(to_screen(to_light(codes)), codes)


@pytest.mark.parametrize("colors", ["dubois", "half-color", "color", "grey"])
def test_white_and_black_stay_so_in_an_anaglyph(colors: str) -> None:
    for code in (0, 255):
        flat = np.full((8, 8, 3), code, np.uint8)
        pair = stereo_pair(flat, np.zeros((8, 8), np.float32))
        np.testing.assert_allclose(anaglyph(pair, colors).astype(int), code, atol=1)  # type: ignore[arg-type]


def test_an_anaglyph_has_the_left_eye_in_red_and_the_right_one_in_cyan() -> None:
    pair = stereo_pair(texture(), board(), divergence=5.0, convergence=0.0)
    mixed = anaglyph(pair, "color")
    np.testing.assert_array_equal(mixed[..., 0], pair.left[..., 0])
    np.testing.assert_array_equal(mixed[..., 1:], pair.right[..., 1:])


def test_what_is_in_focus_stays_as_it_is_and_the_rest_loses_contrast() -> None:
    image = texture()
    blurred = bokeh(image, board(), focus=1.0, aperture=3.0)
    assert np.abs(blurred[50:110, 90:150].astype(int) - image[50:110, 90:150]).max() <= 2
    assert blurred[125:150, 20:220].std() < 0.5 * image[125:150, 20:220].std()


def test_blur_keeps_the_light() -> None:
    """A chequerboard of black and white becomes the grey of half the light, 188, not of half the code."""
    image = np.zeros((*SIZE, 3), np.uint8)
    image[::2, ::2] = image[1::2, 1::2] = 216  # below where highlights are restored
    light = to_light(image).mean()
    blurred = bokeh(image, np.zeros(SIZE, np.float32), focus=1.0, aperture=2.0)
    assert to_light(blurred)[40:120, 40:200].mean() == pytest.approx(light, rel=0.02)


def test_a_sharp_foreground_does_not_run_into_the_blurred_background() -> None:
    image = np.full((*SIZE, 3), 40, np.uint8)
    image[40:120, 80:160] = 250
    blurred = bokeh(image, board(), focus=1.0, aperture=4.0)
    assert blurred[60:100, 60:77].max() < 60


def test_a_loop_closes_and_moves() -> None:
    frames = list(parallax_frames(texture(), board(), frames=8, amplitude=4.0))
    assert len(frames) == 8
    steps = [np.abs(frames[i].astype(int) - frames[(i + 1) % 8]).mean() for i in range(8)]
    assert max(steps) < 4 * min(steps)
    assert min(steps) > 1


@pytest.mark.parametrize("name", FRAME_EFFECTS)
def test_every_frame_effect_gives_a_picture(name: str) -> None:
    made = frame_effect(name, EffectOptions(aperture=1.0))(texture(), board())
    assert made.dtype == np.uint8
    assert made.shape[0] == SIZE[0]


def test_maps_of_another_size_are_refused() -> None:
    with pytest.raises(ConfigError, match="one size"):
        stereo_pair(texture(), board((10, 10)))
    with pytest.raises(ConfigError, match="frame by frame"):
        frame_effect("parallax")
