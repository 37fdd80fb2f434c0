"""Sound that lies far from its pictures waits on disk, and comes back as it was."""

from __future__ import annotations

import tempfile
import tracemalloc
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from midas.errors import OutputError
from midas.video.frame import SoundPacket
from midas.video.sound_waiting import SoundWaiting

BASE = Fraction(1, 48000)


def packet(number: int) -> SoundPacket:
    data = bytes([number % 251]) * (200 + number % 100)
    return SoundPacket(data, 1024 * number - 2048, 1024 * number - 2048, 1024, BASE, number % 3 == 0)


def told(sound: Any) -> list[tuple[Any, ...]]:
    return [tuple(vars(each).values()) for each in sound]


def test_what_is_taken_is_what_came_and_may_be_asked_for_again() -> None:
    with SoundWaiting() as waiting:
        begin = 0
        for end in (0, 3, 1000, 1001, 1700, 1703):
            for number in range(begin, end):
                waiting.append(packet(number))
            taken = waiting.take()
            assert told(taken) == told(taken) == told(map(packet, range(begin, end)))
            begin = end


def test_what_was_taken_can_be_read_while_more_comes() -> None:
    with SoundWaiting() as waiting:
        for number in range(1000):
            waiting.append(packet(number))
        first = iter(waiting.take())
        found = [next(first) for _ in range(10)]
        for number in range(1000, 2000):
            waiting.append(packet(number))
        assert told([*found, *first]) == told(map(packet, range(1000)))
        assert told(waiting.take()) == told(map(packet, range(1000, 2000)))


def test_a_quarter_of_an_hour_of_sound_takes_no_more_memory_than_seconds_of_it() -> None:
    tracemalloc.start()
    try:
        with SoundWaiting() as waiting:
            for number in range(40_000):
                waiting.append(packet(number))
            assert sum(len(each.data) for each in waiting.take()) > 9_000_000
            _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000


def test_where_there_is_no_room_that_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with SoundWaiting() as waiting:
        for number in range(256):
            waiting.append(packet(number))
        with pytest.raises(OutputError, match="sound can't wait on disk"):
            waiting.append(packet(256))
