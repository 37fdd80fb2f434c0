"""What a picture's file says of the lens that took it: focal lengths, digital zoom, the sensor's pixels."""

from __future__ import annotations

import io
import math
import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from midas.errors import ImageError, net
from midas.pictures.exif import TRANSPOSED, orientation_of
from midas.pictures.formats import identified
from midas.storage.regular_files import open_regular

_EXIF_IFD = 0x8769
_FOCAL_LENGTH = 0x920A
_PIXEL_WIDTH, _PIXEL_HEIGHT = 0xA002, 0xA003
_PLANE_RESOLUTION, _PLANE_UNIT = 0xA20E, 0xA210
_DIGITAL_ZOOM = 0xA404
_FOCAL_LENGTH_35MM = 0xA405

# EXIF's codes of a unit of length.
_MM_PER_UNIT = {2: 25.4, 3: 10.0}


@dataclass(frozen=True)
class Lens:
    """The lens by the words of a file; None for what it doesn't say.

    Attributes:
        size: (height, width) of the upright picture, in pixels.
        focal_35mm: focal length that has the same angle of view on a frame of 36 x 24 mm. By the standard it is that of
            the picture, digital zoom included.
        focal_mm: focal length of the lens itself.
        digital_zoom: by how much the picture was cut and enlarged in the camera; 1 for not at all.
        pixels_per_mm: on the sensor, along the picture's width before it was turned.
        taken_size: (height, width) in which the camera stored the picture, upright: another one tells of cropping or
            scaling later on.
        orientation: EXIF's number for how the stored picture is turned to be upright, 1 to 8.
    """

    size: tuple[int, int]
    focal_35mm: float | None = None
    focal_mm: float | None = None
    digital_zoom: float = 1.0
    pixels_per_mm: float | None = None
    taken_size: tuple[int, int] | None = None
    orientation: int = 1


def read_lens(source: str | os.PathLike[str] | bytes) -> Lens:
    """Read what a picture file says of its lens; its pixels are left alone.

    Args:
        source: a path, or the bytes of a file.

    Raises:
        ImageError: it can't be read, or isn't a picture.
    """
    name = f"the picture of {len(source)} bytes" if isinstance(source, bytes) else str(source)
    with net(f"{name} can't be read", ImageError):
        if isinstance(source, bytes):
            return _lens(identified(io.BytesIO(source), name))
        with open_regular(Path(source)) as file:
            return _lens(identified(file, name))


def _lens(image: Image.Image) -> Lens:
    orientation = orientation_of(image.info)
    turned = orientation >= TRANSPOSED
    width, height = image.size
    size = (width, height) if turned else (height, width)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, of every tag that is damaged
        tags: Mapping[int, Any] = image.getexif().get_ifd(_EXIF_IFD)
        taken = (_positive(tags.get(_PIXEL_HEIGHT)), _positive(tags.get(_PIXEL_WIDTH)))
        return Lens(
            size,
            _positive(tags.get(_FOCAL_LENGTH_35MM)),
            _positive(tags.get(_FOCAL_LENGTH)),
            _positive(tags.get(_DIGITAL_ZOOM)) or 1.0,
            _pixels_per_mm(tags),
            _upright_size(taken, turned),
            orientation,
        )


def _upright_size(taken: tuple[float | None, float | None], turned: bool) -> tuple[int, int] | None:
    height, width = taken
    if height is None or width is None:
        return None
    return (round(width), round(height)) if turned else (round(height), round(width))


def _pixels_per_mm(tags: Mapping[int, Any]) -> float | None:
    per_unit = _positive(tags.get(_PLANE_RESOLUTION))
    mm = _MM_PER_UNIT.get(tags.get(_PLANE_UNIT, 2))
    return per_unit / mm if per_unit and mm else None


def _positive(value: object) -> float | None:
    """A tag as a number; None where it is missing, damaged, or 0, which stands for unknown."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return number if 0 < number < math.inf else None
