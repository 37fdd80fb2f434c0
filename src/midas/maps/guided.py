"""A network's map, enlarged along the edges that the picture shows.

A network's map is a quarter of a picture's size or less, and blurred at that: enlarged by interpolation, an outline is
a ramp several pixels wide, which a point cloud shows as a veil. Colour guided filtering puts the ramp where the colours
change (He, Sun and Tang, "Guided Image Filtering", 2010, equations 19 to 21), with coefficients of the map's size that
are enlarged in its place (He and Sun, "Fast Guided Filter", 2015). Around it stand three rules of this project:

* Where the map is smooth it stays as cubic interpolation makes it, whatever the picture shows, so that what is printed
  on a floor doesn't become its relief.
* Where the colours say nothing of the ramp, the map's own values take the place of the filter's mean.
* No value leaves the range of its surroundings, and within it what is nearer to the one end goes on towards that end:
  the ramp becomes steeper.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from midas.arrays import Array, Bool, Float32, Shaped, UInt8

MOST_ZOOM = 4
"""How many times as large as the map the enlargement along edges goes, on each side; beyond, it is linear."""

# Of the map: the square in which colours explain depth, and half the width of the widest ramp.
_RADIUS_PX = 2
_RAMP_PX = 3
# Squared levels of 255: what is less is grain of the picture.
_GRAIN = 50.0
# Shares of the map's own range: how far from the mean around it a value of an edge is, and how high the edge is. Up to
# the first nothing is changed, from the second on the filter counts fully.
_BEND = (0.003, 0.015)
_HEIGHT = (0.03, 0.15)
# From this share of the ramp's variance on, the colours' word is taken for all of it.
_EXPLAINED = 0.2
# At its middle a ramp becomes one and a half times as steep, and as much again by the smooth step from end to end.
_STEEPNESS = 1.5
# In pixels: from a tenth more on each side on.
_LEAST_GROWTH = 1.21
# Single precision has no room for shares of ranges that are smaller or larger.
_LEAST_RANGE, _LARGEST_RANGE = 1e-30, 1e37
# How far away in the map what decides on a pixel may lie, and how many of its pixels are looked at together: more than
# a network gives in one piece, and little memory for a map that was made of tiles.
_REACH_PX = 2 * _RADIUS_PX + 1
_PIXELS_AT_ONCE = 1 << 16
# Few enough rows for all that is done to them to stay near the processor.
_ROWS = 32

_RING = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * _RAMP_PX + 1, 2 * _RAMP_PX + 1))
_SQUARE = np.ones((2 * _RADIUS_PX + 1, 2 * _RADIUS_PX + 1), np.uint8)


def guide_of(picture: UInt8[Array, "H W 3"], map_size: tuple[int, int]) -> UInt8[Array, "H1 W1 3"]:
    """As much of a picture as guides the enlargement of a map of (height, width) pixels: a smaller copy, or itself."""
    size = _working_size((picture.shape[0], picture.shape[1]), map_size)
    return picture if size == picture.shape[:2] else _shrunk(picture, size)


def gains(map_size: tuple[int, int], size: tuple[int, int]) -> bool:
    """Whether a map grows enough on its way to (height, width) for the picture to have finer edges to offer."""
    grows = size[0] >= map_size[0] and size[1] >= map_size[1]
    return grows and size[0] * size[1] >= _LEAST_GROWTH * map_size[0] * map_size[1]


def enlarge_guided(
    values: Float32[Array, "h w"], guide: UInt8[Array, "H1 W1 3"], size: tuple[int, int]
) -> Float32[Array, "H W"]:
    """A map at the picture's size, with its edges where the picture has them.

    Twice the values give twice the result, and a constant added to them is added to it. A map that doesn't grow by
    a tenth is resized by cubic interpolation.

    Args:
        values: one value per pixel, any unit.
        guide: the picture, RGB, or a smaller copy of it.
        size: (height, width) wanted.
    """
    map_size = (values.shape[0], values.shape[1])
    inner = _working_size((min(guide.shape[0], size[0]), min(guide.shape[1], size[1])), map_size)
    unit = _Unit.of(values)
    if not (gains(map_size, inner) and _LEAST_RANGE < unit.range < _LARGEST_RANGE):
        return _resized(values, size, cv2.INTER_CUBIC)
    if guide.shape[:2] != inner:
        guide = _shrunk(guide, inner)
    # Grain, grass and the marks of compression would fray the ramps. A median takes them out and leaves edges sharp.
    guide = np.asarray(cv2.medianBlur(np.ascontiguousarray(guide), 3))
    colours = _shrunk(guide, map_size)
    found = _resized(values, inner, cv2.INTER_CUBIC)
    places = [_Places.between(side, map_side) for side, map_side in zip(inner, map_size, strict=True)]
    rows = max(_REACH_PX, _PIXELS_AT_ONCE // map_size[1])
    for first in range(0, map_size[0], rows):
        # Some of the picture lies between the last of these rows and the next one.
        top, bottom = max(first - _REACH_PX, 0), min(first + rows + 1 + _REACH_PX, map_size[0])
        ramps = _ramps(unit.shares(values[top:bottom]), colours[top:bottom], unit.spread).scaled(unit)
        here = slice(*np.searchsorted(places[0].before, (first, first + rows)))
        lines = places[0].at(here)
        lines = lines._replace(before=lines.before - top, after=lines.after - top)
        _redraw(found[here], guide[here], lines, places[1], ramps)
    # Edges are sharp by now, and cubic interpolation would run past them.
    return found if inner == size else _resized(found, size, cv2.INTER_LINEAR)


class _Unit(NamedTuple):
    """What the values of a map are counted in.

    Attributes:
        lowest, range: of all values.
        spread: from the 5th to the 95th of a hundred, in shares of the range.
    """

    lowest: float
    range: float
    spread: float

    @classmethod
    def of(cls, values: Float32[Array, "h w"]) -> _Unit:
        lowest, highest = float(values.min()), float(values.max())
        low, high = (float(value) for value in np.percentile(values[::2, ::2], (5, 95)))
        range_ = highest - lowest
        # Of a map that is flat but for something small, the small thing is the range.
        return cls(lowest, range_, max((high - low) / range_, 0.1) if range_ > _LEAST_RANGE else 1.0)

    def shares(self, values: Float32[Array, "h w"]) -> Float32[Array, "h w"]:
        found: Float32[Array, "h w"] = (values - np.float32(self.lowest)) * np.float32(1 / self.range)
        return found


class _Places(NamedTuple):
    """Between which rows, or columns, of the map those of the picture lie.

    Attributes:
        before: of each row of the picture, the row of the map before it.
        after: the one after it.
        share: how far between them.
    """

    before: Shaped[Array, " places"]
    after: Shaped[Array, " places"]
    share: Float32[Array, " places"]

    @classmethod
    def between(cls, side: int, map_side: int) -> _Places:
        place = np.clip((np.arange(side) + 0.5) * (map_side / side) - 0.5, 0, map_side - 1)
        before = place.astype(np.int64)
        return cls(before, np.minimum(before + 1, map_side - 1), (place - before).astype(np.float32))

    def at(self, chosen: slice | Shaped[Array, " chosen"]) -> _Places:
        """Some of them."""
        return _Places(self.before[chosen], self.after[chosen], self.share[chosen])


class _Ramps(NamedTuple):
    """What becomes of a map, at its own size: where a pixel of some colour lies on the ramp that it is part of.

    Attributes:
        red, green, blue, offset: the place on the ramp, 0 at its foot and 1 at its top, as a function of the colour.
        foot, height: of the ramp, in shares of the map's range.
        weight: from 0, where there is none, to 1.
    """

    red: Float32[Array, "h w"]
    green: Float32[Array, "h w"]
    blue: Float32[Array, "h w"]
    offset: Float32[Array, "h w"]
    foot: Float32[Array, "h w"]
    height: Float32[Array, "h w"]
    weight: Float32[Array, "h w"]

    def scaled(self, unit: _Unit) -> _Ramps:
        """Foot and height in the map's own values."""
        range_ = np.float32(unit.range)
        return self._replace(foot=self.foot * range_ + np.float32(unit.lowest), height=self.height * range_)


