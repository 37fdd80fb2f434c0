"""PLY files, binary: points and meshes with the colours of the screen, as everybody's readers take them.

Axes are the camera's (x right, y down, z forward), as Open3D, COLMAP and CloudCompare expect of a camera's points.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from midas.arrays import Array, Float32, Shaped, UInt8

_VERTEX = np.dtype([("xyz", "<f4", 3), ("rgb", "u1", 3)])
_FACE = np.dtype([("count", "u1"), ("corners", "<i4", 3)])
_VERTEX_LINES = [f"property float {axis}" for axis in "xyz"] + [
    f"property uchar {channel}" for channel in ("red", "green", "blue")
]


def points_ply(points: Float32[Array, "N 3"], colors: UInt8[Array, "N 3"], facts: Mapping[str, str]) -> bytes:
    """The bytes of a PLY file of points; the facts become its comments."""
    return _header(len(points), None, facts) + _vertices(points, colors)


def mesh_ply(
    vertices: Float32[Array, "N 3"],
    faces: Shaped[Array, "M 3"],
    colors: UInt8[Array, "N 3"],
    facts: Mapping[str, str],
) -> bytes:
    """The bytes of a PLY file of triangles, with a colour at each vertex; the facts become its comments."""
    triangles = np.empty(len(faces), _FACE)
    triangles["count"] = 3
    triangles["corners"] = faces
    return _header(len(vertices), len(faces), facts) + _vertices(vertices, colors) + triangles.tobytes()


def _header(vertices: int, faces: int | None, facts: Mapping[str, str]) -> bytes:
    lines = ["ply", "format binary_little_endian 1.0"]
    # A line break would end the comment; other programs read ASCII.
    lines += [f"comment midas:{name} {' '.join(text.split())}" for name, text in facts.items()]
    lines += [f"element vertex {vertices}", *_VERTEX_LINES]
    if faces is not None:
        lines += [f"element face {faces}", "property list uchar int vertex_indices"]
    return ("\n".join([*lines, "end_header"]) + "\n").encode("ascii", "backslashreplace")


def _vertices(points: Float32[Array, "N 3"], colors: UInt8[Array, "N 3"]) -> bytes:
    vertices = np.empty(len(points), _VERTEX)
    vertices["xyz"] = points
    vertices["rgb"] = colors
    return vertices.tobytes()
