"""What a picture costs on its way into the network is bounded by its pixels, whatever its shape."""

from __future__ import annotations

import io
import math
import os
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.tiny_model import write_tiny_model

import midas
from midas.errors import ImageError, OutputError
from midas.maps.depth_map import DepthMap
from midas.maps.resize import Interpolation as MapInterpolation
from midas.maps.resize import resize_map
from midas.pictures.preprocess import MAX_ELONGATION, InputSpec, Interpolation, Preprocess
from midas.pictures.reading import read_image
from midas.predictor import Predictor

RULES = ("lower_bound", "upper_bound", "minimal")

# How many times as much as a square of as many pixels a strip may cost, and what a machine's moods are worth.
MOST_TIMES, MOODS_S, SMALL_CHANGE_BYTES = 20, 0.2, 1 << 20


# Neighbours that use the memory make a try cost several times as much; the least of a few is the work's own.
TRIES = 3


def seconds_of(work: Callable[[], Any]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


@dataclass(frozen=True)
class Cost:
    seconds: float
    peak_bytes: int

    @classmethod
    def of(cls, work: Callable[[], Any]) -> Cost:
        tracemalloc.start()
        try:
            work()
            peak_bytes = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        return cls(min(seconds_of(work) for _ in range(TRIES)), peak_bytes)

    def assert_within_reach_of(self, square: Cost) -> None:
        assert self.seconds <= MOST_TIMES * square.seconds + MOODS_S
        assert self.peak_bytes <= MOST_TIMES * square.peak_bytes + SMALL_CHANGE_BYTES


def square_of(pixels: int) -> tuple[int, int]:
    side = math.isqrt(pixels)
    return side, side


def grey_file(size: tuple[int, int], file_format: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", size[::-1], 77).save(buffer, file_format)
    return buffer.getvalue()


shapes = st.tuples(st.floats(0, 1), st.integers(1, 1 << 20)).map(
    lambda drawn: (max(1, round(drawn[1] ** drawn[0])), max(1, round(drawn[1] ** (1 - drawn[0]))))
)


@given(size=shapes, rule=st.sampled_from(RULES), interpolation=st.sampled_from(get_args(Interpolation)))
@settings(max_examples=40)
@example(size=(1, 1 << 20), rule="lower_bound", interpolation="area")
@example(size=(1 << 20, 1), rule="lower_bound", interpolation="cubic")
@example(size=(1, 5000), rule="lower_bound", interpolation="cubic")
@example(size=(60, 16000), rule="lower_bound", interpolation="pillow_cubic")
def test_no_shape_costs_much_more_than_a_square_of_as_many_pixels(
    size: tuple[int, int], rule: Any, interpolation: Interpolation
) -> None:
    preprocess = Preprocess(InputSpec((64, 64), rule, interpolation=interpolation))
    strip = np.full((*size, 3), 77, np.uint8)
    square = np.full((*square_of(size[0] * size[1]), 3), 77, np.uint8)
    Cost.of(lambda: preprocess(strip)).assert_within_reach_of(Cost.of(lambda: preprocess(square)))


@pytest.mark.parametrize("interpolation", get_args(Interpolation))
@pytest.mark.parametrize("size", [(1, 20_000_000), (20_000_000, 1), (300, 66_666)])
def test_a_strip_of_20_megapixels_is_prepared_like_a_square(
    interpolation: Interpolation, size: tuple[int, int]
) -> None:
    preprocess = Preprocess(InputSpec((256, 256), "lower_bound", interpolation=interpolation))
    strip, square = (np.full((*shape, 3), 77, np.uint8) for shape in (size, square_of(20_000_000)))
    Cost.of(lambda: preprocess(strip)).assert_within_reach_of(Cost.of(lambda: preprocess(square)))


@pytest.mark.parametrize("file_format", ["PNG", "BMP", "PPM", "TIFF"])
@pytest.mark.parametrize("size", [(1, 3_000_000), (3_000_000, 1)])
def test_a_file_of_any_shape_is_prepared_like_a_square(
    file_format: str, size: tuple[int, int], tiny: Predictor
) -> None:
    strip, square = grey_file(size, file_format), grey_file(square_of(3_000_000), file_format)
    Cost.of(lambda: tiny.prepare(strip)).assert_within_reach_of(Cost.of(lambda: tiny.prepare(square)))


@pytest.mark.parametrize("suffix", [".png", ".tiff", ".pfm", ".npy", ".npz"])
@pytest.mark.parametrize("size", [(1, 1_000_000), (1_000_000, 1)])
def test_a_map_of_any_shape_is_written_and_read_like_a_square(
    suffix: str, size: tuple[int, int], tmp_path: Path
) -> None:
    def there_and_back(shape: tuple[int, int]) -> None:
        path = tmp_path / f"{shape[0]}{suffix}"
        DepthMap(np.zeros(shape, np.float32)).save(path, overwrite=True)
        assert DepthMap.load(path).size == shape

    Cost.of(lambda: there_and_back(size)).assert_within_reach_of(Cost.of(lambda: there_and_back((1000, 1000))))


@pytest.mark.parametrize("interpolation", get_args(MapInterpolation))
@pytest.mark.parametrize("size", [(1, 2_000_000), (2_000_000, 1)])
def test_a_map_becomes_a_strip_as_it_becomes_a_square(interpolation: MapInterpolation, size: tuple[int, int]) -> None:
    values, picture = np.eye(256, dtype=np.float32), np.zeros((1, 1, 3), np.uint8)
    strip, square = (
        Cost.of(lambda to=to: resize_map(values, to, interpolation, np.broadcast_to(picture, (*to, 3))))
        for to in (size, (1414, 1414))
    )
    strip.assert_within_reach_of(square)


@given(
    target=st.tuples(st.integers(32, 600), st.integers(32, 600)),
    rule=st.sampled_from(RULES),
    multiple=st.integers(1, 32),
    size=st.tuples(st.integers(1, 10**8), st.integers(1, 10**8)),
)
def test_the_network_s_input_is_bounded_in_pixels(
    target: tuple[int, int], rule: Any, multiple: int, size: tuple[int, int]
) -> None:
    height, width = InputSpec(target, rule, multiple=multiple).network_size(size)
    assert height * width <= MAX_ELONGATION * (target[0] + multiple) * (target[1] + multiple)


def test_strips_are_resampled_as_their_turned_pictures_are() -> None:
    spec = InputSpec((32, 48), keep_aspect=False)
    picture = np.random.default_rng(0).integers(0, 256, (3, 20_000, 3), np.uint8)
    for interpolation in get_args(Interpolation):
        pixels = Preprocess(replace(spec, interpolation=interpolation))(picture)
        turned = Preprocess(replace(spec, size=(48, 32), interpolation=interpolation))(picture.transpose(1, 0, 2))
        # OpenCV computes 8-bit pictures in whole numbers, and rounds rows before columns: one step of 255, at most.
        step = (1 / 255) / min(spec.std) if interpolation == "opencv_linear" else 0.0
        np.testing.assert_allclose(pixels, turned.transpose(0, 1, 3, 2), atol=step + 1e-5)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    return midas.load(write_tiny_model(tmp_path_factory.mktemp("model") / "tiny.onnx"))


# ── only regular files ───────────────────────────────────────────────────────────


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_or_a_device_under_a_picture_s_name_is_refused_at_once(tmp_path: Path) -> None:
    pipe, device = tmp_path / "pipe.png", tmp_path / "device.png"
    os.mkfifo(pipe)
    device.symlink_to("/dev/zero")
    for path, kind in ((pipe, "a pipe"), (device, "a device")):
        with pytest.raises(ImageError, match=f"{path.name} is {kind}; expected a picture file, or - for"):
            read_image(path)
        with pytest.raises(OutputError, match=f"it is {kind}, not a file"):
            DepthMap.load(path)


def test_a_link_to_a_picture_is_that_picture(tmp_path: Path) -> None:
    (tmp_path / "there.png").write_bytes(grey_file((3, 4), "PNG"))
    (tmp_path / "here.png").symlink_to(tmp_path / "there.png")
    assert read_image(tmp_path / "here.png").shape == (3, 4, 3)
