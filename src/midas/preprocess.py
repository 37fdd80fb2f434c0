"""A picture becomes a network's input: size rule, resampling, normalisation."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

import cv2
import numpy as np
from PIL import Image

from midas.arrays import Array, Float, Float32, Shaped, UInt8
from midas.errors import ConfigError

ResizeRule = Literal["lower_bound", "upper_bound", "minimal"]
Interpolation = Literal["cubic", "area", "pillow_cubic"]

# Rules by which every pixel of the picture counts, so that a smaller version of it, made well, has the same samples.
ANTIALIASED = frozenset[Interpolation](("area", "pillow_cubic"))

# How much larger than the network's input a smaller version is at least, on each side. JPEG's own reduction is no exact
# average, and at a margin of 1 it shows; at 4 decoding 12 megapixels takes a third of its time: docs/speed.md.
DECODING_MARGIN = 4

# A picture 20000 pixels wide and 100 high would ask for a network input of 51200 x 256. No side exceeds this many times
# its target; the picture is squeezed from there on. The official rule has no such limit.
MAX_ELONGATION = 64

# OpenCV resamples a copy of a picture where that takes no more bytes than this: there it is two to four times as fast
# as what stands below, which is faster for larger pictures and needs no copy of them. The cubic samples of a float32
# copy lie up to 2e-4 away from those of a float64 one, whose coordinates have more digits.
_COPY_TYPES: dict[Interpolation, tuple[int, type[np.floating[Any]]]] = {
    "cubic": (cv2.INTER_CUBIC, np.float64),
    "area": (cv2.INTER_AREA, np.float32),
}
_COPY_BYTES: dict[Interpolation, int] = {"cubic": 8 * 1024 * 1024, "area": 32 * 1024 * 1024}

# Rows of a very wide picture are resampled so many at a time that their float32 values take about this much.
_BAND_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True)
class InputSpec:
    """What a network takes: the one description of how a picture becomes its input.

    Attributes:
        size: the target, (height, width) in pixels.
        resize: which of the two scales (target height / height, target width / width) holds for both sides:
            ``"lower_bound"`` the larger, so that no side falls below its target; ``"upper_bound"`` the smaller, so that
            none exceeds it; ``"minimal"`` the one nearer to 1.
        keep_aspect: whether one scale holds for both sides; if not, each side has its own and meets its target.
        multiple: both sides are multiples of this many pixels.
        interpolation: ``"cubic"`` reads 4 x 4 pixels per sample, without antialiasing; ``"area"`` averages all pixels
            under a sample; ``"pillow_cubic"`` is Pillow's bicubic with antialiasing and 8-bit results, the choice of
            Hugging Face's image processors.
        mean: subtracted from red, green, blue in [0, 1].
        std: what the difference is then divided by.
        fixed: whether ``size`` is the only one that the network takes.

    Raises:
        ConfigError: a value of the wrong type or out of range.
    """

    size: tuple[int, int]
    resize: ResizeRule = "minimal"
    keep_aspect: bool = True
    multiple: int = 32
    interpolation: Interpolation = "cubic"
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    std: tuple[float, float, float] = (0.5, 0.5, 0.5)
    fixed: bool = False

    def __post_init__(self) -> None:
        _check_fields(vars(self))

    def network_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """The network's (height, width) for a picture of (height, width), both in pixels.

        This is the rule of the published models, with two limits that they lack: at least one multiple, and at most
        ``MAX_ELONGATION`` times the target, on each side.
        """
        scales = [target / side for target, side in zip(self.size, size, strict=True)]
        if self.keep_aspect:
            scales = [self._common_scale(*scales)] * 2
        height, width = (
            self._round_side(scale * side, target) for scale, side, target in zip(scales, size, self.size, strict=True)
        )
        return height, width

    def decoding_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """The smallest version of a picture of (height, width) pixels that may be read in its place.

        Without antialiasing single pixels are the samples, and the picture itself has to be read.
        """
        if self.interpolation not in ANTIALIASED:
            return size
        height, width = (DECODING_MARGIN * side for side in self.network_size(size))
        return height, width

    def nearest_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """The legal input, (height, width) in pixels, that is nearest to a given one."""
        if self.fixed:
            return self.size
        height, width = (max(round(side / self.multiple), 1) * self.multiple for side in size)
        return height, width

    def with_size(self, size_px: int) -> InputSpec:
        """The same input with another target: its shorter side is ``size_px``, the longer one in proportion.

        Both are rounded to the nearest multiple, and are at least one.

        Raises:
            ConfigError: ``size_px`` is not a whole number >= 1, or not the one that the network takes.
        """
        _check(_is_whole(size_px) and size_px >= 1, "size", size_px, "a whole number of pixels >= 1")
        only = min(self.size)
        _check(not self.fixed or size_px == only, "size", size_px, f"{only}, the only size that the network takes")
        scale = size_px / min(self.size)
        height, width = (max(round(side * scale / self.multiple), 1) * self.multiple for side in self.size)
        return dataclasses.replace(self, size=(height, width))

    def to_metadata(self) -> str:
        """All fields as one line of JSON: a model file carries it."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_metadata(cls, text: str) -> InputSpec:
        """The inverse of ``to_metadata``.

        Raises:
            ConfigError: not a JSON object, a field is missing or unknown, or a value doesn't fit.
        """
        try:
            values: Any = json.loads(text)
        except json.JSONDecodeError as error:
            raise ConfigError(f"the input description is not JSON ({error}); export the model again") from None
        expected = {field.name for field in dataclasses.fields(cls)}
        optional = {"fixed"}  # files of version 0.1 lack it
        if not isinstance(values, dict) or set(values) | optional != expected:
            found = sorted(values) if isinstance(values, dict) else type(values).__name__
            raise ConfigError(
                f"the input description holds {found}, expected exactly the keys {sorted(expected)}; "
                "export the model again with this version"
            )
        arguments: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
        }
        _check_fields({"fixed": False} | arguments)  # before they meet a typed signature
        return cls(**arguments)

    def _common_scale(self, scale_height: float, scale_width: float) -> float:
        if self.resize == "lower_bound":
            return max(scale_height, scale_width)
        if self.resize == "upper_bound":
            return min(scale_height, scale_width)
        return scale_width if abs(1 - scale_width) < abs(1 - scale_height) else scale_height

    def _round_side(self, side: float, target: int) -> int:
        multiples = round(side / self.multiple)  # half to even, as numpy.round in the published code
        if self.resize == "lower_bound" and multiples * self.multiple < target:
            multiples = math.ceil(side / self.multiple)
        if self.resize == "upper_bound" and multiples * self.multiple > target:
            multiples = math.floor(side / self.multiple)
        return min(max(multiples, 1), MAX_ELONGATION * target // self.multiple) * self.multiple


class Preprocess:
    """Turns a picture into a network's input, as the published transforms do.

    The samples are those of ``cv2.resize`` on ``image / 255`` in float64, to about 1e-6, without the eight bytes per
    value that this takes.

    Args:
        spec: what the network takes.
    """

    def __init__(self, spec: InputSpec) -> None:
        self.spec = spec

    def __call__(
        self, image: UInt8[Array, "H W 3"], picture_size: tuple[int, int] | None = None
    ) -> Float32[Array, "1 3 h w"]:
        """Resample and normalise.

        Args:
            image: RGB, 0 to 255.
            picture_size: (height, width) of the picture of which ``image`` is a smaller version; None if it is itself.

        Returns:
            The input, C-contiguous: ``(image / 255 - mean) / std`` at ``spec.network_size`` of the picture.
        """
        height, width = self.spec.network_size(picture_size or (image.shape[0], image.shape[1]))
        std = np.array(self.spec.std, np.float32)[:, None, None]
        gain, offset = 1 / (255 * std), -np.array(self.spec.mean, np.float32)[:, None, None] / std
        pixels = np.empty((1, 3, height, width), np.float32)
        for top, resized in self._resampled(image, (height, width)):
            planes = pixels[0, :, top : top + len(resized)]
            np.multiply(resized.transpose(2, 0, 1), gain, out=planes, casting="same_kind")
            planes += offset
        return pixels

    def _resampled(
        self, image: UInt8[Array, "H W 3"], size: tuple[int, int]
    ) -> Iterator[tuple[int, Shaped[Array, "rows w 3"]]]:
        """Bands of the picture at the network's size, each with the row at which it begins."""
        height, width = size
        if self.spec.interpolation == "pillow_cubic":
            yield 0, np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC))
            return
        flag, kind = _COPY_TYPES[self.spec.interpolation]
        if image.size * np.dtype(kind).itemsize <= _COPY_BYTES[self.spec.interpolation]:
            yield 0, cv2.resize(image.astype(kind), (width, height), interpolation=flag)
        else:
            yield from _bands(image, size, self.spec.interpolation)


