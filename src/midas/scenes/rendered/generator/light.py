"""Skies, suns and lamps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import bpy
import numpy as np
from generator import palette
from generator.materials import load_image
from generator.meshes import Object, link
from generator.nodes import rgba
from generator.stage import Stage
from mathutils import Vector

SKY_KINDS = ("clear", "clear", "cloudy", "cloudy", "cloudy", "hazy", "overcast", "overcast", "low", "dusk")


@dataclass(frozen=True)
class Sky:
    """What hangs over a scene.

    Attributes:
        kind: its name.
        window: light that comes through a square metre of window, in watts.
        colour: of that light.
    """

    kind: str
    window: float
    colour: np.ndarray


# Elevation of the sun (least, greatest), its irradiance, its width in degrees, strength of the sky, dust.
_SUNS = {
    "clear": ((22, 65), 4.0, 0.6, 0.10, (0.3, 1.2)),
    "cloudy": ((20, 62), 3.2, 1.0, 0.11, (0.5, 1.8)),
    "hazy": ((18, 50), 1.6, 5.0, 0.12, (1.0, 2.0)),
    "low": ((5, 14), 2.0, 0.8, 0.11, (1.0, 3.5)),
    "dusk": ((-2, 2.5), 0.0, 5.0, 0.5, (1.0, 4.0)),
}
# What the air looks like along the horizon; the sky's own goes black below it.
_HORIZONS = {
    "clear": (4.4, 5.2, 6.2),
    "cloudy": (5.2, 5.6, 6.2),
    "hazy": (6.4, 6.6, 6.8),
    "low": (5.5, 4.4, 3.4),
    "dusk": (0.9, 0.75, 0.7),
}
_WINDOWS = {
    "clear": 5.0,
    "cloudy": 4.5,
    "hazy": 4.5,
    "overcast": 4.0,
    "low": 2.5,
    "dusk": 1.0,
    "night": 0.0,
    "studio": 3.0,
}


def set_sky(stage: Stage, kind: str | None = None, *, indoors: bool = False) -> Sky:
    """Make the world's light.

    Args:
        kind: one of ``SKY_KINDS``, ``night`` or ``studio``; drawn if None.
        indoors: the sky is seen, but doesn't light diffuse surfaces: windows do (`window_light`), with far less noise.
    """
    kind = kind or stage.rng.choice(SKY_KINDS)
    world = bpy.data.worlds.new("world")
    bpy.context.scene.world = world
    world.use_nodes = True
    turn = stage.rng.uniform(0, 2 * math.pi)
    if kind in _SUNS:
        _sunny_sky(stage, world, kind, turn)
    else:
        _grey_sky(stage, world, kind)
    if indoors:
        for ray in ("diffuse", "scatter", "transmission"):
            setattr(world.cycles_visibility, ray, False)
    world.cycles.sampling_method, world.cycles.sample_map_resolution = "MANUAL", 256
    colour = {"low": (1.0, 0.82, 0.62), "dusk": (0.75, 0.8, 1.0), "overcast": (0.94, 0.97, 1.0)}.get(
        kind, (0.88, 0.94, 1.0)
    )
    return Sky(kind, _WINDOWS[kind] * stage.rng.uniform(0.8, 1.25), np.array(colour))


def _sunny_sky(stage: Stage, world: bpy.types.World, kind: str, turn: float) -> None:
    rng = stage.rng
    elevations, irradiance, width_deg, strength, dust = _SUNS[kind]
    elevation_deg = rng.uniform(*elevations)
    tree, ground = world.node_tree, world.node_tree.nodes["Background"]
    sky = tree.nodes.new("ShaderNodeTexSky")
    sky.sky_type, sky.sun_disc = "NISHITA", False
    sky.sun_elevation, sky.sun_rotation = math.radians(max(elevation_deg, -2.0)), turn
    sky.dust_density, sky.air_density = rng.uniform(*dust), rng.uniform(0.8, 1.5)
    colour = sky.outputs[0]
    if kind in ("cloudy", "low", "dusk") or rng.random() < 0.35:
        lit = {"low": (12.0, 8.6, 5.8), "dusk": (0.55, 0.42, 0.42)}.get(kind, (15.0, 15.2, 15.6))
        colour = _clouded(stage, world, colour, lit, turn)
    colour = _hazy_horizon(
        world, colour, _HORIZONS[kind], rng.uniform(0.06, 0.2) if kind != "hazy" else rng.uniform(0.5, 0.9)
    )
    tree.links.new(colour, ground.inputs["Color"])
    ground.inputs["Strength"].default_value = strength
    if irradiance:
        warm = palette.kelvin(2700 + 3300 * min(1.0, elevation_deg / 35))
        sun(elevation_deg, turn, irradiance * rng.uniform(0.75, 1.25), warm / warm.max(), width_deg)


def _grey_sky(stage: Stage, world: bpy.types.World, kind: str) -> None:
    tree, ground = world.node_tree, world.node_tree.nodes["Background"]
    horizon, zenith = {
        "overcast": ((0.80, 0.84, 0.88), (0.55, 0.60, 0.68)),
        "night": ((0.012, 0.012, 0.018), (0.002, 0.003, 0.008)),
        "studio": ((0.5, 0.5, 0.5), (0.6, 0.6, 0.6)),
    }[kind]
    split, ramp = tree.nodes.new("ShaderNodeSeparateXYZ"), tree.nodes.new("ShaderNodeValToRGB")
    place = tree.nodes.new("ShaderNodeTexCoord")
    tree.links.new(place.outputs["Generated"], split.inputs[0])
    tree.links.new(split.outputs[2], ramp.inputs[0])
    for element, (position, colour) in zip(ramp.color_ramp.elements, ((0.0, horizon), (0.7, zenith)), strict=True):
        element.position, element.color = position, rgba(colour)
    colour = ramp.outputs[0]
    if kind == "overcast":
        colour = _clouded(stage, world, colour, (1.0, 1.02, 1.05), 0.0)
        sun(50, stage.rng.uniform(0, 6), 0.5, np.ones(3), 50)
    tree.links.new(colour, ground.inputs["Color"])
    ground.inputs["Strength"].default_value = 1.0


def _clouded(
    stage: Stage, world: bpy.types.World, clear: bpy.types.NodeSocket, lit: Sequence[float], turn: float
) -> bpy.types.NodeSocket:
    """Lay clouds of the library over a clear sky, their lit side towards the sun."""
    tree = world.node_tree
    place, turned = tree.nodes.new("ShaderNodeTexCoord"), tree.nodes.new("ShaderNodeMapping")
    # The sky's sun stands at +Y for no rotation and goes clockwise; the picture's at +X.
    turned.vector_type, turned.inputs["Rotation"].default_value = "POINT", (0, 0, turn - math.pi / 2)
    tree.links.new(place.outputs["Generated"], turned.inputs["Vector"])
    image = tree.nodes.new("ShaderNodeTexImage")
    image.image = load_image(stage, stage.library.pick(stage.rng, "sky", "sky"))
    image.image.colorspace_settings.name = "Non-Color"
    tree.links.new(_hemisphere(tree, turned.outputs[0]), image.inputs["Vector"])
    shining, mixed = tree.nodes.new("ShaderNodeMix"), tree.nodes.new("ShaderNodeMix")
    for node, blend in ((shining, "MULTIPLY"), (mixed, "MIX")):
        node.data_type, node.blend_type = "RGBA", blend
    shining.inputs["Factor"].default_value = 1.0
    shining.inputs[7].default_value = rgba(np.array(lit) * stage.rng.uniform(0.8, 1.1))
    tree.links.new(image.outputs["Color"], shining.inputs[6])
    tree.links.new(image.outputs["Alpha"], mixed.inputs["Factor"])
    tree.links.new(clear, mixed.inputs[6])
    tree.links.new(shining.outputs[2], mixed.inputs[7])
    return mixed.outputs[2]


def _hazy_horizon(
    world: bpy.types.World, sky: bpy.types.NodeSocket, colour: Sequence[float], height: float
) -> bpy.types.NodeSocket:
    """Lay haze over the sky that is thickest along the horizon and gone at the sine of elevation ``height``."""
    tree = world.node_tree
    place, split = tree.nodes.new("ShaderNodeTexCoord"), tree.nodes.new("ShaderNodeSeparateXYZ")
    share, mixed = tree.nodes.new("ShaderNodeMapRange"), tree.nodes.new("ShaderNodeMix")
    share.interpolation_type, mixed.data_type = "SMOOTHSTEP", "RGBA"
    for name, value in (("From Min", -0.02), ("From Max", height), ("To Min", 0.9), ("To Max", 0.0)):
        share.inputs[name].default_value = value
    tree.links.new(place.outputs["Generated"], split.inputs[0])
    tree.links.new(split.outputs[2], share.inputs["Value"])
    tree.links.new(share.outputs[0], mixed.inputs["Factor"])
    tree.links.new(sky, mixed.inputs[6])
    mixed.inputs[7].default_value = rgba(np.array(colour))
    return mixed.outputs[2]


def _hemisphere(tree: bpy.types.NodeTree, direction: bpy.types.NodeSocket) -> bpy.types.NodeSocket:
    """Direction to place in the picture: azimuth along u, elevation along v with the horizon at 0."""
    split, flat = tree.nodes.new("ShaderNodeSeparateXYZ"), tree.nodes.new("ShaderNodeCombineXYZ")
    tree.links.new(direction, split.inputs[0])

    def calculated(
        operation: str, first: bpy.types.NodeSocket, second: bpy.types.NodeSocket | float
    ) -> bpy.types.NodeSocket:
        node = tree.nodes.new("ShaderNodeMath")
        node.operation = operation
        tree.links.new(first, node.inputs[0])
        if isinstance(second, float):
            node.inputs[1].default_value = second
        else:
            tree.links.new(second, node.inputs[1])
        return node.outputs[0]

    azimuth = calculated("ARCTAN2", split.outputs[1], split.outputs[0])
    around = calculated("ADD", calculated("DIVIDE", azimuth, 2 * math.pi), 0.5)
    height = calculated("MAXIMUM", split.outputs[2], 0.004)
    upward = calculated("DIVIDE", calculated("ARCSINE", height, 0.0), math.pi / 2)
    tree.links.new(around, flat.inputs[0])
    tree.links.new(calculated("MINIMUM", upward, 0.998), flat.inputs[1])
    return flat.outputs[0]


def sun(elevation_deg: float, turn: float, irradiance: float, colour: np.ndarray, width_deg: float) -> Object:
    """Parallel light; ``turn`` as the sky's sun has it."""
    lamp = bpy.data.lights.new("sun", "SUN")
    lamp.energy, lamp.color, lamp.angle = irradiance, tuple(map(float, colour)), math.radians(width_deg)
    made = link(bpy.data.objects.new("sun", lamp))
    made.rotation_euler = (math.radians(90 - elevation_deg), 0, math.pi - turn)
    return made


