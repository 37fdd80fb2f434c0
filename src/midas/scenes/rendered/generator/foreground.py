"""Things close to the lens: boughs, posts, fences, lanterns, people, plants before, above and beside what is far.

Without them a landscape's depth is that of its ground, which a network knows before it has looked: low is near. In
photographs by people the nearest thing often hangs from above, stands at the side or cuts the picture.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import bpy
import numpy as np
from generator import materials, palette
from generator.furniture import place_asset
from generator.meshes import Object, box, copies, cylinder, moved, turned, wall
from generator.people import has_people, person
from generator.plants import potted_plant
from generator.stage import Stage
from generator.street_things import bench, bin_, lamp_post, sign
from generator.terrain import Ground, rock
from generator.trees import grow_bough, make_tree, plant
from mathutils import Matrix, Vector

# As a share of the distance to what is behind: a thing must not stand in a wall.
FREE_SHARE = 0.75


@dataclass(frozen=True)
class View:
    """The picture's frame in space.

    Attributes:
        eye: where the lens is.
        right, up, ahead: its axes, of length one.
        half_width, half_height: of the picture at a distance of one.
    """

    eye: Vector
    right: Vector
    up: Vector
    ahead: Vector
    half_width: float
    half_height: float

    @classmethod
    def of(cls, camera: bpy.types.Object) -> View:
        """What a camera sees."""
        corners = camera.data.view_frame(scene=bpy.context.scene)
        axes = camera.matrix_world.to_3x3()
        return cls(
            camera.matrix_world.translation.copy(), axes.col[0].copy(), axes.col[1].copy(), -axes.col[2],
            max(abs(corner.x / corner.z) for corner in corners), max(abs(corner.y / corner.z) for corner in corners),
        )  # fmt: skip

    def at(self, across: float, upward: float, distance_m: float) -> Vector:
        """A point by its place in the picture, -1 to 1 from left to right and from bottom to top."""
        way = self.ahead + self.right * (across * self.half_width) + self.up * (upward * self.half_height)
        return self.eye + distance_m * way

    @property
    def heading(self) -> float:
        """About the vertical: 0 looks along Y."""
        return math.atan2(-self.ahead.x, self.ahead.y)

    def reach(self, across: float, upward: float) -> float:
        """Distance along the axis to what is seen there; infinite for the sky."""
        way = (self.at(across, upward, 1.0) - self.eye).normalized()
        hit, place, *_ = bpy.context.scene.ray_cast(bpy.context.evaluated_depsgraph_get(), self.eye, way)
        return (place - self.eye).dot(self.ahead) if hit else math.inf


@dataclass(frozen=True)
class Spot:
    """Where a thing is to be.

    Attributes:
        across: in the picture, -1 to 1 from the left to the right.
        distance_m: along the axis.
    """

    across: float
    distance_m: float


def put_near_things(stage: Stage, camera: bpy.types.Object, ground: Ground) -> tuple[list[Object], float | None]:
    """One to three things before the camera.

    Returns:
        All new objects, to be taken away after the picture, and the distance of the one that is the subject, if one is.
    """
    rng, view = stage.rng, View.of(camera)
    before = set(bpy.data.objects)
    subject_m = None
    for number in range(rng.choice((1, 1, 1, 2, 2, 3))):
        is_subject = number == 0 and rng.random() < 0.45
        across = rng.uniform(-0.4, 0.4) if is_subject else rng.choice((-1, 1)) * rng.uniform(0.3, 1.0)
        distance = math.exp(rng.uniform(math.log(0.7), math.log(4.0)))
        distance = min(distance, FREE_SHARE * view.reach(across, rng.uniform(-0.2, 0.4)))
        if distance < 0.5:
            continue
        kinds, weights = zip(*_KINDS, strict=True)
        rng.choices(kinds, weights)[0](stage, view, Spot(across, distance), ground)
        if is_subject:
            subject_m = distance
    bpy.context.view_layer.update()
    return [made for made in bpy.data.objects if made not in before], subject_m


def take_away(objects: Sequence[Object]) -> None:
    """Remove them from the scene."""
    for made in objects:
        bpy.data.objects.remove(made)


def _foot(view: View, spot: Spot, ground: Ground) -> tuple[float, float, float]:
    place = view.at(spot.across, 0.0, spot.distance_m)
    return (place.x, place.y, ground(place.x, place.y))


def _post(stage: Stage, view: View, spot: Spot, ground: Ground) -> None:
    """A pole, a pillar or a trunk that leaves the picture at the top."""
    rng = stage.rng
    x, y, z = _foot(view, spot, ground)
    radius = min(rng.choice((rng.uniform(0.015, 0.06), rng.uniform(0.08, 0.3))), 0.3 * spot.distance_m)
    tall = max(view.at(0, 1, spot.distance_m).z - z, 0.5) + rng.uniform(0.3, 3)
    if radius > 0.07 and rng.random() < 0.7:
        _trunk(stage, (x, y, z), radius, tall)
        return
    material = rng.choice(
        (
            lambda: materials.metal(rng),
            lambda: materials.wood(stage),
            lambda: materials.plain(palette.pick(rng, palette.PLASTICS), 0.4),
            lambda: materials.textured(stage, rng.choice(("concrete", "brick", "rock", "plaster"))),
        )
    )()
    if rng.random() < 0.5:
        made = cylinder((x, y, z - 0.3), radius, tall + 0.3, material, sides=18)
    else:
        made = box((x, y, z - 0.3), (2 * radius, 2 * radius, tall + 0.3), material, bevel=0.1 * radius, name="post")
    made.rotation_euler = (rng.gauss(0, 0.01), rng.gauss(0, 0.01), rng.uniform(0, math.pi))


def _trunk(stage: Stage, foot: tuple[float, float, float], radius: float, tall: float) -> None:
    """Bark around a bent axis, thicker where it leaves the ground."""
    chance = np.random.default_rng(stage.rng.randrange(1 << 32))
    rings, sides = 24, 20
    height = np.linspace(-0.4, tall, rings)
    flare = 1 + 0.7 * np.exp(-np.maximum(height, 0) / (2 * radius))
    bend = np.cumsum(chance.normal(0, 0.018 * tall / rings, (rings, 2)), axis=0) + np.outer(
        height, chance.normal(0, 0.05, 2)
    )
    angle = np.arange(sides) * 2 * np.pi / sides
    lobes = (
        1
        + 0.06 * np.sin(np.outer(np.ones(rings), 3 * angle) + chance.uniform(0, 6))
        + chance.normal(0, 0.02, (rings, sides))
    )
    around = radius * (1 - 0.25 * height / tall)[:, None] * flare[:, None] * lobes
    points = np.stack(
        [
            bend[:, :1] + around * np.cos(angle),
            bend[:, 1:] + around * np.sin(angle),
            np.repeat(height[:, None], sides, 1),
        ],
        -1,
    )
    low = np.arange(rings - 1)[:, None] * sides + np.arange(sides)
    after = np.arange(rings - 1)[:, None] * sides + (np.arange(sides) + 1) % sides
    faces = np.stack([low, after, after + sides, low + sides], -1).reshape(-1, 4)
    tint = palette.pick(stage.rng, palette.BARKS) if stage.chance(0.6) else None
    data = bpy.data.meshes.new("trunk")
    data.from_pydata(points.reshape(-1, 3).tolist(), [], faces.tolist())
    data.materials.append(materials.textured(stage, "bark", tint=tint, scale=stage.rng.uniform(0.5, 1.0), bump=0.8))
    data.shade_smooth()
    made = bpy.data.objects.new("trunk", data)
    bpy.context.scene.collection.objects.link(made)
    made.location = foot


def _fence(stage: Stage, view: View, spot: Spot, ground: Ground) -> None:
    """Rails, pickets or bars across the picture."""
    rng = stage.rng
    x, y, z = _foot(view, Spot(0.5 * spot.across, max(spot.distance_m, 1.0)), ground)
    height, long = rng.uniform(0.5, 1.5), rng.uniform(3, 9)
    material = (
        materials.wood(stage, boards=rng.random() < 0.3)
        if rng.random() < 0.5
        else materials.plain(
            palette.pick(rng, ("1d1d1f", "24382a", "f0f0ee", "6a6c6f", "4a3a28", "b8302a")), 0.4, metal=0.3
        )
    )
    style = rng.choice(("rails", "pickets", "bars"))
    parts: list[Object] = []
    thick = rng.uniform(0.02, 0.06)
    rails = rng.randint(2, 4) if style == "rails" else 2
    for number in range(rails):
        level = height * ((number + 1) / rails if style == "rails" else (0.15, 0.92)[number])
        parts.append(box((0, 0, level - thick), (long, thick, thick * rng.choice((1, 1, 2.5))), material, name="fence"))
    step = {"rails": rng.uniform(1.0, 2.2), "pickets": rng.uniform(0.12, 0.2), "bars": rng.uniform(0.09, 0.16)}[style]
    wide = {"rails": 1.6 * thick, "pickets": step * rng.uniform(0.5, 0.85), "bars": rng.uniform(0.012, 0.025)}[style]
    deep = {"rails": 1.6 * thick, "pickets": 0.02, "bars": wide}[style]
    for number in range(int(long / step) + 1):
        parts.append(
            box((number * step - long / 2, 0.6 * thick, -0.3), (wide, deep, height + 0.33), material, name="fence")
        )
    moved(parts, (x, y, z), view.heading + rng.uniform(-0.9, 0.9))


def _hanging(stage: Stage, view: View, spot: Spot, ground: Ground) -> None:
    """Something on a cord from above."""
    rng = stage.rng
    size = spot.distance_m * view.half_height * rng.uniform(0.25, 0.9)
    place = view.at(spot.across, rng.uniform(-0.1, 0.75), spot.distance_m)
    parts, tall = _thing_to_hang(stage, size)
    cord = cylinder(
        (0, 0, tall), rng.uniform(0.003, 0.01), 8.0, materials.plain(palette.linear("2b2622"), 0.7), sides=6
    )
    moved([*parts, cord], (place.x, place.y, place.z - tall / 2), rng.uniform(0, 2 * math.pi))


def _thing_to_hang(stage: Stage, size: float) -> tuple[list[Object], float]:
    """A lantern, a pot with a plant, a board, or a thing of the library, standing on the origin; and its height."""
    rng = stage.rng
    known = [kind for kind in ("ceilinglamp", "garment", "towel", "fern", "bird") if stage.library.has(kind)]
    choice = rng.choice(("lantern", "lantern", "board", "pot", "asset" if known else "lantern"))
    if choice == "asset":
        made = place_asset(stage, rng.choice(known))
        scale = size / max(max(made["size_m"]), 1e-3)
        made.scale = (scale,) * 3
        return [made], made["size_m"][2] * scale
    if choice == "pot":
        pot = potted_plant(stage, large=True)
        moved(pot, (0, 0, 0), 0.0, scale=size / 0.9)
        return pot, size
    if choice == "board":
        face = (
            materials.picture(stage)
            if rng.random() < 0.4
            else materials.plain(palette.pick(rng, palette.PRINTS), 0.5)
            if rng.random() < 0.5
            else materials.wood(stage, boards=True)
        )
        return [box((0, 0, 0), (0.03, size * rng.uniform(0.8, 2.2), size), face, bevel=0.004, name="board")], size
    return [_lantern(stage, size)], size


def _lantern(stage: Stage, size: float) -> Object:
    rng = stage.rng
    colour = palette.pick(rng, (*palette.PRINTS, "efe8da", "efe8da", "2b2b30", "4a3a28"))
    material = (
        materials.glowing(colour, rng.uniform(2, 8))
        if stage.night
        else rng.choice((materials.ceramic(rng, colour), materials.plain(colour, 0.7), materials.metal(rng)))
    )
    # A few rings of any width between a foot and a roof, round or with corners.
    rings = rng.randint(2, 5)
    profile = [(0.0, 0.0)]
    for number in range(rings):
        profile.append((size * rng.uniform(0.15, 0.5), size * (0.05 + 0.8 * number / (rings - 1))))
    profile += [(size * rng.uniform(0.2, 0.6), 0.88 * size), (0.03 * size, size), (0.0, size)]
    return turned(profile, material, rng.choice((4, 6, 8, 28, 28)), "lantern")


def _bough(stage: Stage, view: View, spot: Spot, ground: Ground) -> None:
    """A bough that reaches into the picture from above or from a side."""
    rng = stage.rng
    distance = spot.distance_m
    side = rng.choice(("top", "top", "left", "right"))
    if side == "top":
        start = view.at(spot.across, rng.uniform(1.1, 1.5), distance)
        end = view.at(spot.across + rng.gauss(0, 0.5), rng.uniform(-0.1, 0.7), distance * rng.uniform(0.8, 1.25))
    else:
        sign_ = -1 if side == "left" else 1
        level = rng.uniform(-0.5, 0.9)
        start = view.at(sign_ * rng.uniform(1.1, 1.4), level, distance)
        end = view.at(sign_ * rng.uniform(-0.3, 0.7), level + rng.gauss(0, 0.3), distance * rng.uniform(0.8, 1.25))
    grow_bough(stage, np.array(start), np.array(end))


def _plant(stage: Stage, view: View, spot: Spot, ground: Ground) -> None:
    """A bush, flowers or grass, some of them raised to the lens."""
    rng = stage.rng
    foot = _foot(view, spot, ground)
    if rng.random() < 0.4:
        bush = make_tree(stage, "shrub")
        high = max(view.eye.z - foot[2], 0.4) * rng.uniform(0.5, 1.5)
        plant(stage, bush, (foot[0], foot[1], foot[2] - 0.05), high / bush.height_m)
        return
    known = [
        kind for kind in ("flower", "fern", "tallgrass", "agave", "houseplant", "cactus") if stage.library.has(kind)
    ]
    if not known or rng.random() < 0.25:
        pot = potted_plant(stage, large=True)
        moved(pot, _raised(stage, view, foot), rng.uniform(0, 6.3), scale=rng.uniform(0.7, 1.3))
        return
    made = place_asset(stage, rng.choice(known))
    high = max(view.eye.z - foot[2], 0.4) * rng.uniform(0.35, 1.1)
    scale = high / max(max(made["size_m"]), 1e-3)
    made.scale = (scale,) * 3
    for _ in range(rng.choice((0, 0, 2, 5))):
        turn = Matrix.Rotation(rng.uniform(0, 6.3), 4, "Z")
        x, y = foot[0] + rng.gauss(0, 0.3), foot[1] + rng.gauss(0, 0.3)
        copies([made], Matrix.Translation((x, y, ground(x, y))) @ turn @ Matrix.Scale(rng.uniform(0.7, 1.2), 4))
    made.location, made.rotation_euler[2] = foot, rng.uniform(0, 6.3)


def _raised(stage: Stage, view: View, foot: tuple[float, float, float]) -> tuple[float, float, float]:
    """The top of a wall or pedestal at that place, lower than the lens; the ground itself now and then."""
    rng = stage.rng
    tall = max(view.eye.z - foot[2], 0.3) * rng.uniform(0.2, 0.9)
    if rng.random() < 0.3:
        return foot
    wide = rng.uniform(0.3, 0.8)
    long = rng.choice((wide, wide, rng.uniform(1, 4)))
    stone = materials.textured(stage, rng.choice(("rock", "concrete", "blocks", "brick", "planks")), scale=0.8)
    made = box((foot[0], foot[1], foot[2] - 0.3), (long, wide, tall + 0.3), stone, bevel=0.015, name="pedestal")
    made.rotation_euler[2] = view.heading + rng.uniform(-0.6, 0.6)
    return (foot[0], foot[1], foot[2] + tall)


def _on_a_pedestal(stage: Stage, view: View, spot: Spot, ground: Ground) -> None:
    """A figure, an animal, a stone or a vase on something."""
    rng = stage.rng
    place = _raised(stage, view, _foot(view, spot, ground))
    room = max(view.at(0, rng.uniform(0.4, 1.3), spot.distance_m).z - place[2], 0.25)
    known = [kind for kind in ("animal", "bird", "vase", "bowl", "jar", "mushroom") if stage.library.has(kind)]
    choice = rng.choice(("figure", "asset", "asset", "stone", "lantern"))
    if choice == "figure" and has_people(stage):
        stone = materials.textured(
            stage, rng.choice(("rock", "concrete")), tint=palette.pick(rng, palette.STONES), scale=0.4
        )
        body = person(stage, None, stone=stone)
        body.made.location, body.made.scale = place, (room / 1.7,) * 3
        body.made.rotation_euler[2] = rng.uniform(0, 6.3)
    elif choice == "asset" and known:
        made = place_asset(stage, rng.choice(known))
        made.location, made.scale = place, (room / max(made["size_m"]),) * 3
        made.rotation_euler[2] = rng.uniform(0, 6.3)
    elif choice == "stone":
        turn = Matrix.Rotation(rng.uniform(0, 6.3), 4, "Z")
        copies(rock(stage), Matrix.Translation((*place[:2], place[2] + 0.3 * room)) @ turn @ Matrix.Scale(room, 4))
    else:
        made = _lantern(stage, room)
        made.location, made.rotation_euler[2] = place, rng.uniform(0, 6.3)


def _someone(stage: Stage, view: View, spot: Spot, ground: Ground) -> None:
    """A person, whole or cut by the picture's edge, seen from any side."""
    if not has_people(stage):
        _plant(stage, view, spot, ground)
        return
    body = person(stage, {"stand", "arms", "walk", "bend", "crouch"})
    body.made.location = _foot(view, Spot(spot.across, max(spot.distance_m, 0.9)), ground)
    body.made.rotation_euler[2] = stage.rng.uniform(0, 2 * math.pi)