def _bands(
    image: UInt8[Array, "H W 3"], size: tuple[int, int], interpolation: Interpolation
) -> Iterator[tuple[int, Float32[Array, "rows w 3"]]]:
    source_height, source_width, _ = image.shape
    height, width = size
    rows, columns = _resamplings((source_height, source_width), size, interpolation)
    band = max(1, _BAND_BYTES // (source_width * 3 * 4))
    for top in range(0, height, band):
        shrunk = rows.part(top, top + band)(image.reshape(source_height, -1)).reshape(-1, source_width, 3)
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


def _resamplings(
    source: tuple[int, int], target: tuple[int, int], interpolation: Interpolation
) -> tuple[_Resampling, _Resampling]:
    """The resampling of the rows and that of the columns, as OpenCV chooses them."""
    rule = _cubic
    if interpolation == "area":
        # OpenCV averages only where neither side grows; else INTER_AREA means its own kind of linear interpolation.
        shrinks = all(old >= new for old, new in zip(source, target, strict=True))
        rule = _area if shrinks else _linear
    return rule(source[0], target[0]), rule(source[1], target[1])


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


def _area(length: int, samples: int) -> _Resampling:
    """OpenCV's INTER_AREA where nothing grows: each source pixel counts by its share of the sample's interval."""
    step = _step(length, samples)
    begins = np.arange(samples) * step
    starts = np.floor(begins).astype(np.int64)
    pixels = starts[:, None] + np.arange(math.ceil(step) + 1)
    ends = np.minimum(begins + step, length)
    overlap = np.minimum(pixels + 1, ends[:, None]) - np.maximum(pixels, begins[:, None])
    overlap[overlap <= 1e-3] = 0  # OpenCV leaves such slivers out
    return _Resampling.clamped(starts, overlap / (ends - begins)[:, None], length)


def _linear(length: int, samples: int) -> _Resampling:
    """OpenCV's INTER_AREA where a side grows: linear only across the border of two source pixels."""
    index = np.arange(samples)
    starts = np.floor(index * _step(length, samples)).astype(np.int64)
    x = ((index + 1) - (starts + 1) * (samples / length)).astype(np.float32)
    x = np.where(x <= 0, 0, x - np.floor(x))
    return _Resampling.clamped(starts, np.stack([1 - x, x], axis=1), length)


def _step(length: int, samples: int) -> float:
    """Source pixels per sample, rounded as OpenCV rounds it: at the borders of pixels the last bit decides."""
    return 1 / (samples / length)


def _check_fields(fields: dict[str, Any]) -> None:
    multiple, size, mean, std = fields["multiple"], fields["size"], fields["mean"], fields["std"]
    _check(_is_whole(multiple) and multiple >= 1, "multiple", multiple, "a whole number >= 1")
    _check(
        _is_tuple(size, 2) and all(_is_whole(side) and side >= multiple for side in size),
        "size",
        size,
        f"(height, width) in whole pixels, each at least the multiple, {multiple}",
    )
    for name, choices in (("resize", get_args(ResizeRule)), ("interpolation", get_args(Interpolation))):
        _check(fields[name] in choices, name, fields[name], f"one of {choices}")
    for name in ("keep_aspect", "fixed"):
        _check(isinstance(fields[name], bool), name, fields[name], "true or false")
    _check(_is_tuple(mean, 3) and all(map(_is_finite, mean)), "mean", mean, "three finite numbers")
    _check(_is_tuple(std, 3) and all(_is_finite(value) and value > 0 for value in std), "std", std, "three numbers > 0")


def _check(condition: bool, name: str, value: object, expected: str) -> None:
    if not condition:
        raise ConfigError(f"{name} of the network's input is {value!r}; expected {expected}")


def _is_tuple(value: object, length: int) -> bool:
    return isinstance(value, tuple) and len(value) == length


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_finite(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
