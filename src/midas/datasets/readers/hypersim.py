"""Reader for Hypersim: 77,400 rendered pictures of 461 interiors, 1024 × 768.

``*.depth_meters.hdf5`` is the distance from the camera's centre along the ray in metres, no number where the ray left
the scene. Depth is z, so that each distance is multiplied by the cosine between its ray and the axis.
The rays are by the set's table ``metadata_camera_parameters.csv`` where that is in the folder, since some scenes were
rendered with a tilted or shifted lens: its columns ``M_cam_from_uv_00`` to ``_22`` take a place in the picture, -1 to
1, rightwards and upwards, to a ray. Without it, all scenes have the usual 60° from left to right, wrong for those few.
Pictures are the tone-mapped previews. A preview without a map of distances is left out.
"""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np

from midas.arrays import Array, Float32, Float64
from midas.datasets.formats import read_hdf5, read_rgb
from midas.datasets.reader import Layout
from midas.datasets.sample import Sample
from midas.errors import DatasetError

LAYOUT = Layout(
    title="Hypersim",
    homepage="https://github.com/apple/ml-hypersim",
    licence="CC BY-SA 3.0",
    tree="""
<root>/ai_001_001/images/scene_cam_00_final_preview/frame.0000.tonemap.jpg
<root>/ai_001_001/images/scene_cam_00_geometry_hdf5/frame.0000.depth_meters.hdf5
<root>/metadata_camera_parameters.csv    from the repository, contrib/mikeroberts3000
""",
)

USUAL_VIEW_DEG = 60.0
_TABLE = "metadata_camera_parameters.csv"


class HypersimReader:
    """All previews that have a map of distances.

    Args:
        root: the folder of scenes.

    Raises:
        DatasetError: the folder isn't there, holds no picture, or its table of cameras is damaged.
    """

    name = "hypersim"

    def __init__(self, root: str | Path) -> None:
        folder = LAYOUT.folder(root)
        found = sorted(folder.glob("*/images/scene_cam_*_geometry_hdf5/frame.*.depth_meters.hdf5"))
        self.distances = LAYOUT.some(found, "<scene>/images/scene_cam_*_geometry_hdf5/*.depth_meters.hdf5", folder)
        self.cameras = _read_cameras(folder / _TABLE) if (folder / _TABLE).is_file() else {}

    def __len__(self) -> int:
        return len(self.distances)

    def __getitem__(self, index: int) -> Sample:
        """The sample at an index.

        Raises:
            DatasetError: a file is missing or damaged.
            MissingExtraError: the package that reads HDF5 isn't installed.
        """
        path = self.distances[index]
        camera = path.parent.name.removesuffix("_geometry_hdf5")
        frame = path.name.removesuffix(".depth_meters.hdf5")
        image = read_rgb(LAYOUT.file(path.parents[1] / f"{camera}_final_preview" / f"{frame}.tonemap.jpg"))
        distance_m = read_hdf5(LAYOUT.file(path), "dataset")
        scene = path.parents[2].name
        size = (distance_m.shape[0], distance_m.shape[1])
        cosines = ray_cosines(self.cameras.get(scene, usual_camera(size)), size)
        return Sample.from_depth(image, distance_m * cosines, name=f"{self.name}/{scene}/{camera}_{frame}")


def usual_camera(size: tuple[int, int]) -> Float64[Array, "3 3"]:
    """What takes a place in a picture of that size (height, width), -1 to 1, to a ray of the camera of most scenes."""
    half_width = math.tan(math.radians(USUAL_VIEW_DEG / 2))
    return np.diag([half_width, half_width * size[0] / size[1], -1.0])


def ray_cosines(camera: Float64[Array, "3 3"], size: tuple[int, int]) -> Float32[Array, "H W"]:
    """The cosine between each pixel's ray and the optical axis: z per distance along the ray."""
    height, width = size
    rightwards = (np.arange(width) + 0.5) * 2 / width - 1
    upwards = 1 - (np.arange(height) + 0.5) * 2 / height
    u, v = np.meshgrid(rightwards, upwards)
    rays = np.stack([u, v, np.ones_like(u)], axis=-1) @ camera.T
    return np.asarray(np.abs(rays[..., 2]) / np.linalg.norm(rays, axis=-1), dtype=np.float32)


def _read_cameras(path: Path) -> dict[str, Float64[Array, "3 3"]]:
    """Each scene's matrix from places to rays."""
    keys = [f"M_cam_from_uv_{row}{column}" for row in range(3) for column in range(3)]
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [(row["scene_name"], [float(row[key]) for key in keys]) for row in csv.DictReader(file)]
    except (KeyError, TypeError, ValueError, OSError, csv.Error) as error:
        raise DatasetError(f"{path} isn't the table of cameras of {LAYOUT.title}: {error!r}") from error
    return {scene: np.array(values).reshape(3, 3) for scene, values in rows}
