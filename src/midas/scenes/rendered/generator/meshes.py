"""Plain geometry: boxes, cylinders, turned profiles, grids, walls with holes. Sizes in metres, z is up."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import bpy
import numpy as np
from mathutils import Matrix

Material = bpy.types.Material
Object = bpy.types.Object
Point = Sequence[float]
Hole = tuple[float, float, float, float]  # from, to along the wall; from, to in height


def link(made: Object) -> Object:
    """Put an object into the scene."""
    bpy.context.scene.collection.objects.link(made)
    return made


def mesh(
    name: str, points: np.ndarray, faces: Sequence[Sequence[int]], material: Material | None, smooth: bool = False
) -> Object:
    """An object from points and faces of any number of corners."""
    data = bpy.data.meshes.new(name)
    data.from_pydata(np.asarray(points, float).tolist(), [], [tuple(map(int, face)) for face in faces])
    data.update()
    if material:
        data.materials.append(material)
    if smooth:
        data.shade_smooth()
    return link(bpy.data.objects.new(name, data))


def quads(
    name: str, points: np.ndarray, faces: np.ndarray, materials: Sequence[Material], indices: np.ndarray | None = None
) -> Object:
    """An object from very many quadrangles, fast. ``indices`` says which material each has."""
    data = bpy.data.meshes.new(name)
    data.vertices.add(len(points))
    data.vertices.foreach_set("co", np.asarray(points, np.float32).ravel())
    data.loops.add(faces.size)
    data.loops.foreach_set("vertex_index", faces.ravel().astype(np.int32))
    data.polygons.add(len(faces))
    data.polygons.foreach_set("loop_start", np.arange(0, faces.size, 4, dtype=np.int32))
    for material in materials:
        data.materials.append(material)
    if indices is not None:
        data.polygons.foreach_set("material_index", indices.astype(np.int32))
    data.update(calc_edges=True)
    return link(bpy.data.objects.new(name, data))


def smooth_below(made: Object, angle_deg: float = 35.0) -> Object:
    """Shade smooth where faces meet flatter than the angle."""
    made.data.shade_smooth()
    if hasattr(made.data, "set_sharp_from_angle"):
        made.data.set_sharp_from_angle(angle=math.radians(angle_deg))
    return made


def box(middle: Point, size: Point, material: Material | None, *, bevel: float = 0.0, name: str = "box") -> Object:
    """A box standing on z of ``middle``, whose x and y it is centred on."""
    half_x, half_y = size[0] / 2, size[1] / 2
    corners = [(-half_x, -half_y), (half_x, -half_y), (half_x, half_y), (-half_x, half_y)]
    points = [(x, y, z) for z in (0.0, size[2]) for x, y in corners]
    faces = [(3, 2, 1, 0), (4, 5, 6, 7), (0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7)]
    made = mesh(name, points, faces, material)
    made.location = middle
    if bevel:
        modifier = made.modifiers.new("bevel", "BEVEL")
        modifier.width, modifier.segments = bevel, 2
    return made


def cylinder(
    middle: Point, radius: float, height: float, material: Material | None, *, top: float | None = None, sides: int = 16
) -> Object:
    """An upright cylinder, or a cone's part with another radius on top."""
    made = turned([(0, 0), (radius, 0), (radius if top is None else top, height), (0, height)], material, sides)
    made.location = middle
    return made


def turned(
    profile: Sequence[tuple[float, float]], material: Material | None, sides: int = 24, name: str = "turned"
) -> Object:
    """A body of revolution from (radius, height) pairs."""
    angle = np.arange(sides) * 2 * np.pi / sides
    rings = [np.stack([r * np.cos(angle), r * np.sin(angle), np.full(sides, float(z))], -1) for r, z in profile]
    step = np.arange(sides)
    faces = [
        np.stack(
            [
                k * sides + step,
                k * sides + (step + 1) % sides,
                (k + 1) * sides + (step + 1) % sides,
                (k + 1) * sides + step,
            ],
            -1,
        )
        for k in range(len(profile) - 1)
    ]
    return smooth_below(mesh(name, np.concatenate(rings), np.concatenate(faces), material), 40)