def _ramps(unit: Float32[Array, "h w"], colours: UInt8[Array, "h w 3"], spread: float) -> _Ramps:
    mean = _mean(unit)
    red, green, blue, offset = _explained(unit, mean, colours)
    foot = cv2.blur(cv2.erode(unit, _RING), (3, 3))
    height = cv2.blur(cv2.dilate(unit, _RING), (3, 3)) - foot
    bend = cv2.blur(cv2.dilate(np.abs(unit - _continued_mean(unit)), _SQUARE), (3, 3))
    weight = _step(bend, _BEND, spread)
    weight = weight * weight * (3 - 2 * weight) * _step(height, _HEIGHT, spread)
    height = np.maximum(height, np.float32(1e-3))
    gain = np.float32(_STEEPNESS) / height
    place = (offset - foot) * gain + np.float32(0.5 - _STEEPNESS / 2)
    return _Ramps(red * gain, green * gain, blue * gain, place, foot, height, weight)


def _explained(
    unit: Float32[Array, "h w"], mean: Float32[Array, "h w"], colours: UInt8[Array, "h w 3"]
) -> tuple[Float32[Array, "h w"], Float32[Array, "h w"], Float32[Array, "h w"], Float32[Array, "h w"]]:
    """The map as a linear function of colour, around each pixel: He, Sun and Tang's ā and b̄ (equations 19 to 21)."""
    channels = cv2.split(colours.astype(np.float32))
    means = [_mean(channel) for channel in channels]
    (red, green, blue), (mean_r, mean_g, mean_b) = channels, means
    with_r, with_g, with_b = (_mean(channel * unit) - of * mean for channel, of in zip(channels, means, strict=True))
    grain = np.float32(_GRAIN)
    rr, gg, bb = (_mean(channel * channel) - of * of + grain for channel, of in zip(channels, means, strict=True))
    rg, rb, gb = (
        _mean(red * green) - mean_r * mean_g,
        _mean(red * blue) - mean_r * mean_b,
        _mean(green * blue) - mean_g * mean_b,
    )
    # The inverse of the symmetric matrix, by its cofactors: a solver takes ten times as long for so many small ones.
    c_rr, c_rg, c_rb = gg * bb - gb * gb, rb * gb - rg * bb, rg * gb - rb * gg
    c_gg, c_gb, c_bb = rr * bb - rb * rb, rg * rb - rr * gb, rr * gg - rg * rg
    inverse = 1 / (rr * c_rr + rg * c_rg + rb * c_rb)
    a_r = (c_rr * with_r + c_rg * with_g + c_rb * with_b) * inverse
    a_g = (c_rg * with_r + c_gg * with_g + c_gb * with_b) * inverse
    a_b = (c_rb * with_r + c_gb * with_g + c_bb * with_b) * inverse
    b = mean - (a_r * mean_r + a_g * mean_g + a_b * mean_b)
    told = _mean(a_r * with_r + a_g * with_g + a_b * with_b)
    variance = np.maximum(_mean(_mean(unit * unit) - mean * mean), 0)
    share = np.clip(told / (variance + np.float32(1e-9)) * np.float32(1 / _EXPLAINED), 0, 1)
    a_r, a_g, a_b = _mean(a_r), _mean(a_g), _mean(a_b)
    # What the colours leave over of the map itself, so that without colours the map is what it was.
    own = unit - (a_r * red + a_g * green + a_b * blue)
    return a_r, a_g, a_b, own + share * (_mean(b) - own)


