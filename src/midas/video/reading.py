"""Films read frame by frame: whatever FFmpeg decodes, upright, with the times that the film itself gives."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

from midas.errors import VideoError, net
from midas.video.colours import ColourReader
from midas.video.frame import FilmFormat, Frame, Sound, SoundFormat, SoundPacket
from midas.video.interlacing import Deinterlacer
from midas.video.library import pyav
from midas.video.sound_waiting import SoundWaiting

FilmSource = str | Path | BinaryIO

# What no decoder gets through ends the film; a scratch of some packets doesn't.
_MOST_LOST_IN_A_ROW = 200
_DECODER_THREADS = 2  # each holds a frame or two
_USUAL_RATE = Fraction(25)
_MICROSECOND = Fraction(1, 1_000_000)
_SEEK_MARGIN = 2_000_000  # microseconds: some containers find a place a little too late
_CLOCK_JUMP_S = 1
_NO_PACKET = object()
_URL = ("http://", "https://", "rtsp://", "rtsps://", "rtmp://", "udp://", "tcp://", "srt://")


@dataclass
class Damage:
    """What was wrong with a film that was read all the same.

    Attributes:
        lost_packets: packets that gave no frame.
        repaired_times: frames whose time was missing or ran backwards.
        last_time_s: when the last frame is shown.
    """

    lost_packets: int = 0
    repaired_times: int = 0
    last_time_s: float = 0.0


def is_url(source: FilmSource) -> bool:
    """Whether a source is fetched by FFmpeg, and no file."""
    return isinstance(source, str) and source.lower().startswith(_URL)


def exact_seconds(seconds: float) -> Fraction:
    """What was meant by a number of seconds: 0.2 is a fifth, and not the float above it."""
    return Fraction(seconds).limit_denominator(1_000_000)


class Film(AbstractContextManager["Film"]):
    """A film that is open; iterating gives its frames, once.

    Args:
        source: a path, a URL, or a file that is open for reading; pipes will do for containers that can be streamed.
        start_s, end_s: which part is wanted: frames from ``start_s`` on and before ``end_s``, to the tick.

    Attributes:
        format: what is known before the first frame.
        damage: counts up while frames are drawn.
        sound_left: what lies behind the last frame; known when that has been drawn.

    Raises:
        VideoError: it can't be opened, or shows no moving picture.
        MissingExtraError: PyAV is not installed.
    """

    def __init__(self, source: FilmSource, start_s: float = 0.0, end_s: float | None = None) -> None:
        self._av = pyav()
        self._name = str(source) if isinstance(source, str | Path) else "standard input"
        self._start, self._end = exact_seconds(start_s), None if end_s is None else exact_seconds(end_s)
        with net(f"{self._name} can't be opened as a film", VideoError, "expected a file that FFmpeg reads"):
            self._container = _opened(self._av, source)
            with ExitStack() as unless_all_is_well:
                unless_all_is_well.callback(self._container.close)
                self._stream = self._picture_stream()
                self._sound = self._sound_stream()
                self.format = self._format()
                unless_all_is_well.pop_all()
        self.damage = Damage()
        self.sound_left: Sound = ()
        self._waiting = SoundWaiting()
        self._heard_s: Fraction | None = None  # where the last packet of sound begins
        self._deinterlacer = Deinterlacer(self._av)
        self._origin = self._begins_at()

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file, and of the sound that waits."""
        self._container.close()
        self._waiting.close()

    def __iter__(self) -> Iterator[Frame]:
        with net(f"{self._name} can't be read", VideoError):
            yield from self._frames()

    def frame_times(self) -> list[float]:
        """When frames are shown, in seconds, as the packets say: nothing is decoded. Takes the place of iterating.

        A damaged packet has its time here and gives no frame.
        """
        with net(f"{self._name} can't be listed", VideoError):
            packets = (packet for packet in self._packets() if packet is not None and packet.size)
            times = {packet.pts * Fraction(packet.time_base) for packet in packets if self._has_time(packet)}
            return [float(when - self._origin) for when in sorted(times)]

    def _has_time(self, packet: Any) -> bool:
        return packet.stream.index == self._stream.index and packet.pts is not None and not packet.is_discard

    def _frames(self) -> Generator[Frame, None, None]:
        time_base, colours = self.format.time_base, ColourReader(self._av)
        times = _Times(self.format, self.damage)
        packets = self._packets()
        for frame in self._decoded(packets):
            when = times.of(frame) - self._origin
            if when < self._start:
                continue
            if self._end is not None and when >= self._end:
                self._read_sound_to_the_end(packets)
                break
            self.damage.last_time_s = float(when)
            ticks, lasts = round((when - self._start) / time_base), _duration_ticks(frame, time_base)
            yield Frame(colours.rgb(frame), float(when), ticks, lasts, self._waiting.take())
        self.sound_left = self._waiting.take()

    def _read_sound_to_the_end(self, packets: Iterator[Any]) -> None:
        """Sound may lie behind the pictures of its time, or in front."""
        if self._sound is None or self._end is None:
            return
        while self._heard_s is None or self._heard_s < self._end - self._start:
            packet: Any = next(packets, _NO_PACKET)
            if packet is _NO_PACKET:
                return
            if packet is not None and packet.stream.index == self._sound.index:
                self._take_sound(packet)

    def _wanted(self, packet: SoundPacket) -> bool:
        begins = packet.start_ticks * packet.time_base
        ends = begins + packet.duration_ticks * packet.time_base
        late = self._end is not None and begins >= self._end - self._start
        return not late and (self._start == 0 or ends > 0)

    def _decoded(self, packets: Iterator[Any]) -> Iterator[Any]:
        """Frames in the order in which they are shown; sound on the way is put aside."""
        self._seek()
        in_a_row = 0
        for packet in packets:
            if packet is not None and self._sound is not None and packet.stream.index == self._sound.index:
                self._take_sound(packet)
                continue
            try:
                frames = [] if packet is None else packet.decode()
            except self._av.error.FFmpegError:
                packet, frames = None, []
            if packet is None:
                self.damage.lost_packets, in_a_row = self.damage.lost_packets + 1, in_a_row + 1
                if in_a_row > _MOST_LOST_IN_A_ROW:
                    return
            for frame in frames:
                in_a_row = 0
                yield from self._deinterlacer.feed(frame)
        yield from self._deinterlacer.flush()

    def _packets(self) -> Iterator[Any]:
        """Packets; None for a place in the file that can't be read."""
        streams = [self._stream] if self._sound is None else [self._stream, self._sound]
        failures = 0
        while failures <= _MOST_LOST_IN_A_ROW:
            try:
                for packet in self._container.demux(streams):
                    failures = 0
                    yield packet
                return
            except (self._av.error.FFmpegError, UnicodeDecodeError):
                failures += 1
                yield None

    def _seek(self) -> None:
        if self._start == 0:
            return
        wanted = round((self._start + self._origin) / _MICROSECOND)
        with suppress(self._av.error.FFmpegError):  # a pipe: all up to there is decoded and dropped
            self._container.seek(max(0, wanted - _SEEK_MARGIN), backward=True)

    def _take_sound(self, packet: Any) -> None:
        if packet.pts is None or packet.size == 0:
            return
        base = Fraction(packet.time_base)
        offset = round((self._origin + self._start) / base)
        decode = packet.pts if packet.dts is None else packet.dts
        sound = SoundPacket(
            bytes(packet), packet.pts - offset, decode - offset, packet.duration or 0, base, packet.is_keyframe
        )
        self._heard_s = sound.start_ticks * base
        if self._wanted(sound):
            self._waiting.append(sound)

    def _begins_at(self) -> Fraction:
        """Where players let a file begin, which may be anywhere; what only primes a sound's codec lies before."""
        begins = Fraction(self._container.start_time or 0) * _MICROSECOND
        if begins < 0:
            begins = min(Fraction(0), (self._stream.start_time or 0) * self.format.time_base)
        return begins

    def _picture_stream(self) -> Any:
        """The film itself: the largest moving picture, and no cover of an album."""
        cover = self._av.stream.Disposition.attached_pic
        streams = [stream for stream in self._container.streams.video if not stream.disposition & cover]
        if not streams:
            raise VideoError(f"{self._name} shows no moving picture: expected a film")
        stream = max(streams, key=lambda each: each.width * each.height)
        if stream.codec_context is None:
            raise VideoError(f"{self._name} is compressed in a way that FFmpeg doesn't know")
        stream.thread_type, stream.thread_count = "AUTO", _DECODER_THREADS
        return stream

    def _sound_stream(self) -> Any:
        sounds = [stream for stream in self._container.streams.audio if stream.codec_context is not None]
        return sounds[0] if sounds else None

    def _format(self) -> FilmFormat:
        stream, sound = self._stream, self._sound
        rate = next((Fraction(rate) for rate in (stream.average_rate, stream.guessed_rate) if rate), _USUAL_RATE)
        aspect = stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio
        duration = self._container.duration
        heard = sound and SoundFormat(
            sound.codec_context.name,
            sound.codec_context.sample_rate,
            sound.codec_context.layout.name,
            sound.codec_context.extradata or b"",
            sound,
        )
        return FilmFormat(
            self._name,
            Fraction(stream.time_base),
            rate,
            Fraction(aspect) if aspect else Fraction(1),
            None if not duration or duration < 0 else float(duration * _MICROSECOND),
            heard,
            stream.codec_context.width * stream.codec_context.height or None,
        )


