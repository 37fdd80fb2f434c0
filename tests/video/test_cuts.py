"""Cuts are found where shots change, and nowhere else: neither by a flash nor in a dissolve."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import cv2
import numpy as np
import pytest

from midas.arrays import Array
from midas.video.cuts import with_cuts
from midas.video.frame import Frame

SHOT_S = 1.0
SHOTS = 23
FLASHES = (2.5, 6.5, 10.4, 14.5, 18.6)
DISSOLVES = (5, 12)


def shot(seed: int) -> Array:
    """A wide picture of a scene, through which the camera pans."""
    random = np.random.default_rng(seed)
    tint = random.integers(30, 200, 3)
    scene = random.integers(0, 90, (90, 400, 3)) + tint
    for _ in range(25):
        top, left = random.integers(0, 70), random.integers(0, 360)
        scene[top : top + 30, left : left + 50] = random.integers(0, 255, 3)
    return cv2.GaussianBlur(np.clip(scene, 0, 255).astype(np.uint8), (0, 0), 1)


def film(times: Array) -> Iterator[Frame]:
    shots = [shot(seed) for seed in range(SHOTS)]
    for number, time in enumerate(times):
        index = int(time / SHOT_S)
        within = time - index * SHOT_S
        left = int(40 * within)
        picture = shots[index][:, left : left + 160].astype(np.float32)
        if index + 1 in DISSOLVES and within > 0.5:
            share = (within - 0.5) / 0.5
            picture = (1 - share) * picture + share * shots[index + 1][:, :160]
        if any(flash <= time < flash + 0.06 for flash in FLASHES):
            picture = 0.15 * picture + 215
        yield Frame(picture.astype(np.uint8), float(time), number)


@pytest.mark.parametrize(
    "rate", [24, pytest.param(30, marks=pytest.mark.slow), pytest.param(60, marks=pytest.mark.slow), "uneven"]
)
def test_twenty_cuts_are_found_among_flashes_and_dissolves(rate: int | str) -> None:
    steps = (
        np.full(SHOTS * 60, 1 / rate) if rate != "uneven" else np.random.default_rng(0).choice([1 / 60, 1 / 24], 1500)
    )
    times = np.cumsum(steps) - steps[0]
    times = times[times < SHOTS * SHOT_S]
    rate_hz = Fraction(rate) if rate != "uneven" else Fraction(34)
    found = [frame.time_s for frame, is_cut in with_cuts(film(times), rate_hz) if is_cut]
    cuts = [index * SHOT_S for index in range(1, SHOTS) if index not in DISSOLVES]
    hits = [cut for cut in cuts if any(0 <= time - cut < 0.05 for time in found)]
    assert found[0] == 0
    assert len(cuts) == 20
    assert len(hits) >= 19
    assert len(found) - 1 - len(hits) <= 1


def test_every_frame_comes_out_once_and_in_order() -> None:
    for count in (0, 1, 2, 3, 9):
        frames = list(film(np.arange(count) / 24))
        assert [frame.ticks for frame, _ in with_cuts(frames, Fraction(24))] == list(range(count))