def surface(
    x: np.ndarray,
    y: np.ndarray,
    height: Callable[[np.ndarray, np.ndarray], np.ndarray],
    material: Material | None,
    name: str = "surface",
) -> Object:
    """A height field over the grid of x and y."""
    grid_x, grid_y = np.meshgrid(x, y)
    points = np.stack([grid_x, grid_y, height(grid_x, grid_y)], -1).reshape(-1, 3)
    made = quads(name, points, grid_faces(len(y), len(x)), [material] if material else [])
    made.data.shade_smooth()
    return made


def grid_faces(rows: int, columns: int) -> np.ndarray:
    """Quadrangles of a grid of points, row after row."""
    row, column = np.mgrid[: rows - 1, : columns - 1]
    first = (row * columns + column).ravel()
    return np.stack([first, first + 1, first + columns + 1, first + columns], -1)


def wall(
    start: Point, end: Point, height: float, material: Material, holes: Sequence[Hole] = (), thickness: float = 0.16
) -> Object:
    """A wall with rectangular holes; its inner face is on the left of the way from start to end."""
    start, end = np.array(start[:2], float), np.array(end[:2], float)
    length = float(np.linalg.norm(end - start))
    along = (end - start) / length
    inward = np.array([-along[1], along[0]])
    places = sorted({0.0, length, *(edge for hole in holes for edge in hole[:2])})
    levels = sorted({0.0, height, *(edge for hole in holes for edge in hole[2:])})

    def at(u: float, z: float, depth: float) -> tuple[float, float, float]:
        x, y = start + along * u - inward * depth
        return (x, y, z)

    corners: list[tuple[float, float, float]] = []
    for u0, u1 in pairwise(places):
        for z0, z1 in pairwise(levels):
            u, z = (u0 + u1) / 2, (z0 + z1) / 2
            if not any(a < u < b and c < z < d for a, b, c, d in holes):
                corners += [at(u0, z0, 0), at(u1, z0, 0), at(u1, z1, 0), at(u0, z1, 0)]
                corners += [at(u1, z0, thickness), at(u0, z0, thickness), at(u0, z1, thickness), at(u1, z1, thickness)]
    for a, b, c, d in holes:
        edge = [(a, c), (b, c), (b, d), (a, d)]
        for (u0, z0), (u1, z1) in zip(edge, edge[1:] + edge[:1], strict=True):
            corners += [at(u0, z0, thickness), at(u1, z1, thickness), at(u1, z1, 0), at(u0, z0, 0)]
    return mesh("wall", corners, np.arange(len(corners)).reshape(-1, 4), material)


def moved(objects: Sequence[Object], place: Point, turn: float = 0.0, scale: float = 1.0) -> Sequence[Object]:
    """Move a group built around the origin to its place, turned about the vertical."""
    matrix = Matrix.Translation(place) @ Matrix.Rotation(turn, 4, "Z") @ Matrix.Scale(scale, 4)
    for made in objects:
        made.matrix_world = matrix @ made.matrix_basis
    return objects


def copies(objects: Sequence[Object], matrix: Matrix) -> list[Object]:
    """The same objects once more, transformed; their meshes are shared."""
    again = []
    for made in objects:
        twin = link(made.copy())
        twin.hide_render = twin.hide_viewport = False
        twin.matrix_world = matrix @ made.matrix_basis
        again.append(twin)
    return again


def joined(objects: Sequence[Object], name: str) -> Object:
    """One object out of many; modifiers of the parts are dropped."""
    bpy.context.view_layer.update()
    base = link(bpy.data.objects.new(name, bpy.data.meshes.new(name)))
    chosen = [base, *objects]
    with bpy.context.temp_override(
        active_object=base, object=base, selected_objects=chosen, selected_editable_objects=chosen
    ):
        bpy.ops.object.join()
    return base


def put_aside(objects: Sequence[Object]) -> Sequence[Object]:
    """Hide prototypes that only their copies show."""
    for made in objects:
        made.hide_render = made.hide_viewport = True
    return objects
