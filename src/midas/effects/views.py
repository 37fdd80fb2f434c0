"""A picture seen from a little to the side: near things move more, and what they uncover is filled from behind them.

Each pixel is carried to where the other eye sees it, at twice the resolution. Pixels of a row are laid down in the
order in which nearer ones come last (McMillan, 1997: for a camera that moves sideways it is from one end of the row to
the other). Each pixel of the new view then knows its disparity and takes its colour from the picture; gaps take the
disparity of their farther side and the colours beside it, mirrored.
"""

from __future__ import annotations

import cv2
import numpy as np

from midas.arrays import Array, Bool, Float32, Shaped, UInt8

# Samples per pixel along a row, so that a surface that is stretched shows no cracks.
_FINER = 2
# Rows are done in strips, so that a large picture takes little more memory than itself.
_STRIP_PIXELS = 1 << 20
_FEATHER_PX = 3


def shifted_view(
    image: UInt8[Array, "H W 3"], nearness: Float32[Array, "H W"], nearest_px: float, farthest_px: float
) -> UInt8[Array, "H W 3"]:
    """The picture with each pixel moved to the right, by a distance that depends on its nearness.

    Args:
        image: RGB.
        nearness: 1 for the nearest to 0 for the farthest.
        nearest_px: how far what has nearness 1 moves to the right, in pixels; negative for to the left.
        farthest_px: how far what has nearness 0 does.
    """
    height, width = nearness.shape
    flipped = nearest_px < farthest_px
    if flipped:  # seen in a mirror, near things move to the right
        image, nearness, nearest_px, farthest_px = image[:, ::-1], nearness[:, ::-1], -nearest_px, -farthest_px
    view = np.empty(image.shape, np.uint8)
    rows = max(1, _STRIP_PIXELS // width)
    for top in range(0, height, rows):
        strip = slice(top, top + rows)
        view[strip] = _strip(np.ascontiguousarray(image[strip]), nearness[strip], nearest_px, farthest_px)
    return np.ascontiguousarray(view[:, ::-1]) if flipped else view


def _strip(
    image: UInt8[Array, "h W 3"], nearness: Float32[Array, "h W"], nearest_px: float, farthest_px: float
) -> UInt8[Array, "h W 3"]:
    move = np.float32(farthest_px) + nearness * np.float32(nearest_px - farthest_px)
    seen, gap = _carried(move)
    height, width = move.shape
    columns = np.broadcast_to(np.arange(width, dtype=np.float32), move.shape)
    source = np.where(gap, _beside_gaps(columns, gap, seen), columns - seen)
    rows = np.broadcast_to(np.arange(height, dtype=np.float32)[:, None], move.shape)
    view = np.asarray(
        cv2.remap(image, source.astype(np.float32), rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )
    return _feathered(view, gap) if gap.any() else view


def _carried(move: Float32[Array, "h W"]) -> tuple[Float32[Array, "h W"], Bool[Array, "h W"]]:
    """Each pixel's move in the new view, and where nothing came to lie; gaps have the move of their farther side.

    Nearer pixels move farther to the right, so of two that meet the nearer started farther to the left: rows are
    written from right to left.
    """
    height, width = move.shape
    fine = _FINER * width
    # A margin, so that what comes in at the sides of the picture isn't taken for a gap's other side.
    carried = np.full((height, fine), np.nan, np.float32)
    backwards = move[:, ::-1]
    target = np.rint((np.arange(width, dtype=np.float32)[::-1] + backwards) * _FINER).astype(np.int32)
    rows = np.broadcast_to(np.arange(height, dtype=np.int32)[:, None], target.shape)
    for offset in range(_FINER, -1, -1):  # and the samples next to it, which the pixel covers too
        at = target + offset - _FINER // 2
        inside = (at >= 0) & (at < fine)
        if offset == _FINER // 2:
            carried[rows[inside], at[inside]] = backwards[inside]
        else:
            # Beside a pixel only what is free or farther gives way.
            there = carried[rows[inside], at[inside]]
            free = ~(there >= backwards[inside])
            carried[rows[inside][free], at[inside][free]] = backwards[inside][free]
    seen = carried[:, ::_FINER]
    gap = np.isnan(seen)
    return np.where(gap, _farther_side(seen, gap), seen), gap


def _sides(gap: Bool[Array, "h W"]) -> tuple[Shaped[Array, "h W"], Shaped[Array, "h W"]]:
    """For every pixel the columns of the next ones to the left and to the right that are no gap; -1 and W for none."""
    width = gap.shape[1]
    columns = np.arange(width, dtype=np.int32)
    left = np.maximum.accumulate(np.where(gap, -1, columns), axis=1)
    right = np.minimum.accumulate(np.where(gap, width, columns)[:, ::-1], axis=1)[:, ::-1]
    return left, right


def _side_moves(
    seen: Float32[Array, "h W"], gap: Bool[Array, "h W"]
) -> tuple[Float32[Array, "h W"], Float32[Array, "h W"]]:
    left, right = _sides(gap)
    width = gap.shape[1]
    at_left = np.take_along_axis(seen, np.maximum(left, 0), axis=1)
    at_right = np.take_along_axis(seen, np.minimum(right, width - 1), axis=1)
    return np.where(left < 0, np.inf, at_left), np.where(right >= width, np.inf, at_right)


def _farther_side(seen: Float32[Array, "h W"], gap: Bool[Array, "h W"]) -> Float32[Array, "h W"]:
    farther = np.minimum(*_side_moves(seen, gap))
    return np.where(np.isfinite(farther), farther, 0).astype(np.float32)


def _beside_gaps(
    columns: Float32[Array, "h W"], gap: Bool[Array, "h W"], seen: Float32[Array, "h W"]
) -> Float32[Array, "h W"]:
    """Where in the picture the colours of gaps come from: mirrored at the end of the gap that is farther away."""
    left, right = _sides(gap)
    at_left, at_right = _side_moves(np.where(gap, np.nan, seen), gap)
    from_left = at_left <= at_right
    edge = np.where(from_left, left, right)
    move = np.where(from_left, at_left, at_right)
    mirrored = 2 * edge - columns - np.where(np.isfinite(move), move, 0)
    result: Array = mirrored.astype(np.float32)
    return result


def _feathered(view: UInt8[Array, "h W 3"], gap: Bool[Array, "h W"]) -> UInt8[Array, "h W 3"]:
    """Gaps softened along the row, so that what was filled in doesn't draw the eye."""
    weight = cv2.blur(gap.astype(np.float32), (_FEATHER_PX, 1))[..., None] * gap[..., None]
    soft = cv2.blur(view, (_FEATHER_PX, 1))
    result: Array = np.rint(view + (soft.astype(np.float32) - view) * weight).astype(np.uint8)
    return result
