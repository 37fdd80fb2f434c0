"""Effects on films: what is to stay the same from frame to frame does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from midas.arrays import Array, Float32, UInt8
from midas.effects.bokeh import nearness_at
from midas.effects.table import EffectOptions, frame_effect

FILM_EFFECTS = ("stereo", "anaglyph", "bokeh", "rgbd")
"""The effects that are steady on films whose maps are."""

# Share per frame in which the focus follows what is at its point: a second to refocus, as by hand.
_FOLLOWING = 0.08

FocusAt = Callable[[tuple[int, int]], tuple[int, int]]


def film_effect(
    name: str, options: EffectOptions | None = None, focus_at: FocusAt | None = None
) -> Callable[[UInt8[Array, "H W 3"], Float32[Array, "H W"], bool], UInt8[Array, "H2 W2 3"]]:
    """A function of a frame, of its nearness, and of whether it begins a shot: what ``FilmSettings.painters`` takes.

    It remembers the focus of a shot: films one after the other may share it, films at a time may not.

    Args:
        name: one of ``FILM_EFFECTS``.
        options: settings; None for the usual ones.
        focus_at: (height, width) of a frame → row and column whose nearness is focused on, slowly, in place of
            ``options.focus``; for bokeh.

    Raises:
        ConfigError: no such effect; in the function, a setting that is out of range or a point outside of the frame.
    """
    options = options or EffectOptions()
    still = frame_effect(name, options)
    if focus_at is None or name != "bokeh":
        return lambda picture, nearness, begins_shot: still(picture, nearness)
    return _Refocused(options, focus_at)


class _Refocused:
    """A shallow focus that stays on what is at one point."""

    def __init__(self, options: EffectOptions, focus_at: FocusAt) -> None:
        self._options, self._focus_at = options, focus_at
        self._focus: float | None = None

    def __call__(
        self, picture: UInt8[Array, "H W 3"], nearness: Float32[Array, "H W"], begins_shot: bool
    ) -> UInt8[Array, "H W 3"]:
        row, column = self._focus_at((nearness.shape[0], nearness.shape[1]))
        there = nearness_at(nearness, row, column)
        if self._focus is None or begins_shot:
            self._focus = there
        self._focus += _FOLLOWING * (there - self._focus)
        return frame_effect("bokeh", replace(self._options, focus=self._focus))(picture, nearness)
