"""A COLMAP workspace of a drawn room: images, exact cameras, sparse points, and exact depth to compare with."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from midas.maps.depth_map import DepthMap
from midas.scenes.camera import Camera as SceneCamera
from midas.scenes.raster import draw_scene
from midas.scenes.rooms import room

SIZE = (120, 160)
WRONG_SHARE = 0.15


@dataclass
class DrawnWorkspace:
    """The folder, and per image its exact depth and the relative disparity that a network would give."""

    folder: Path
    depth: dict[str, np.ndarray]
    disparity: dict[str, np.ndarray]

    def __call__(self, path: Path) -> DepthMap:
        """Stands in for the predictor."""
        return DepthMap(self.disparity[path.name])


def quaternion(rotation: np.ndarray) -> np.ndarray:
    w = math.sqrt(max(1e-12, 1 + np.trace(rotation))) / 2
    x, y, z = rotation[2, 1] - rotation[1, 2], rotation[0, 2] - rotation[2, 0], rotation[1, 0] - rotation[0, 1]
    return np.array([w, x / 4 / w, y / 4 / w, z / 4 / w])


def make_workspace(folder: Path, *, images: int = 4, points: int = 150, binary: bool = True) -> DrawnWorkspace:
    rng = np.random.default_rng(5)
    scene = room(rng)
    made = DrawnWorkspace(folder, {}, {})
    (folder / "images").mkdir(parents=True)
    sparse = folder / "sparse" / "0"
    sparse.mkdir(parents=True)
    seen_by, places = [], {}
    for number in range(images):
        x, y, z = scene.camera.position
        # From y forward, z up to COLMAP's world makes no difference: any world will do.
        camera: SceneCamera = replace(
            scene.camera, position=(x + 0.1 * number, y, z), yaw_deg=scene.camera.yaw_deg + 3 * number
        )
        raster = draw_scene(replace(scene, camera=camera), SIZE)
        name = f"view_{number}.jpg"
        Image.fromarray(rng.integers(0, 255, (*SIZE, 3), dtype=np.uint8)).save(folder / "images" / name)
        depth = 1 / raster.inverse_depth.astype(np.float64)
        made.depth[name] = depth
        made.disparity[name] = ((raster.inverse_depth - 0.05) * (2 + number)).astype(np.float32)
        rows, columns = rng.integers(0, SIZE[0], points), rng.integers(0, SIZE[1], points)
        focal_px = camera.focal_px(SIZE)
        z_axis = depth[rows, columns] * np.where(rng.random(points) < WRONG_SHARE, rng.uniform(0.3, 3, points), 1)
        rays = np.stack(
            [(columns + 0.5 - SIZE[1] / 2) / focal_px, (rows + 0.5 - SIZE[0] / 2) / focal_px, np.ones(points)], 1
        )
        to_world = camera.to_world()
        world = (rays * z_axis[:, None]) @ to_world[:3, :3].T + to_world[:3, 3]
        numbers = np.arange(points) + 1 + number * points
        places.update(zip(numbers.tolist(), world.tolist(), strict=True))
        to_camera = camera.to_camera()
        pose = [*quaternion(to_camera[:3, :3]), *to_camera[:3, 3]]
        seen_by.append((number + 1, pose, name, np.stack([columns + 0.5, rows + 0.5], 1), numbers))
    write = write_binary if binary else write_text
    write(sparse, scene.camera.focal_px(SIZE), seen_by, places)
    return made


def write_binary(sparse: Path, focal_px: float, images: list, places: dict) -> None:
    height, width = SIZE
    camera = struct.pack("<QiiQQ4d", 1, 1, 1, width, height, focal_px, focal_px, width / 2, height / 2)
    (sparse / "cameras.bin").write_bytes(camera)
    data = struct.pack("<Q", len(images))
    for number, pose, name, xy, points in images:
        data += struct.pack("<i7di", number, *pose, 1) + name.encode() + b"\0" + struct.pack("<Q", len(xy) + 1)
        data += struct.pack("<ddq", 1.0, 1.0, -1)  # a feature that became no point
        data += b"".join(
            struct.pack("<ddq", *place, point) for place, point in zip(xy.tolist(), points.tolist(), strict=True)
        )
    (sparse / "images.bin").write_bytes(data)
    data = struct.pack("<Q", len(places))
    for number, place in places.items():
        image, feature = 1 + (number - 1) // 150, 1 + (number - 1) % 150
        data += struct.pack("<Q3d3Bd", number, *place, 1, 2, 3, 0.5) + struct.pack("<Qii", 1, image, feature)
    (sparse / "points3D.bin").write_bytes(data)


def write_text(sparse: Path, focal_px: float, images: list, places: dict) -> None:
    height, width = SIZE
    (sparse / "cameras.txt").write_text(
        f"# cameras\n1 PINHOLE {width} {height} {focal_px} {focal_px} {width / 2} {height / 2}\n"
    )
    lines = ["# images"]
    for number, pose, name, xy, points in images:
        lines.append(" ".join(map(str, [number, *pose, 1, name])))
        lines.append(" ".join(f"{x} {y} {point}" for (x, y), point in zip(xy.tolist(), points.tolist(), strict=True)))
    (sparse / "images.txt").write_text("\n".join(lines) + "\n")
    points = [f"{number} {x} {y} {z} 1 2 3 0.5 1 0" for number, (x, y, z) in places.items()]
    (sparse / "points3D.txt").write_text("\n".join(points) + "\n")
