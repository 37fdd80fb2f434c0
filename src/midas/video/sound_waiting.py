"""Sound that waits until the pictures beside it are done; much of it waits on disk.

Most films keep sound and pictures of one time close together. Some have all sound behind the last picture, or in front
of the first: then all of it waits, which is tens of megabytes of a long film.
"""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from fractions import Fraction
from threading import Lock
from typing import IO

from midas.errors import OutputError
from midas.video.frame import Sound, SoundPacket

_MOST_PACKETS, _MOST_BYTES = 256, 1 << 20  # in memory: five seconds of AAC, or of ten channels of PCM, one
_HEAD = struct.Struct("<5qI?")  # start, decode and duration in ticks, the time base, bytes of the data, whether a key


class SoundWaiting(AbstractContextManager["SoundWaiting"]):
    """Packets in the order in which they came: the last few in memory, those before in a file without a name.

    One thread appends and takes; what was taken may be iterated in any thread, again and again, until this is closed.
    """

    def __init__(self) -> None:
        self._recent: list[SoundPacket] = []
        self._bytes = 0
        self._disk: _Disk | None = None
        self._taken = 0

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the room back."""
        if self._disk is not None:
            self._disk.close()

    def append(self, packet: SoundPacket) -> None:
        """Put a packet behind the others.

        Raises:
            OutputError: the disk is full.
        """
        self._recent.append(packet)
        self._bytes += len(packet.data)
        if len(self._recent) > _MOST_PACKETS or self._bytes > _MOST_BYTES:
            try:
                self._disk = self._disk or _Disk()
                self._disk.append(self._recent)
            except OSError as error:
                raise OutputError(f"sound can't wait on disk: {error.strerror or error}; make room there") from error
            self._forget()

    def take(self) -> Sound:
        """What has come since this was last asked for."""
        recent = tuple(self._recent)
        self._forget()
        if self._disk is None or self._disk.end == self._taken:
            return recent
        begin, self._taken = self._taken, self._disk.end
        return _Taken(self._disk, begin, self._taken, recent)

    def _forget(self) -> None:
        self._recent.clear()
        self._bytes = 0


class _Disk:
    """Packets in a file that no end of the process leaves behind, read by places while it grows."""

    def __init__(self) -> None:
        self.end = 0
        self._lock = Lock()
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115

    def append(self, packets: list[SoundPacket]) -> None:
        data = b"".join(_head(packet) + packet.data for packet in packets)
        with self._lock:
            self._file.seek(self.end)
            self._file.write(data)
            self._file.flush()
        self.end += len(data)

    def at(self, place: int) -> tuple[SoundPacket, int]:
        """The packet that lies there, and the place of the next."""
        with self._lock:
            self._file.seek(place)
            start, decode, duration, numerator, denominator, size, is_key = _HEAD.unpack(self._file.read(_HEAD.size))
            data = self._file.read(size)
        packet = SoundPacket(data, start, decode, duration, Fraction(numerator, denominator), is_key)
        return packet, place + _HEAD.size + size

    def close(self) -> None:
        with suppress(OSError):  # of a full disk, which `append` has reported
            self._file.close()


class _Taken:
    """Packets that lie on disk, and some more behind them."""

    def __init__(self, disk: _Disk, begin: int, end: int, rest: tuple[SoundPacket, ...]) -> None:
        self._disk, self._begin, self._end, self._rest = disk, begin, end, rest

    def __iter__(self) -> Iterator[SoundPacket]:
        place = self._begin
        while place < self._end:
            packet, place = self._disk.at(place)
            yield packet
        yield from self._rest


def _head(packet: SoundPacket) -> bytes:
    base = packet.time_base
    ticks = packet.start_ticks, packet.decode_ticks, packet.duration_ticks
    return _HEAD.pack(*ticks, base.numerator, base.denominator, len(packet.data), packet.is_key)
