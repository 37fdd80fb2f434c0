"""Pictures at a network's size: the samples of ``cv2.resize`` on a float64 copy, to about 1e-6, without that copy.

Linear resamplings along one axis after the other. Their weights are OpenCV's. The axis that shrinks more comes first:
what lies in between is never much more than the picture or the result, whatever the picture's shape.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from midas.arrays import Array, Float, Float32, Shaped, UInt8

# OpenCV averages areas of a float32 copy where that takes no more bytes than this: there it is two to four times as
# fast as what stands below, which is faster for larger pictures and needs no copy of them. Of cubic samples it has only
# rough ones in float32, off by up to 2e-4, for their coordinates have fewer digits there.
_COPY_BYTES = 32 * 1024 * 1024

# Rows of a very wide picture are averaged so many at a time that their float32 values take about this much, and so do
# the weights of a very high one, each of which takes so many bytes while it is made.
_BAND_BYTES = 32 * 1024 * 1024
_WEIGHT_BYTES = 48

# How many times fewer values must lie in between for a picture to be turned, which takes a copy of it. No photograph of
# usual shape comes near.
_TURNING_GAIN = 4

# For cubic samples, rows are read so many at a time that their float32 values stay in a core's own cache, and at least
# so many samples are made of them that there is something to multiply.
_BLOCK_BYTES = 300 * 1024
_FEWEST_ROWS, _MOST_ROWS, _COLUMNS = 4, 64, 32

_CACHED_SIZES = 16


Part = tuple[slice, slice, Shaped[Array, "rows columns 3"]]
"""Rows and columns of a resampled picture, and its values there."""


def resample_cubic(image: UInt8[Array, "H W 3"], size: tuple[int, int]) -> Iterator[Part]:
    """OpenCV's INTER_CUBIC: 4 x 4 pixels per sample, no antialiasing.

    Args:
        image: RGB, 0 to 255.
        size: (height, width) wanted.

    Yields:
        Parts that make up the result, float32.
    """
    return _long_side_first(_cubic_rows, image, size)


def resample_area(image: UInt8[Array, "H W 3"], size: tuple[int, int]) -> Iterator[Part]:
    """OpenCV's INTER_AREA: the average of all pixels under a sample; where a side grows, its own linear kind.

    Args:
        image: RGB, 0 to 255.
        size: (height, width) wanted.

    Yields:
        As ``resample_cubic``.
    """
    if image.size * np.dtype(np.float32).itemsize <= _COPY_BYTES:
        resized = cv2.resize(image.astype(np.float32), size[::-1], interpolation=cv2.INTER_AREA)
        return iter([(slice(None), slice(None), resized)])
    return _long_side_first(_area_rows, image, size)


def resample_linear(image: UInt8[Array, "H W 3"], size: tuple[int, int]) -> Iterator[Part]:
    """OpenCV's INTER_LINEAR on 8 bits: 2 x 2 pixels per sample, no antialiasing, rounded.

    Args:
        image: RGB, 0 to 255.
        size: (height, width) wanted.

    Yields:
        Parts that make up the result, uint8.
    """
    yield slice(None), slice(None), np.asarray(cv2.resize(image, size[::-1], interpolation=cv2.INTER_LINEAR))


def resample_aligned(values: Float32[Array, "h w"], size: tuple[int, int]) -> Float32[Array, "H W"]:
    """Bilinear interpolation whose corner samples are the corner values, at any distance of the samples between.

    The samples are those of ``torch.nn.functional.interpolate(mode="bilinear", align_corners=True)``, to about 1e-6 of
    the values. OpenCV has no such rule for ``resize``, and other ways of its own count in 32nds of a pixel.

    Args:
        values: of one channel.
        size: (height, width) wanted.
    """
    (height, width), (low, narrow) = size, values.shape
    if height * narrow <= low * width:
        return np.ascontiguousarray(_aligned(_aligned(values, height).T, width).T)
    return _aligned(_aligned(values.T, width).T, height)


def columns_first(source: tuple[int, int], target: tuple[int, int]) -> bool:
    """Whether resampling a picture's columns before its rows leaves far fewer values in between.

    Args:
        source: (height, width) of the picture.
        target: (height, width) wanted.
    """
    return target[0] * source[1] > _TURNING_GAIN * source[0] * target[1]


def _long_side_first(
    rule: Callable[[Array, tuple[int, int]], Iterator[tuple[int, Array]]], image: Array, size: tuple[int, int]
) -> Iterator[Part]:
    """Let a rule that gives bands of rows, and shrinks these first, see the picture turned where that costs less."""
    if not columns_first(image.shape[:2], size):
        for top, rows in rule(image, size):
            yield slice(top, top + len(rows)), slice(None), rows
        return
    for left, columns in rule(image.transpose(1, 0, 2), size[::-1]):
        yield slice(None), slice(left, left + len(columns)), columns.transpose(1, 0, 2)


def _cubic_rows(
    image: UInt8[Array, "H W 3"], size: tuple[int, int]
) -> Iterator[tuple[int, Float32[Array, "rows w 3"]]]:
    source_width, (_, width) = image.shape[1], size
    rows, columns = _cubic_blocks((image.shape[0], source_width), size)
    planes = np.empty((max(block.weights.shape[1] for block in rows), 3, source_width), np.float32)
    for block in rows:
        read = planes[: block.weights.shape[1]]
        for channel, plane in enumerate(cv2.split(np.ascontiguousarray(image[block.reads]))):
            read[:, channel] = plane
        shrunk = (block.weights @ read.reshape(len(read), -1)).reshape(-1, source_width)
        resampled = np.empty((len(shrunk), width), np.float32)
        for part in columns:
            np.matmul(shrunk[:, part.reads], part.weights.T, out=resampled[:, part.samples])
        yield block.samples.start, resampled.reshape(-1, 3, width).transpose(0, 2, 1)


def _area_rows(image: UInt8[Array, "H W 3"], size: tuple[int, int]) -> Iterator[tuple[int, Float32[Array, "rows w 3"]]]:
    (source_height, source_width, _), (height, width) = image.shape, size
    shrinks = source_height >= height and source_width >= width
    rule = _area if shrinks else _linear
    columns = rule(source_width, range(width), width)
    table = np.ascontiguousarray(image).reshape(source_height, -1)
    weight_bytes = math.ceil(source_height / height) * _WEIGHT_BYTES if shrinks else 0
    band = max(1, _BAND_BYTES // (source_width * 3 * 4 + weight_bytes))
    for top in range(0, height, band):
        rows = rule(source_height, range(top, min(top + band, height)), height)
        shrunk = rows(table).reshape(-1, source_width, 3)
        turned = np.ascontiguousarray(shrunk.transpose(1, 0, 2)).reshape(source_width, -1)
        yield top, columns(turned).reshape(width, -1, 3).transpose(1, 0, 2)


@dataclass(frozen=True)
class _Resampling:
    """A linear resampling along one axis: sample i is ``weights[i] @ source[starts[i] : starts[i] + taps]``."""

    starts: Shaped[Array, " samples"]
    weights: Float32[Array, "samples taps"]

    @classmethod
    def clamped(
        cls, starts: Shaped[Array, " samples"], weights: Float[Array, "samples taps"], length: int
    ) -> _Resampling:
        """Windows that may reach over the ends of an axis; there they read its first and last value again."""
        taps = weights.shape[1]
        inside = np.clip(starts, 0, max(length - taps, 0))
        read = np.clip(starts[:, None] + np.arange(taps), 0, length - 1) - inside[:, None]
        folded = np.zeros((len(starts), min(taps, length)))
        np.add.at(folded, (np.arange(len(starts))[:, None], read), weights)
        return cls(inside, folded.astype(np.float32))

    def part(self, begin: int, end: int) -> _Resampling:
        return _Resampling(self.starts[begin:end], self.weights[begin:end])

    def __call__(self, source: Shaped[Array, "length values"]) -> Float32[Array, "samples values"]:
        samples, taps = self.weights.shape
        result = np.empty((samples, source.shape[1]), np.float32)
        for sample, start in enumerate(self.starts.tolist()):
            window = source[start : start + taps].astype(np.float32, copy=False)
            np.dot(self.weights[sample], window, out=result[sample])
        return result

    def blocks(self, length: int) -> tuple[_Block, ...]:
        """The same as products of matrices, of so many samples each."""
        return tuple(_Block.of(self.part(begin, begin + length), begin) for begin in range(0, len(self.starts), length))


@dataclass(frozen=True)
class _Block:
    """Neighbouring samples: ``result[samples] = weights @ source[reads]``."""

    samples: slice
    reads: slice | Shaped[Array, " values"]
    weights: Float32[Array, "samples values"]

    @classmethod
    def of(cls, resampling: _Resampling, begin: int) -> _Block:
        count, taps = resampling.weights.shape
        windows = resampling.starts[:, None] + np.arange(taps)
        read = np.unique(windows)
        weights = np.zeros((count, len(read)), np.float32)
        weights[np.arange(count)[:, None], np.searchsorted(read, windows)] = resampling.weights
        first, last = int(read[0]), int(read[-1])
        # A slice is a view, a list of indices a copy: for what lies so far apart that some of it is never read.
        reads = slice(first, last + 1) if last - first + 1 == len(read) else read
        return cls(slice(begin, begin + count), reads, weights)


@lru_cache(_CACHED_SIZES)
def _cubic_blocks(source: tuple[int, int], target: tuple[int, int]) -> tuple[tuple[_Block, ...], tuple[_Block, ...]]:
    """Those of the rows and those of the columns."""
    rows, columns = (_cubic(length, samples) for length, samples in zip(source, target, strict=True))
    read_per_sample = min(source[0] / target[0], rows.weights.shape[1])
    length = int(_BLOCK_BYTES / (read_per_sample * source[1] * 3 * 4))
    return rows.blocks(min(max(length, _FEWEST_ROWS), _MOST_ROWS)), columns.blocks(_COLUMNS)


def _cubic(length: int, samples: int) -> _Resampling:
    """OpenCV's INTER_CUBIC: the convolution kernel with a = -0.75, its coordinates and weights in float32."""
    a = np.float32(-0.75)
    one = np.float32(1)
    centres = ((np.arange(samples) + 0.5) * _step(length, samples) - 0.5).astype(np.float32)
    lower = np.floor(centres)
    x = centres - lower
    first = ((a * (x + one) - 5 * a) * (x + one) + 8 * a) * (x + one) - 4 * a
    second = ((a + 2) * x - (a + 3)) * x * x + one
    third = ((a + 2) * (one - x) - (a + 3)) * (one - x) * (one - x) + one
    weights = np.stack([first, second, third, one - first - second - third], axis=1)
    return _Resampling.clamped(lower.astype(np.int64) - 1, weights, length)


