"""A picture becomes a network's input: size rule, resampling, normalisation."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from PIL import Image

from midas.arrays import Array, Float32, UInt8
from midas.errors import ConfigError
from midas.pictures.resampling import Part, columns_first, resample_area, resample_cubic, resample_linear

ResizeRule = Literal["lower_bound", "upper_bound", "minimal"]
Interpolation = Literal["cubic", "area", "pillow_cubic", "opencv_linear"]
Restoration = Literal["cubic", "aligned_linear", "guided"]

# Rules by which every pixel of the picture counts, so that a smaller version of it, made well, has the same samples.
ANTIALIASED = frozenset[Interpolation](("area", "pillow_cubic"))

# Rules whose samples are rounded to 8 bits.
EIGHT_BITS = frozenset[Interpolation](("pillow_cubic", "opencv_linear"))

# How much larger than the network's input a smaller version is at least, on each side. JPEG's own reduction is no exact
# average, and at a margin of 1 it shows; at 4 decoding 12 megapixels takes a third of its time: docs/speed.md.
DECODING_MARGIN = 4

# A picture 20000 pixels wide and 100 high would ask for a network input of 51200 x 256. No side exceeds this many times
# its target, and so no input has many more than this many times as many pixels as a square picture's; a longer strip is
# squeezed. The official rule has no such limit.
MAX_ELONGATION = 8

# Pillow's weights take 32 bytes per pixel of a side, which is little but for a picture a single pixel high. A side that
# shrinks to less than this share is first averaged over whole pixels, of which so many and more are left per sample.
_MOST_PILLOW_SHRINKS = 32

# What files of earlier versions don't say of their input, and what holds for them: 0.1 didn't know the first, 0.4 not
# the second.
_LATER_FIELDS: dict[str, Any] = {"fixed": False, "restore": "cubic"}

MAX_SIZE_PX = 4096
"""The largest shorter side that may be asked for: the smallest network takes 6 GB of memory for it."""


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
            Hugging Face's image processors; ``"opencv_linear"`` reads 2 x 2 pixels without antialiasing, with
            8-bit results: OpenCV's way with pictures that are left in 8 bits.
        mean: subtracted from red, green, blue in [0, 1].
        std: what the difference is then divided by.
        fixed: whether ``size`` is the only one that the network takes.
        restore: how the map becomes as large as the picture, in the words of ``midas.maps.resize``; cubic takes the
            place of ``"guided"`` where the picture isn't at hand, or time is short: in films and in exported graphs.

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
    restore: Restoration = "cubic"

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
            ConfigError: ``size_px`` is not a whole number from 1 to ``MAX_SIZE_PX``, or not the one that the network
                takes.
        """
        allowed = _is_whole(size_px) and 1 <= size_px <= MAX_SIZE_PX
        _check(allowed, "size", size_px, f"a whole number of pixels from 1 to {MAX_SIZE_PX}")
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
        optional = _LATER_FIELDS.keys()
        if not isinstance(values, dict) or values.keys() | optional != expected:
            found = sorted(values) if isinstance(values, dict) else type(values).__name__
            raise ConfigError(
                f"the input description holds {found}, expected exactly the keys {sorted(expected)}; "
                "export the model again with this version"
            )
        arguments: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
        }
        _check_fields(_LATER_FIELDS | arguments)  # before they meet a typed signature
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
        for rows, columns, resized in _RESAMPLING[self.spec.interpolation](image, (height, width)):
            planes = pixels[0, :, rows, columns]
            np.multiply(resized.transpose(2, 0, 1), gain, out=planes, casting="same_kind")
            planes += offset
        return pixels


def _resample_by_pillow(image: UInt8[Array, "H W 3"], size: tuple[int, int]) -> Iterator[Part]:
    """Pillow's bicubic, with antialiasing and 8 bits after each axis, of which it takes the columns first."""
    turned = columns_first(image.shape[1::-1], size[::-1])
    picture = Image.fromarray(np.ascontiguousarray(image.transpose(1, 0, 2)) if turned else image)
    target = size if turned else size[::-1]
    factors = [max(1, side // (_MOST_PILLOW_SHRINKS * small)) for side, small in zip(picture.size, target, strict=True)]
    if factors != [1, 1]:
        picture = picture.reduce((factors[0], factors[1]))
    resized = np.asarray(picture.resize(target, Image.Resampling.BICUBIC))
    yield slice(None), slice(None), resized.transpose(1, 0, 2) if turned else resized


_RESAMPLING: dict[Interpolation, Callable[[Array, tuple[int, int]], Iterator[Part]]] = {
    "cubic": resample_cubic,
    "area": resample_area,
    "pillow_cubic": _resample_by_pillow,
    "opencv_linear": resample_linear,
}


def _check_fields(fields: dict[str, Any]) -> None:
    multiple, size, mean, std = fields["multiple"], fields["size"], fields["mean"], fields["std"]
    _check(_is_whole(multiple) and multiple >= 1, "multiple", multiple, "a whole number >= 1")
    _check(
        _is_tuple(size, 2) and all(_is_whole(side) and side >= multiple for side in size),
        "size",
        size,
        f"(height, width) in whole pixels, each at least the multiple, {multiple}",
    )
    for name, rule in (("resize", ResizeRule), ("interpolation", Interpolation), ("restore", Restoration)):
        choices = get_args(rule)
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
