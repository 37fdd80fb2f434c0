"""Shading: the colour of each pixel from the surface that it shows, in linear light."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from midas.arrays import Array, Bool, Float32, Float64
from midas.scenes.patterns import NUMBERS, TILE, read_patterns
from midas.scenes.raster import Raster, clip, inside, solid_forms, solid_maps, window_of
from midas.scenes.scene import Light, Material, Scene, Sky

CONTACT_M = 0.25
CORNER_M = 0.3
# Farther away shadows are too flat to see.
SHADOWS_TO_M = 90.0
# Every surface is a little uneven at a larger scale than its pattern.
DIRT = 0.35
DIRT_SCALE = np.float32(0.31)
HILL_SCALE = np.float32(0.113)


@dataclass(frozen=True)
class Tables:
    """What the shading asks of each surface; one entry per surface, the terrain's last.

    Attributes:
        normals: homogeneous point to normal of any length, in the camera's axes.
        tiles: homogeneous point to place on the pattern, tiles.
        tiles_per_m: how densely the pattern lies.
        materials: what each is made of.
        ground: shadows fall on it.
    """

    normals: Float32[Array, "N 3 4"]
    tiles: Float32[Array, "N 2 4"]
    tiles_per_m: Float32[Array, " N"]
    materials: list[Material]
    ground: Bool[Array, " N"]


@dataclass(frozen=True)
class Seen:
    """What each pixel sees.

    Attributes:
        tables: of all surfaces.
        surface: number of the surface.
        points: where, metres, in the camera's axes.
        normals: unit vectors towards the camera.
    """

    tables: Tables
    surface: Array
    points: Float32[Array, "3 H W"]
    normals: Float32[Array, "3 H W"]


def tables_of(scene: Scene, terrain_material: Material) -> Tables:
    """The tables of a scene's surfaces, in the order in which they are numbered."""
    materials = [quad.material for quad in scene.quads]
    for solid in scene.solids:
        materials += [solid.material, solid.material]
    count = len(materials) + 1
    normals, tiles = np.zeros((count, 3, 4)), np.zeros((count, 2, 4))
    _describe_quads(scene, normals, tiles)
    _describe_solids(scene, normals, tiles)
    tiles[-1, :, :2] = np.eye(2) / terrain_material.tile_m
    normals[-1, 2, 3] = 1
    to_world = scene.camera.to_world()
    ground = np.array([*(quad.ground for quad in scene.quads), *[False] * (2 * len(scene.solids)), False])
    return Tables(
        normals=(to_world[:3, :3].T @ normals @ to_world).astype(np.float32),
        tiles=(tiles @ to_world).astype(np.float32),
        tiles_per_m=np.sqrt(np.linalg.norm(tiles[..., :3], axis=-1).prod(axis=-1)).astype(np.float32),
        materials=[*materials, terrain_material],
        ground=ground,
    )


def _describe_quads(scene: Scene, normals: Array, tiles: Array) -> None:
    if not scene.quads:
        return
    spans = np.array([(quad.corner, quad.u, quad.v) for quad in scene.quads])
    edges = spans[:, 1:] * np.array([1.0, -1.0])[None, :, None]
    length = np.linalg.norm(edges, axis=-1)
    tile_m = np.array([quad.material.tile_m for quad in scene.quads])[:, None]
    count = len(scene.quads)
    normals[:count, :, 3] = np.cross(spans[:, 1], spans[:, 2])
    tiles[:count, :, :3] = edges / (length * np.where(tile_m > 0, tile_m, length))[..., None]
    tiles[:count, :, 3] = -np.einsum("nij,nj->ni", tiles[:count, :, :3], spans[:, 0])


def _describe_solids(scene: Scene, normals: Array, tiles: Array) -> None:
    if not scene.solids:
        return
    first, last = len(scene.quads), len(scene.quads) + 2 * len(scene.solids)
    maps = solid_maps(scene.solids)
    frames = np.array([solid.frame for solid in scene.solids])
    centres = np.array([solid.centre for solid in scene.solids])
    tile_m = np.array([solid.material.tile_m or 1.0 for solid in scene.solids])
    normals[first:last:2] = solid_forms(scene.solids, maps)[:, :3]
    normals[first + 1 : last : 2, :, 3] = frames[:, 2]
    axes = np.stack([frames[:, 0] + 0.6 * frames[:, 1], -frames[:, 2]], axis=1) / tile_m[:, None, None]
    for offset in (0, 1):
        tiles[first + offset : last : 2, :, :3] = axes
        tiles[first + offset : last : 2, :, 3] = -np.einsum("nij,nj->ni", axes, centres)


