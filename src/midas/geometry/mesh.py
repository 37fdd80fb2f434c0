"""Meshes: the pixels of a grid joined to triangles, cut where the depth jumps, made fewer where the surface is flat."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from midas.arrays import Array, Bool, Float32, Shaped, UInt8
from midas.errors import AlignmentError, ConfigError
from midas.geometry.anchor import Anchor
from midas.geometry.far import Far, place_far
from midas.geometry.glb import mesh_glb
from midas.geometry.jumps import MAX_JUMP, jump_tolerance
from midas.geometry.ply import mesh_ply
from midas.geometry.sampling import sample_grid, sampled
from midas.geometry.scene_files import write_scene_file
from midas.geometry.simplify import simplified
from midas.geometry.sphere import AnyCamera, check_camera

MAX_FACES = 100_000
GRID_SIDE = 512
"""Points along the longer side of the grid that a mesh is made from."""

TEXTURE_SIDE_PX = 4096
"""Longer side of a texture: what phones' graphics take."""

_TEXTURE_QUALITY = 92
_GREY = np.full((1, 1, 3), 188, np.uint8)


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles with a photograph on them.

    Attributes:
        vertices: float32 (N, 3), x right, y down, z forward; metres, or the unit that ``facts`` name.
        faces: (M, 3) numbers of vertices, counter-clockwise as the camera sees them.
        uv: float32 (N, 2), each vertex's place in the texture: 0 to 1, from its top left corner.
        texture: uint8 RGB.
        facts: how camera, scale and shift were found; files keep it.
    """

    vertices: Float32[Array, "N 3"]
    faces: Shaped[Array, "M 3"]
    uv: Float32[Array, "N 2"]
    texture: UInt8[Array, "H W 3"]
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def colors(self) -> UInt8[Array, "N 3"]:
        """The texture's colour at each vertex."""
        height, width = self.texture.shape[:2]
        columns, rows = (
            np.clip(self.uv[:, axis] * pixels, 0, pixels - 1).astype(np.intp)
            for axis, pixels in ((0, width), (1, height))
        )
        colors: Array = self.texture[rows, columns]
        return colors

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write ``.glb`` (with the texture) or ``.ply`` (with a colour per vertex), complete or not at all.

        Raises:
            OutputError: another suffix, a file that is there already, or one that can't be written.
        """
        writers = {".glb": Mesh.to_glb, ".ply": Mesh.to_ply}
        write_scene_file(path, writers, (self,), overwrite=overwrite)

    def to_glb(self) -> bytes:
        """The bytes of a GLB file."""
        file = io.BytesIO()
        # Chroma at full resolution: where it is halved, colours run over outlines, which a mesh cuts apart.
        Image.fromarray(self.texture).save(file, "JPEG", quality=_TEXTURE_QUALITY, subsampling=0)
        return mesh_glb(self.vertices, self.faces, self.uv, file.getvalue(), self.facts)

    def to_ply(self) -> bytes:
        """The bytes of a PLY file."""
        return mesh_ply(self.vertices, self.faces, self.colors, self.facts)


@dataclass(frozen=True)
class MeshDetail:
    """How fine a mesh is.

    Attributes:
        grid_side: points along the longer side of its grid; None for one per pixel.
        max_faces: more are made fewer; None keeps all.
        texture_side_px: longer side of the texture; None for the picture's own.
    """

    grid_side: int | None = GRID_SIDE
    max_faces: int | None = MAX_FACES
    texture_side_px: int | None = TEXTURE_SIDE_PX

    def __post_init__(self) -> None:
        for name, least in (("grid_side", 2), ("max_faces", 1), ("texture_side_px", 1)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise ConfigError(f"{name} is {value}: expected at least {least}, or None")


FULL_DETAIL = MeshDetail(None, None, None)


def surface_mesh(
    values: Float32[Array, "H W"],
    camera: AnyCamera,
    anchor: Anchor,
    image: UInt8[Array, "h w 3"] | None = None,
    *,
    detail: MeshDetail = MeshDetail(),
    max_jump: float | None = MAX_JUMP,
    far: Far = "clamp",
) -> Mesh:
    """Join the pixels of a grid to triangles, but not across jumps of depth.

    Triangles are made fewer in pixels and inverse depth, where a plane is as flat as in space: an error there is one
    that can be seen, near or far.

    Args:
        values: disparity.
        camera: of the picture.
        anchor: disparity → 1 / depth.
        image: the picture, which becomes the texture; grey without.
        detail: how fine.
        max_jump: as ``MAX_JUMP`` says; None joins everything.
        far: what becomes of the sky and of what lies behind infinity.

    Raises:
        ConfigError: a jump that isn't positive, or what is no camera.
        AlignmentError: no triangle is left.
        MissingExtraError: there are more faces than allowed, and the package that reduces them isn't installed.
    """
    check_camera(camera)
    if max_jump is not None and not max_jump > 0:
        raise ConfigError(f"a largest jump of {max_jump}: expected a positive number, or None to join everything")
    height, width = values.shape
    share = 1.0 if detail.grid_side is None else min(1.0, detail.grid_side / max(height, width))
    samples = (max(2, round(height * share)), max(2, round(width * share)))
    rows, columns = sample_grid((height, width), samples)
    inverse_depth, there = place_far(anchor.inverse_depth(sampled(values, rows, columns)), far)
    if camera.wraps:  # the first column once more, on the other side of the last
        columns = np.append(columns, width)
        inverse_depth, there = (np.hstack([grid, grid[:, :1]]) for grid in (inverse_depth, there))
    tolerance = math.inf if max_jump is None else jump_tolerance(inverse_depth.shape, max_jump)
    faces = _triangles(inverse_depth, there, tolerance)
    if not len(faces):
        raise AlignmentError(
            "no surface is left of this map: all of it lies too far or beside jumps; keep or clamp them"
        )
    flat = _in_picture(inverse_depth, rows, columns, max(height, width))
    flat, faces = simplified(flat, faces, detail.max_faces)
    vertices, uv = _in_space(flat, camera, (height, width), float(inverse_depth.max()))
    texture = _GREY if image is None else _texture(image, detail.texture_side_px)
    return Mesh(vertices, faces, uv, texture, {**camera.facts(), **anchor.facts(), "far": far})


def _triangles(
    inverse_depth: Float32[Array, "H W"], there: Bool[Array, "H W"], tolerance: float
) -> Shaped[Array, "M 3"]:
    """Two triangles a cell, along the diagonal with the smaller jump, without those that have a jump."""
    height, width = inverse_depth.shape
    numbers = np.arange(height * width, dtype=np.int32).reshape(height, width)
    corners = (numbers[:-1, :-1], numbers[:-1, 1:], numbers[1:, :-1], numbers[1:, 1:])
    top_left, top_right, bottom_left, bottom_right = (corner.reshape(-1) for corner in corners)
    flat = inverse_depth.reshape(-1)
    falling = np.abs(np.log(flat[top_left] / flat[bottom_right])) <= np.abs(np.log(flat[top_right] / flat[bottom_left]))
    # Counter-clockwise as the camera sees them, whose y points down.
    first = np.stack([top_left, bottom_left, np.where(falling, bottom_right, top_right)], axis=1)
    second = np.stack([top_right, np.where(falling, top_left, bottom_left), bottom_right], axis=1)
    faces = np.concatenate([first, second])
    at_corners = flat[faces]
    # A diagonal is longer by the root of two, and so may be its step.
    jumps = at_corners.max(axis=1) - at_corners.min(axis=1) > math.sqrt(2) * tolerance * at_corners.min(axis=1)
    kept: Array = faces[~jumps & there.reshape(-1)[faces].all(axis=1)]
    return kept


def _in_picture(
    inverse_depth: Float32[Array, "H W"], rows: Shaped[Array, " H"], columns: Shaped[Array, " W"], longer: int
) -> Float32[Array, "N 3"]:
    """Column, row and inverse depth, each about 1 at most: columns and rows as shares of the longer side in pixels.

    The thresholds of the simplification are made for coordinates of this size.
    """
    flat = np.empty((inverse_depth.size, 3), np.float32)
    flat[:, 0] = np.tile(columns / longer, len(rows))
    flat[:, 1] = np.repeat(rows / longer, len(columns))
    flat[:, 2] = (inverse_depth / inverse_depth.max()).reshape(-1)
    return flat


def _in_space(
    flat: Float32[Array, "N 3"], camera: AnyCamera, size: tuple[int, int], nearest: float
) -> tuple[Float32[Array, "N 3"], Float32[Array, "N 2"]]:
    """The places of vertices in space and in the texture."""
    height, width = size
    longer = max(size)
    uv = ((flat[:, :2] * np.float32(longer) + np.float32(0.5)) / np.array([width, height], np.float32)).astype(
        np.float32
    )
    x_px, y_px = (uv[:, axis].astype(np.float64) * camera.size[1 - axis] - 0.5 for axis in (0, 1))
    vertices = camera.unprojected(x_px, y_px, nearest * flat[:, 2].astype(np.float64))
    return vertices.astype(np.float32), uv


def _texture(image: UInt8[Array, "H W 3"], side_px: int | None) -> UInt8[Array, "h w 3"]:
    height, width = image.shape[:2]
    if side_px is None or max(height, width) <= side_px:
        return image
    share = side_px / max(height, width)
    smaller = (max(1, round(width * share)), max(1, round(height * share)))
    return np.asarray(Image.fromarray(image).resize(smaller, Image.Resampling.BOX, reducing_gap=2.0), np.uint8)
