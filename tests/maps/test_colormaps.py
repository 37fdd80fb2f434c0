"""Colour maps: the known tables, larger is brighter, odd values are cut."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from midas.errors import ConfigError
from midas.maps.colormaps import COLORMAPS, apply_colormap, colorize, colormap_table

# Perceived brightness of linear red, green and blue, close enough on display values.
LUMA = np.array([0.299, 0.587, 0.114])


@pytest.mark.parametrize("name", ["inferno", "magma", "viridis", "turbo"])
def test_the_tables_equal_those_of_opencv(name: str) -> None:
    codes = np.arange(256, dtype=np.uint8)[:, None]
    reference = cv2.applyColorMap(codes, getattr(cv2, f"COLORMAP_{name.upper()}"))[:, 0, ::-1]
    np.testing.assert_array_equal(colormap_table(name), reference)


def test_inferno_gives_the_picture_of_the_official_code(shared_dir: Path) -> None:
    fixture = np.load(shared_dir / "parity" / "preprocess.npz")
    base = fixture["post/base_97x61"]
    unit = (base - base.min()) / (base.max() - base.min())
    codes = (255 * unit).astype(np.uint8)  # The official code cuts, and this test with it.
    np.testing.assert_array_equal(colormap_table("inferno")[codes][..., ::-1], fixture["post/inferno_bgr"])


def test_spectral_passes_through_its_control_colours_from_blue_to_red() -> None:
    table = colormap_table("spectral")
    assert table[0].tolist() == [0x5E, 0x4F, 0xA2]
    assert table[51].tolist() == [0x66, 0xC2, 0xA5]
    assert table[255].tolist() == [0x9E, 0x01, 0x42]


def test_grey_is_the_code_itself() -> None:
    np.testing.assert_array_equal(colormap_table("grey"), np.arange(256)[:, None].repeat(3, axis=1))


@pytest.mark.parametrize("name", ["inferno", "magma", "viridis", "grey"])
def test_a_larger_value_is_never_darker(name: str) -> None:
    brightness = colormap_table(name) @ LUMA
    assert (np.diff(brightness) > -1.5).all()  # Rounding of three channels.
    assert brightness[-1] > brightness[0] + 150


@pytest.mark.parametrize("name", COLORMAPS)
def test_every_map_has_256_colours_that_nobody_can_change(name: str) -> None:
    table = colormap_table(name)
    assert table.shape == (256, 3)
    assert not table.flags.writeable


@pytest.mark.parametrize("name", COLORMAPS)
def test_values_outside_the_range_and_no_numbers_get_an_end_of_the_map(name: str) -> None:
    unit = np.array([[-1, 0, 1, 2, np.nan]], np.float32)
    low, high = colormap_table(name)[[0, 255]]
    np.testing.assert_array_equal(apply_colormap(unit, name), [[low, low, high, high, low]])


def test_a_value_gets_the_nearest_of_the_256_colours() -> None:
    unit = (np.arange(256, dtype=np.float32) / 255 + np.float32(0.4 / 255))[None]
    np.testing.assert_array_equal(apply_colormap(unit, "viridis")[0], colormap_table("viridis"))


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("name", COLORMAPS)
def test_each_pixel_of_a_map_has_its_own_colour_however_it_lies_in_memory(name: str, order: str) -> None:
    codes = np.random.default_rng(0).integers(0, 256, (37, 70), np.uint8)
    unit = np.asarray(codes / np.float32(255), np.float32, order=order)  # type: ignore[call-overload]
    np.testing.assert_array_equal(apply_colormap(unit, name), colormap_table(name)[codes])
    np.testing.assert_array_equal(apply_colormap(unit[::2, ::-3], name), colormap_table(name)[codes[::2, ::-3]])


def test_colorize_is_not_flattened_by_one_outlier() -> None:
    values = np.linspace(0, 1, 10_000, dtype=np.float32).reshape(100, 100)
    with_outlier = values.copy()
    with_outlier[3, 3] = 1e6
    same = np.all(colorize(with_outlier, "grey") == colorize(values, "grey"), axis=-1)
    assert same.mean() > 0.95


def test_colorize_with_all_percentiles_is_the_colour_map_of_the_unit_values() -> None:
    values = np.random.default_rng(0).normal(size=(31, 17)).astype(np.float32)
    unit = (values - values.min()) / np.ptp(values)
    difference = colorize(values, "grey", (0.0, 100.0)).astype(int) - apply_colormap(unit, "grey")
    assert np.abs(difference).max() <= 1  # Ties between two codes.


def test_percentiles_of_a_large_map_are_close_to_those_of_all_its_values() -> None:
    values = np.random.default_rng(0).normal(size=(1200, 1000)).astype(np.float32)
    low, high = np.percentile(values, (2, 98))
    expected = np.clip((values - low) / (high - low), 0, 1)
    assert np.abs(colorize(values, "grey")[..., 0] / 255 - expected).max() < 0.02


@pytest.mark.parametrize("fill", [0.0, 7.5, np.nan, np.inf])
def test_a_map_without_any_range_gets_the_lowest_colour(fill: float) -> None:
    picture = colorize(np.full((4, 5), fill, np.float32))
    np.testing.assert_array_equal(picture, np.broadcast_to(colormap_table("inferno")[0], (4, 5, 3)))


def test_an_unknown_colour_map_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"jet.*inferno, magma, viridis, turbo, spectral, grey"):
        apply_colormap(np.zeros((1, 1), np.float32), "jet")


@pytest.mark.parametrize("percentiles", [(98.0, 2.0), (50.0, 50.0), (-1.0, 98.0), (2.0, 101.0)])
def test_impossible_percentiles_are_an_error(percentiles: tuple[float, float]) -> None:
    with pytest.raises(ConfigError, match="rising"):
        colorize(np.zeros((1, 1), np.float32), percentiles=percentiles)
