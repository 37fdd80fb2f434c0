"""Maps that have no value everywhere: where the sky was, or what a program masked."""

from __future__ import annotations

import cv2
import numpy as np

from midas.arrays import Array, Bool, Float32
from midas.maps.resize import resize_map


def resize_with_holes(
    values: Float32[Array, "h w"], there: Bool[Array, "h w"], size: tuple[int, int]
) -> tuple[Float32[Array, "H W"], Bool[Array, "H W"]]:
    """A map and where it has a value, at another (height, width); holes are filled by the value that lies nearest.

    A resized pixel has a value where one of the map's pixels around it has: the rim of a hole is known as well as any
    pixel between two others.

    Args:
        values: the map; what stands in its holes doesn't matter.
        there: where it has values; somewhere at least.
        size: (height, width) wanted.
    """
    whole = there.all()
    filled = values if whole else _filled(values, there)
    if values.shape == size:
        return filled, there
    resized = resize_map(filled, size)
    if whole:
        return resized, np.ones(size, np.bool_)
    grown = cv2.dilate(there.astype(np.uint8), np.ones((3, 3), np.uint8))
    known = cv2.resize(grown, (size[1], size[0]), interpolation=cv2.INTER_NEAREST_EXACT)
    return resized, np.asarray(known, np.bool_)


def _filled(values: Float32[Array, "h w"], there: Bool[Array, "h w"]) -> Float32[Array, "h w"]:
    hole = (~there).astype(np.uint8)
    _, nearest = cv2.distanceTransformWithLabels(hole, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    of_label = np.zeros(int(nearest.max()) + 1, np.float32)
    of_label[nearest[there]] = values[there]
    filled: Float32[Array, "h w"] = of_label[nearest]
    return filled
