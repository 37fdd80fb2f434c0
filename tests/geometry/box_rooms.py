"""Empty rooms with exact inverse depth, and the relative disparity that a network without faults would give of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from midas.arrays import Array
from midas.geometry.camera import Camera
from midas.scenes.raster import draw_scene
from midas.scenes.rooms import empty_room

SIZE = (240, 320)


@dataclass(frozen=True)
class BoxRoom:
    """A room: camera, inverse depth, which surface each pixel shows, and disparity of hidden scale and shift."""

    camera: Camera
    inverse_depth: Array
    surface: Array
    disparity: Array


def box_room(seed: int, size: tuple[int, int] = SIZE) -> BoxRoom:
    rng = np.random.default_rng(seed)
    scene = empty_room(rng)
    raster = draw_scene(scene, size)
    inverse_depth = raster.inverse_depth
    hidden = inverse_depth - np.float32(inverse_depth.min() * rng.uniform(0, 1))
    disparity = hidden * np.float32(rng.uniform(0.5, 30))
    return BoxRoom(
        Camera(scene.camera.focal_px(size), size), inverse_depth, raster.surface, disparity.astype(np.float32)
    )