def _redraw(
    found: Float32[Array, "H W"], guide: UInt8[Array, "H W 3"], rows: _Places, columns: _Places, ramps: _Ramps
) -> None:
    """Put ramps into a part of a map that was enlarged without them, some rows at a time, in the columns that have any.

    Args:
        found: the part, at the picture's size.
        guide: the picture there.
        rows, columns: where they lie in the map, of which the ramps are.
        ramps: all that the part lies between.
    """
    planes = np.stack(ramps, axis=1)
    busy: Bool[Array, "h w"] = ramps.weight > 0
    for start in range(0, len(found), _ROWS):
        here = slice(start, start + _ROWS)
        lines = rows.at(here)
        top, end = lines.before[0], lines.after[-1] + 1
        inside = busy[top:end].max(axis=0)
        chosen = np.flatnonzero(inside[columns.before] | inside[columns.after])
        if chosen.size == 0:
            continue
        # Linear in two steps: along the rows, of which the map has fewer, then between them, as a product of matrices.
        left, right, share = columns.at(chosen)
        wide = planes[top:end].take(left, axis=2)
        wide += share * (planes[top:end].take(right, axis=2) - wide)
        each = np.arange(len(lines.before))
        weights = np.zeros((len(each), end - top), np.float32)
        weights[each, lines.before - top] = 1 - lines.share
        weights[each, lines.after - top] += lines.share
        between = (weights @ wide.reshape(end - top, -1)).reshape(len(each), len(ramps), len(chosen))
        part = found[here].take(chosen, axis=1)
        _put(part, guide[here].take(chosen, axis=1), _Ramps(*between.swapaxes(0, 1)))
        found[here, chosen] = part


