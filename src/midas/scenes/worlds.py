"""The worlds that are drawn, and a scene of one of them as a photograph with its inverse depth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from midas.arrays import Array, Float32, UInt8
from midas.scenes.closeups import closeup
from midas.scenes.landscapes import ground_material, landscape
from midas.scenes.photo import take_photo
from midas.scenes.portraits import portrait
from midas.scenes.raster import draw_scene
from midas.scenes.rooms import room
from midas.scenes.scene import Scene
from midas.scenes.shading import shade_scene
from midas.scenes.streets import street
from midas.scenes.tabletops import tabletop
from midas.scenes.thickets import thicket

WORLDS: dict[str, Callable[[np.random.Generator], Scene]] = {
    "rooms": room,
    "streets": street,
    "terrain": landscape,
    "tabletop": tabletop,
    "figures": portrait,
    "thin": thicket,
    "closeups": closeup,
}


@dataclass(frozen=True, eq=False)
class DrawnPicture:
    """A photograph of a scene and what is known of it.

    Attributes:
        image: uint8 RGB (H, W, 3).
        inverse_depth: float32 (H, W), in 1/metre, exact at every pixel; 0 is the sky.
    """

    image: UInt8[Array, "H W 3"]
    inverse_depth: Float32[Array, "H W"]


def render(scene: Scene, size: tuple[int, int], rng: np.random.Generator) -> DrawnPicture:
    """The photograph and the inverse depth of a scene.

    Args:
        scene: what to draw.
        size: (height, width).
        rng: for the terrain's cover and the camera's faults.
    """
    raster = draw_scene(scene, size)
    return DrawnPicture(take_photo(shade_scene(scene, raster, ground_material(rng)), raster, rng), raster.inverse_depth)
