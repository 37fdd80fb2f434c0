"""Pictures that no pinhole takes: panoramas and fisheye pictures, by the direction in which each pixel looks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from midas.arrays import Array, Bool, Float32, Float64
from midas.errors import ConfigError
from midas.geometry.camera import Camera

MOST_FISHEYE_DEG = 300.0
_DISC_DEG = 80.0


@dataclass(frozen=True)
class Equirectangular:
    """A panorama: columns are longitudes, all 360 degrees of them, rows latitudes, up at the top.

    Its middle looks forward (z); a direction's length along the axis means nothing here, so that values of such a
    picture are inverse distances along the ray.

    Attributes:
        size: (height, width).
        found: how that was known.
    """

    size: tuple[int, int]
    found: str = "stated"

    @property
    def wraps(self) -> bool:
        """Whether the right side of the picture continues on its left."""
        return True

    def rays(self, x_px: Float64[Array, "*shape"], y_px: Float64[Array, "*shape"]) -> Float64[Array, "*shape 3"]:
        """Unit directions (x right, y down, z forward) of places in the picture; whole numbers are pixel centres."""
        height, width = self.size
        longitude = ((x_px + 0.5) / width - 0.5) * (2 * math.pi)
        latitude = ((y_px + 0.5) / height - 0.5) * math.pi  # down
        return np.stack(
            [np.sin(longitude) * np.cos(latitude), np.sin(latitude), np.cos(longitude) * np.cos(latitude)], axis=-1
        )

    def pixels(self, rays: Float64[Array, "*shape 3"]) -> tuple[Float64[Array, "*shape"], Float64[Array, "*shape"]]:
        """The inverse of ``rays``: columns and rows."""
        height, width = self.size
        longitude = np.arctan2(rays[..., 0], rays[..., 2])
        latitude = np.arcsin(np.clip(rays[..., 1] / np.linalg.norm(rays, axis=-1), -1, 1))
        return (longitude / (2 * math.pi) + 0.5) * width - 0.5, (latitude / math.pi + 0.5) * height - 0.5

    def unprojected(
        self, x_px: Float64[Array, " N"], y_px: Float64[Array, " N"], inverse_depth: Float64[Array, " N"]
    ) -> Float64[Array, "N 3"]:
        """Points in space of places in the picture, by their distance along the ray."""
        points: Array = self.rays(x_px, y_px) / inverse_depth[:, None]
        return points

    def facts(self) -> dict[str, str]:
        """What files say of the lens."""
        return {"projection": "equirectangular", "projection_found": self.found, "values_along": "ray"}


@dataclass(frozen=True)
class Fisheye:
    """A picture by a fisheye lens, whose angle from the axis grows evenly with the distance from the middle.

    Attributes:
        size: (height, width).
        fov_deg: angle of view across the width, in degrees.
        found: how that was known.
    """

    size: tuple[int, int]
    fov_deg: float = 180.0
    found: str = "stated"

    def __post_init__(self) -> None:
        if not 0 < self.fov_deg <= MOST_FISHEYE_DEG:
            raise ConfigError(
                f"a fisheye of {self.fov_deg} degrees: expected more than 0, at most {MOST_FISHEYE_DEG:g}"
            )

    @property
    def wraps(self) -> bool:
        """Whether the right side of the picture continues on its left."""
        return False

    @property
    def focal_px(self) -> float:
        """Pixels per radian."""
        return self.size[1] / math.radians(self.fov_deg)

    @property
    def farthest_deg(self) -> float:
        """The angle from the axis to the rim of what the lens shows.

        That is the corner, unless the longer side's ends are so far from the axis that the picture is a disc with black
        corners.
        """
        longer, diagonal = max(self.size), math.hypot(*self.size)
        per_px = self.fov_deg / self.size[1] / 2
        return min(longer * per_px if longer * per_px >= _DISC_DEG else diagonal * per_px, 180.0)

    def rays(self, x_px: Float64[Array, "*shape"], y_px: Float64[Array, "*shape"]) -> Float64[Array, "*shape 3"]:
        """Unit directions (x right, y down, z forward) of places in the picture; whole numbers are pixel centres."""
        height, width = self.size
        x, y = x_px - (width - 1) / 2, y_px - (height - 1) / 2
        radius = np.hypot(x, y)
        # Beyond the rim what is at the rim goes on.
        angle = np.minimum(radius / self.focal_px, math.radians(self.farthest_deg))
        share = np.sin(angle) / np.maximum(radius, 1e-9)
        return np.stack([x * share, y * share, np.cos(angle)], axis=-1)

    def pixels(self, rays: Float64[Array, "*shape 3"]) -> tuple[Float64[Array, "*shape"], Float64[Array, "*shape"]]:
        """The inverse of ``rays``: columns and rows."""
        height, width = self.size
        across = np.hypot(rays[..., 0], rays[..., 1])
        radius = np.arctan2(across, rays[..., 2]) * self.focal_px
        share = radius / np.maximum(across, 1e-12)
        return rays[..., 0] * share + (width - 1) / 2, rays[..., 1] * share + (height - 1) / 2

    def unprojected(
        self, x_px: Float64[Array, " N"], y_px: Float64[Array, " N"], inverse_depth: Float64[Array, " N"]
    ) -> Float64[Array, "N 3"]:
        """Points in space of places in the picture, by their distance along the ray."""
        points: Array = self.rays(x_px, y_px) / inverse_depth[:, None]
        return points

    def facts(self) -> dict[str, str]:
        """What files say of the lens."""
        said = {"projection": "fisheye", "fov_deg": f"{self.fov_deg:g}"}
        return {**said, "projection_found": self.found, "values_along": "ray"}


WideLens = Equirectangular | Fisheye
AnyCamera = Camera | WideLens


def in_picture(lens: WideLens, x_px: Float64[Array, "*shape"], y_px: Float64[Array, "*shape"]) -> Bool[Array, "*shape"]:
    """Whether places lie within the picture."""
    height, width = lens.size
    inside: Array = (y_px >= -0.5) & (y_px <= height - 0.5)
    return inside if lens.wraps else inside & (x_px >= -0.5) & (x_px <= width - 0.5)


def pixel_rays(lens: WideLens, size: tuple[int, int]) -> Float32[Array, "H W 3"]:
    """The direction of every pixel of a map of (height, width) of the picture."""
    y_px, x_px = (
        (np.arange(samples) + 0.5) * (pixels / samples) - 0.5 for samples, pixels in zip(size, lens.size, strict=True)
    )
    x, y = np.meshgrid(x_px, y_px)
    return lens.rays(x, y).astype(np.float32)


def check_camera(camera: object) -> None:
    """Make sure that something is a camera.

    Raises:
        ConfigError: it isn't.
    """
    if not isinstance(camera, AnyCamera):
        raise ConfigError(
            f"a {type(camera).__name__} is no camera: expected midas.geometry.Camera, such as Camera.from_fov gives"
        )
