"""Normals as a picture, for shaders and for relighting."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np

from midas.arrays import Array, Float32, UInt8
from midas.geometry.anchor import Anchor
from midas.geometry.camera import Camera
from midas.geometry.far import place_far
from midas.geometry.normals import surface_normals

NormalY = Literal["up", "down"]

# A network's output grows to many times its size: at the pixel's scale its slopes are those of the interpolation.
_SMOOTH_SHARE = 1 / 400


def normal_picture(
    values: Float32[Array, "H W"], camera: Camera, anchor: Anchor, *, normal_y: NormalY = "up", smooth: bool = True
) -> UInt8[Array, "H W 3"]:
    """A normal map: red is right, green up, blue towards the camera; 0.5 stands for 0, codes are linear.

    Args:
        values: disparity.
        camera: of the picture.
        anchor: disparity → 1 / depth. A wrong shift tilts normals.
        normal_y: ``"up"`` as OpenGL and Blender have it, ``"down"`` as DirectX has it.
        smooth: whether the map is smoothed by a 400th of its longer side first.
    """
    inverse_depth = place_far(anchor.inverse_depth(values), "clamp")[0]
    if smooth:
        sigma_px = max(inverse_depth.shape) * _SMOOTH_SHARE
        inverse_depth = np.asarray(cv2.GaussianBlur(inverse_depth, (0, 0), sigma_px), np.float32)
    normals = surface_normals(inverse_depth, camera)
    turned = normals * np.array([1, 1 if normal_y == "down" else -1, -1], np.float32)
    return np.rint((turned + 1) * np.float32(127.5)).astype(np.uint8)
