"""Films that lie about as single pictures, and how any film is opened."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from fractions import Fraction
from pathlib import Path

from midas.errors import ConfigError, ImageError, VideoError
from midas.pictures.files import find_pictures
from midas.pictures.reading import read_image
from midas.video.frame import FilmFormat, Frame, Sound
from midas.video.reading import Damage, Film, FilmSource, exact_seconds, is_url

_NUMBER = re.compile(r"%0?\d*d")
_MOST_RATE_HZ = 1000


class PictureFilm(AbstractContextManager["PictureFilm"]):
    """Pictures as frames, in the order of the numbers in their names.

    Args:
        source: their folder, or a pattern: ``shot_%04d.png``, ``shot_*.png``.
        rate_hz: frames per second.
        start_s, end_s: as for a ``Film``.

    Attributes:
        format, damage, sound_left: as of a ``Film``.

    Raises:
        VideoError: there are none.
        ConfigError: a rate out of range.
    """

    def __init__(self, source: Path, rate_hz: float, start_s: float = 0.0, end_s: float | None = None) -> None:
        if not 0 < rate_hz <= _MOST_RATE_HZ:
            raise ConfigError(f"the rate is {rate_hz}; expected frames per second, up to {_MOST_RATE_HZ}")
        self._pictures = sorted(_found(source), key=_number_first)
        if not self._pictures:
            raise VideoError(f"{source} holds no pictures: expected frames as PNG, JPEG, TIFF …")
        rate = Fraction(rate_hz).limit_denominator(1001)
        self._start, self._end = exact_seconds(start_s), None if end_s is None else exact_seconds(end_s)
        duration_s = float(len(self._pictures) / rate)
        self.format = FilmFormat(str(source), 1 / rate, rate, Fraction(1), duration_s, None)
        self.damage = Damage()
        self.sound_left: Sound = ()

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Nothing is held open."""

    def __iter__(self) -> Iterator[Frame]:
        first = None
        for number, path in enumerate(self._pictures):
            when = number * self.format.time_base
            if when < self._start:
                continue
            if self._end is not None and when >= self._end:
                return
            first = number if first is None else first
            try:
                picture = read_image(path)
            except ImageError:
                self.damage.lost_packets += 1
                continue
            self.damage.last_time_s = float(when)
            yield Frame(picture, float(when), number - first, 1)


OpenFilm = Film | PictureFilm


def open_film(source: FilmSource, start_s: float, end_s: float | None, rate_hz: float) -> OpenFilm:
    """Open whatever a film is.

    Args:
        source: a film, or a folder or pattern of numbered pictures.
        start_s, end_s: which part of it.
        rate_hz: frames per second of pictures, which don't say it.

    Raises:
        VideoError: it can't be opened.
        ConfigError: a part that ends before it begins, or a rate out of range.
    """
    if start_s < 0 or (end_s is not None and end_s <= start_s):
        raise ConfigError(f"from {start_s:g} s to {end_s} s there is nothing: expected an end after the start")
    if isinstance(source, str | Path) and not is_url(source):
        path = Path(source)
        is_pattern = "*" in path.name or _NUMBER.search(path.name) is not None
        with suppress(OSError):  # what is wrong with a file, its opening says
            if path.is_dir() or (is_pattern and not path.exists()):
                return PictureFilm(path, rate_hz, start_s, end_s)
    return Film(source, start_s, end_s)


def _found(source: Path) -> list[Path]:
    if source.is_dir():
        return [picture.path for picture in find_pictures([str(source)], source / "depth").pictures]
    return list(source.parent.glob(_NUMBER.sub("*", source.name)))


def _number_first(path: Path) -> tuple[list[tuple[int, str]], str]:
    """Names with numbers in the order of the numbers: 9 before 10."""
    parts = re.split(r"(\d+)", path.name)
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts], path.name