def area(
    place: Sequence[float], size: tuple[float, float], power: float, colour: np.ndarray, target: Sequence[float]
) -> Object:
    """A rectangle of light that cameras don't see."""
    lamp = bpy.data.lights.new("area", "AREA")
    lamp.shape, lamp.size, lamp.size_y = "RECTANGLE", size[0], size[1]
    lamp.energy, lamp.color = power, tuple(map(float, colour))
    made = link(bpy.data.objects.new("area", lamp))
    made.location = place
    made.rotation_euler = (Vector(target) - Vector(place)).to_track_quat("-Z", "Y").to_euler()
    made.visible_camera = False
    return made


def window_light(sky: Sky, place: Sequence[float], size: tuple[float, float], target: Sequence[float]) -> None:
    """What the sky sends through a window; nothing at night."""
    if sky.window:
        area(place, size, size[0] * size[1] * sky.window, sky.colour, target)


def bulb(place: Sequence[float], power: float, colour: np.ndarray, radius: float = 0.06) -> Object:
    """A lamp that shines to all sides."""
    lamp = bpy.data.lights.new("bulb", "POINT")
    lamp.energy, lamp.color, lamp.shadow_soft_size = power, tuple(map(float, colour)), radius
    made = link(bpy.data.objects.new("bulb", lamp))
    made.location = place
    return made
