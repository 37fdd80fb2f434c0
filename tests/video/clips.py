"""Small films, made by FFmpeg while the tests run, and what is said of them."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from midas.arrays import Array

TICK = Fraction(1, 1000)
SIZE = (48, 64)


def ramp(number: int, size: tuple[int, int] = SIZE) -> Array:
    """A picture that can be told from its neighbours: dark at the top left, a bright block that wanders."""
    height, width = size
    picture = np.zeros((height, width, 3), np.uint8)
    picture[..., 0] = np.linspace(20, 200, width)
    picture[..., 1] = np.linspace(20, 200, height)[:, None]
    picture[..., 2] = 90
    left = 2 * number % (width - 10)
    picture[height // 4 : height // 2, left : left + 10] = 230
    return picture


def write_clip(
    path: Path,
    pictures: Iterable[Array],
    times_ms: Sequence[int] | None = None,
    *,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    container: str | None = None,
    options: dict[str, str] | None = None,
    aspect: Fraction | None = None,
    sound: str | None = None,
    **colour: int,
) -> Path:
    """Encode a film; 25 frames a second where no times are given, with sound up to the end of the last frame."""
    with av.open(str(path), "w", format=container) as output:
        stream: Any = None
        number = -1
        for number, picture in enumerate(pictures):
            if stream is None:
                stream = output.add_stream(codec, rate=25, options=options or {})
                coded = isinstance(picture, av.VideoFrame)
                stream.height, stream.width = (picture.height, picture.width) if coded else picture.shape[:2]
                stream.pix_fmt = pixels
                stream.time_base = stream.codec_context.time_base = TICK
                for name, value in colour.items():
                    setattr(stream.codec_context, name, value)
                if aspect:
                    stream.sample_aspect_ratio = stream.codec_context.sample_aspect_ratio = aspect
                heard = output.add_stream(sound, rate=48000, layout="mono") if sound else None
            frame = picture if isinstance(picture, av.VideoFrame) else av.VideoFrame.from_ndarray(picture, "rgb24")
            frame.pts, frame.time_base = (times_ms[number] if times_ms else 40 * number), TICK
            output.mux(stream.encode(frame))
        if stream is not None and heard is not None:
            _write_sound(output, heard, 48 * (40 + (times_ms[number] if times_ms else 40 * number)))
        if stream is not None:
            output.mux(stream.encode(None))
    return path


def _write_sound(output: Any, stream: Any, samples: int) -> None:
    size = 1024
    for start in range(0, samples, size):
        wave = np.sin(np.arange(start, start + size) / 20).astype(np.float32)[None] * 0.3
        frame = av.AudioFrame.from_ndarray(wave, "fltp", "mono")
        frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
        for part in av.AudioResampler(stream.format, "mono", 48000).resample(frame):
            output.mux(stream.encode(part))
    output.mux(stream.encode(None))


def turn(path: Path, degrees: int) -> None:
    """Write into an MP4 file that players must turn its picture clockwise."""
    one = 1 << 16
    cos, sin = {0: (1, 0), 90: (0, 1), 180: (-1, 0), 270: (0, -1)}[degrees]
    matrix = struct.pack(">9i", cos * one, sin * one, 0, -sin * one, cos * one, 0, 0, 0, 1 << 30)
    data = bytearray(path.read_bytes())
    # Version 0 of the box: the matrix lies 40 bytes behind its name.
    at = data.index(b"tkhd") + 4 + 40
    data[at : at + 36] = matrix
    path.write_bytes(data)


def times_of(path: Path, *, kind: str = "video") -> list[float]:
    """When the frames of a film are shown, as FFmpeg reads them."""
    with av.open(str(path)) as film:
        return [float(frame.pts * frame.time_base) for frame in film.decode(**{kind: 0})]


def apart(path: Path, target: Path, *, behind: bool) -> Path:
    """The same film, one without B frames, with all of its sound behind the last picture or in front of the first."""
    with av.open(str(path)) as film, av.open(str(target), "w", options={"max_interleave_delta": "1"}) as output:
        streams = {stream.index: output.add_stream_from_template(stream) for stream in film.streams}
        packets = [packet for packet in film.demux() if packet.size]
        packets.sort(key=lambda packet: (packet.stream.type == "audio") == behind)
        for packet in packets:
            packet.stream = streams[packet.stream.index]
            output.mux(packet)
    return target


def sound_of(path: Path) -> list[bytes]:
    """A film's packets of sound, in their order."""
    with av.open(str(path)) as film:
        return [bytes(packet) for packet in film.demux(audio=0) if packet.size]
