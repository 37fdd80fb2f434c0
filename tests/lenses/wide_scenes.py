"""Panoramas and fisheye pictures of drawn scenes, with the exact inverse distance along every ray."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from midas.geometry.sphere import WideLens, pixel_rays
from midas.scenes.camera import Camera
from midas.scenes.landscapes import ground_material
from midas.scenes.raster import draw_scene
from midas.scenes.shading import shade_scene
from midas.scenes.worlds import WORLDS

# Yaw and pitch of the six faces of a cube.
_FACES = ((0, 0), (90, 0), (180, 0), (270, 0), (0, 90), (0, -90))


def wide_scene(world: str, seed: int, lens: WideLens, face_px: int = 384) -> tuple[np.ndarray, np.ndarray]:
    """The picture and the inverse distance."""
    rng = np.random.default_rng(seed)
    scene = WORLDS[world](rng)
    yaw = scene.camera.yaw_deg
    if scene.room is not None:  # from within the room, not from its end
        (x0, y0, _), (x1, y1, _) = scene.room
        scene.camera = replace(scene.camera, position=((x0 + x1) / 2, (y0 + y1) / 2, 1.4))
    rays = pixel_rays(lens, lens.size)
    image, inverse = np.zeros((*lens.size, 3), np.float32), np.zeros(lens.size, np.float32)
    material = ground_material(rng)
    exposure = None
    for yaw_deg, pitch_deg in _FACES:
        camera = Camera(scene.camera.position, yaw + yaw_deg, float(pitch_deg), 0.0, 90.5)
        face = replace_camera(scene, camera)
        raster = draw_scene(face, (face_px, face_px))
        light = shade_scene(face, raster, material)
        exposure = exposure or 0.35 / max(float(light.mean()), 1e-4)
        # From the lens's axes (right, down, forward) to the world's, and on to the face's.
        level = Camera(scene.camera.position, yaw, 0.0, 0.0, 90.0)
        turn = camera.to_camera()[:3, :3] @ level.to_camera()[:3, :3].T
        turned = rays @ turn.T.astype(np.float32)
        focal_px, middle = camera.focal_px((face_px, face_px)), (face_px - 1) / 2
        along = np.maximum(turned[..., 2], 1e-6)
        column, row = (turned[..., axis] / along * focal_px + middle for axis in (0, 1))
        shown = (
            (turned[..., 2] > 0) & (np.abs(column - middle) <= middle + 0.5) & (np.abs(row - middle) <= middle + 0.5)
        )
        grid = (column.astype(np.float32), row.astype(np.float32))
        colors = cv2.remap(light, *grid, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        depth = cv2.remap(raster.inverse_depth, *grid, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
        image[shown] = np.sqrt(np.clip(colors[shown] * exposure, 0, 1))
        inverse[shown] = (depth * turned[..., 2])[shown]
    return np.rint(image * 255).astype(np.uint8), inverse


def replace_camera(scene: object, camera: Camera) -> object:
    return replace(scene, camera=camera)  # type: ignore[type-var]
