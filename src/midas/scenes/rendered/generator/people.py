"""People of the library: posed, dressed, painted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from generator import materials, palette
from generator.meshes import Object, link
from generator.nodes import Shader
from generator.people_parts import PARTS
from generator.stage import Stage


@dataclass(frozen=True)
class Person:
    """A body in the scene, facing -Y, its feet at z = 0.

    Attributes:
        made: the object.
        facts: of the library's file: pose, seat height, place of the face.
    """

    made: Object
    facts: dict[str, Any]


def has_people(stage: Stage) -> bool:
    """The library holds bodies."""
    return stage.library.has("body", "body")


def person(stage: Stage, poses: set[str] | None = None, *, stone: bpy.types.Material | None = None) -> Person:
    """A body in one of the poses; of stone or metal, if a material is given."""
    entries = [entry for entry in stage.library.all("body", "body") if poses is None or entry["pose"] in poses]
    entry = stage.rng.choice(entries or stage.library.all("body", "body"))
    with np.load(stage.library.file(entry)) as arrays:
        points, facts = arrays["points"], json.loads(str(arrays["facts"]))
        faces = [arrays[f"faces_{part}"] for part in PARTS]
        paint = arrays["paint"]
    data = _body_mesh(points, faces)
    for material in [stone] * len(PARTS) if stone is not None else _materials(stage, facts):
        data.materials.append(material)
    if stone is None:
        _paint(data, paint)
    made = link(bpy.data.objects.new("person", data))
    return Person(made, facts)


def seat_person(stage: Stage, place: Sequence[float], seat_height: float, turn: float) -> Person | None:
    """Someone sitting; ``turn`` is where they look, as furniture has it (front at +X). None if there are no people."""
    if not has_people(stage):
        return None
    body = person(stage, {"sit"})
    body.made.location = (place[0], place[1], seat_height - body.facts["seat_m"] + 0.02)
    body.made.rotation_euler[2] = turn + np.pi / 2
    return body


def _body_mesh(points: np.ndarray, faces: Sequence[np.ndarray]) -> bpy.types.Mesh:
    data = bpy.data.meshes.new("person")
    corners = [tuple(dict.fromkeys(map(int, face))) for part in faces for face in part]
    data.from_pydata(points.astype(float).tolist(), [], corners)
    data.update()
    indices = np.repeat(np.arange(len(faces)), [len(part) for part in faces])
    data.polygons.foreach_set("material_index", indices.astype(np.int32))
    data.shade_smooth()
    return data


def _paint(data: bpy.types.Mesh, paint: np.ndarray) -> None:
    attribute = data.color_attributes.new("paint", "FLOAT_COLOR", "POINT")
    colours = np.concatenate([paint, np.ones((len(paint), 1))], 1).astype(np.float32)
    attribute.data.foreach_set("color", colours.ravel())


def _materials(stage: Stage, facts: dict[str, Any]) -> list[bpy.types.Material]:
    rng = stage.rng
    shoes = materials.plain(palette.pick(rng, ("1d1d1f", "e6e4df", "4a3326", "5c5a58", "7a2a22", "2b3a4f")), 0.5)
    return [
        _skin(stage),
        _painted("eyes", 0.08, specular=0.6),
        garment(stage),
        _trousers(stage),
        shoes,
        garment(stage),
        _hair(facts),
    ]


def garment(stage: Stage) -> bpy.types.Material:
    """A shirt, pullover or jacket: mostly of one colour."""
    rng = stage.rng
    if rng.random() < 0.28:
        return materials.textured(stage, rng.choice(("plaid", "stripes", "stripes", "print")), bump=0.3)
    kind = rng.choice(("weave", "weave", "weave", "knit"))
    return materials.textured(stage, kind, tint=palette.pick(rng, palette.GARMENTS), bump=0.6)


def _trousers(stage: Stage) -> bpy.types.Material:
    return materials.textured(stage, "weave", tint=palette.pick(stage.rng, palette.TROUSERS), bump=0.5)


def _skin(stage: Stage) -> bpy.types.Material:
    shader = Shader("skin")
    attribute = shader.node("Attribute", attribute_name="paint")
    fine = shader.noise(shader.place(), 55)
    broad = shader.noise(shader.place(), 9)
    colour = shader.mix(
        0.3,
        attribute.outputs["Color"],
        shader.ramp(fine, [(0.3, (0.82, 0.76, 0.75)), (0.7, (1.1, 1.08, 1.08))]),
        "MULTIPLY",
    )
    colour = shader.mix(
        0.35, colour, shader.ramp(broad, [(0.35, (1.0, 0.84, 0.80)), (0.65, (1.0, 1.0, 1.0))]), "MULTIPLY"
    )
    shader.bump(fine, 0.1, 0.003)
    return shader.done(colour, stage.rng.uniform(0.42, 0.58), specular=0.35)


def _painted(name: str, roughness: float, *, specular: float) -> bpy.types.Material:
    shader = Shader(name)
    return shader.done(shader.node("Attribute", attribute_name="paint").outputs["Color"], roughness, specular=specular)


def _hair(facts: dict[str, Any]) -> bpy.types.Material:
    shader = Shader("hair")
    colour = np.array(facts["hair_colour"])
    strands = shader.node("NewGeometry").outputs["Random Per Island"]
    tone = shader.ramp(strands, [(0.0, colour * 0.55), (0.6, colour), (1.0, np.clip(colour * 1.7, 0, 1))])
    return shader.done(tone, 0.38, specular=0.45)
