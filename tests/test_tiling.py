"""Tiles: where they lie, how they are brought to the whole picture's scale, what becomes of those that say nothing."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.tiny_model import INPUT

from midas.arrays import Array, Float32
from midas.errors import ConfigError, ModelError
from midas.maps.resize import resize_map
from midas.pictures.preprocess import InputSpec, Preprocess
from midas.predictor import Predictor
from midas.tiling import (
    FinerInput,
    Grid,
    Mosaic,
    Tiling,
    blend_weights,
    blur_map,
    finer_input,
    fit_tile,
    predict_tiles,
    tile_starts,
)

SIZES = [(480, 640), (331, 517), (700, 210)]


def picture(size: tuple[int, int], seed: int = 0, texture: float = 30.0) -> Array:
    """Soft shapes with some fine texture."""
    random = np.random.default_rng(seed)
    coarse = resize_map(random.uniform(40, 200, (6, 8)).astype(np.float32), size)
    values = coarse[..., None] + random.uniform(-texture, texture, (*size, 3))
    return np.clip(values, 0, 255).astype(np.uint8)


def brightness(pixels: Float32[Array, "B 3 H W"]) -> Float32[Array, "B H W"]:
    """A network that is a known function of the picture."""
    return pixels.mean(axis=1)


class Moody:
    """That network, but with another scale and shift at every call."""

    def __init__(self) -> None:
        self.metadata: dict[str, str] = {}
        self.shapes: list[tuple[int, ...]] = []
        self._random = np.random.default_rng(0)

    def __call__(self, pixels: Float32[Array, "B 3 H W"]) -> Float32[Array, "B H W"]:
        self.shapes.append(pixels.shape)
        scale, shift = self._random.uniform(0.2, 5), self._random.uniform(-3, 3)
        return (scale * brightness(pixels) + shift).astype(np.float32)


def whole_of(finer: FinerInput, zoom: int) -> Float32[Array, "h w"]:
    """What the network says of the whole picture: its function at the smaller size."""
    height, width = finer.grid.whole
    return brightness(finer.pixels)[0].reshape(height, zoom, width, zoom).mean(axis=(1, 3))


# ── where tiles lie ─────────────────────────────────────────────────────────

lengths = st.integers(1, 400)
overlaps = st.floats(0, 0.9)


@given(length=lengths, tile=lengths, overlap=overlaps)
def test_tiles_cover_every_pixel_with_the_overlap_that_was_asked_for(length: int, tile: int, overlap: float) -> None:
    tile = min(tile, length)
    starts = tile_starts(length, tile, overlap)
    assert starts[0] == 0
    assert starts[-1] + tile == length
    assert all(later - start <= tile * (1 - overlap) + 1 for start, later in pairwise(starts))


@pytest.mark.parametrize(("zoom", "count"), [(2, 3), (3, 4), (4, 5), (8, 11)])
def test_tiles_are_as_few_as_the_overlap_allows(zoom: int, count: int) -> None:
    assert len(tile_starts(zoom * 256, 256, 0.25)) == count
    assert len(tile_starts(zoom * 256, 256, 0.0)) == zoom


@given(length=st.integers(8, 400), tile=st.integers(8, 400), overlap=overlaps)
def test_the_weights_of_all_tiles_are_one_in_sum_and_none_is_negative(length: int, tile: int, overlap: float) -> None:
    tile = min(tile, length)
    total = np.zeros(length)
    for start, weights in blend_weights(length, tile, tile_starts(length, tile, overlap)).items():
        assert weights.min() >= 0
        total[start : start + tile] += weights
    np.testing.assert_allclose(total, 1, atol=1e-5)


def test_a_weight_ends_near_zero_where_there_is_a_neighbour_and_at_one_where_there_is_none() -> None:
    weights = blend_weights(256, 96, tile_starts(256, 96, 0.25))
    first, *_, last = weights.values()
    assert (first[0], last[-1]) == (1, 1)
    assert max(first[-1], last[0]) < 0.01


def test_a_grid_is_no_finer_than_the_picture_and_a_small_picture_has_no_tiles() -> None:
    def grid(*size: int) -> Grid:
        return Tiling(4).grid(INPUT, size)

    assert [grid(*size).zoom for size in [(64, 64), (90, 90), (128, 192), (256, 256), (4000, 6000)]] == [1, 1, 2, 4, 4]
    assert grid(64, 64).count == 0
    assert finer_input(picture((64, 64)), INPUT, Tiling(4)) is None


def test_tiles_may_be_larger_than_the_whole_picture_is_seen() -> None:
    grid = Tiling(3, size_px=128).grid(INPUT, (480, 640))
    assert (grid.whole, grid.tile, grid.size, grid.count) == ((64, 96), (128, 192), (192, 288), 4)
    whole = Tiling(2, size_px=512).grid(INPUT, (480, 640))
    assert (whole.tile, whole.count) == ((128, 192), 1)


@pytest.mark.parametrize("arguments", [(0,), (9,), (2, -0.1), (2, 1.0)], ids=str)
def test_a_tiling_out_of_range_is_refused(arguments: tuple[int, float]) -> None:
    with pytest.raises(ConfigError, match="of the tiles"):
        Tiling(*arguments)


# ── how they become one map ─────────────────────────────────────────────────


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize(
    "tiling", [Tiling(2), Tiling(3), Tiling(3, 0.6), Tiling(2, 0.0), Tiling(3, 0.1, 128), Tiling(2, 0.3, 500)], ids=str
)
def test_a_known_function_of_the_picture_comes_out_whatever_the_tiles_and_their_scales(
    size: tuple[int, int], tiling: Tiling
) -> None:
    finer = finer_input(picture(size), INPUT, tiling)
    assert finer is not None
    found = predict_tiles(whole_of(finer, finer.grid.zoom), finer, Moody())
    np.testing.assert_allclose(found, brightness(finer.pixels)[0], atol=2e-4)


@given(scale=st.floats(0.01, 100), shift=st.floats(-10, 10))
def test_the_scale_of_a_tile_is_found(scale: float, shift: float) -> None:
    whole = np.random.default_rng(0).uniform(0, 1, (20, 30)).astype(np.float32)
    found, trust = fit_tile(scale * whole + np.float32(shift), whole)
    assert found == pytest.approx(1 / scale, rel=1e-3)
    assert trust == 1


def test_noise_in_a_tile_does_not_flatten_its_detail() -> None:
    random = np.random.default_rng(0)
    truth = random.normal(0, 1, (60, 80))
    tile, whole = ((truth + random.normal(0, 0.5, truth.shape)).astype(np.float32) for _ in range(2))
    assert fit_tile(tile, whole)[0] == pytest.approx(1, abs=0.05)  # least squares: 0.8


FLAT = np.full((64, 96), 3, np.float32)
SLOPE = np.linspace(1, 2, 96, dtype=np.float32) * np.ones((64, 1), np.float32)
NOISE = np.random.default_rng(1).normal(0, 1, (64, 96)).astype(np.float32)


@pytest.mark.parametrize(
    ("whole", "tile"),
    [(SLOPE, FLAT), (FLAT, SLOPE), (FLAT, NOISE), (FLAT, FLAT), (SLOPE, -SLOPE), (SLOPE, 1e-20 * FLAT)],
    ids=["flat tile", "flat whole", "noise on flat", "both flat", "upside down", "tiny"],
)
def test_a_tile_that_says_nothing_or_contradicts_leaves_the_whole_picture_as_it_is(whole: Array, tile: Array) -> None:
    mosaic = Mosaic(whole, Grid((64, 96), 2, (64, 96)))
    for top in (0, 32, 64):
        mosaic.add(top, 48, tile)
    assert np.array_equal(mosaic.disparity, resize_map(whole, (128, 192)))


@pytest.mark.parametrize("side", [1, 3, 7, 9])
def test_tiles_too_small_for_a_scale_leave_the_whole_picture_as_it_is(side: int) -> None:
    grid = Grid((8, 8), 8, (side, side))
    pixels = np.random.default_rng(0).uniform(0, 1, (1, 3, 64, 64)).astype(np.float32)
    whole = np.random.default_rng(1).uniform(0, 1, (8, 8)).astype(np.float32)
    assert np.array_equal(predict_tiles(whole, FinerInput(pixels, grid), brightness), resize_map(whole, (64, 64)))


def test_a_tile_that_agrees_by_chance_adds_hardly_more_than_the_whole_picture_varies() -> None:
    wall = 3 + 0.01 * SLOPE + 1e-3 * NOISE
    mosaic = Mosaic(wall, Grid((64, 96), 2, (64, 96)))
    mosaic.add(0, 0, 50 * NOISE[::-1] + SLOPE * 20)
    assert np.abs(mosaic.disparity - resize_map(wall, (128, 192))).max() < 0.05


def test_coarse_structure_stays_that_of_the_whole_picture() -> None:
    finer = finer_input(picture((480, 640)), INPUT, Tiling(3))
    assert finer is not None
    tilt = np.linspace(0, 1, 96, dtype=np.float32)

    def tilting(pixels: Float32[Array, "B 3 H W"]) -> Float32[Array, "B H W"]:
        return brightness(pixels) + tilt

    found = predict_tiles(whole_of(finer, 3), finer, tilting)
    error = blur_map(found - brightness(finer.pixels)[0], 12.0)
    assert np.abs(error).max() < 0.25 * np.ptp(tilt)


def test_tiles_that_disagree_leave_no_seam() -> None:
    finer = finer_input(picture((480, 640), texture=0.0), INPUT, Tiling(3))
    assert finer is not None
    random = np.random.default_rng(0)
    slope = np.linspace(-0.5, 0.5, 96, dtype=np.float32)

    def tilted_at_random(pixels: Float32[Array, "B 3 H W"]) -> Float32[Array, "B H W"]:
        return brightness(pixels) + np.float32(random.choice([-1, 1])) * slope

    error = predict_tiles(whole_of(finer, 3), finer, tilted_at_random) - brightness(finer.pixels)[0]
    assert np.ptp(error) > 0.1
    steps = [np.abs(np.diff(error, axis=axis)).max() for axis in (0, 1)]
    assert max(steps) < 0.03  # tiles side by side: up to 1


def test_a_constant_stays_what_it_is_when_blurred() -> None:
    np.testing.assert_allclose(blur_map(np.full((5, 70), 7, np.float32), 3.0), 7, rtol=1e-6)


# ── how often the network runs, and on what ─────────────────────────────────


def test_tiles_go_through_the_network_in_batches_and_are_let_go() -> None:
    alive: list[weakref.ref[Array]] = []
    most = 0
    shapes = []

    def watched(pixels: Float32[Array, "B 3 H W"]) -> Float32[Array, "B H W"]:
        nonlocal most
        most = max(most, sum(reference() is not None for reference in alive))
        disparity = np.ascontiguousarray(brightness(pixels))
        alive.append(weakref.ref(disparity))
        shapes.append(pixels.shape)
        return disparity

    finer = finer_input(picture((480, 640)), INPUT, Tiling(3))
    assert finer is not None
    one_by_one = predict_tiles(whole_of(finer, 3), finer, watched)
    assert shapes == [(1, 3, 64, 96)] * 16
    assert most <= 1
    shapes.clear()
    told: list[tuple[int, int]] = []
    together = predict_tiles(
        whole_of(finer, 3), finer, watched, at_once=5, show=lambda done, total: told.append((done, total))
    )
    assert told[-1] == (finer.grid.count, finer.grid.count)
    assert len(told) == -(-finer.grid.count // 5)
    assert shapes == [(5, 3, 64, 96)] * 3 + [(1, 3, 64, 96)]
    np.testing.assert_allclose(together, one_by_one, atol=1e-6)


def test_what_a_prepared_picture_holds_does_not_grow_with_the_picture() -> None:
    predictor = Predictor("moody", INPUT, Moody()).tiled(3)
    small, large = (predictor.prepare(picture(size)) for size in [(192, 288), (1200, 1800)])
    assert small.finer is not None
    assert large.finer is not None
    assert small.finer.pixels.shape == large.finer.pixels.shape == (1, 3, 192, 288)


def test_a_network_that_takes_one_size_gets_no_other() -> None:
    backend = Moody()
    fixed = InputSpec((64, 64), keep_aspect=False, interpolation="area", fixed=True)
    predictor = Predictor("fixed", fixed, backend)
    assert predictor.tiled(2)(picture((331, 517))).size == (331, 517)
    assert backend.shapes == [(1, 3, 64, 64)] * (1 + 9)
    with pytest.raises(ConfigError, match="expected 64"):
        predictor.tiled(2, size=128)


def test_a_tile_whose_numbers_are_not_finite_is_an_error() -> None:
    finer = finer_input(picture((480, 640)), INPUT, Tiling(2))
    assert finer is not None

    def broken(pixels: Float32[Array, "B 3 H W"]) -> Float32[Array, "B H W"]:
        return np.full_like(brightness(pixels), np.nan)

    with pytest.raises(ModelError, match="tile at row 0, column 0 of 128x192"):
        predict_tiles(whole_of(finer, 2), finer, broken)


# ── from the predictor ──────────────────────────────────────────────────────


class Plain:
    """The known function as a backend."""

    metadata: dict[str, str] = {}  # noqa: RUF012

    def __call__(self, pixels: Float32[Array, "B 3 H W"]) -> Float32[Array, "B H W"]:
        return brightness(pixels)


@pytest.fixture
def predictor() -> Predictor:
    return Predictor("plain", INPUT, Plain())


def assert_alike(found: Array, expected: Array) -> None:
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_tiled_prediction_is_the_function_at_the_finer_size(predictor: Predictor) -> None:
    image = picture((384, 576))
    finer = Preprocess(InputSpec((192, 288), keep_aspect=False, interpolation="area"))(image)
    expected = resize_map(brightness(finer)[0], (384, 576))
    assert np.abs(predictor(image).values - expected).max() > 0.1
    np.testing.assert_allclose(predictor.tiled(3)(image).values, expected, atol=2e-4)


@pytest.mark.parametrize("change", [lambda p: p.tiled(1), lambda p: p.tiled(8)], ids=["zoom 1", "small picture"])
def test_without_tiles_nothing_changes(predictor: Predictor, change: Callable[[Predictor], Predictor]) -> None:
    image = picture((80, 90))
    assert np.array_equal(change(predictor)(image).values, predictor(image).values)


def test_streams_and_batches_of_any_sizes_give_what_calls_give(predictor: Predictor) -> None:
    tiled = predictor.tiled(2)
    images = [picture(size, seed) for seed, size in enumerate([(300, 400)] * 3 + [(70, 90), (200, 130)])]
    for batch in (1, 4):
        for depth_map, image in zip(tiled.stream(images, batch=batch), images, strict=True):
            assert depth_map.size == image.shape[:2]
            assert_alike(depth_map.values, tiled(image).values)


def test_a_stream_goes_on_after_a_picture_whose_tiles_fail() -> None:
    class FailsAtTiles:
        metadata: dict[str, str] = {}  # noqa: RUF012
        calls = 0

        def __call__(self, pixels: Float32[Array, "B 3 H W"]) -> Float32[Array, "B H W"]:
            self.calls += 1
            if self.calls == 2:
                raise ModelError("out of memory")
            return brightness(pixels)

    failed: list[str] = []
    tiled = Predictor("fails", INPUT, FailsAtTiles()).tiled(2)
    images = [picture((300, 400), seed) for seed in range(3)]
    maps = list(tiled.stream(images, on_error=lambda source, error: failed.append(str(error))))
    assert (len(maps), failed) == (2, ["out of memory"])
