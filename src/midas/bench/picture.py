"""The picture that every case sees: given, or drawn, the same on every machine."""

from __future__ import annotations

import numpy as np

from midas.arrays import Array, UInt8
from midas.errors import ConfigError

DEFAULT_SIZE = (1024, 1024)
_DISCS = 24


def draw_picture(size: tuple[int, int] = DEFAULT_SIZE) -> UInt8[Array, "H W 3"]:
    """A floor in perspective, discs before it, and grain: edges, slopes and noise, as photographs have.

    Args:
        size: (height, width) in pixels. A square one has the size of the model's own input as its network size.

    Raises:
        ConfigError: a size below 1.
    """
    height, width = size
    if height < 1 or width < 1:
        raise ConfigError(f"a picture of {height} x {width} pixels can't be drawn; expected at least one")
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    y, x = y / height, x / width
    depth = 1 / (0.05 + y)
    floor = (np.sin(20 * (x - 0.5) * depth) * np.sin(8 * depth) > 0).astype(np.float32)
    picture = np.stack([0.3 + 0.4 * y, 0.35 + 0.2 * floor * y, 0.6 - 0.3 * y], axis=2)
    for _ in range(_DISCS):
        centre_y, centre_x, radius = rng.uniform(0.2, 1), rng.uniform(0, 1), rng.uniform(0.02, 0.12)
        distance = np.hypot(y - centre_y, (x - centre_x) * width / height) / radius
        shade = np.sqrt(np.clip(1 - distance**2, 0, 1))[..., None]
        picture = np.where(distance[..., None] < 1, rng.uniform(0.2, 1, 3).astype(np.float32) * shade, picture)
    picture = picture + 0.02 * rng.standard_normal(picture.shape, dtype=np.float32)
    drawn: UInt8[Array, "H W 3"] = np.clip(np.rint(255 * picture), 0, 255).astype(np.uint8)
    return drawn