def _street_thing(stage: Stage, view: View, spot: Spot, ground: Ground) -> None:
    """What stands beside paths, or a piece of furniture."""
    rng = stage.rng
    foot = _foot(view, Spot(spot.across, max(spot.distance_m, 1.0)), ground)
    known = [kind for kind in ("chair", "stool", "table", "sidetable") if stage.library.has(kind)]
    if known and rng.random() < 0.3:
        made = place_asset(stage, rng.choice(known))
        made.location, made.rotation_euler[2] = foot, rng.uniform(0, 6.3)
        return
    thing: Callable[..., None] = rng.choice((bench, bin_, lamp_post, sign))
    thing(stage, foot, rng.uniform(0, 2 * math.pi))


def _frame(stage: Stage, view: View, spot: Spot, ground: Ground) -> None:
    """A doorway or a window that the picture is taken through, or a beam that runs across its top."""
    rng = stage.rng
    distance = max(spot.distance_m, 0.9)
    material = rng.choice(
        (
            lambda: materials.textured(stage, rng.choice(("brick", "plaster", "concrete", "rock", "blocks"))),
            lambda: materials.wood(stage, boards=True),
            lambda: materials.plain(palette.pick(rng, palette.WALLS), 0.8),
        )
    )()
    half_width, half_height = distance * view.half_width, distance * view.half_height
    if rng.random() < 0.4:
        place = view.at(0, rng.uniform(0.45, 0.95), distance)
        beam = box(
            (0, 0, 0),
            (6 * half_width, rng.uniform(0.1, 0.6), half_height * rng.uniform(0.15, 0.6)),
            material,
            name="beam",
        )
        beam.location, beam.rotation_euler[2] = place, view.heading + rng.gauss(0, 0.25)
        return
    foot = _foot(view, Spot(0.0, distance), ground)
    across = np.array([math.cos(view.heading), math.sin(view.heading)])
    across = across + rng.gauss(0, 0.25) * np.array([-across[1], across[0]])
    across /= np.linalg.norm(across)
    reach, floor = 4 * half_width + 2, foot[2] - 0.3
    level = view.at(0, 0, distance).z - floor
    top = level + half_height * rng.uniform(0.45, 1.1)
    sill = 0.0 if rng.random() < 0.6 else max(0.0, level - half_height * rng.uniform(0.6, 1.1))
    hole = (
        reach - half_width * rng.uniform(0.5, 1.2),
        reach + half_width * rng.uniform(0.5, 1.2),
        sill,
        max(top, sill + 0.2),
    )
    middle = np.array(foot[:2])
    made = wall(
        middle - reach * across,
        middle + reach * across,
        hole[3] + 3,
        material,
        [hole],
        thickness=rng.uniform(0.08, 0.5),
    )
    made.location.z = floor


# What stands nearest in photographs, by how often.
_KINDS: tuple[tuple[Callable[[Stage, View, Spot, Ground], None], int], ...] = (
    (_bough, 4),
    (_post, 4),
    (_fence, 3),
    (_hanging, 3),
    (_plant, 4),
    (_on_a_pedestal, 4),
    (_someone, 3),
    (_street_thing, 2),
    (_frame, 3),
)
