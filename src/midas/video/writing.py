"""Films written frame by frame: pictures with the times they are given, and sound beside them."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from fractions import Fraction
from typing import IO, Any

import numpy as np

from midas.arrays import Array, UInt8
from midas.errors import ConfigError
from midas.video.frame import FilmFormat, Sound
from midas.video.library import pyav
from midas.video.sound import SoundWriter, sound_note

DEFAULT_CRF = 18
MAX_CRF = 51
_SWS_709 = 1
_BT709 = 1  # FFmpeg's number of the matrix, the primaries and the transfer function
_STUDIO_RANGE = 1


@dataclass(frozen=True)
class ContainerKind:
    """A kind of file for films.

    Attributes:
        format: its name in FFmpeg.
        codec: of the pictures.
        pixels: how they are sampled.
        options: of the codec, beside the quality.
        sounds: codecs of sound that it takes; the first is what others become.
        tick: the only time base that it keeps; None for any.
    """

    format: str
    codec: str
    pixels: str
    options: tuple[tuple[str, str], ...]
    sounds: tuple[str, ...]
    tick: Fraction | None = None


_H264 = (("preset", "veryfast"), ("bf", "0"))  # without B frames the frames are stored in the order of their times
_VP9 = (("deadline", "realtime"), ("cpu-used", "6"), ("row-mt", "1"), ("b", "0"), ("lag-in-frames", "0"))
_MILLISECOND = Fraction(1, 1000)

CONTAINERS: dict[str, ContainerKind] = {
    ".mp4": ContainerKind(
        "mp4", "libx264", "yuv420p", _H264, ("aac", "mp3", "ac3", "eac3", "alac", "opus", "flac")
    ),
    ".mov": ContainerKind("mov", "libx264", "yuv420p", _H264, ("aac", "mp3", "ac3", "eac3", "alac", "pcm_s16le")),
    ".mkv": ContainerKind(
        "matroska", "libx264", "yuv420p", _H264, ("aac", "mp3", "ac3", "eac3", "opus", "vorbis", "flac", "dts", "mp2"),
        _MILLISECOND,
    ),
    ".webm": ContainerKind("webm", "libvpx-vp9", "yuv420p", _VP9, ("opus", "vorbis"), _MILLISECOND),
    ".gif": ContainerKind("gif", "gif", "rgb8", (), (), Fraction(1, 100)),
}  # fmt: skip
"""By suffix, what a film for the eye may be written to."""


class FilmWriter(AbstractContextManager["FilmWriter"]):
    """A film for the eye in the making: H.264, VP9 or GIF.

    Sides that are odd are padded by a row or a column, a copy of the last: the codecs' sampling needs even ones.

    Args:
        file: open for binary writing, and for seeking but for webm and mkv.
        suffix: a key of ``CONTAINERS``.
        film: the film that it is made of: time base, rate, shape of its pixels, and sound, which is copied where the
            container takes it and else made into what it takes.
        crf: quality of the pictures, from 0 (lossless) to 51.

    Attributes:
        padding_note: how the size differs from the film's, where it does; empty where it doesn't.
        sound_note: what becomes of the sound, where that is not a copy; empty where it is.

    Raises:
        ConfigError: an unknown suffix, or a quality out of range.
    """

    def __init__(self, file: IO[bytes], suffix: str, film: FilmFormat, *, crf: int = DEFAULT_CRF) -> None:
        if suffix not in CONTAINERS:
            raise ConfigError(f"films aren't written as {suffix!r}: expected one of {', '.join(CONTAINERS)}")
        if not 0 <= crf <= MAX_CRF:
            raise ConfigError(f"crf is {crf}; expected a whole number from 0 (best) to {MAX_CRF}")
        self._av = pyav()
        self._kind, self._film, self._crf = CONTAINERS[suffix], film, crf
        self._container = self._av.open(file, mode="w", format=self._kind.format)
        self._stream: Any = None
        self._time_base = self._kind.tick or film.time_base
        self._durations: dict[int, int] = {}
        self._last: int | None = None
        self._reformatter = self._av.video.reformatter.VideoReformatter()
        self._sound: SoundWriter | None = None
        self._sound_before: list[Sound] = []
        self.padding_note = ""
        self.sound_note = sound_note(film.sound, self._kind.sounds)

    def write(self, picture: UInt8[Array, "H W 3"], ticks: int, duration_ticks: int = 0) -> None:
        """Append a picture that is shown from ``ticks`` on, in the film's time base; all have the size of the first."""
        if self._stream is None:
            self._begin(picture.shape[0], picture.shape[1])
        at, lasts = self._own_ticks(ticks), self._own_ticks(duration_ticks)
        if self._last is not None:
            before = self._last
            at = max(at, before + 1)  # a coarser clock than the film's
            self._durations[before] = at - before
            lasts = lasts or at - before
        self._durations[at] = max(1, lasts)
        self._last = at
        frame = self._av.VideoFrame.from_ndarray(_even(picture), format="rgb24")
        frame = self._reformatter.reformat(
            frame, format=self._kind.pixels, dst_colorspace=_SWS_709, dst_color_range=_STUDIO_RANGE, threads=1
        )
        frame.pts, frame.time_base = at, self._time_base
        self._mux(self._stream.encode(frame))

    def sound(self, sound: Sound) -> None:
        """Append sound."""
        if self._stream is None:  # a container's streams must all be there before the first packet
            self._sound_before.append(sound)
        elif self._sound:
            for packet in sound:
                self._sound.write(packet)

    def close(self) -> None:
        """Finish the file; without a picture there is none to finish."""
        if self._stream is not None:
            self._mux(self._stream.encode(None))
            if self._sound:
                self._sound.finish()
        self._container.close()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self._container.close()

    def _own_ticks(self, ticks: int) -> int:
        return round(ticks * self._film.time_base / self._time_base)

    def _begin(self, height: int, width: int) -> None:
        stream = self._container.add_stream(self._kind.codec, rate=self._film.rate_hz)
        stream.width, stream.height = width + width % 2, height + height % 2
        if height % 2 or width % 2:
            self.padding_note = (
                f"{width} x {height} pixels become {stream.width} x {stream.height}: the sides must be even"
            )
        stream.pix_fmt = self._kind.pixels
        stream.options = {**dict(self._kind.options), **({"crf": str(self._crf)} if self._kind.options else {})}
        context = stream.codec_context
        stream.time_base = context.time_base = self._time_base
        if self._film.pixel_aspect != 1:
            stream.sample_aspect_ratio = context.sample_aspect_ratio = self._film.pixel_aspect
        if self._kind.pixels == "yuv420p":
            context.colorspace = context.color_primaries = context.color_trc = _BT709
            context.color_range = _STUDIO_RANGE
        self._stream = stream
        self._sound = SoundWriter.for_film(self._av, self._container, self._film.sound, self._kind.sounds)
        for sound in self._sound_before:
            self.sound(sound)
        self._sound_before = []

    def _mux(self, packets: Iterable[Any]) -> None:
        for packet in packets:
            # The encoder doesn't know how long a frame is shown, and a container then guesses by the rate.
            ticks = round(packet.pts * packet.time_base / self._time_base)
            packet.duration = round(self._durations.pop(ticks, 1) * self._time_base / packet.time_base)
            self._container.mux(packet)


def _even(picture: UInt8[Array, "H W 3"]) -> UInt8[Array, "h w 3"]:
    height, width = picture.shape[:2]
    if height % 2 or width % 2:
        return np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return np.ascontiguousarray(picture)
