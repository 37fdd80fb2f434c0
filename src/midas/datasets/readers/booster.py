"""Reader for Booster: rooms with glass and mirrors, 12 megapixels, 228 pictures of 38 scenes in several lights.

``disp_00.npy`` is the stereo disparity of the left picture in pixels, 0 where unknown, the same for all lights of a
scene. ``calib_00-02.xml`` makes it metric: z = baseline × f / d, with the baseline in millimetres and the rectified
focal length f in pixels. ``mask_00.png`` is black where the right camera can't see.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from midas.datasets.formats import read_mask, read_npy, read_rgb
from midas.datasets.reader import Layout
from midas.datasets.sample import Sample
from midas.errors import DatasetError

LAYOUT = Layout(
    title="Booster",
    homepage="https://cvlab-unibo.github.io/booster-web/",
    licence="see the homepage",
    tree="""
<root>/train/balanced/<scene>/camera_00/im*.png    booster_gt.zip
<root>/train/balanced/<scene>/disp_00.npy
<root>/train/balanced/<scene>/mask_00.png
<root>/train/balanced/<scene>/calib_00-02.xml
""",
)

MILLIMETRES_PER_METRE = 1000.0


class BoosterReader:
    """All left pictures of the balanced training scenes, whose ground truth is public.

    Args:
        root: the folder with ``train``.

    Raises:
        DatasetError: the folder isn't there, or holds no picture.
    """

    name = "booster"

    def __init__(self, root: str | Path) -> None:
        folder = LAYOUT.folder(root)
        found = sorted(folder.glob("train/balanced/*/camera_00/im*.png"))
        self.pictures = LAYOUT.some(found, "train/balanced/<scene>/camera_00/im*.png", folder)

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> Sample:
        """The sample at an index.

        Raises:
            DatasetError: a file is missing or damaged.
        """
        picture = self.pictures[index]
        scene = picture.parents[1]
        focal_px, baseline_mm = _read_calibration(LAYOUT.file(scene / "calib_00-02.xml"))
        disparity_px = read_npy(LAYOUT.file(scene / "disp_00.npy")).astype(np.float32, copy=False)
        return Sample.from_inverse_depth(
            read_rgb(LAYOUT.file(picture)),
            disparity_px * np.float32(MILLIMETRES_PER_METRE / (baseline_mm * focal_px)),
            name=f"{self.name}/{scene.name}/{picture.stem}",
            valid=read_mask(LAYOUT.file(scene / "mask_00.png")),
        )


def _read_calibration(path: Path) -> tuple[float, float]:
    """Rectified focal length in pixels and baseline in millimetres, from OpenCV's XML."""
    try:
        file = cv2.FileStorage(str(path), cv2.FILE_STORAGE_READ)
        projection, baseline_mm = file.getNode("proj_matL").mat(), float(file.getNode("baselineLR").real())
    except (cv2.error, SystemError) as error:
        raise DatasetError(f"{path} can't be read as OpenCV's XML: {error}") from error
    if projection is None or baseline_mm <= 0 or projection[0, 0] <= 0:
        raise DatasetError(f"{path} lacks proj_matL or baselineLR")
    return float(projection[0, 0]), baseline_mm