def shade_scene(scene: Scene, raster: Raster, terrain_material: Material) -> Float32[Array, "H W 3"]:
    """Linear light of every pixel."""
    tables = tables_of(scene, terrain_material)
    is_sky = raster.surface < 0
    surface = np.where(is_sky, len(tables.materials) - 1, raster.surface)
    depth = 1 / np.where(is_sky, np.float32(1e-3), raster.inverse_depth)
    x, y = raster.ray_slopes()
    points = np.stack([x.astype(np.float32)[None, :] * depth, y.astype(np.float32)[:, None] * depth, depth])
    normals = _normals(scene, tables, surface, points)
    seen = Seen(tables, surface, points, normals)
    color = _lit(scene, seen, _albedo(scene, seen, raster), draw_shadow(scene, raster))
    if scene.sky is not None:
        backdrop = _sky_colors(scene, scene.sky, raster)
        if np.isfinite(scene.haze_m):
            share = np.exp(depth * np.float32(-1 / scene.haze_m))
            haze = np.array(scene.sky.horizon, np.float32)[:, None, None]
            color += (haze - color) * (1 - share)
        np.copyto(color, backdrop, where=is_sky)
    return np.ascontiguousarray(color.transpose(1, 2, 0))


def _look_up(rows: Float32[Array, "N 4"], surface: Array, points: Array) -> Float32[Array, "H W"]:
    """An affine function of the point, each surface's own."""
    total = np.take(rows[:, 3], surface)
    for axis in range(3):
        total += np.take(rows[:, axis], surface) * points[axis]
    return total


def _normals(scene: Scene, tables: Tables, surface: Array, points: Array) -> Float32[Array, "3 H W"]:
    """Unit normals towards the camera."""
    normals = np.stack([_look_up(np.ascontiguousarray(tables.normals[:, axis]), surface, points) for axis in range(3)])
    if scene.terrain is not None:
        hills = surface == len(tables.materials) - 1
        to_world = scene.camera.to_world().astype(np.float32)
        if not hills.any():
            return _unit(normals, points)
        there = to_world[:3, :3] @ points[:, hills] + to_world[:3, 3:]
        step = np.maximum(0.004 * points[2][hills], scene.terrain.cell_m)
        slopes = scene.terrain.slopes(there[0], there[1], step)
        upwards = np.stack([-slopes[0], -slopes[1], np.ones_like(slopes[0])])
        normals[:, hills] = to_world[:3, :3].T @ upwards
    return _unit(normals, points)


def _unit(normals: Float32[Array, "3 H W"], points: Float32[Array, "3 H W"]) -> Float32[Array, "3 H W"]:
    facing = (normals * points).sum(axis=0)
    length = np.sqrt((normals * normals).sum(axis=0)) + np.float32(1e-12)
    normals *= np.where(facing > 0, np.float32(-1), np.float32(1)) / length
    return normals


def _albedo(scene: Scene, seen: Seen, raster: Raster) -> Float32[Array, "3 H W"]:
    """The surfaces' own colours."""
    tables, surface, points = seen.tables, seen.surface, seen.points
    u, v = (_look_up(np.ascontiguousarray(tables.tiles[:, axis]), surface, points) for axis in range(2))
    facing = np.abs((seen.normals * points).sum(axis=0)) / np.sqrt((points * points).sum(axis=0))
    spread = np.sqrt(np.maximum(facing, np.float32(0.03)))
    tiles_per_px = np.take(tables.tiles_per_m, surface) * points[2] / (np.float32(raster.focal_px) * spread)
    numbers = np.array([NUMBERS[material.pattern] for material in tables.materials], np.float32)
    mixed = read_patterns(np.take(numbers, surface), u, v, tiles_per_px)
    dirt = read_patterns(np.full_like(u, NUMBERS["clouded"]), u * DIRT_SCALE, v * DIRT_SCALE, tiles_per_px * DIRT_SCALE)
    hills = surface == len(tables.materials) - 1
    if scene.terrain is not None:
        # A tile that repeats to the horizon would be seen: hills mix it with a larger one.
        coarse = read_patterns(np.take(numbers, surface), u * HILL_SCALE, v * HILL_SCALE, tiles_per_px * HILL_SCALE)
        mixed = np.where(hills, np.float32(0.4) * mixed + np.float32(0.6) * coarse, mixed)
    mixed_dirt = np.float32(1 - DIRT / 2) + np.float32(DIRT) * dirt
    color = np.empty((3, *raster.size), np.float32)
    for channel in range(3):
        first = np.array([material.first[channel] for material in tables.materials], np.float32)
        step = np.array([material.second[channel] for material in tables.materials], np.float32) - first
        color[channel] = (np.take(first, surface) + np.take(step, surface) * mixed) * mixed_dirt
    return color


