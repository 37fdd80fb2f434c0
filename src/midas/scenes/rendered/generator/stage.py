"""An empty scene with its render settings, and what a builder needs at hand: chance, library, materials made so far."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import bpy
from generator.library_index import LibraryIndex


@dataclass
class Stage:
    """The scene under construction.

    Attributes:
        rng: chance; all of it comes from here.
        library: objects, textures, skies and bodies.
        night: lit by lamps under a black sky.
        cache: meshes and materials to use again, by name.
    """

    rng: Random
    library: LibraryIndex
    night: bool = False
    cache: dict[str, Any] = field(default_factory=dict)

    def chance(self, probability: float) -> bool:
        """True that often."""
        return self.rng.random() < probability


def empty_stage(seed: int, library: Path, samples: int) -> Stage:
    """Clear Blender, set Cycles up, open the library."""
    set_up(samples)
    return Stage(Random(seed), LibraryIndex(library))


def set_up(samples: int) -> None:
    """Clear Blender and set Cycles up."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.render.use_persistent_data = True
    scene.render.threads_mode = "FIXED"
    scene.render.threads = int(os.environ.get("MIDAS_RENDER_THREADS", "1"))
    scene.render.resolution_percentage = 100
    scene.render.use_file_extension = False
    scene.render.image_settings.file_format = "OPEN_EXR_MULTILAYER"
    scene.render.image_settings.color_depth = "32"
    scene.render.image_settings.exr_codec = "NONE"
    layer = scene.view_layers[0]
    layer.use_pass_z = layer.use_pass_mist = True
    # Glass has the depth of its own surface: else each ray would find it or what is behind it by chance.
    layer.pass_alpha_threshold = 0.0
    _set_cycles(scene.cycles, samples)


def _set_cycles(cycles: Any, samples: int) -> None:
    cycles.device = "CPU"
    cycles.samples = samples
    cycles.use_adaptive_sampling = False
    cycles.use_denoising = True
    cycles.denoiser = "OPENIMAGEDENOISE"
    cycles.denoising_input_passes = "RGB_ALBEDO_NORMAL"
    cycles.denoising_prefilter = "FAST"
    cycles.denoising_quality = "BALANCED"
    cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 3, 2, 2
    cycles.transmission_bounces, cycles.transparent_max_bounces, cycles.volume_bounces = 3, 6, 0
    # For these few samples one light at a time is faster than the tree that chooses among many.
    cycles.use_light_tree = False
    cycles.light_sampling_threshold = 0.03
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.sample_clamp_indirect = 6
    cycles.blur_glossy = 1.0


def outdoors(bounces: int = 2) -> None:
    """Fewer bounces: most light out of doors comes straight from the sky."""
    cycles = bpy.context.scene.cycles
    cycles.max_bounces, cycles.diffuse_bounces = bounces, bounces - 1
