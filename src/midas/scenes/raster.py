"""Raster: which surface each pixel shows, and its inverse depth, exactly.

On a plane inverse depth is an affine function of the pixel, on a quadric it is a root of a quadratic one, so each
surface is drawn inside its bounding rectangle by a few array operations; the nearest wins. Depth is along the optical
axis: rays are scaled to have 1 there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from midas.arrays import Array, Bool, Float64
from midas.scenes.camera import Camera
from midas.scenes.cutouts import SIDE, cutout
from midas.scenes.patterns import octave
from midas.scenes.scene import Quad, Scene, Solid

NEAREST_M = 0.05
# A decal lies on its surface but for rounding.
DECAL_TOLERANCE = 1e-3
# Neighbours overlap by this much, or rounding would leave cracks between them.
OVERLAP_PX = 0.01


@dataclass
class Raster:
    """What has been drawn so far.

    Attributes:
        size: (height, width).
        focal_px: focal length.
        inverse_depth: of the nearest surface, 1/metre; 0 where there is none.
        surface: its number; -1 where there is none.
    """

    size: tuple[int, int]
    focal_px: float
    inverse_depth: Array
    surface: Array

    @classmethod
    def empty(cls, size: tuple[int, int], camera: Camera) -> Raster:
        """Nothing drawn."""
        return cls(size, camera.focal_px(size), np.zeros(size, np.float32), np.full(size, -1, np.int32))

    def ray_slopes(self) -> tuple[Array, Array]:
        """Right and down per forward: one number per column, one per row."""
        height, width = self.size
        x = (np.arange(width) + 0.5 - width / 2) / self.focal_px
        y = (np.arange(height) + 0.5 - height / 2) / self.focal_px
        return x, y

    def to_pixels(self, points: Float64[Array, "N 3"]) -> Float64[Array, "N 2"]:
        """Column and row of points before the camera; whole numbers are pixel centres."""
        height, width = self.size
        centre = np.array((width / 2 - 0.5, height / 2 - 0.5))
        pixels: Array = points[:, :2] / points[:, 2:] * self.focal_px + centre
        return pixels

    def write(self, window: tuple[slice, slice], inverse_depth: Array, shown: Array, surface: int) -> None:
        """Let a surface win where it is shown and nearer."""
        np.copyto(self.inverse_depth[window], inverse_depth, where=shown, casting="same_kind")
        np.copyto(self.surface[window], surface, where=shown)


def draw_scene(scene: Scene, size: tuple[int, int]) -> Raster:
    """All of a scene. Quads are numbered first, then solids by two (side, end), then the terrain."""
    raster = Raster.empty(size, scene.camera)
    to_camera = scene.camera.to_camera()
    _draw_quads(raster, scene.quads, to_camera)
    _draw_solids(raster, scene.solids, to_camera, len(scene.quads))
    if scene.terrain is not None:
        _draw_terrain(raster, scene, len(scene.quads) + 2 * len(scene.solids))
    return raster


def _draw_quads(raster: Raster, quads: list[Quad], to_camera: Float64[Array, "4 4"]) -> None:
    if not quads:
        return
    spans = np.array([(quad.corner, quad.u, quad.v) for quad in quads]) @ to_camera[:3, :3].T
    spans[:, 0] += to_camera[:3, 3]
    corner, u, v = spans[:, 0], spans[:, 1], spans[:, 2]
    corners = np.stack([corner, corner + u, corner + u + v, corner + v], axis=1)
    normals = np.cross(u, v)
    height = (normals * corner).sum(axis=1)
    planes = normals / np.where(np.abs(height) > 1e-12, height, 1e-12)[:, None]
    seen_from_behind = np.array([quad.cutout is not None for quad in quads])
    farthest, nearest = corners[..., 2].max(axis=1), corners[..., 2].min(axis=1)
    drawn = np.flatnonzero((farthest > NEAREST_M) & ((height < 0) | seen_from_behind))
    for number in drawn.tolist():
        quad = quads[number]
        whole = nearest[number] > NEAREST_M
        if quad.cutout is not None:
            if whole:
                _draw_cutout(raster, corners[number], planes[number], number, quad.cutout)
            continue
        polygon = corners[number] if whole else clip(corners[number], raster)
        if len(polygon) > 2:
            _draw_polygon(raster, polygon, planes[number], number, DECAL_TOLERANCE if quad.decal else 0.0)


def clip(polygon: Float64[Array, "N 3"], raster: Raster) -> Float64[Array, "M 3"]:
    """The part of a convex polygon that is inside the picture's pyramid and not too near."""
    right, down = (1.02 * side / 2 / raster.focal_px for side in raster.size[::-1])
    planes = ((0, 0, 1, -NEAREST_M), (1, 0, right, 0), (-1, 0, right, 0), (0, 1, down, 0), (0, -1, down, 0))
    for *normal, offset in planes:
        distance = polygon @ np.array(normal, np.float64) + offset
        if distance.min() >= 0:
            continue
        polygon = _cut(polygon, distance)
        if len(polygon) < 3:
            break
    return polygon


