"""Where a film's maps go: films for the eye, exact values, single files. Each sink takes one frame after the other."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import IO, Protocol, runtime_checkable

import numpy as np

from midas.arrays import Array, Float32, UInt8
from midas.maps.colormaps import apply_colormap
from midas.maps.kinds import Kind, nearness
from midas.video.frame import FilmFormat, Frame, Sound
from midas.video.mapping import MappedFrame
from midas.video.window import DisplayWindow
from midas.video.writing import DEFAULT_CRF, FilmWriter

Painter = Callable[[UInt8[Array, "H W 3"], Float32[Array, "H W"], bool], UInt8[Array, "H2 W2 3"]]
"""What a film for the eye shows: of a picture, of its nearness from 0 to 1, and of whether it begins a shot. All
pictures that it makes of one film have one size."""


def map_painter(colormap: str, *, with_picture: bool = False) -> Painter:
    """Colours of the map, with or without the picture to their left.

    Args:
        colormap: one of ``midas.maps.colormaps.COLORMAPS``.
        with_picture: whether it stands there.
    """

    def paint(
        picture: UInt8[Array, "H W 3"], near: Float32[Array, "H W"], begins_shot: bool
    ) -> UInt8[Array, "H2 W2 3"]:
        colours = apply_colormap(near, colormap)
        return np.concatenate([picture, colours], axis=1) if with_picture else colours

    return paint


@dataclass(frozen=True, eq=False)
class FullFrame:
    """A frame with its map at its own size.

    Attributes:
        mapped: the frame, and its map at the network's size.
        values: the map at the frame's size.
    """

    mapped: MappedFrame
    values: Float32[Array, "H W"]

    @property
    def frame(self) -> Frame:
        """The frame."""
        return self.mapped.frame


@runtime_checkable
class Sink(Protocol):
    """What takes a film's maps.

    Attributes:
        notes: what the user should know, a sentence each.
    """

    notes: tuple[str, ...]

    def write(self, full: FullFrame) -> None:
        """Take the next frame."""
        ...

    def finish(self, sound: Sound) -> None:
        """All frames were there; what is left of the sound."""
        ...


class EyeSink(AbstractContextManager["EyeSink"]):
    """A film of what is painted of each frame and its map.

    Args:
        file: open for binary writing.
        suffix: says which kind of file.
        film: what it is made of.
        kind: what the values are.
        paint: makes the pictures.
        crf: quality.
        steady: whether the window moves slowly; otherwise each frame has its own.
    """

    def __init__(
        self,
        file: IO[bytes],
        suffix: str,
        film: FilmFormat,
        kind: Kind,
        paint: Painter,
        *,
        crf: int = DEFAULT_CRF,
        steady: bool = True,
    ) -> None:
        self._writer = FilmWriter(file, suffix, film, crf=crf)
        self._kind, self._paint, self._steady = kind, paint, steady
        self._window = DisplayWindow()
        self.notes: tuple[str, ...] = (self._writer.sound_note,) if self._writer.sound_note else ()

    def write(self, full: FullFrame) -> None:
        """Take the next frame."""
        near = nearness(full.values, self._kind)
        begins = full.mapped.is_cut or not self._steady
        window = self._window.update(near, is_cut=begins)
        frame = full.frame
        picture = self._paint(frame.picture, window.unit(near), begins)
        self._writer.sound(frame.sound)
        self._writer.write(picture, frame.ticks, frame.duration_ticks)

    def finish(self, sound: Sound) -> None:
        """Append what is left of the sound."""
        self._writer.sound(sound)
        self.notes += (self._writer.padding_note,) if self._writer.padding_note else ()

    def __exit__(self, kind: type[BaseException] | None, *details: object) -> None:
        self._writer.__exit__(kind, *details)
