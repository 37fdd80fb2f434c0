"""Things close to the lens: boughs, posts, fences, lanterns, people, plants before, above and beside what is far.

Without them a landscape's depth is that of its ground, which a network knows before it has looked: low is near. In
photographs by people the nearest thing often hangs from above, stands at the side or cuts the picture.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import bpy
import numpy as np
from generator import materials, palette
from generator.barriers import fence, frame, post
from generator.furniture import place_asset
from generator.meshes import Object, box, copies, cylinder, moved, turned
from generator.people import has_people, person
from generator.plants import potted_plant
from generator.stage import Stage
from generator.street_things import bench, bin_, lamp_post, sign
from generator.terrain import Ground, rock
from generator.trees import grow_bough, make_tree, plant
from generator.view import Spot, View, foot_of
from mathutils import Matrix

# As a share of the distance to what is behind: a thing must not stand in a wall.
FREE_SHARE = 0.75


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
    foot = foot_of(view, spot, ground)
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
    place = _raised(stage, view, foot_of(view, spot, ground))
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
    body.made.location = foot_of(view, Spot(spot.across, max(spot.distance_m, 0.9)), ground)
    body.made.rotation_euler[2] = stage.rng.uniform(0, 2 * math.pi)


def _street_thing(stage: Stage, view: View, spot: Spot, ground: Ground) -> None:
    """What stands beside paths, or a piece of furniture."""
    rng = stage.rng
    foot = foot_of(view, Spot(spot.across, max(spot.distance_m, 1.0)), ground)
    known = [kind for kind in ("chair", "stool", "table", "sidetable") if stage.library.has(kind)]
    if known and rng.random() < 0.3:
        made = place_asset(stage, rng.choice(known))
        made.location, made.rotation_euler[2] = foot, rng.uniform(0, 6.3)
        return
    thing: Callable[..., None] = rng.choice((bench, bin_, lamp_post, sign))
    thing(stage, foot, rng.uniform(0, 2 * math.pi))


# What stands nearest in photographs, by how often.
_KINDS: tuple[tuple[Callable[[Stage, View, Spot, Ground], None], int], ...] = (
    (_bough, 4),
    (post, 4),
    (fence, 3),
    (_hanging, 3),
    (_plant, 4),
    (_on_a_pedestal, 4),
    (_someone, 3),
    (_street_thing, 2),
    (frame, 3),
)