def _lit(
    scene: Scene, seen: Seen, albedo: Float32[Array, "3 H W"], shadow: Float32[Array, "H W"]
) -> Float32[Array, "3 H W"]:
    """What the surfaces send to the camera: ambient light, the lights, highlights, and their own glow."""
    to_camera = scene.camera.to_camera()
    upwards = np.tensordot(to_camera[:3, 2].astype(np.float32), seen.normals, 1)
    above, openness = _openness(scene, seen)
    fill_light = (np.float32(0.72) + np.float32(0.28) * upwards) * openness
    light = np.array(scene.ambient, np.float32)[:, None, None] * fill_light
    gloss = np.take(np.array([material.gloss for material in seen.tables.materials], np.float32), seen.surface)
    glow = np.take(np.array([material.glow for material in seen.tables.materials], np.float32), seen.surface)
    light += glow
    shine = np.zeros_like(albedo) if gloss.any() else None
    unshaded = 1 - shadow * np.take(seen.tables.ground, seen.surface) * (np.abs(above) < CONTACT_M)
    for number, lamp in enumerate(scene.lights):
        towards, strength = _light_at(lamp, to_camera, seen.points)
        if number == 0:
            strength = strength * unshaded
        strength = strength * (np.float32(0.5) + np.float32(0.5) * openness)
        facing = (towards * seen.normals).sum(axis=0)
        color = np.array(lamp.color, np.float32)[:, None, None]
        light += color * (np.maximum(facing, 0) * strength)
        if shine is not None:
            shine += color * (_highlight(towards, facing, seen) * strength * gloss)
    albedo *= light
    return albedo if shine is None else albedo + shine


def _light_at(
    lamp: Light, to_camera: Float64[Array, "4 4"], points: Float32[Array, "3 H W"]
) -> tuple[Float32[Array, "3 ..."], Float32[Array, ...]]:
    """Unit vectors to a light and how much of its strength arrives."""
    if lamp.is_sun:
        direction = to_camera[:3, :3] @ np.array(lamp.place)
        direction = direction / np.linalg.norm(direction)
        return direction.astype(np.float32)[:, None, None], np.ones((1, 1), np.float32)
    place = (to_camera[:3, :3] @ np.array(lamp.place) + to_camera[:3, 3]).astype(np.float32)
    towards = place[:, None, None] - points
    squared = (towards * towards).sum(axis=0) + np.float32(1e-4)
    towards /= np.sqrt(squared)
    return towards, 1 / (1 + squared / np.float32(lamp.reach_m**2))


def _highlight(towards: Array, facing: Array, seen: Seen) -> Float32[Array, "H W"]:
    """Phong's highlight with exponent 16."""
    mirrored = 2 * facing * seen.normals - towards
    aligned = -(mirrored * seen.points).sum(axis=0) / np.sqrt((seen.points * seen.points).sum(axis=0))
    for _ in range(4):
        aligned = np.maximum(aligned, 0) ** 2
    return np.where(facing > 0, aligned, np.float32(0))


