"""A sparse reconstruction by COLMAP: its cameras, images and points, from binary or text files.

Its own words are kept: a pose takes the world to the camera, pixel centres lie at +0.5, axes are right, down, forward.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from midas.arrays import Array, Float64, Shaped
from midas.errors import DatasetError

# COLMAP's number of each camera model: its name and the number of its parameters (src/colmap/sensor/models.h).
_MODELS: dict[int, tuple[str, int]] = {
    0: ("SIMPLE_PINHOLE", 3),
    1: ("PINHOLE", 4),
    2: ("SIMPLE_RADIAL", 4),
    3: ("RADIAL", 5),
    4: ("OPENCV", 8),
    5: ("OPENCV_FISHEYE", 8),
    6: ("FULL_OPENCV", 12),
    7: ("FOV", 5),
    8: ("SIMPLE_RADIAL_FISHEYE", 4),
    9: ("RADIAL_FISHEYE", 5),
    10: ("THIN_PRISM_FISHEYE", 12),
    11: ("RAD_TAN_THIN_PRISM_FISHEYE", 16),
}
_TWO_FOCAL_LENGTHS = frozenset({name for name, count in _MODELS.values() if count > 5 or name in ("PINHOLE", "FOV")})
_NO_POINT = -1
_DAMAGED = (struct.error, ValueError, KeyError, IndexError, UnicodeDecodeError)


@dataclass(frozen=True)
class ModelCamera:
    """A camera: its model's name, (height, width) in pixels, and COLMAP's parameters."""

    model: str
    size: tuple[int, int]
    params: tuple[float, ...]

    @property
    def focal_and_principal_px(self) -> tuple[float, float, float, float]:
        """fx, fy, cx, cy; pixel centres at +0.5. Distortion is left aside."""
        if self.model in _TWO_FOCAL_LENGTHS:
            fx, fy, cx, cy = self.params[:4]
            return fx, fy, cx, cy
        f, cx, cy = self.params[:3]
        return f, f, cx, cy


@dataclass(frozen=True, eq=False)
class ModelImage:
    """An image: where it stands, and the points that were seen in it.

    Attributes:
        name: path below the folder of images.
        camera: the number of its camera.
        rotation: (3, 3), world to camera.
        translation: (3,), likewise.
        xy: (N, 2) column and row of its points, pixel centres at +0.5.
        points: (N,) their numbers.
    """

    name: str
    camera: int
    rotation: Float64[Array, "3 3"]
    translation: Float64[Array, " 3"]
    xy: Float64[Array, "N 2"]
    points: Shaped[Array, " N"]


@dataclass(frozen=True, eq=False)
class SparseModel:
    """A reconstruction.

    Attributes:
        folder: where it was read from.
        cameras: by number.
        images: in the order of the file.
        places: number of a point → its place in the world.
    """

    folder: Path
    cameras: dict[int, ModelCamera]
    images: tuple[ModelImage, ...]
    places: dict[int, tuple[float, float, float]]

    def depths(self, image: ModelImage) -> tuple[Float64[Array, "N 2"], Float64[Array, " N"]]:
        """Where the points of an image lie in it, and their depths along its axis; those before the camera."""
        known = np.array([number in self.places for number in image.points.tolist()], np.bool_)
        if not known.any():
            return np.zeros((0, 2)), np.zeros(0)
        world = np.array([self.places[number] for number in image.points[known].tolist()])
        depth = world @ image.rotation[2] + image.translation[2]
        return image.xy[known][depth > 0], depth[depth > 0]


def read_sparse_model(folder: Path) -> SparseModel:
    """Read ``cameras``, ``images`` and ``points3D``, ``.bin`` or else ``.txt``.

    Raises:
        DatasetError: one of them is missing or damaged.
    """
    binary = (folder / "images.bin").exists()
    suffix = ".bin" if binary else ".txt"
    readers = (
        (_binary_cameras, _binary_images, _binary_points) if binary else (_text_cameras, _text_images, _text_points)
    )
    parts = []
    for name, reader in zip(("cameras", "images", "points3D"), readers, strict=True):
        path = folder / f"{name}{suffix}"
        try:
            with path.open("rb") as file:
                parts.append(reader(file))
        except OSError as error:
            raise DatasetError(f"{path} can't be read: {error.strerror}; expected a model by COLMAP") from error
        except _DAMAGED as error:
            raise DatasetError(f"{path} is damaged, or no file by COLMAP: {error}") from error
    cameras, images, places = parts
    return SparseModel(folder, cameras, tuple(images), places)  # type: ignore[arg-type]


def _binary_cameras(file: BinaryIO) -> dict[int, ModelCamera]:
    cameras = {}
    for _ in range(_take(file, "<Q")[0]):
        number, model, width, height = _take(file, "<iiQQ")
        name, count = _MODELS[model]
        cameras[number] = ModelCamera(name, (height, width), _take(file, f"<{count}d"))
    return cameras


def _binary_images(file: BinaryIO) -> list[ModelImage]:
    images = []
    for _ in range(_take(file, "<Q")[0]):
        _, *pose, camera = _take(file, "<i7di")
        name = b"".join(iter(lambda: _exactly(file, 1), b"\0")).decode()
        count = _take(file, "<Q")[0]
        seen = np.frombuffer(_exactly(file, 24 * count), np.dtype([("xy", "<f8", 2), ("point", "<i8")]))
        images.append(_image(name, camera, pose, seen["xy"].reshape(-1, 2), seen["point"]))
    return images


def _binary_points(file: BinaryIO) -> dict[int, tuple[float, float, float]]:
    places = {}
    for _ in range(_take(file, "<Q")[0]):
        number, x, y, z, *_ = _take(file, "<Q3d3Bd")
        _exactly(file, 8 * _take(file, "<Q")[0])  # the images that saw it
        places[number] = (x, y, z)
    return places


def _text_cameras(file: BinaryIO) -> dict[int, ModelCamera]:
    cameras = {}
    for words in _lines(file):
        number, model, width, height, *params = words
        cameras[int(number)] = ModelCamera(model, (int(height), int(width)), tuple(map(float, params)))
    return cameras


def _text_images(file: BinaryIO) -> list[ModelImage]:
    images = []
    lines = (line.decode().split() for line in file if not line.startswith(b"#"))
    for head in lines:
        if not head:
            continue
        # A name may hold spaces; the line of points may be empty.
        pose, camera, name = [float(word) for word in head[1:8]], int(head[8]), " ".join(head[9:])
        seen = np.array([float(word) for word in next(islice(lines, 1), [])]).reshape(-1, 3)
        images.append(_image(name, camera, pose, seen[:, :2], seen[:, 2].astype(np.int64)))
    return images


def _text_points(file: BinaryIO) -> dict[int, tuple[float, float, float]]:
    return {int(words[0]): (float(words[1]), float(words[2]), float(words[3])) for words in _lines(file)}


def _image(name: str, camera: int, pose: list[float], xy: Array, points: Array) -> ModelImage:
    seen = points != _NO_POINT
    rotation = _rotation(np.array(pose[:4]))
    return ModelImage(name, camera, rotation, np.array(pose[4:]), xy[seen].astype(np.float64), points[seen])


def _rotation(quaternion: Float64[Array, " 4"]) -> Float64[Array, "3 3"]:
    """Of a quaternion w x y z."""
    w, x, y, z = quaternion / np.linalg.norm(quaternion)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def _lines(file: BinaryIO) -> Iterator[list[str]]:
    return (line.decode().split() for line in file if line.strip() and not line.startswith(b"#"))


def _take(file: BinaryIO, layout: str) -> tuple[Any, ...]:
    return struct.unpack(layout, _exactly(file, struct.calcsize(layout)))


def _exactly(file: BinaryIO, length: int) -> bytes:
    data = file.read(length)
    if len(data) < length:
        raise ValueError("it ends too early")
    return data
