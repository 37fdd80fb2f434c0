"""GLB files (glTF 2.0, binary): a mesh with the photograph as its texture, or points with colours.

Written by hand, since the writers at hand put the screen's colours where the standard wants linear ones, and eight bits
where sixteen are needed. Chunks are padded to four bytes, JSON by spaces, the rest by zeros; axes are turned to glTF's
(x right, y up, looking to -z); nothing is shaded (``KHR_materials_unlit``): a photograph holds its light already.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from midas.arrays import Array, Float32, Shaped, UInt8
from midas.pictures.light import to_light
from midas.version import __version__

_JSON, _BIN = 0x4E4F534A, 0x004E4942
_FLOAT, _USHORT, _UINT = 5126, 5123, 5125
_ARRAY_BUFFER, _ELEMENT_BUFFER = 34962, 34963
_POINTS, _TRIANGLES = 0, 4
_TO_GLTF = np.array([1, -1, -1], np.float32)
_UNLIT = "KHR_materials_unlit"


def mesh_glb(
    vertices: Float32[Array, "N 3"],
    faces: Shaped[Array, "M 3"],
    uv: Float32[Array, "N 2"],
    texture_jpeg: bytes,
    facts: Mapping[str, str],
) -> bytes:
    """The bytes of a GLB file of a textured mesh.

    Args:
        vertices: in the camera's axes.
        faces: three vertices each, counter-clockwise as the camera sees them.
        uv: place of each vertex in the texture, 0 to 1, from its top left corner.
        texture_jpeg: the texture's file.
        facts: kept as ``asset.extras``.
    """
    glb = _Glb()
    attributes = {
        "POSITION": glb.accessor(vertices * _TO_GLTF, "VEC3", _FLOAT, _ARRAY_BUFFER, bounds=True),
        "TEXCOORD_0": glb.accessor(uv, "VEC2", _FLOAT, _ARRAY_BUFFER),
    }
    indices = glb.accessor(faces.astype(np.uint32).reshape(-1), "SCALAR", _UINT, _ELEMENT_BUFFER)
    image = {"bufferView": glb.view(texture_jpeg), "mimeType": "image/jpeg"}
    surface = {"baseColorTexture": {"index": 0}, "metallicFactor": 0.0, "roughnessFactor": 1.0}
    return glb.data(
        {"attributes": attributes, "indices": indices, "mode": _TRIANGLES, "material": 0},
        {"pbrMetallicRoughness": surface, "doubleSided": True, "extensions": {_UNLIT: {}}},
        facts,
        images=[image],
        # 33071: the edge of the texture doesn't run over to the other side.
        samplers=[{"magFilter": 9729, "minFilter": 9987, "wrapS": 33071, "wrapT": 33071}],
        textures=[{"source": 0, "sampler": 0}],
    )


def points_glb(points: Float32[Array, "N 3"], colors: UInt8[Array, "N 3"], facts: Mapping[str, str]) -> bytes:
    """The bytes of a GLB file of points; colours are stored linear, in 16 bits, as the standard has it."""
    glb = _Glb()
    linear = np.full((len(points), 4), np.iinfo(np.uint16).max, np.uint16)  # the fourth, alpha, aligns them to 4 bytes
    linear[:, :3] = np.rint(to_light(colors) * np.float32(np.iinfo(np.uint16).max))
    attributes = {
        "POSITION": glb.accessor(points * _TO_GLTF, "VEC3", _FLOAT, _ARRAY_BUFFER, bounds=True),
        "COLOR_0": glb.accessor(linear, "VEC4", _USHORT, _ARRAY_BUFFER, normalized=True),
    }
    surface = {"metallicFactor": 0.0, "roughnessFactor": 1.0}
    return glb.data(
        {"attributes": attributes, "mode": _POINTS, "material": 0},
        {"pbrMetallicRoughness": surface, "extensions": {_UNLIT: {}}},
        facts,
    )


@dataclass
class _Glb:
    """A file in the making."""

    views: list[dict[str, Any]] = field(default_factory=list)
    accessors: list[dict[str, Any]] = field(default_factory=list)
    parts: list[bytes] = field(default_factory=list)
    length: int = 0

    def view(self, data: bytes, target: int | None = None) -> int:
        """Add bytes; their number."""
        self.views.append({"buffer": 0, "byteOffset": self.length, "byteLength": len(data)})
        if target is not None:
            self.views[-1]["target"] = target
        padded = data + b"\0" * (-len(data) % 4)
        self.parts.append(padded)
        self.length += len(padded)
        return len(self.views) - 1

    def accessor(
        self, values: Array, shape: str, component: int, target: int, *, bounds: bool = False, normalized: bool = False
    ) -> int:
        """Add an array; its number."""
        array = np.ascontiguousarray(values)
        self.accessors.append(
            {
                "bufferView": self.view(array.tobytes(), target),
                "componentType": component,
                "count": len(array),
                "type": shape,
            }
        )
        if normalized:
            self.accessors[-1]["normalized"] = True
        if bounds:
            self.accessors[-1]["min"] = [float(value) for value in array.min(axis=0)]
            self.accessors[-1]["max"] = [float(value) for value in array.max(axis=0)]
        return len(self.accessors) - 1

    def data(
        self, primitive: dict[str, Any], material: dict[str, Any], facts: Mapping[str, str], **more: list[Any]
    ) -> bytes:
        """The whole file."""
        document = {
            "asset": {"version": "2.0", "generator": f"midas-depth {__version__}", "extras": dict(facts)},
            "extensionsUsed": [_UNLIT],
            "scene": 0,
            "scenes": [{"nodes": [0]}],
            "nodes": [{"mesh": 0}],
            "meshes": [{"primitives": [primitive]}],
            "materials": [material],
            "accessors": self.accessors,
            "bufferViews": self.views,
            "buffers": [{"byteLength": self.length}],
            **more,
        }
        text = json.dumps(document, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 4)
        chunks = [struct.pack("<II", len(text), _JSON), text, struct.pack("<II", self.length, _BIN), *self.parts]
        size = 12 + sum(map(len, chunks))
        return b"".join([struct.pack("<4sII", b"glTF", 2, size), *chunks])
