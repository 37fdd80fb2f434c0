"""What surfaces are made of."""

from __future__ import annotations

from random import Random

import bpy
import numpy as np
from generator import palette
from generator.nodes import Shader, Socket, rgba
from generator.stage import Stage

Material = bpy.types.Material
Colour = np.ndarray

CLOTH_TEXTURES = ("weave", "weave", "weave", "knit", "plaid", "stripes", "print")


def plain(
    colour: Colour, roughness: float = 0.6, *, metal: float = 0.0, variation: float = 0.06, specular: float = 0.4
) -> Material:
    """One colour, hardly uneven."""
    shader = Shader("plain")
    uneven = shader.noise(shader.place(), 2.5)
    return shader.done(
        shader.ramp(uneven, [(0.3, colour * (1 - variation)), (0.7, np.clip(colour * (1 + variation), 0, 1))]),
        roughness,
        metal=metal,
        specular=specular,
    )


def textured(
    stage: Stage,
    kind: str,
    *,
    tint: Colour | None = None,
    scale: float = 1.0,
    turned: float = 0.0,
    bump: float = 1.0,
) -> Material:
    """One of the library's textures, laid on from three sides in its own size.

    Args:
        tint: takes the place of the texture's mean colour.
        scale: makes it so many times larger.
        turned: about the vertical, in radians.
    """
    entry = stage.library.pick(stage.rng, kind, "texture")
    shader = Shader(kind)
    colour, height = image_sockets(stage, shader, entry, scale, turned)
    if tint is not None:
        grey = shader.node("RGBToBW")
        shader.put(colour, grey.inputs[0])
        low, high = np.clip(tint * 0.45, 0, 1), np.clip(tint * 1.5, 0, 1)
        colour = shader.ramp(grey.outputs[0], [(0.02, low), (0.25, tint), (0.75, high)])
    # A texture that repeats is told by its repetition; slow changes of brightness hide it.
    broad = shader.noise(shader.place(0.21), 1.0, 1.0)
    colour = shader.mix(1.0, colour, shader.ramp(broad, [(0.3, (0.8,) * 3), (0.7, (1.1,) * 3)]), "MULTIPLY")
    if bump and entry["bump_m"]:
        shader.bump(height, min(1.0, 0.7 * bump), entry["bump_m"] * scale)
    return shader.done(colour, entry["roughness"], specular=0.35)


def image_sockets(
    stage: Stage, shader: Shader, entry: dict[str, object], scale: float, turned: float
) -> tuple[Socket, Socket]:
    """Colour and height of a library texture, box-projected."""
    image = load_image(stage, entry)
    node = shader.node("TexImage", projection="BOX", projection_blend=0.15, image=image)
    shader.put(shader.place(1 / (float(entry["size_m"]) * scale), turned=turned), node.inputs["Vector"])
    return node.outputs["Color"], node.outputs["Alpha"]


def load_image(stage: Stage, entry: dict[str, object]) -> bpy.types.Image:
    """A picture of the library, read once."""
    key = f"image {entry['name']}"
    if key not in stage.cache:
        image = bpy.data.images.load(str(stage.library.file(entry)))
        image.alpha_mode = "CHANNEL_PACKED"
        stage.cache[key] = image
    return stage.cache[key]


def picture(stage: Stage, kind: str = "art", *, light: float = 0.0) -> Material:
    """A picture stretched over the object's bounds in y and z, for frames and screens; it may shine itself."""
    shader = Shader("picture")
    coordinates, split, flat = shader.node("TexCoord"), shader.node("SeparateXYZ"), shader.node("CombineXYZ")
    shader.put(coordinates.outputs["Generated"], split.inputs[0])
    shader.put(split.outputs[1], flat.inputs[0])
    shader.put(split.outputs[2], flat.inputs[1])
    node = shader.node("TexImage", image=load_image(stage, stage.library.pick(stage.rng, kind, "texture")))
    shader.put(flat.outputs[0], node.inputs["Vector"])
    if light:
        shader.put(node.outputs["Color"], shader.surface.inputs["Emission Color"])
        shader.surface.inputs["Emission Strength"].default_value = light
        return shader.done(np.full(3, 0.01), 0.15)
    return shader.done(node.outputs["Color"], stage.rng.uniform(0.3, 0.7))


def wood(stage: Stage, tint: Colour | None = None, *, boards: bool = False) -> Material:
    """Grained wood."""
    tint = palette.pick(stage.rng, palette.WOODS) if tint is None and stage.chance(0.5) else tint
    return textured(
        stage, "planks" if boards else "wood", tint=tint, turned=stage.rng.choice([0.0, np.pi / 2]), bump=0.4
    )


def cloth(stage: Stage, colour: Colour | None = None, *, lively: float = 0.3) -> Material:
    """Cloth; patterned so often as ``lively`` says."""
    rng = stage.rng
    if rng.random() < lively and colour is None:
        return textured(stage, rng.choice(("plaid", "stripes", "print")), bump=0.3)
    colour = palette.pick(rng, palette.CLOTHS) if colour is None else colour
    return textured(stage, rng.choice(("weave", "weave", "knit")), tint=colour, bump=0.5)


