"""OpenEXR files by the OpenEXR library: ours, of one float32 channel, and those of renderers and other programs.

Its class ``File`` is used alone; the older ``InputFile`` crashes on damaged files. No threads of its own are asked for:
they wouldn't go through a fork, and decode no faster than the pictures of a run do side by side.
"""

from __future__ import annotations

import math
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass
from io import BufferedWriter, BytesIO
from threading import Lock, get_ident
from typing import Any

import numpy as np

from midas.arrays import Array, Float32

# Luminance: viewers show it as grey. Not "Z", which stands for a distance.
_CHANNEL = "Y"

# The last part of the names under which programs store a map: ours and OpenCV, renderers, Blender's compositor.
_MAP_NAMES = frozenset({"Y", "Z", "V", "DEPTH", "DISPARITY"})

# A side of 2^24 pixels, which few bytes can claim, takes 10 seconds and 3 GB to be refused.
_MAX_SIDE = 1 << 16
_MAX_VALUES = 1 << 29

_READING = Lock()
_STDERR = 2
_OWN_WORDS = b"(EXR_ERR_"


@dataclass(frozen=True)
class ExrContent:
    """What a file holds.

    Attributes:
        channels: float32 (H, W) by name; where a file has several parts, their names come first.
        text: its string attributes.
    """

    channels: Mapping[str, Array]
    text: Mapping[str, str]


def write_exr(file: BufferedWriter | BytesIO, values: Float32[Array, "H W"], text: Mapping[str, str]) -> None:
    """Write a map as the channel Y, bit for bit and without compression, and each text as a string attribute."""
    import OpenEXR

    header: dict[str, Any] = {"compression": OpenEXR.NO_COMPRESSION, "type": OpenEXR.scanlineimage, **text}
    channels = {_CHANNEL: OpenEXR.Channel(np.ascontiguousarray(values))}
    OpenEXR.File(header, channels, num_threads=0).write(file)


def read_exr(data: bytes) -> tuple[Float32[Array, "H W"], dict[str, str]]:
    """The map in a file, and its texts.

    It is the only channel; or the only one with a map's name, such as ``Z`` or ``ViewLayer.Depth.Z``; or that of R, G
    and B which say the same.

    Raises:
        ValueError: the file is damaged, no OpenEXR file, or it doesn't tell which of its channels is the map.
    """
    content = read_channels(data)
    return content.channels[_map_channel(content.channels)], dict(content.text)


def read_channels(data: bytes) -> ExrContent:
    """All channels of a file in scan lines or tiles, of any compression, and its texts.

    Raises:
        ValueError: the file is damaged, no OpenEXR file, too large, or holds deep data.
    """
    import OpenEXR

    with _READING, _without_a_word():
        try:
            _check_size(OpenEXR.File(BytesIO(data), separate_channels=True, header_only=True, num_threads=0).parts)
            parts = OpenEXR.File(BytesIO(data), separate_channels=True, num_threads=0).parts
        except (RuntimeError, TypeError, UnicodeDecodeError) as error:
            raise ValueError(f"no OpenEXR file that can be read ({str(error).partition(chr(10))[0]})") from error
    if not parts:
        raise ValueError("the OpenEXR file is damaged")
    channels: dict[str, Array] = {}
    text: dict[str, str] = {}
    for part in parts:
        prefix = f"{part.name()}." if len(parts) > 1 else ""
        for name, channel in part.channels.items():
            if channel.pixels is None or channel.pixels.ndim != 2 or (channel.xSampling, channel.ySampling) != (1, 1):
                raise ValueError(f"its channel {name!r} is no map of the picture's size")
            channels[f"{prefix}{name}"] = channel.pixels.astype(np.float32, copy=False)
        text |= {name: value for name, value in part.header.items() if isinstance(value, str)}
    return ExrContent(channels, text)


def _check_size(parts: list[Any]) -> None:
    for part in parts:
        first, last = (np.asarray(corner, np.int64) for corner in part.header["dataWindow"])
        width, height = (int(side) for side in last - first + 1)
        if min(width, height) < 1:
            raise ValueError("the OpenEXR file has no pixels")
        if max(width, height) > _MAX_SIDE or math.prod((width, height, len(part.channels))) > _MAX_VALUES:
            raise ValueError(f"the OpenEXR file claims {len(part.channels)} channels of {width} x {height} pixels")
        if str(part.type()).rpartition(".")[2].startswith("deep"):
            raise ValueError("it holds deep data: expected one value for each pixel")


def _map_channel(channels: Mapping[str, Array]) -> str:
    if len(channels) == 1:
        return next(iter(channels))
    named = [name for name in channels if name.rpartition(".")[2].upper() in _MAP_NAMES]
    if len(named) == 1:
        return named[0]
    if set(channels) - {"A"} == {"R", "G", "B"} and all(
        np.array_equal(channels["R"], channels[name], equal_nan=True) for name in "GB"
    ):
        return "R"
    raise ValueError(f"the channels {', '.join(channels)} don't tell which is the map: expected one")


@contextmanager
def _without_a_word() -> Iterator[None]:
    """Keep back what the library writes of damaged files, to the descriptor of standard error and to Python's output.

    What anybody else writes meanwhile comes through; to standard error a moment later.
    """
    with _drained_stderr(), redirect_stdout(_DeafToThisThread(sys.stdout)):
        yield


@contextmanager
def _drained_stderr() -> Iterator[None]:
    try:
        saved = os.dup(_STDERR)
    except OSError:  # there is none, and so nobody hears
        yield
        return
    with tempfile.TemporaryFile() as heard:
        os.dup2(heard.fileno(), _STDERR)
        try:
            yield
        finally:
            os.dup2(saved, _STDERR)
            heard.seek(0)
            of_others = b"".join(line for line in heard if _OWN_WORDS not in line)
            with suppress(OSError):
                os.write(saved, of_others)
            os.close(saved)


class _DeafToThisThread:
    """Python's standard output without what the thread that made this writes."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._thread = get_ident()

    def write(self, text: str) -> int:
        return len(text) if get_ident() == self._thread or self._stream is None else int(self._stream.write(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
