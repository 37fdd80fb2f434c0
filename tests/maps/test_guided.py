"""Maps that grow along the picture's edges."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import midas
from midas.alignment import align_least_squares
from midas.arrays import Array, Bool, Float32, UInt8
from midas.datasets.readers.synthetic import SyntheticDataset
from midas.errors import ConfigError
from midas.maps import guided
from midas.maps.guided import MOST_ZOOM, enlarge_guided, guide_of
from midas.maps.resize import Interpolation, resize_map, unguided
from midas.metrics import boundary_f1, flying_pixels

MAP = (48, 64)
PICTURE = (192, 256)


def disc(size: tuple[int, int] = PICTURE) -> Bool[Array, "H W"]:
    """A round thing before a wall."""
    rows, columns = np.mgrid[: size[0], : size[1]]
    found: Bool[Array, "H W"] = np.hypot(rows - 0.52 * size[0], columns - 0.47 * size[1]) < 0.26 * size[0]
    return found


def photo(inside: Bool[Array, "H W"], seed: int = 0) -> UInt8[Array, "H W 3"]:
    """What a camera sees of it: two colours and some grain."""
    colours = np.where(inside[..., None], (180, 120, 60), (70, 90, 110))
    grain = np.random.default_rng(seed).normal(0, 4, colours.shape)
    return np.clip(colours + grain, 0, 255).astype(np.uint8)


def network_map(inside: Bool[Array, "H W"]) -> Float32[Array, "h w"]:
    """What a network makes of it: small, and blurred at that."""
    small = cv2.resize(inside.astype(np.float32) * 3 + 1, MAP[::-1], interpolation=cv2.INTER_AREA)
    return cv2.GaussianBlur(small, (0, 0), 1.2)


def test_a_blurred_outline_becomes_a_step_where_the_colours_change() -> None:
    inside = disc()
    truth = inside * np.float32(3) + 1
    small = network_map(inside)
    cubic, found = resize_map(small, PICTURE), enlarge_guided(small, photo(inside), PICTURE)
    assert boundary_f1(found, truth) > 60 > 10 > boundary_f1(cubic, truth)
    assert flying_pixels(found, truth) < 0.3 * flying_pixels(cubic, truth)
    assert np.abs(found - truth).mean() < 0.4 * np.abs(cubic - truth).mean()


def test_what_is_printed_on_a_smooth_surface_doesn_t_become_its_relief() -> None:
    rows, columns = np.mgrid[: MAP[0], : MAP[1]].astype(np.float32)
    floor = 0.2 + rows / 40 + columns / 300
    chess = (np.indices(PICTURE).sum(axis=0) // 17 % 2 * 255).astype(np.uint8)
    found = enlarge_guided(floor, np.repeat(chess[..., None], 3, axis=2), PICTURE)
    np.testing.assert_array_equal(found, resize_map(floor, PICTURE))


def test_without_colours_an_outline_stays_where_it_was_and_becomes_steeper() -> None:
    inside = disc()
    small = network_map(inside)
    cubic = resize_map(small, PICTURE)
    found = enlarge_guided(small, np.full((*PICTURE, 3), 128, np.uint8), PICTURE)
    assert ((found > 2.5) != (cubic > 2.5)).mean() < 0.003
    assert np.abs(np.diff(found, axis=1)).max() > 1.5 * np.abs(np.diff(cubic, axis=1)).max()


@given(
    seed=st.integers(0, 1000),
    scale=st.sampled_from([1e-6, 0.5, 3.0, 4096.0]),
    shift=st.sampled_from([0.0, -0.5, 2.0]),
    size=st.sampled_from([(48, 64), (60, 65), (96, 128), (150, 131), (192, 256), (400, 300)]),
)
def test_other_units_give_the_same_map_in_those_units(
    seed: int, scale: float, shift: float, size: tuple[int, int]
) -> None:
    rng = np.random.default_rng(seed)
    small = cv2.GaussianBlur((rng.random(MAP) > 0.5).astype(np.float32), (0, 0), 2)
    picture = cv2.resize(rng.integers(0, 256, (12, 16, 3)).astype(np.uint8), size[::-1])
    found = enlarge_guided(small, picture, size)
    other = enlarge_guided((small + np.float32(shift)) * np.float32(scale), picture, size)
    np.testing.assert_allclose(other / scale - shift, found, atol=3e-5)


@given(seed=st.integers(0, 1000), size=st.sampled_from([(49, 64), (96, 128), (190, 1000), (700, 900)]))
def test_no_value_is_beyond_those_of_the_map_but_where_cubic_interpolation_is(seed: int, size: tuple[int, int]) -> None:
    rng = np.random.default_rng(seed)
    small = rng.random(MAP).astype(np.float32)
    picture = rng.integers(0, 256, (*size, 3)).astype(np.uint8)
    found, cubic = enlarge_guided(small, picture, size), resize_map(small, size)
    assert np.isfinite(found).all()
    assert found.min() >= min(cubic.min(), small.min()) - 1e-5
    assert found.max() <= max(cubic.max(), small.max()) + 1e-5


@given(rows=st.sampled_from([1, 7, 20, 47, 48, 1000]), height=st.integers(48, 260))
def test_the_map_is_the_same_however_many_of_its_rows_are_looked_at_together(rows: int, height: int) -> None:
    inside = disc((height, 256))
    small, picture = network_map(inside), photo(inside)
    whole = enlarge_guided(small, picture, (height, 256))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(guided, "_PIXELS_AT_ONCE", rows * MAP[1])
        np.testing.assert_allclose(enlarge_guided(small, picture, (height, 256)), whole, atol=1e-5)


@pytest.mark.parametrize("size", [MAP, (48, 200), (24, 32), (300, 40), (1, 1), (47, 64)])
def test_a_map_that_doesn_t_grow_on_both_sides_is_resized_as_ever(size: tuple[int, int]) -> None:
    small = network_map(disc())
    expected = resize_map(small, size)
    picture = photo(disc(size))
    if size != (48, 200):
        np.testing.assert_array_equal(resize_map(small, size, "guided"), expected)
        np.testing.assert_array_equal(enlarge_guided(small, picture, size), expected)
    assert resize_map(small, size, "guided", picture).shape == size


@pytest.mark.parametrize("values", [0.0, 1.0, -3.0, 1e30])
def test_a_flat_map_stays_flat(values: float) -> None:
    flat = np.full(MAP, values, np.float32)
    np.testing.assert_array_equal(enlarge_guided(flat, photo(disc()), PICTURE), resize_map(flat, PICTURE))


@pytest.mark.parametrize("wrong", [np.nan, np.inf, 3e38])
def test_what_is_no_map_is_left_to_cubic_interpolation(wrong: float) -> None:
    values = network_map(disc())
    values[7, 9] = wrong
    with np.errstate(invalid="ignore", over="ignore"):
        expected, found = resize_map(values, PICTURE), enlarge_guided(values, photo(disc()), PICTURE)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 2), (3, 5)])
def test_the_smallest_maps_grow_too(shape: tuple[int, int]) -> None:
    small = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    size = (3 * shape[0], 3 * shape[1])
    found = enlarge_guided(small, photo(disc(size)), size)
    assert found.shape == size
    assert np.isfinite(found).all()


def test_beyond_four_times_its_size_a_map_grows_without_the_picture() -> None:
    inside = disc((960, 1280))
    small, picture = network_map(inside), photo(inside)
    guide = guide_of(picture, MAP)
    assert guide.shape == (MOST_ZOOM * MAP[0], MOST_ZOOM * MAP[1], 3)
    found = enlarge_guided(small, guide, (960, 1280))
    np.testing.assert_array_equal(found, enlarge_guided(small, picture, (960, 1280)))
    inner = enlarge_guided(small, guide, guide.shape[:2])
    np.testing.assert_array_equal(found, resize_map(inner, (960, 1280), "linear"))


def test_a_guided_enlargement_without_a_picture_is_refused() -> None:
    with pytest.raises(ConfigError, match="needs the picture"):
        resize_map(network_map(disc()), PICTURE, "guided")
    assert unguided("guided") == "cubic"
    assert unguided("aligned_linear") == "aligned_linear"


@pytest.mark.slow
def test_the_outlines_of_drawn_scenes_are_found_four_times_as_often() -> None:
    model = midas.load()
    scenes = SyntheticDataset(8, (1024, 1365), 7)
    figures: dict[Interpolation, list[tuple[float, float]]] = {"cubic": [], "guided": []}
    for sample in (scenes[index] for index in range(len(scenes))):
        for rule, values in figures.items():
            found = model(sample.image, interpolation=rule).values
            aligned = align_least_squares(found, sample.disparity, sample.mask).apply(found)
            near = [np.maximum(each, np.float32(1 / 80)) for each in (aligned, sample.disparity)]
            values.append((boundary_f1(*near), flying_pixels(*near)))
    (cubic_f1, cubic_flying), (f1, flying) = (np.mean(values, axis=0) for values in figures.values())
    assert f1 > 4 * cubic_f1
    assert flying < 0.8 * cubic_flying