def _openness(scene: Scene, seen: Seen) -> tuple[Float32[Array, "H W"], Float32[Array, "H W"]]:
    """Height above the floor in metres, and the share of ambient light that gets near floor and room corners."""
    to_world = scene.camera.to_world().astype(np.float32)
    above = np.tensordot(to_world[2, :3], seen.points, 1) + (to_world[2, 3] - np.float32(scene.floor_m))
    is_ground = np.take(seen.tables.ground, seen.surface)
    near_floor = np.exp(np.minimum(-above, 0) * np.float32(1 / CONTACT_M))
    openness = 1 - np.float32(0.4) * np.where(is_ground | (above < -CONTACT_M), np.float32(0), near_floor)
    if scene.room is None:
        return above, openness
    for axis in range(3):
        place = np.tensordot(to_world[axis, :3], seen.points, 1) + to_world[axis, 3]
        low, high = (np.float32(corner[axis]) for corner in scene.room)
        to_wall = np.maximum(np.minimum(place - low, high - place), 0)
        openness *= 1 - np.float32(0.22) * np.exp(to_wall * np.float32(-1 / CORNER_M))
    return above, openness


def draw_shadow(scene: Scene, raster: Raster) -> Float32[Array, "H W"]:
    """0 to 1: how much of the first light the casters keep from the floor."""
    cast, contact = np.zeros(raster.size, np.uint8), np.zeros(raster.size, np.uint8)
    if not scene.lights or not scene.casters:
        return cast.astype(np.float32)
    place, to_camera = np.array(scene.lights[0].place), scene.camera.to_camera()
    floor_to_camera = to_camera[:3, [0, 1, 3]] + np.outer(to_camera[:3, 2], (0, 0, scene.floor_m))
    for caster in scene.casters:
        points = np.array(caster)
        above = points[:, 2] - scene.floor_m
        if above.max() < 1e-3 or (to_camera[2, :3] @ points.T + to_camera[2, 3]).min() > SHADOWS_TO_M:
            continue
        if scene.lights[0].is_sun:
            rays, run = -place, above / max(place[2], 0.05)
        else:
            # Points as high as the lamp would throw their shadow to infinity.
            rays, run = points - place, above / np.maximum(place[2] - points[:, 2], 0.15)
        _darken(cast, points + rays * np.maximum(run, 0)[:, None], floor_to_camera, raster)
        if above.min() < CONTACT_M:
            _darken(contact, points, floor_to_camera, raster)
    side = 2 * max(1, raster.size[0] // 80) + 1
    hard, soft = (
        cv2.blur(cast * np.float32(0.85), (side, side)),
        cv2.blur(contact * np.float32(0.4), (3 * side, 3 * side)),
    )
    return np.maximum(hard, soft)


def _darken(mask: Array, points: Float64[Array, "N 3"], floor_to_camera: Float64[Array, "3 3"], raster: Raster) -> None:
    """Set to 1 what the points' hull covers of the floor, seen from straight above."""
    hull = cv2.convexHull(points[:, :2].astype(np.float32))[:, 0].astype(np.float64)
    polygon = clip(hull @ floor_to_camera[:, :2].T + floor_to_camera[:, 2], raster)
    if len(polygon) < 3:
        return
    pixels = raster.to_pixels(polygon)
    window = window_of(raster, pixels)
    if window is not None:
        mask[window] |= inside(pixels, window)


def _sky_colors(scene: Scene, sky: Sky, raster: Raster) -> Float32[Array, "3 H W"]:
    """Paler towards the horizon, with flat clouds that crowd there."""
    x, y = raster.ray_slopes()
    turn = scene.camera.to_world()[:3, :3].astype(np.float32)
    rays = np.stack(np.broadcast_arrays(x.astype(np.float32)[None, :], y.astype(np.float32)[:, None], np.float32(1)))
    east, north, up = np.tensordot(turn, rays / np.sqrt((rays * rays).sum(axis=0)), 1)
    rise = np.maximum(up, np.float32(0.02))
    share = np.sqrt(rise)
    u, v = east / (rise + np.float32(0.15)) * np.float32(0.25), north / (rise + np.float32(0.15)) * np.float32(0.25)
    lump = read_patterns(np.full_like(u, NUMBERS["clouded"]), u + sky.cover * 7, v, np.full_like(u, 1 / TILE))
    veil = np.clip((lump - np.float32(1 - sky.cover)) * 3, 0, 1) * np.clip(rise * 6, 0.15, 0.9)
    horizon, zenith, cloud = (
        np.array(color, np.float32)[:, None, None] for color in (sky.horizon, sky.zenith, sky.cloud)
    )
    color: Array = horizon + (zenith - horizon) * share
    color += (cloud - color) * veil
    return color
