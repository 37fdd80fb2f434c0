"""Scene: what stands where, what it is made of, what lights it. Metres; x right, y forward, z up."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from midas.scenes.camera import Camera, Number, Vector
from midas.scenes.palette import Color
from midas.scenes.terrain import Terrain

Frame = tuple[Vector, Vector, Vector]
UPRIGHT: Frame = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


@dataclass(frozen=True)
class Material:
    """What a surface looks like.

    Attributes:
        first, second: the colours that the pattern mixes, linear light.
        pattern: one of ``patterns.PATTERNS``.
        tile_m: side of one repeat of the pattern in metres; 0 stretches one repeat over the face.
        gloss: strength of the highlight, 0 to 1.
        glow: light of its own, as a share of its colour.
    """

    first: Color
    second: Color
    pattern: str = "plain"
    tile_m: float = 1.0
    gloss: float = 0.0
    glow: float = 0.0


@dataclass(frozen=True)
class Quad:
    """A parallelogram, seen from the side that ``u`` × ``v`` points to.

    Attributes:
        corner: where both edges start.
        u, v: edges.
        material: what it is made of.
        decal: lies on another surface and wins over it.
        cutout: name of the shape that is cut out of it and seen from both sides; None for all of it.
        ground: shadows fall on it.
    """

    corner: Vector
    u: Vector
    v: Vector
    material: Material
    decal: bool = False
    cutout: str | None = None
    ground: bool = False


@dataclass(frozen=True)
class Solid:
    """An ellipsoid, a cylinder or a cone.

    Attributes:
        kind: ``ellipsoid``, ``cylinder`` or ``cone``;
            cylinders and cones stand along the frame's third axis, a cone's tip at its end.
        centre: of its bounding box.
        radii: half the sides of its bounding box, along the frame.
        frame: three unit vectors.
        material: what it is made of.
        ragged: 0 for a smooth outline, up to 1 for the outline of a tree's crown or a fur.
    """

    kind: str
    centre: Vector
    radii: Vector
    frame: Frame
    material: Material
    ragged: float = 0.0


@dataclass(frozen=True)
class Light:
    """The sun or a lamp.

    Attributes:
        place: of the lamp; the direction to the sun where ``is_sun``.
        color: strength, linear.
        is_sun: infinitely far.
        reach_m: where a lamp has lost half its strength.
    """

    place: Vector
    color: Color
    is_sun: bool = True
    reach_m: float = 2.0


@dataclass(frozen=True)
class Sky:
    """What is behind everything outdoors.

    Attributes:
        zenith, horizon, cloud: colours.
        cover: share of the sky under clouds.
    """

    zenith: Color
    horizon: Color
    cloud: Color
    cover: float


@dataclass
class Scene:
    """What the renderer draws. World builders fill it.

    Attributes:
        camera: from where.
        lights: the first one casts shadows.
        ambient: light from everywhere.
        sky: None indoors.
        haze_m: distance over which haze takes away 63 % of the colour; infinite for clear air.
        floor_m: height of the plane that shadows fall on.
        room: lower and upper corner of the room, whose edges are darker; None outdoors.
        terrain: hills; None for flat ground.
    """

    camera: Camera
    lights: list[Light] = field(default_factory=list)
    ambient: Color = (0.4, 0.4, 0.4)
    sky: Sky | None = None
    haze_m: float = math.inf
    floor_m: float = 0.0
    room: tuple[Vector, Vector] | None = None
    terrain: Terrain | None = None
    quads: list[Quad] = field(default_factory=list)
    solids: list[Solid] = field(default_factory=list)
    casters: list[tuple[Vector, ...]] = field(default_factory=list)

    def quad(
        self,
        corner: Vector,
        u: Vector,
        v: Vector,
        material: Material,
        decal: bool = False,
        cutout: str | None = None,
        ground: bool = False,
    ) -> None:
        """Add a parallelogram."""
        self.quads.append(Quad(corner, u, v, material, decal, cutout, ground))

    def box(self, centre: Vector, sides: Vector, material: Material, turn_deg: float = 0.0, casts: bool = True) -> None:
        """Add an upright box."""
        self.oriented_box(centre, sides, upright_frame(turn_deg), material, casts)

    def oriented_box(self, centre: Vector, sides: Vector, frame: Frame, material: Material, casts: bool = True) -> None:
        """Add a box with sides along a frame."""
        edges = tuple(along(axis, side) for axis, side in zip(frame, sides, strict=True))
        # Upright sides read their pattern upright.
        for normal, across, up in ((0, 1, 2), (1, 0, 2), (2, 0, 1)):
            turn = -1.0 if normal == 1 else 1.0
            for side in (1.0, -1.0):
                u, v = along(edges[across], turn * side), edges[up]
                corner = add(add(centre, along(edges[normal], 0.5 * side)), add(along(u, -0.5), along(v, -0.5)))
                self.quads.append(Quad(corner, u, v, material))
        if casts:
            self.casters.append(_corners(centre, tuple(along(edge, 0.5) for edge in edges)))

    def solid(
        self, kind: str, centre: Vector, radii: Vector, material: Material, frame: Frame = UPRIGHT, ragged: float = 0.0
    ) -> None:
        """Add an ellipsoid, a cylinder or a cone."""
        self.solids.append(Solid(kind, centre, radii, frame, material, ragged))
        self.casters.append(_outline(self.solids[-1]))

    def ball(self, centre: Vector, radius: float, material: Material) -> None:
        """Add a sphere."""
        self.solid("ellipsoid", centre, (radius, radius, radius), material)

    def rod(self, start: Vector, end: Vector, radius: float, material: Material, kind: str = "cylinder") -> None:
        """Add a cylinder, or another solid, between two points."""
        frame, length = frame_along(start, end)
        self.solid(kind, along(add(start, end), 0.5), (radius, radius, length / 2), material, frame)

    def limb(self, start: Vector, end: Vector, radius: float, material: Material, ragged: float = 0.0) -> None:
        """Add an ellipsoid that reaches a little beyond two points, as a limb does beyond its joints."""
        frame, length = frame_along(start, end)
        radii = (radius, radius, length / 2 + 0.6 * radius)
        self.solid("ellipsoid", along(add(start, end), 0.5), radii, material, frame, ragged)


def add(first: Vector, second: Vector) -> Vector:
    """Sum."""
    return first[0] + second[0], first[1] + second[1], first[2] + second[2]


def along(direction: Vector, length: Number) -> Vector:
    """Product with a number."""
    return direction[0] * length, direction[1] * length, direction[2] * length


def frame_along(start: Vector, end: Vector) -> tuple[Frame, float]:
    """Three unit vectors whose third points from start to end, and the distance."""
    x, y, z = (there - here for there, here in zip(end, start, strict=True))
    length = math.sqrt(x * x + y * y + z * z) or 1e-9
    third = (x / length, y / length, z / length)
    level = math.hypot(third[0], third[1])
    first = (third[1] / level, -third[0] / level, 0.0) if level > 1e-6 else (1.0, 0.0, 0.0)
    second = (
        third[1] * first[2] - third[2] * first[1],
        third[2] * first[0] - third[0] * first[2],
        third[0] * first[1] - third[1] * first[0],
    )
    return (first, second, third), length


def any_frame(rng: np.random.Generator) -> Frame:
    """Axes turned anyhow."""
    x, y, z = rng.standard_normal(3).tolist()
    return frame_along((0.0, 0.0, 0.0), (x, y, z))[0]


def upright_frame(turn_deg: float) -> Frame:
    """Axes turned to the left about the upright one."""
    cosine, sine = math.cos(math.radians(turn_deg)), math.sin(math.radians(turn_deg))
    return (cosine, sine, 0.0), (-sine, cosine, 0.0), (0.0, 0.0, 1.0)


def turned(place: Vector, turn_deg: float, origin: Vector) -> Vector:
    """A place given relative to something that is turned to the left and stands at the origin."""
    cosine, sine = math.cos(math.radians(turn_deg)), math.sin(math.radians(turn_deg))
    return add(origin, (cosine * place[0] - sine * place[1], sine * place[0] + cosine * place[1], place[2]))


_SIGNS = tuple((x, y, z) for x in (-1.0, 1.0) for y in (-1.0, 1.0) for z in (-1.0, 1.0))
_RING = tuple((math.cos(angle), math.sin(angle)) for angle in np.linspace(0, 2 * math.pi, 8, endpoint=False).tolist())


# Rings around the third axis: height and width.
_RINGS: dict[str, tuple[tuple[float, float], ...]] = {
    "ellipsoid": ((-1.0, 0.0), (-0.7, 0.7), (0.0, 1.0), (0.7, 0.7), (1.0, 0.0)),
    "cylinder": ((-1.0, 1.0), (1.0, 1.0)),
    "cone": ((-1.0, 1.0), (1.0, 0.0)),
}


def _corners(centre: Vector, halves: tuple[Vector, ...]) -> tuple[Vector, ...]:
    return tuple(
        add(centre, add(along(halves[0], x), add(along(halves[1], y), along(halves[2], z)))) for x, y, z in _SIGNS
    )


def _outline(solid: Solid) -> tuple[Vector, ...]:
    """Points whose hull is about the solid."""
    first, second, third = (along(axis, radius) for axis, radius in zip(solid.frame, solid.radii, strict=True))
    rings = _RINGS[solid.kind]
    return tuple(
        add(solid.centre, add(along(third, height), add(along(first, width * x), along(second, width * y))))
        for height, width in rings
        for x, y in (_RING if width else _RING[:1])
    )
