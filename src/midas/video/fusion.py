"""What a map takes over from the frames before it: their smooth part, along the flow, and never their edges.

A network's flicker is smooth: whole regions rise and sink. A mean of pixels would remove it too, but also blur the map
a little more with every frame, and tear it where trust in the flow ends. So the difference to the frames before is
fitted, around each pixel, by a line in the map's own values, as the guided filter does (He et al., "Guided Image
Filtering", 2010), with the trust as weight; what is added to the map has edges only where the map has. Edges of either
map have no say in the fit: there a pixel's error of the flow makes a difference as large as the edge, always of one
sign along it, and what moves would pass on a little of its value to what it passes by.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

from midas.arrays import Array, Float32

_FINE, _COARSE = 2, 8  # pixels of the map per pixel of the two levels
_RADIUS = 4  # of a window, in pixels of its level
_SMOOTHNESS = 0.25  # of the map's spread: smaller differences of values are no edge
_ENOUGH_TRUST = 0.15
_ENOUGH_AROUND = 0.1
_AROUND = 37  # as far as a window of the coarse level reaches, in pixels of the fine one
_EDGE = 0.15  # of the map's spread, per pixel of the fine level
_REST = 0.1  # of the map's spread: beyond, what is left of the difference is taken for news
_TINY = 1e-6


def fused(
    aligned: Float32[Array, "h w"],
    earlier: Float32[Array, "h w"],
    trust: Float32[Array, "h w"],
    fusion: float,
    news: float = math.inf,
) -> Float32[Array, "h w"]:
    """A map with the smooth part of what the frames before say.

    Args:
        aligned: the frame's own map.
        earlier: the result of the frame before, moved along the flow.
        trust: from 0 to 1, how far that shows the same thing.
        fusion: from 0 to 1: which share of the difference is taken over.
        news: from how many times the map's spread on a difference is taken for news rather than for flicker.
    """
    spread = max(float(aligned.std()), _TINY)
    difference = earlier - aligned
    if math.isfinite(news):
        square = cv2.multiply(difference, difference, scale=1 / (news * spread) ** 2)
        trust = trust * cv2.exp(cv2.multiply(square, square, scale=-1))
    height, width = aligned.shape
    fine = max(1, width // _FINE), max(1, height // _FINE)

    def shrunk(each: Array) -> Array:
        return np.asarray(cv2.resize(each, fine, interpolation=cv2.INTER_AREA), np.float32)

    even = _evenness(shrunk(aligned), shrunk(earlier), spread)
    moments = [even * shrunk(each) for each in _moments(aligned, difference, trust)]
    slope, level = (
        cv2.resize(each, (width, height), interpolation=cv2.INTER_LINEAR) for each in _lines(moments, spread)
    )
    smooth = slope * aligned + level
    rest = difference - smooth
    unlikely = cv2.multiply(rest, rest, scale=-1 / (_REST * spread) ** 2)
    believed_rest = cv2.blur(trust * cv2.exp(unlikely), (5, 5))
    result: Array = aligned + np.float32(fusion) * (smooth + believed_rest * rest)
    return result


def _evenness(one: Array, other: Array, spread: float) -> Array:
    """From 0 to 1, how far a pixel lies on no edge of either map."""
    steepest = np.maximum(_steepness(one), _steepness(other)) / np.float32(_EDGE * spread)
    return np.asarray(1 / (1 + np.square(steepest)), np.float32)


def _steepness(values: Array) -> Array:
    across, down = (cv2.Sobel(values, cv2.CV_32F, *axis, scale=1 / 8) for axis in ((1, 0), (0, 1)))
    return np.asarray(cv2.magnitude(across, down), np.float32)


def _moments(values: Array, difference: Array, trust: Array) -> tuple[Array, ...]:
    weighted = trust * values
    return trust, weighted, trust * difference, weighted * values, weighted * difference


def _lines(moments: Sequence[Array], spread: float) -> tuple[Array, Array]:
    """Slope and level around each pixel, of the fine level where it is known, else of the coarse one."""
    height, width = moments[0].shape
    step = _COARSE // _FINE
    small = [
        cv2.resize(each, (max(1, width // step), max(1, height // step)), interpolation=cv2.INTER_AREA)
        for each in moments
    ]
    slope, level, believed = _line(moments, spread)
    wide_slope, wide_level, around = (
        cv2.resize(each, (width, height), interpolation=cv2.INTER_LINEAR) for each in _line(small, spread)
    )
    # A few pixels that flow took for the same, far from all others, would say their line to a whole window: a block.
    around = cv2.blur(around, (_AROUND, _AROUND))
    known = around / (around + np.float32(_ENOUGH_AROUND))
    wide_slope, wide_level = wide_slope * known, wide_level * known
    # Where the flow is lost, the surroundings know better than nobody.
    share = believed / (believed + np.float32(_ENOUGH_TRUST))
    return wide_slope + share * (slope - wide_slope), wide_level + share * (level - wide_level)


def _line(moments: Sequence[Array], spread: float) -> tuple[Array, Array, Array]:
    """For each pixel slope and level of the line that gives the difference from the value, and the trust around it."""
    window = (2 * _RADIUS + 1,) * 2
    weight, *sums = (cv2.blur(each, window) for each in moments)
    mean, other, square, product = (each / (weight + np.float32(_TINY)) for each in sums)
    slope = (product - mean * other) / (np.maximum(square - mean * mean, 0) + np.float32((_SMOOTHNESS * spread) ** 2))
    around = cv2.blur(weight, window) + np.float32(_TINY)
    smooth_slope, smooth_level = (cv2.blur(each * weight, window) / around for each in (slope, other - slope * mean))
    return smooth_slope, smooth_level, np.asarray(weight, np.float32)
