"""Objects of the library, dressed in materials of our own: theirs are slow to shade and of any colour."""

from __future__ import annotations

from collections.abc import Callable

import bpy
from generator import materials, palette
from generator.meshes import Object, link, smooth_below
from generator.stage import Stage

# These keep the materials that they came with, made less costly: their patterns are what they look like.
AS_THEY_CAME = frozenset({"animal", "bird", "mushroom", "flower"})

GREEN = frozenset({"fern", "houseplant", "succulent", "agave", "tallgrass", "bush", "cactus"})

MAX_COVERS = 14

# A word in the slot's name says what it is made of; the first that fits counts.
SLOT_WORDS = (
    ("mirror", "mirror"), ("lamp_material", "shade"), ("bulb", "shade"), ("text", "paper"), ("plaster", "cover"),
    ("art", "cloth"), ("knit", "cloth"), ("fabric", "cloth"), ("leather", "leather"), ("wood", "wood"),
    ("shelves_white", "paint"), ("black", "black"), ("metal", "metal"), ("plastic", "plastic"), ("glass", "glass"),
    ("marble", "stone"), ("tile", "ceramic"), ("ceramic", "ceramic"), ("screen", "screen"), ("cable", "black"),
)  # fmt: skip

# What a slot's material is in things that are usually of something else.
INSTEAD = {
    "cup": {"metal": "ceramic", "glass": "ceramic", "plastic": "ceramic", "other": "ceramic"},
    "bowl": {"metal": "ceramic", "glass": "ceramic", "plastic": "ceramic", "other": "ceramic"},
    "plate": {"metal": "ceramic", "glass": "ceramic", "wood": "ceramic", "plastic": "ceramic", "other": "ceramic"},
    "vase": {"metal": "ceramic", "glass": "ceramic", "other": "ceramic", "plastic": "ceramic"},
    "pan": {"metal": "panmetal", "other": "panmetal", "plastic": "black"},
    "toilet": dict.fromkeys(("metal", "glass", "plastic", "other", "stone", "ceramic", "wood"), "white"),
    "bathtub": dict.fromkeys(("metal", "glass", "plastic", "other", "stone", "ceramic", "wood"), "white"),
    "sink": dict.fromkeys(("glass", "plastic", "other", "stone", "ceramic", "wood"), "white"),
    "table": {"plastic": "wood", "glass": "wood", "other": "wood"},
    "coffeetable": {"plastic": "wood", "other": "wood"},
    "sidetable": {"plastic": "wood", "other": "wood", "glass": "wood"},
    "tv": {"paper": "screen", "metal": "black"},
    "monitor": {"paper": "screen", "metal": "black"},
    "floorlamp": {"cloth": "shade", "other": "black"},
    "desklamp": {"cloth": "shade", "other": "black"},
    "ceilinglamp": {"other": "black"},
    "rock": {"other": "rock"},
    "towel": {"other": "cloth"},
    "door": dict.fromkeys(("wood", "black", "paint", "other", "plastic"), "doorpaint"),
}  # fmt: skip


def place_asset(stage: Stage, category: str, *, look: str | None = None) -> Object:
    """A new object of a category, at the origin, in the scene.

    Args:
        look: objects asked for with the same look share shape and materials, as chairs around a table do.
    """
    key = f"asset {look}"
    if look is None or key not in stage.cache:
        entry = stage.library.pick(stage.rng, category)
        data = _mesh(stage, entry).copy()
        dress(stage, data, category)
        stage.cache[key] = (entry, data)
    entry, data = stage.cache[key]
    made = link(bpy.data.objects.new(category, data))
    made["category"] = category
    made["size_m"] = entry["size_m"]
    return made


def _mesh(stage: Stage, entry: dict[str, object]) -> bpy.types.Mesh:
    key = f"mesh {entry['name']}"
    if key not in stage.cache:
        with bpy.data.libraries.load(str(stage.library.file(entry)), link=False) as (_, wanted):
            wanted.objects = ["asset"]
        loaded = wanted.objects[0]
        smooth_below(loaded)
        stage.cache[key] = loaded.data
        bpy.data.objects.remove(loaded)
    return stage.cache[key]


def dress(stage: Stage, data: bpy.types.Mesh, category: str) -> None:
    """Give each material slot a material of ours; slots of one stuff share it, covers of books don't."""
    if category in AS_THEY_CAME:
        for material in data.materials:
            if material:
                make_cheap(material)
        return
    made: dict[str, bpy.types.Material] = {}
    green = materials.leaf(stage.rng, palette.pick(stage.rng, palette.LEAVES, 0.25)) if category in GREEN else None
    for number, material in enumerate(data.materials):
        stuff = _stuff(material.name.lower() if material else "", category)
        if green is not None:
            data.materials[number] = green
            continue
        if stuff not in made or stuff in ("cover", "paper"):
            made[stuff] = STUFFS[stuff](stage)
        data.materials[number] = made[stuff]


