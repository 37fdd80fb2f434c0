"""Points: one per pixel, in the camera's axes, with the photograph's colours."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from midas.arrays import Array, Float32, UInt8
from midas.errors import AlignmentError, ConfigError
from midas.geometry.anchor import Anchor
from midas.geometry.far import Far, place_far
from midas.geometry.glb import points_glb
from midas.geometry.jumps import MAX_JUMP, beside_jumps, jump_tolerance
from midas.geometry.ply import points_ply
from midas.geometry.sampling import sample_grid, sampled, sampled_colors
from midas.geometry.scene_files import write_scene_file
from midas.geometry.sphere import AnyCamera, check_camera

MAX_POINTS = 1_000_000
GREY = 188


@dataclass(frozen=True, eq=False)
class PointCloud:
    """Points with colours.

    Attributes:
        points: float32 (N, 3), x right, y down, z forward; metres, or the unit that ``facts`` name.
        colors: uint8 (N, 3), RGB as on the screen (sRGB).
        facts: how camera, scale and shift were found; files keep it.
    """

    points: Float32[Array, "N 3"]
    colors: UInt8[Array, "N 3"]
    facts: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        """Number of points."""
        return len(self.points)

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write ``.ply`` or ``.glb``, complete or not at all. A GLB file's points have no size: viewers draw one pixel.

        Raises:
            OutputError: another suffix, a file that is there already, or one that can't be written.
        """
        writers = {".ply": points_ply, ".glb": points_glb}
        write_scene_file(path, writers, (self.points, self.colors, dict(self.facts)), overwrite=overwrite)


def point_cloud(
    values: Float32[Array, "H W"],
    camera: AnyCamera,
    anchor: Anchor,
    image: UInt8[Array, "h w 3"] | None = None,
    *,
    max_points: int | None = MAX_POINTS,
    max_jump: float | None = MAX_JUMP,
    far: Far = "clamp",
) -> PointCloud:
    """Put each pixel where it is: ``z = 1 / (scale * d + shift)``, ``x = z (u - u0) / f``, ``y = z (v - v0) / f``.

    Args:
        values: disparity.
        camera: of the picture; of a panorama or a fisheye picture, whose values are along the ray, its lens.
        anchor: disparity → 1 / depth.
        image: the picture, for the colours; grey without.
        max_points: of a larger map every second, third ... row and column is taken. None takes all.
        max_jump: points beside jumps of depth are left out, since they float between two surfaces; ``MAX_JUMP`` says
            what counts as one. None keeps them.
        far: what becomes of the sky and of what lies behind infinity.

    Raises:
        ConfigError: fewer than one point is allowed, a jump isn't positive, or what is no camera.
        AlignmentError: no point is left.
    """
    check_camera(camera)
    if max_points is not None and max_points < 1:
        raise ConfigError(f"at most {max_points} points: expected at least 1")
    if max_jump is not None and not max_jump > 0:
        raise ConfigError(f"a largest jump of {max_jump}: expected a positive number, or None to keep all points")
    step = 1 if max_points is None else max(1, math.ceil(math.sqrt(values.size / max_points)))
    height, width = values.shape
    rows, columns = sample_grid((height, width), (len(range(0, height, step)), len(range(0, width, step))))
    inverse_depth, there = place_far(anchor.inverse_depth(sampled(values, rows, columns)), far)
    if max_jump is not None:
        there &= ~beside_jumps(inverse_depth, jump_tolerance(inverse_depth.shape, max_jump))
    if not there.any():
        raise AlignmentError("no point of this map is left: all lie too far or beside jumps; keep those, or clamp them")
    x_px, y_px = (
        (index + 0.5) * (pixels / samples) - 0.5
        for index, pixels, samples in zip((columns, rows), camera.size[::-1], (width, height), strict=True)
    )
    at_rows, at_columns = np.nonzero(there)
    points = camera.unprojected(x_px[at_columns], y_px[at_rows], inverse_depth[there].astype(np.float64))
    if image is None:
        colors = np.full(points.shape, GREY, np.uint8)
    else:
        colors = sampled_colors(image, (height, width), rows, columns)[there]
    facts = {**camera.facts(), **anchor.facts(), "far": far}
    return PointCloud(points.astype(np.float32), colors, facts)
