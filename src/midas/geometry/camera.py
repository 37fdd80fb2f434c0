"""The camera that took a picture: its focal length in pixels, and how that was found."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from midas.arrays import Array, Float64
from midas.errors import ConfigError
from midas.pictures.lens import Lens

# Of a frame of 36 x 24 mm, by which equivalent focal lengths are stated.
_DIAGONAL_35MM = math.hypot(36, 24)
ASSUMED_FOCAL_35MM = 30.0

# A lens of less is that of a phone, whose sensor is so many times smaller than 36 x 24 mm; the rule of ml-sharp.
_PHONE_FOCAL_MM = 10.0
_PHONE_CROP_FACTOR = 8.4

# Sides that differ by less, in proportion, are a matter of rounding.
_ASPECT_TOLERANCE = 0.01


@dataclass(frozen=True)
class Camera:
    """A pinhole camera with square pixels.

    Attributes:
        focal_px: focal length, in pixels of a picture of ``size``.
        size: (height, width) of the picture, in pixels.
        found: how the focal length was found: ``"stated"``, ``"exif"``, ``"assumed"``, or another word of the caller's.
        principal_px: (column, row) where the optical axis meets the picture; whole numbers are pixel centres. None is
            the middle, ((width - 1) / 2, (height - 1) / 2).
    """

    focal_px: float
    size: tuple[int, int]
    found: str = "stated"
    principal_px: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if not 0 < self.focal_px < math.inf:
            raise ConfigError(f"a focal length of {self.focal_px} pixels: expected a positive number")
        if min(self.size) < 1:
            raise ConfigError(f"a camera of {self.size[0]} x {self.size[1]} pixels: expected at least one")

    @classmethod
    def from_fov(cls, fov_deg: float, size: tuple[int, int], found: str = "stated") -> Camera:
        """A camera by its horizontal angle of view, in degrees.

        Raises:
            ConfigError: unless it is more than 0 and less than 180.
        """
        if not 0 < fov_deg < 180:
            raise ConfigError(f"an angle of view of {fov_deg} degrees: expected more than 0 and less than 180")
        return cls(size[1] / 2 / math.tan(math.radians(fov_deg) / 2), size, found)

    @classmethod
    def from_focal_35mm(cls, focal_35mm: float, size: tuple[int, int], found: str = "stated") -> Camera:
        """A camera by the focal length with the same angle over the diagonal of a frame of 36 x 24 mm.

        ``focal_px = focal_35mm * diagonal_px / 43.27``: over the diagonal, as makers state it, and so the same for
        sensors of 4:3 and however the picture is turned.
        """
        return cls(focal_35mm * math.hypot(*size) / _DIAGONAL_35MM, size, found)

    @classmethod
    def of_lens(cls, lens: Lens) -> Camera:
        """A camera by what the picture's file says; where it says nothing, one of 30 mm equivalent, ``"assumed"``.

        In this order: the equivalent focal length; the sensor's resolution with the lens's own focal length; that focal
        length alone, which below 10 mm is a phone's. A picture whose proportions aren't those in which it was taken was
        cropped: the angle belongs to the whole.
        """
        size = lens.size
        taken = lens.taken_size if lens.taken_size and _was_cropped(lens) else size
        found = "exif" if taken == size else "exif, before cropping"
        if lens.focal_35mm is not None:
            return replace(cls.from_focal_35mm(lens.focal_35mm, taken, found), size=size)
        if lens.focal_mm is not None and lens.pixels_per_mm is not None and lens.taken_size in (None, size):
            return cls(lens.focal_mm * lens.pixels_per_mm * lens.digital_zoom, size, found)
        if lens.focal_mm is not None:
            crop_factor = _PHONE_CROP_FACTOR if lens.focal_mm < _PHONE_FOCAL_MM else 1.0
            focal_35mm = lens.focal_mm * crop_factor * lens.digital_zoom
            return replace(cls.from_focal_35mm(focal_35mm, taken, found), size=size)
        return cls.from_focal_35mm(ASSUMED_FOCAL_35MM, size, "assumed")

    @property
    def fov_deg(self) -> float:
        """Horizontal angle of view, in degrees."""
        return math.degrees(2 * math.atan(self.size[1] / 2 / self.focal_px))

    @property
    def principal(self) -> tuple[float, float]:
        """(column, row) where the optical axis meets the picture."""
        height, width = self.size
        return self.principal_px or ((width - 1) / 2, (height - 1) / 2)

    def slopes(self, size: tuple[int, int]) -> tuple[Float64[Array, " W"], Float64[Array, " H"]]:
        """x / z of every column and y / z of every row of a map of this picture.

        Args:
            size: (height, width) of the map. Where it isn't the picture's, rows and columns are stretched each by its
                own factor, as the map was, so that a circle stays round.
        """
        column, row = self.principal
        x_px, y_px = (
            (np.arange(samples) + 0.5) * (pixels / samples) - 0.5
            for samples, pixels in zip(size[::-1], self.size[::-1], strict=True)
        )
        return (x_px - column) / self.focal_px, (y_px - row) / self.focal_px

    @property
    def wraps(self) -> bool:
        """Whether the right side of the picture continues on its left: of panoramas alone."""
        return False

    def unprojected(
        self, x_px: Float64[Array, " N"], y_px: Float64[Array, " N"], inverse_depth: Float64[Array, " N"]
    ) -> Float64[Array, "N 3"]:
        """Points in space of places in the picture (whole numbers are pixel centres) by their depth along the axis."""
        column, row = self.principal
        slopes = [(x_px - column) / self.focal_px, (y_px - row) / self.focal_px, np.ones(len(x_px))]
        points: Array = np.stack(slopes, axis=-1) / inverse_depth[:, None]
        return points

    def facts(self) -> dict[str, str]:
        """What files say of the camera."""
        column, row = self.principal
        return {
            "focal_px": repr(float(self.focal_px)),
            "focal_found": self.found,
            "image_size": f"{self.size[1]} x {self.size[0]}",
            "principal_px": f"{column:g}, {row:g}",
        }


def _was_cropped(lens: Lens) -> bool:
    if lens.taken_size is None:
        return False
    aspect, taken = (size[1] / size[0] for size in (lens.size, lens.taken_size))
    return abs(aspect / taken - 1) > _ASPECT_TOLERANCE
