"""What a film is made of on its way through this room: frames with their times, and packets of sound between them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from midas.arrays import Array, UInt8


@dataclass(frozen=True, eq=False)
class SoundPacket:
    """Compressed sound, as it lies in the film.

    Attributes:
        data: the codec's bytes.
        start_ticks, decode_ticks: when it is played and decoded, from the beginning of what is shown.
        duration_ticks: how long it lasts.
        time_base: seconds per tick.
        is_key: whether decoding can begin with it.
    """

    data: bytes
    start_ticks: int
    decode_ticks: int
    duration_ticks: int
    time_base: Fraction
    is_key: bool


Sound = Iterable[SoundPacket]
"""Packets in the order in which they lie in the film; may be iterated again as long as the film is open."""


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of a film, upright.

    Attributes:
        picture: uint8 RGB (H, W, 3).
        time_s: when it is shown, in seconds from the film's beginning.
        ticks: the same exactly, from the beginning of what was asked for, in the film's time base.
        duration_ticks: how long it is shown, where the film says so; 0 where it doesn't.
        sound: what lies before it in the film.
    """

    picture: UInt8[Array, "H W 3"]
    time_s: float
    ticks: int
    duration_ticks: int = 0
    sound: Sound = ()


@dataclass(frozen=True)
class SoundFormat:
    """How a film's sound is compressed.

    Attributes:
        codec: its name in FFmpeg.
        rate_hz: samples per second.
        layout: its channels, in FFmpeg's words.
        extradata: what the codec needs to know before the first packet; may be empty.
        template: PyAV's stream, of which a copy is made; only as long as the film is open.
    """

    codec: str
    rate_hz: int
    layout: str
    extradata: bytes
    template: Any = field(compare=False, repr=False)


@dataclass(frozen=True)
class FilmFormat:
    """What is known of a film before its first frame.

    Attributes:
        name: of the film, for messages.
        time_base: seconds per tick.
        rate_hz: frames per second on the average, or what the container says of it.
        pixel_aspect: width of a pixel over its height.
        duration_s: what the container says; None where it doesn't.
        sound: None for a silent film.
        pixels: of a frame, as the container says; None where it doesn't.
    """

    name: str
    time_base: Fraction
    rate_hz: Fraction
    pixel_aspect: Fraction
    duration_s: float | None
    sound: SoundFormat | None
    pixels: int | None = None
