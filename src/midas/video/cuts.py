"""Where a film cuts from one shot to the next: a sudden change of the picture that lasts, which a flash doesn't."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import chain, pairwise, repeat

import cv2
import numpy as np

from midas.arrays import Array, UInt8
from midas.video.frame import Frame

_THUMBNAIL_PX = (64, 36)
_LEAST_CHANGE = 8.0  # of 255, mean over the picture and the three channels of CIE Lab
_SUDDEN = 3.0  # times the change between the neighbours
_BACK = 0.45  # of the change: so near to what was before, and it was a flash
_FLASH_S = 0.13
_LEAST_SHOT_S = 0.25
_NEIGHBOURS = 2


def thumbnail(picture: UInt8[Array, "H W 3"]) -> UInt8[Array, "36 64 3"]:
    """A small version of a picture, in CIE Lab, in which frames are compared."""
    small = cv2.resize(picture, _THUMBNAIL_PX, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2LAB), np.uint8)


def change(one: UInt8[Array, "36 64 3"], other: UInt8[Array, "36 64 3"]) -> float:
    """Mean absolute difference of two thumbnails, from 0 to 255."""
    return float(cv2.absdiff(one, other).mean())


class SuddenChanges:
    """What can be told of cuts without a look at the frames to come.

    Attributes:
        last: the thumbnail of the last frame; None before the first.
    """

    def __init__(self) -> None:
        self.last: Array | None = None
        self._recent: deque[float] = deque(maxlen=2 * _NEIGHBOURS)

    def by(self, thumb: UInt8[Array, "36 64 3"]) -> float:
        """How much the next frame changes the picture, if that is sudden; else 0."""
        changed = 0.0 if self.last is None else change(self.last, thumb)
        usual = max(self._recent, default=0.0)
        self.last = thumb
        if changed >= _LEAST_CHANGE and changed >= _SUDDEN * usual:
            return changed
        self._recent.append(changed)
        return 0.0


def with_cuts(frames: Iterable[Frame], rate_hz: Fraction) -> Iterator[tuple[Frame, bool]]:
    """Each frame, and whether a new shot begins with it; the first one begins one.

    A few frames are looked ahead, an eighth of a second: what returns to the picture before is a flash.

    Args:
        frames: of a film.
        rate_hz: frames per second, about.
    """
    ahead = min(max(math.ceil(_FLASH_S * rate_hz), _NEIGHBOURS), 8)
    past: deque[Array] = deque(maxlen=ahead + 1)
    coming: deque[tuple[Frame, Array]] = deque()
    last_cut_s: float | None = None
    for frame in chain(frames, repeat(None, ahead)):
        if frame is not None:
            coming.append((frame, thumbnail(frame.picture)))
            if len(coming) <= ahead:
                continue
        if not coming:
            return
        current, thumb = coming.popleft()
        is_cut = last_cut_s is None or (
            current.time_s - last_cut_s >= _LEAST_SHOT_S and _is_cut([*past], thumb, [later for _, later in coming])
        )
        if is_cut:
            last_cut_s = current.time_s
        past.append(thumb)
        yield current, is_cut


def _is_cut(past: list[Array], here: Array, coming: list[Array]) -> bool:
    before = past[-1]
    changed = change(before, here)
    if changed < _LEAST_CHANGE:
        return False
    neighbours = [pairwise(past[-1 - _NEIGHBOURS :]), pairwise([here, *coming[:_NEIGHBOURS]])]
    around = [change(one, other) for pairs in neighbours for one, other in pairs]
    if around and changed < _SUDDEN * float(np.mean(around)):
        return False
    returns = any(change(before, later) < _BACK * changed for later in coming)
    returned = any(change(earlier, here) < _BACK * changed for earlier in past[:-1])
    return not (returns or returned)
