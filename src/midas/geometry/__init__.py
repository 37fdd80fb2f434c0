"""From a map to three dimensions: a camera, the missing shift, points, meshes, and the files that hold them.

Everything here works on arrays, below the networks. Axes are those of OpenCV: x right, y down, z forward along the
optical axis, with the camera at the origin; writers of files turn them as their format wants.
"""

from midas.geometry.anchor import Anchor, anchor_from_range, assumed_anchor, find_anchor
from midas.geometry.camera import Camera
from midas.geometry.cloud import PointCloud, point_cloud
from midas.geometry.mesh import Mesh, surface_mesh
from midas.geometry.right_angles import anchor_from_right_angles

__all__ = [
    "Anchor",
    "Camera",
    "Mesh",
    "PointCloud",
    "anchor_from_range",
    "anchor_from_right_angles",
    "assumed_anchor",
    "find_anchor",
    "point_cloud",
    "surface_mesh",
]