def _cut(polygon: Float64[Array, "N 3"], distance: Float64[Array, " N"]) -> Float64[Array, "M 3"]:
    """The part of a convex polygon where the distance from a plane is positive."""
    kept: list[Array] = []
    inside = distance >= 0
    for here in range(len(polygon) if inside.any() else 0):
        there = (here + 1) % len(polygon)
        if inside[here]:
            kept.append(polygon[here])
        if inside[here] != inside[there]:
            share = distance[here] / (distance[here] - distance[there])
            kept.append(polygon[here] + (polygon[there] - polygon[here]) * share)
    return np.array(kept).reshape(-1, 3)


def window_of(raster: Raster, pixels: Float64[Array, "N 2"]) -> tuple[slice, slice] | None:
    """The rectangle of the picture that holds the points, or None if it is empty."""
    left, top = np.floor(pixels.min(axis=0)).tolist()
    right, bottom = np.ceil(pixels.max(axis=0)).tolist()
    rows = slice(int(max(top, 0)), int(min(bottom + 1, raster.size[0])))
    columns = slice(int(max(left, 0)), int(min(right + 1, raster.size[1])))
    return (rows, columns) if rows.start < rows.stop and columns.start < columns.stop else None


def _plane_in(raster: Raster, window: tuple[slice, slice], plane: Float64[Array, " 3"]) -> Array:
    x, y = raster.ray_slopes()
    across = (plane[0] * x[window[1]]).astype(np.float32)
    inverse_depth: Array = across[None, :] + (plane[1] * y[window[0]] + plane[2]).astype(np.float32)[:, None]
    return inverse_depth


def _draw_polygon(
    raster: Raster, polygon: Float64[Array, "N 3"], plane: Float64[Array, " 3"], number: int, tolerance: float
) -> None:
    pixels = raster.to_pixels(polygon)
    window = window_of(raster, pixels)
    if window is None:
        return
    # Rounding must not carry a pixel at the outline along a plane that is seen from its edge.
    inverse = 1 / polygon[:, 2]
    inverse_depth = np.clip(_plane_in(raster, window, plane), np.float32(inverse.min()), np.float32(inverse.max()))
    shown = inverse_depth * np.float32(1 + tolerance) > raster.inverse_depth[window]
    shown &= inside(pixels, window)
    raster.write(window, inverse_depth, shown, number)


