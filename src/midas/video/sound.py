"""A film's sound beside its maps: copied where the container takes it, else compressed anew."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

from midas.video.frame import SoundFormat, SoundPacket

_ENCODERS = {"opus": "libopus"}
_OPUS_RATE_HZ = 48000
_KEEP_PRIMING = ("mp4", "mov")


def sound_note(sound: SoundFormat | None, taken: Sequence[str]) -> str:
    """What becomes of a film's sound in a container that takes these codecs; empty for an exact copy, or no sound."""
    if sound is None or sound.codec in taken:
        return ""
    return f"its sound ({sound.codec}) becomes {taken[0]}" if taken else f"its sound ({sound.codec}) is left out"


class SoundWriter:
    """One stream of sound in a container.

    Args:
        av: PyAV.
        container: open for writing.
        sound: what comes in.
        codec: what goes out; that of ``sound`` for a copy.
    """

    def __init__(self, av: Any, container: Any, sound: SoundFormat, codec: str) -> None:
        self._av, self._container, self._rate_hz = av, container, sound.rate_hz
        self._decoder: Any = None
        self._written = 0
        if codec == sound.codec:
            self._stream = container.add_stream_from_template(sound.template)
            return
        self._decoder = av.CodecContext.create(sound.codec, "r")
        if sound.extradata:
            self._decoder.extradata = sound.extradata
        self._decoder.sample_rate, self._decoder.layout = sound.rate_hz, sound.layout
        rate_hz = _OPUS_RATE_HZ if codec == "opus" else sound.rate_hz
        self._stream = container.add_stream(_ENCODERS.get(codec, codec), rate=rate_hz)
        self._stream.layout = "mono" if sound.layout == "mono" else "stereo"
        self._stream.open()
        size = self._stream.codec_context.frame_size
        self._resampler = av.AudioResampler(
            self._stream.format, self._stream.layout, rate_hz, frame_size=size if size > 0 else 1024
        )

    @classmethod
    def for_film(cls, av: Any, container: Any, sound: SoundFormat | None, taken: Sequence[str]) -> SoundWriter | None:
        """The writer for a film's sound; None where there is no sound, or the container takes none."""
        if sound is None or not taken:
            return None
        return cls(av, container, sound, sound.codec if sound.codec in taken else taken[0])

    def write(self, sound: SoundPacket) -> None:
        """Append a packet."""
        # What primes a codec lies before the beginning; only these containers can say so without moving the pictures.
        if sound.start_ticks + sound.duration_ticks <= 0 and self._container.format.name not in _KEEP_PRIMING:
            return
        if self._decoder is None:
            packet = self._packet(sound)
            packet.pts, packet.dts = sound.start_ticks, sound.decode_ticks
            packet.stream = self._stream
            self._container.mux(packet)
            return
        packet = self._packet(sound)
        packet.pts = packet.dts = sound.start_ticks
        try:
            frames = self._decoder.decode(packet)
        except self._av.error.InvalidDataError:  # a click
            return
        self._encode(frames)

    def finish(self) -> None:
        """Append what is still on its way."""
        if self._decoder is not None:
            self._encode(self._decoder.decode(None))
            self._encode([None])
            self._container.mux(self._stream.encode(None))

    def _packet(self, sound: SoundPacket) -> Any:
        packet = self._av.Packet(sound.data)
        packet.time_base, packet.duration, packet.is_keyframe = sound.time_base, sound.duration_ticks, sound.is_key
        return packet

    def _encode(self, frames: Iterable[Any]) -> None:
        for frame in frames:
            if frame is not None and frame.pts is None:
                frame.pts, frame.time_base = self._written, Fraction(1, frame.sample_rate)
            for resampled in self._resampler.resample(frame):
                self._written += resampled.samples
                self._container.mux(self._stream.encode(resampled))