def _stuff(slot: str, category: str) -> str:
    stuff = next((stuff for word, stuff in SLOT_WORDS if word in slot), "other")
    return INSTEAD.get(category, {}).get(stuff, stuff)


def _screen(stage: Stage) -> bpy.types.Material:
    if stage.chance(0.55):
        return materials.plain(palette.linear("0b0c0e"), 0.1, specular=0.8)
    return materials.picture(stage, stage.rng.choice(("art", "paper")), light=stage.rng.uniform(0.6, 2.0))


def _shade(stage: Stage) -> bpy.types.Material:
    return materials.plain(palette.pick(stage.rng, ("efe6d5", "e3d6bd", "f2efe8", "d9d2c5", "3a3a3c", "b8a88c")), 0.9)


def _cover(stage: Stage) -> bpy.types.Material:
    # A shelf has hundreds of books, but not of so many colours.
    covers = stage.cache.setdefault("covers", [])
    if len(covers) < MAX_COVERS:
        codes = palette.PRINTS + palette.CLOTHS + palette.WALLS
        covers.append(materials.plain(palette.pick(stage.rng, codes), stage.rng.uniform(0.3, 0.8)))
    return stage.rng.choice(covers)


def _paint(stage: Stage) -> bpy.types.Material:
    codes = palette.WALLS if stage.chance(0.7) else palette.WALL_ACCENTS + palette.CLOTHS
    return materials.plain(palette.pick(stage.rng, codes), stage.rng.uniform(0.3, 0.6), variation=0.03)


def _other(stage: Stage) -> bpy.types.Material:
    return stage.rng.choice((_paint, materials.wood))(stage)


def _pan_metal(stage: Stage) -> bpy.types.Material:
    if stage.chance(0.5):
        return materials.metal(stage.rng)
    return materials.plain(palette.pick(stage.rng, ("1b1b1d", "2b2c2e", "7a2a22", "2f4a5a")), 0.35)


def _sanitary_white(stage: Stage) -> bpy.types.Material:
    return materials.plain(palette.pick(stage.rng, ("f2f1ee", "ecebe6"), 0.03), 0.12, specular=0.5, variation=0.02)


STUFFS: dict[str, Callable[[Stage], bpy.types.Material]] = {
    "mirror": lambda stage: materials.plain(palette.linear("e6e8ea"), 0.03, metal=1.0, variation=0.0),
    "shade": _shade,
    "screen": _screen,
    "paper": lambda stage: materials.textured(stage, "paper", scale=stage.rng.uniform(0.15, 0.3), bump=0),
    "cover": _cover,
    "cloth": lambda stage: materials.cloth(stage, lively=0.15),
    "leather": lambda stage: materials.leather(stage.rng),
    "wood": lambda stage: materials.wood(stage),
    "paint": _paint,
    "doorpaint": lambda stage: materials.plain(palette.pick(stage.rng, palette.DOORS), 0.45, variation=0.03),
    "black": lambda stage: materials.plain(palette.linear("1c1c1e"), 0.45),
    "metal": lambda stage: materials.metal(stage.rng),
    "panmetal": _pan_metal,
    "plastic": lambda stage: materials.plain(palette.pick(stage.rng, palette.PLASTICS), stage.rng.uniform(0.25, 0.6)),
    "glass": lambda stage: materials.glass(stage.rng),
    "stone": lambda stage: materials.textured(stage, "rock", bump=0.0),
    "rock": lambda stage: materials.textured(stage, "rock"),
    "ceramic": lambda stage: materials.ceramic(stage.rng),
    "white": _sanitary_white,
    "other": _other,
}  # fmt: skip


def make_cheap(material: bpy.types.Material) -> None:
    """Fewer octaves of noise, no bumps: less than half the time to shade."""
    seen: set[str] = set()

    def visit(tree: bpy.types.NodeTree | None) -> None:
        if tree is None or tree.name in seen:
            return
        seen.add(tree.name)
        for node in tree.nodes:
            if node.type == "GROUP":
                visit(node.node_tree)
            _make_node_cheap(tree, node)

    visit(material.node_tree)


def _make_node_cheap(tree: bpy.types.NodeTree, node: bpy.types.Node) -> None:
    if node.type in ("TEX_NOISE", "TEX_VORONOI") and "Detail" in node.inputs and not node.inputs["Detail"].is_linked:
        node.inputs["Detail"].default_value = min(node.inputs["Detail"].default_value, 2.0)
    unwanted = "Normal" if node.type.startswith("BSDF") else "Displacement" if node.type == "OUTPUT_MATERIAL" else None
    if unwanted and unwanted in node.inputs:
        for joint in list(node.inputs[unwanted].links):
            tree.links.remove(joint)
