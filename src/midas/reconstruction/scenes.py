"""A picture and its map become scene files: camera, scale and shift found, points and mesh made and written."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np

from midas.alignment import Alignment, align_sparse
from midas.alignment.measured import CODES_PER_METRE, read_lidar, read_points
from midas.arrays import Array, Float32
from midas.errors import AlignmentError, OutputError
from midas.folder import Product, Work
from midas.geometry.anchor import Anchor, assumed_anchor, find_anchor
from midas.geometry.camera import Camera
from midas.geometry.cloud import MAX_POINTS
from midas.geometry.far import Far
from midas.geometry.jumps import MAX_JUMP
from midas.geometry.mesh import MeshDetail
from midas.geometry.right_angles import anchor_from_right_angles
from midas.geometry.sphere import AnyCamera
from midas.geometry.view import page_of
from midas.lenses.choice import Projection, wide_lens
from midas.maps.kinds import RELATIVE_DISPARITY
from midas.pictures.lens import read_lens
from midas.storage.atomic import atomic_file

ShiftWay = Literal["auto", "right-angles", "assumed"]

SCENE_FORMATS: dict[str, str] = {
    "glb": ".glb",
    "ply": "_mesh.ply",
    "points": ".ply",
    "points-glb": "_points.glb",
    "html": ".html",
}
"""Name of a format → the end of its files' names. ``glb`` is the mesh with the picture on it, ``ply`` the mesh with a
colour per vertex, ``points`` and ``points-glb`` the points, ``html`` a page that shows the mesh."""


@dataclass(frozen=True)
class SceneOptions:
    """How scenes are made of pictures.

    Attributes:
        fov_deg: horizontal angle of view; None leaves the camera to the picture's file.
        focal_35mm: equivalent focal length, likewise.
        points: (row, column, depth in metres) that are known.
        measured: file of points, CSV or NPY, many of them, some wrong.
        lidar: 16-bit PNG file of depth, small or sparse.
        lidar_per_metre: its codes per metre.
        near_m, far_m: distances of the nearest and farthest things, together.
        ratio: how many times as far these are as those.
        shift: where none of these is given: by right angles, assumed, or by right angles where there are any.
        max_points: None for all.
        detail: of meshes.
        max_jump: None joins everything.
        far: what becomes of the sky.
        projection: of a wide lens; ``fov_deg`` is then that of a fisheye.
    """

    fov_deg: float | None = None
    focal_35mm: float | None = None
    points: tuple[tuple[int, int, float], ...] = ()
    measured: Path | None = None
    lidar: Path | None = None
    lidar_per_metre: float = CODES_PER_METRE
    near_m: float | None = None
    far_m: float | None = None
    ratio: float | None = None
    shift: ShiftWay = "auto"
    max_points: int | None = MAX_POINTS
    detail: MeshDetail = field(default_factory=MeshDetail)
    max_jump: float | None = MAX_JUMP
    far: Far = "clamp"
    projection: Projection | None = None


def scene_path(folder: Path, stem: str, format_name: str) -> Path:
    """Where a scene file goes.

    Raises:
        OutputError: an unknown format.
    """
    if format_name not in SCENE_FORMATS:
        raise OutputError(f"unknown format {format_name!r}: expected one of {', '.join(SCENE_FORMATS)}")
    return folder / f"{stem}{SCENE_FORMATS[format_name]}"


def scene_product(options: SceneOptions) -> Product:
    """What ``midas.folder`` makes of each picture."""
    return Product(lambda name: True, lambda work: _save(options, work))


def lens_for(source: Path, size: tuple[int, int], options: SceneOptions) -> AnyCamera:
    """The camera of a picture, or its lens if that is a wide one."""
    if options.projection is not None:
        return wide_lens(options.projection, size, options.fov_deg)
    return camera_for(source, size, options)


def camera_for(source: Path, size: tuple[int, int], options: SceneOptions) -> Camera:
    """The camera of a picture: as stated, else by its file."""
    if options.fov_deg is not None:
        return Camera.from_fov(options.fov_deg, size)
    if options.focal_35mm is not None:
        return Camera.from_focal_35mm(options.focal_35mm, size)
    return Camera.of_lens(read_lens(source))


def anchor_for(values: Float32[Array, "H W"], camera: AnyCamera, options: SceneOptions) -> Anchor:
    """Scale and shift of a relative map: what is known, else right angles, else assumed.

    Raises:
        AlignmentError: what was given doesn't determine them, or right angles were asked for and there are none.
    """
    known = options.points or options.near_m is not None or options.far_m is not None or options.ratio is not None
    if known:
        return find_anchor(
            values, points=options.points, near_m=options.near_m, far_m=options.far_m, ratio=options.ratio
        )
    if not isinstance(camera, Camera) and options.shift == "right-angles":
        raise AlignmentError("right angles are looked for in pictures by ordinary lenses only: state distances instead")
    if not isinstance(camera, Camera) or options.shift == "assumed":
        return assumed_anchor(values)
    if options.shift == "right-angles":
        return anchor_from_right_angles(values, camera)
    try:
        return anchor_from_right_angles(values, camera)
    except AlignmentError:
        return assumed_anchor(values)


def measured_disparity(
    values: Float32[Array, "H W"], options: SceneOptions
) -> tuple[Float32[Array, "H W"], Anchor] | None:
    """A map as inverse depth in metres by measured points; None where there are none.

    Raises:
        AlignmentError: their file can't be read, or they don't determine scale and shift.
    """
    if options.measured is None and options.lidar is None:
        return None
    parts = []
    if options.measured is not None:
        parts.append(read_points(options.measured))
    if options.lidar is not None:
        height, width = values.shape
        parts.append(read_lidar(options.lidar, (height, width), options.lidar_per_metre))
    aligned = align_sparse(values, np.concatenate(parts))
    return aligned.apply(values), Anchor(Alignment(1.0, 0.0), aligned.found, metric=True)


def _save(options: SceneOptions, work: Work) -> None:
    depth_map = work.depth_map
    camera = lens_for(work.source, depth_map.size, options)
    anchor = None
    if depth_map.kind == RELATIVE_DISPARITY:
        measured = measured_disparity(depth_map.values, options)
        values, anchor = measured or (depth_map.values, anchor_for(depth_map.values, camera, options))
        depth_map = replace(depth_map, values=values)
    if work.format_name in ("points", "points-glb"):
        cloud = depth_map.cloud(
            camera, work.image, anchor=anchor, max_points=options.max_points, max_jump=options.max_jump, far=options.far
        )
        cloud.save(work.path, overwrite=work.overwrite)
        return
    mesh = depth_map.mesh(
        camera, work.image, anchor=anchor, detail=options.detail, max_jump=options.max_jump, far=options.far
    )
    if work.format_name == "html":
        with atomic_file(work.path, overwrite=work.overwrite) as file:
            file.write(page_of(mesh.to_glb(), work.source.name))
        return
    mesh.save(work.path, overwrite=work.overwrite)
