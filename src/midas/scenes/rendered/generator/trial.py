"""The smallest picture: a wall at a known distance, to see that this environment renders and that depth is depth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import numpy as np
from generator.camera import Proposal, set_camera
from generator.meshes import mesh
from generator.passes import render_passes
from generator.stage import set_up


def shoot_trial(job: dict[str, Any]) -> dict[str, Any]:
    """Do a job of the kind ``trial``: ``{"distance_m", "size_px", "file"}``.

    A white wall is seen frontally by a wide, blurred lens under an even sky; its depth is the same everywhere, which
    the length of the rays to it is not.
    """
    set_up(samples=1)
    world = bpy.data.worlds.new("world")
    bpy.context.scene.world = world
    world.use_nodes = True
    world.node_tree.nodes["Background"].inputs["Color"].default_value = (0.5, 0.5, 0.5, 1.0)
    y = float(job["distance_m"])
    mesh("wall", np.array([(-50, y, -50), (50, y, -50), (50, y, 50), (-50, y, 50)]), [(0, 1, 2, 3)], None)
    set_camera(Proposal((0, 0, 0), (0, 1, 0), 80.0, focus_m=y / 2, f_number=0.5), job["size_px"])
    file = Path(job["file"])
    file.parent.mkdir(parents=True, exist_ok=True)
    passes = render_passes(file.parent)
    np.savez(file, radiance=passes.radiance, depth_m=passes.depth_m)
    return {"views": [{"file": str(file)}]}