def _put(found: Float32[Array, "h w"], guide: UInt8[Array, "h w 3"], ramps: _Ramps) -> None:
    """Put ramps of the same size into a part of the map; works in their memory."""
    x = ramps.offset
    for channel, colour in enumerate((ramps.red, ramps.green, ramps.blue)):
        np.multiply(colour, guide[..., channel], out=colour)
        x += colour
    np.clip(x, 0, 1, out=x)
    # The smooth step x²(3 − 2x), then from shares of the ramp to values.
    step = np.multiply(x, -2, out=ramps.red)
    step += 3
    x *= x
    x *= step
    x *= ramps.height
    x += ramps.foot
    x -= found
    x *= ramps.weight
    found += x


def _step(values: Float32[Array, "h w"], ends: tuple[float, float], unit: float) -> Float32[Array, "h w"]:
    low, high = (end * unit for end in ends)
    found: Float32[Array, "h w"] = np.clip((values - np.float32(low)) * np.float32(1 / (high - low)), 0, 1)
    return found


def _mean(values: Float32[Array, "h w"]) -> Float32[Array, "h w"]:
    side = 2 * _RADIUS_PX + 1
    return np.asarray(cv2.blur(values, (side, side)))


def _continued_mean(values: Float32[Array, "h w"]) -> Float32[Array, "h w"]:
    """The same, but a slope goes on beyond the border, so that there too its mean is the value in the middle."""
    inner = np.s_[_RADIUS_PX:-_RADIUS_PX, _RADIUS_PX:-_RADIUS_PX]
    return _mean(np.pad(values, _RADIUS_PX, mode="reflect", reflect_type="odd"))[inner]


def _working_size(picture: tuple[int, int], map_size: tuple[int, int]) -> tuple[int, int]:
    return min(picture[0], MOST_ZOOM * map_size[0]), min(picture[1], MOST_ZOOM * map_size[1])


def _shrunk(picture: UInt8[Array, "H W 3"], size: tuple[int, int]) -> UInt8[Array, "h w 3"]:
    """A smaller picture: means of odd width, and linear between two, in a quarter of the time of a mean by area."""
    sides = [2 * round((side / small - 1) / 2) + 1 for side, small in zip(picture.shape, size, strict=False)]
    mean = cv2.blur(picture, (sides[1], sides[0]))
    return np.asarray(cv2.resize(mean, size[::-1], interpolation=cv2.INTER_LINEAR))


def _resized(values: Float32[Array, "h w"], size: tuple[int, int], flag: int) -> Float32[Array, "H W"]:
    return np.asarray(cv2.resize(np.ascontiguousarray(values), size[::-1], interpolation=flag))