def inside(pixels: Float64[Array, "N 2"], window: tuple[slice, slice]) -> Bool[Array, "h w"]:
    """True for the pixels whose centres are in a convex polygon, within a rectangle.

    Each row holds one run of them, between the rightmost of the left edges and the leftmost of the right ones.
    """
    y = np.arange(window[0].start, window[0].stop, dtype=np.float64)
    following = np.concatenate([pixels[1:], pixels[:1]])
    step = following - pixels
    area = (pixels[:, 0] * following[:, 1] - pixels[:, 1] * following[:, 0]).sum()
    rise = np.where(np.abs(step[:, 1]) < 1e-9, 1e-9, step[:, 1])
    crossing = pixels[:, 0, None] + (y - pixels[:, 1, None]) * (step[:, 0] / rise)[:, None]
    sloped, descends = np.abs(step[:, 1]) >= 1e-9, (step[:, 1] > 0) == (area > 0)
    right = np.where((sloped & descends)[:, None], crossing, np.inf).min(axis=0) + OVERLAP_PX
    left = np.where((sloped & ~descends)[:, None], crossing, -np.inf).max(axis=0) - OVERLAP_PX
    outside = (y < pixels[:, 1].min() - OVERLAP_PX) | (y > pixels[:, 1].max() + OVERLAP_PX)
    x = np.arange(window[1].start, window[1].stop, dtype=np.float32)
    left, right = np.where(outside, np.inf, left).astype(np.float32)[:, None], right.astype(np.float32)[:, None]
    shown: Array = (x >= left) & (x <= right)
    return shown


def _draw_cutout(
    raster: Raster, corners: Float64[Array, "4 3"], plane: Float64[Array, " 3"], number: int, name: str
) -> None:
    pixels = raster.to_pixels(corners)
    window = window_of(raster, pixels)
    if window is None or np.ptp(pixels, axis=0).min() < 1:
        return
    rows, columns = window
    there = (pixels - (columns.start, rows.start)).astype(np.float32)
    here = np.array([(0, SIDE), (SIDE, SIDE), (SIDE, 0), (0, 0)], np.float32) - 0.5
    shape = (columns.stop - columns.start, rows.stop - rows.start)
    opaque = cv2.warpPerspective(cutout(name), cv2.getPerspectiveTransform(here, there), shape, flags=cv2.INTER_LINEAR)
    inverse_depth = _plane_in(raster, window, plane)
    raster.write(window, inverse_depth, (opaque > 127) & (inverse_depth > raster.inverse_depth[window]), number)


# Quadratic forms in the solid's own coordinates, where its bounding box is [-1, 1]³.
_FORMS = {
    "ellipsoid": np.diag([1.0, 1.0, 1.0, -1.0]),
    "cylinder": np.diag([1.0, 1.0, 0.0, -1.0]),
    "cone": np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, -0.25, 0.25], [0, 0, 0.25, -0.25]]),
}
_BOX = np.array([(x, y, z) for x in (-1.0, 1.0) for y in (-1.0, 1.0) for z in (-1.0, 1.0)])


def solid_maps(solids: list[Solid]) -> Float64[Array, "N 4 4"]:
    """From the world into each solid's own coordinates."""
    frames = np.array([solid.frame for solid in solids]) / np.array([solid.radii for solid in solids])[..., None]
    maps = np.zeros((len(solids), 4, 4))
    maps[:, :3, :3] = frames
    maps[:, :3, 3] = -np.einsum("nij,nj->ni", frames, np.array([solid.centre for solid in solids]))
    maps[:, 3, 3] = 1
    return maps


def solid_forms(solids: list[Solid], maps: Float64[Array, "N 4 4"]) -> Float64[Array, "N 4 4"]:
    """Quadratic forms, negative inside each solid, in the coordinates that the maps start from."""
    forms: Array = maps.transpose(0, 2, 1) @ np.stack([_FORMS[solid.kind] for solid in solids]) @ maps
    return forms