class _Times:
    """When frames are shown, in seconds of the file's own clock; each later than the one before."""

    def __init__(self, film: FilmFormat, damage: Damage) -> None:
        self._tick, self._period = film.time_base, 1 / film.rate_hz
        self._damage = damage
        self._last: Fraction | None = None
        self._offset = Fraction(0)

    def of(self, frame: Any) -> Fraction:
        """The time of the next frame."""
        if frame.pts is None:
            when = Fraction(0) if self._last is None else self._last + self._period
            self._damage.repaired_times += 1
        else:
            when = frame.pts * Fraction(frame.time_base or self._tick) + self._offset
        if self._last is not None and when <= self._last:
            self._damage.repaired_times += 1
            if self._last - when > _CLOCK_JUMP_S:  # a recording that was begun anew: the clock goes on from here
                self._offset += self._last + self._period - when
                when = self._last + self._period
            else:
                when = self._last + self._tick
        self._last = when
        return when


def _duration_ticks(frame: Any, time_base: Fraction) -> int:
    duration = getattr(frame, "duration", None) or 0
    return round(duration * Fraction(frame.time_base or time_base) / time_base)


def _opened(av: Any, source: FilmSource) -> Any:
    target: Any = source
    if isinstance(source, str | Path) and not is_url(source):
        with Path(source).open("rb"):  # the system's own words where it can't be
            pass
        target = f"file:{source}"  # FFmpeg takes what stands before a colon for the name of a protocol
    options = {"metadata_errors": "ignore"} if "metadata_errors" in (av.open.__doc__ or "") else {}
    return av.open(target, mode="r", **options)