def leather(rng: Random) -> Material:
    """Smooth hide with a fine grain."""
    shader = Shader("leather")
    place = shader.place()
    colour = palette.pick(rng, ("2a2522", "4a3326", "6b4630", "8a6244", "d9d2c5", "3a3d42"))
    grain = shader.node("TexVoronoi")
    grain.inputs["Scale"].default_value = 160
    shader.put(place, grain.inputs["Vector"])
    shader.bump(grain.outputs["Distance"], 0.25, 0.002)
    worn = shader.noise(place, 4)
    return shader.done(shader.ramp(worn, [(0.3, colour * 0.8), (0.7, colour * 1.15)]), rng.uniform(0.3, 0.5))


def metal(rng: Random, colour: Colour | None = None) -> Material:
    """Bare metal, smooth or brushed."""
    colour = palette.pick(rng, palette.METALS) if colour is None else colour
    return plain(colour, rng.uniform(0.18, 0.45), metal=1.0)


def ceramic(rng: Random, colour: Colour | None = None) -> Material:
    """Glazed or matt clay."""
    colour = palette.pick(rng, palette.CERAMICS) if colour is None else colour
    return plain(colour, rng.choice([0.12, 0.2, 0.5, 0.75]), specular=0.5, variation=rng.choice([0.03, 0.15]))


def glass(rng: Random) -> Material:
    """Thin glass: mostly what is behind it, a little reflection. Its depth is that of its own surface."""
    material = bpy.data.materials.new("glass")
    material.use_nodes = True
    tree = material.node_tree
    tree.nodes.clear()
    nodes = {
        kind: tree.nodes.new(f"ShaderNode{kind}")
        for kind in ("BsdfTransparent", "BsdfGlossy", "MixShader", "OutputMaterial", "LayerWeight")
    }
    tint = palette.pick(rng, ("f4f8f6", "dfeee8", "c9dfe6", "e8d9b8"), 0.05)
    nodes["BsdfTransparent"].inputs[0].default_value = rgba(tint)
    nodes["BsdfGlossy"].inputs["Roughness"].default_value = 0.05
    nodes["LayerWeight"].inputs["Blend"].default_value = 0.25
    tree.links.new(nodes["LayerWeight"].outputs["Fresnel"], nodes["MixShader"].inputs[0])
    tree.links.new(nodes["BsdfTransparent"].outputs[0], nodes["MixShader"].inputs[1])
    tree.links.new(nodes["BsdfGlossy"].outputs[0], nodes["MixShader"].inputs[2])
    tree.links.new(nodes["MixShader"].outputs[0], nodes["OutputMaterial"].inputs[0])
    return material


def pane(rng: Random) -> Material:
    """A window seen from outside by day: dark, with the sky in it."""
    return plain(
        palette.pick(rng, ("20262b", "2b3238", "1a1d20", "39424a")),
        rng.uniform(0.02, 0.09),
        specular=1.0,
        variation=0.2,
    )


def glowing(colour: Colour, strength: float) -> Material:
    """A lit surface."""
    shader = Shader("glow")
    shader.put(colour, shader.surface.inputs["Emission Color"])
    shader.surface.inputs["Emission Strength"].default_value = strength
    return shader.done(np.full(3, 0.6), 0.6)


def leaf(rng: Random, colour: Colour, *, variation: float = 0.35) -> Material:
    """Leaves: each of another tone, some light shining through."""
    shader = Shader("leaf")
    geometry = shader.node("NewGeometry")
    tones = shader.ramp(
        geometry.outputs["Random Per Island"],
        [
            (0.0, colour * (1 - variation)),
            (0.55, colour),
            (1.0, np.clip(colour * (1 + variation) * (1.15, 1.05, 0.8), 0, 1)),
        ],
    )
    material = shader.done(tones, rng.uniform(0.4, 0.65), specular=0.3)
    through, mixed = shader.node("BsdfTranslucent"), shader.node("MixShader")
    brighter = shader.mix(1.0, tones, (1.0, 0.95, 0.45), "MULTIPLY")
    shader.put(brighter, through.inputs[0])
    mixed.inputs[0].default_value = 0.35
    output = shader.tree.nodes["Material Output"]
    shader.put(shader.surface.outputs[0], mixed.inputs[1])
    shader.put(through.outputs[0], mixed.inputs[2])
    shader.put(mixed.outputs[0], output.inputs[0])
    return material


def water(rng: Random) -> Material:
    """A sheet of water with small waves."""
    shader = Shader("water")
    waves = shader.noise(shader.place(own=False), rng.uniform(1.5, 4), 2.0)
    shader.bump(waves, rng.uniform(0.05, 0.35), 0.05)
    return shader.done(palette.pick(rng, ("1c2f36", "24383a", "1a2a33", "39423a")), 0.05, specular=0.6)