def _area(length: int, wanted: range, samples: int) -> _Resampling:
    """Samples of OpenCV's INTER_AREA where nothing grows: each source pixel counts by its share of the interval."""
    step = _step(length, samples)
    begins = np.arange(wanted.start, wanted.stop) * step
    starts = np.floor(begins).astype(np.int64)
    pixels = starts[:, None] + np.arange(math.ceil(step) + 1)
    ends = np.minimum(begins + step, length)
    overlap = np.minimum(pixels + 1, ends[:, None]) - np.maximum(pixels, begins[:, None])
    overlap[overlap <= 1e-3] = 0  # OpenCV leaves such slivers out
    return _Resampling.clamped(starts, overlap / (ends - begins)[:, None], length)


def _linear(length: int, wanted: range, samples: int) -> _Resampling:
    """Samples of OpenCV's INTER_AREA where a side grows: linear only across the border of two source pixels."""
    index = np.arange(wanted.start, wanted.stop)
    starts = np.floor(index * _step(length, samples)).astype(np.int64)
    x = ((index + 1) - (starts + 1) * (samples / length)).astype(np.float32)
    x = np.where(x <= 0, 0, x - np.floor(x))
    return _Resampling.clamped(starts, np.stack([1 - x, x], axis=1), length)


def _aligned(values: Float32[Array, "length others"], samples: int) -> Float32[Array, "samples others"]:
    """Linear between the two nearest, the first and last samples at the first and last values; one alone at the first.

    Without antialiasing, where a side shrinks.
    """
    length, others = values.shape
    resampled = np.empty((samples, others), np.float32)
    band = max(1, _BAND_BYTES // (others * 4))
    for top in range(0, samples, band):
        centres = np.arange(top, min(top + band, samples)) * ((length - 1) / max(samples - 1, 1))
        lower = np.floor(centres).astype(np.int64)
        x = (centres - lower).astype(np.float32)[:, None]
        part = resampled[top : top + band]
        np.multiply(values[lower], 1 - x, out=part)
        part += values[np.minimum(lower + 1, length - 1)] * x
    return resampled


def _step(length: int, samples: int) -> float:
    """Source pixels per sample, rounded as OpenCV rounds it: at the borders of pixels the last bit decides."""
    return 1 / (samples / length)
