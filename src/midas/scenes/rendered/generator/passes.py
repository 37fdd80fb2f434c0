"""Render the scene's camera: radiance by many rays, depth by one ray through the middle of each pixel."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
import OpenEXR

SKY_DEPTH_M = 4500.0
MIST_REACH_M = 3000.0


@dataclass(frozen=True)
class Passes:
    """What was rendered.

    Attributes:
        radiance: (H, W, 3), linear.
        depth_m: (H, W), along the axis, infinite where nothing was hit.
        distance_m: (H, W), antialiased, up to ``MIST_REACH_M``.
    """

    radiance: np.ndarray
    depth_m: np.ndarray
    distance_m: np.ndarray


def render_passes(folder: Path) -> Passes:
    """Render twice: as a camera sees it, then for depth alone. Both go through a file in the folder."""
    scene = bpy.context.scene
    mist = scene.world.mist_settings
    mist.start, mist.depth, mist.falloff = 0.0, MIST_REACH_M, "LINEAR"
    file = folder / "passes.exr"
    scene.render.filepath = str(file)
    try:
        seen = _rendered(file)
        depth_m = _depth(scene, file)
    finally:
        file.unlink(missing_ok=True)
    radiance = np.stack([_channel(seen, f"Combined.{name}") for name in "RGB"], -1)
    return Passes(radiance, depth_m, _channel(seen, "Mist.Z") * MIST_REACH_M)


def _depth(scene: bpy.types.Scene, file: Path) -> np.ndarray:
    """Depth without lens blur, pixel filter, denoising: one sample at each pixel's centre, no light at all."""
    cycles, lens = scene.cycles, scene.camera.data.dof
    before = (
        cycles.samples,
        cycles.use_denoising,
        cycles.pixel_filter_type,
        cycles.filter_width,
        cycles.max_bounces,
        lens.use_dof,
    )
    cycles.samples, cycles.use_denoising = 1, False
    cycles.pixel_filter_type, cycles.filter_width = "BOX", 0.01
    cycles.max_bounces, lens.use_dof = 0, False
    depth_m = _channel(_rendered(file), "Depth.Z").copy()
    (
        cycles.samples,
        cycles.use_denoising,
        cycles.pixel_filter_type,
        cycles.filter_width,
        cycles.max_bounces,
        lens.use_dof,
    ) = before
    depth_m[~(depth_m < SKY_DEPTH_M)] = np.inf
    return depth_m


def _rendered(file: Path) -> dict[str, np.ndarray]:
    bpy.ops.render.render(write_still=True)
    with OpenEXR.File(str(file), separate_channels=True) as opened:
        return {name: np.array(channel.pixels, np.float32) for name, channel in opened.channels().items()}


def _channel(channels: dict[str, np.ndarray], ending: str) -> np.ndarray:
    """A channel by the end of its name; a single one may be called V for value in place of Z."""
    for name, pixels in channels.items():
        if name.endswith((ending, ending.replace(".Z", ".V"))):
            return pixels
    raise KeyError(f"no channel {ending} among {', '.join(channels)}")