def _draw_solids(raster: Raster, solids: list[Solid], to_camera: Float64[Array, "4 4"], first: int) -> None:
    if not solids:
        return
    maps = solid_maps(solids) @ np.linalg.inv(to_camera)
    forms = solid_forms(solids, maps)
    centres = np.array([solid.centre for solid in solids])
    halves = np.array([solid.frame for solid in solids]) * np.array([solid.radii for solid in solids])[..., None]
    corners = (np.einsum("kj,njw->nkw", _BOX, halves) + centres[:, None]) @ to_camera[:3, :3].T + to_camera[:3, 3]
    for number in np.flatnonzero((corners[..., 2] > NEAREST_M).all(axis=1)):
        window = window_of(raster, raster.to_pixels(corners[number]))
        if window is not None:
            _draw_solid(raster, solids[number], forms[number], maps[number][2], (window, first + 2 * int(number)))


def _draw_solid(
    raster: Raster, solid: Solid, form: Array, height: Array, place: tuple[tuple[slice, slice], int]
) -> None:
    window, number = place
    slopes = raster.ray_slopes()
    x, y = slopes[0][window[1]][None, :], slopes[1][window[0]][:, None]
    # With rays d and points d / s the surface is where c s² + 2 b s + a = 0; the camera is outside, the nearest has
    # the largest s.
    a = (form[0, 0] * x * x + 2 * form[0, 2] * x + form[2, 2]) + (form[1, 1] * y * y + 2 * form[1, 2] * y)
    a += (2 * form[0, 1] * y) * x
    b = (form[0, 3] * x + form[2, 3]) + form[1, 3] * y
    c = form[3, 3]
    discriminant = b * b - c * a
    root = np.sqrt(np.maximum(discriminant, 0))
    if solid.kind == "ellipsoid":
        inverse_depth = (root - b) / c
        threshold = _raggedness(solid.ragged, discriminant, number) if solid.ragged else 0.0
        shown = (discriminant > threshold) & (inverse_depth > raster.inverse_depth[window])
        raster.write(window, inverse_depth, shown, number)
        return
    c = c if abs(c) > 1e-9 else 1e-9
    along = (height[0] * x + height[2]) + height[1] * y
    for sign in (1.0, -1.0):
        inverse_depth = (sign * root - b) / c
        shown = (discriminant > 0) & (np.abs(along + height[3] * inverse_depth) <= inverse_depth)
        raster.write(window, inverse_depth, shown & (inverse_depth > raster.inverse_depth[window]), number)
    end = 1.0 if height[3] > 1 else -1.0
    if abs(height[3]) > 1 and (solid.kind == "cylinder" or end < 0):
        inverse_depth = along / (end - height[3])
        shown = (a + 2 * b * inverse_depth + c * inverse_depth**2 <= 0) & (inverse_depth > raster.inverse_depth[window])
        raster.write(window, inverse_depth, shown, number + 1)


def _raggedness(ragged: float, discriminant: Array, number: int) -> Array:
    """How far inside its outline a pixel must be: noise that lets leaves stick out."""
    noise = _ragged_noise()
    rows, columns = discriminant.shape
    start = (number * 37) % 64
    cut = noise[start : start + rows, start : start + columns]
    fitted = cut if cut.shape == discriminant.shape else cv2.resize(noise, (columns, rows))
    return fitted * np.float64(ragged * discriminant.max())


@cache
def _ragged_noise() -> Array:
    rng = np.random.default_rng(11)
    tile = octave(rng, 64, 64) + octave(rng, 32, 32) + octave(rng, 128, 128) * np.float32(0.7)
    noise: Array = np.maximum(tile, 0)
    return noise


def _draw_terrain(raster: Raster, scene: Scene, number: int) -> None:
    if scene.terrain is None:
        return
    x, y = raster.ray_slopes()
    rays = np.empty((3, *raster.size), np.float32)
    rays[0], rays[1], rays[2] = x[None, :], y[:, None], 1
    to_world = scene.camera.to_world()
    distance = scene.terrain.hit(to_world[:3, 3], to_world[:3, :3].astype(np.float32) @ rays.reshape(3, -1))
    inverse_depth = (1 / distance).reshape(raster.size)
    everywhere = (slice(0, raster.size[0]), slice(0, raster.size[1]))
    raster.write(everywhere, inverse_depth, inverse_depth > raster.inverse_depth, number)
