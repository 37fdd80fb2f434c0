"""Reader for the Middlebury stereo sets of 2014: rooms and still lifes of about 6 megapixels.

``disp0.pfm`` is the stereo disparity of the left picture in pixels, infinite where unknown. ``calib.txt`` makes it
metric: z = baseline × f / (d + doffs), with the baseline in millimetres, the focal length f and the difference of the
principal points doffs in pixels.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from midas.datasets.formats import read_lines, read_pfm, read_rgb
from midas.datasets.reader import Layout
from midas.datasets.sample import Sample
from midas.errors import DatasetError

LAYOUT = Layout(
    title="Middlebury stereo 2014",
    homepage="https://vision.middlebury.edu/stereo/data/scenes2014/",
    licence="none stated; for research",
    tree="""
<root>/<scene>/im0.png
<root>/<scene>/disp0.pfm
<root>/<scene>/calib.txt
""",
)

MILLIMETRES_PER_METRE = 1000.0


class Middlebury2014Reader:
    """The left picture of every scene.

    Args:
        root: the folder of scenes.

    Raises:
        DatasetError: the folder isn't there, or holds no scene.
    """

    name = "middlebury2014"

    def __init__(self, root: str | Path) -> None:
        folder = LAYOUT.folder(root)
        self.scenes = LAYOUT.some(sorted(path.parent for path in folder.glob("*/im0.png")), "<scene>/im0.png", folder)

    def __len__(self) -> int:
        return len(self.scenes)

    def __getitem__(self, index: int) -> Sample:
        """The sample at an index.

        Raises:
            DatasetError: a file is missing or damaged.
        """
        scene = self.scenes[index]
        focal_px, baseline_mm, offset_px = _read_calibration(LAYOUT.file(scene / "calib.txt"))
        disparity_px = read_pfm(LAYOUT.file(scene / "disp0.pfm")) + np.float32(offset_px)
        return Sample.from_inverse_depth(
            read_rgb(LAYOUT.file(scene / "im0.png")),
            disparity_px * np.float32(MILLIMETRES_PER_METRE / (baseline_mm * focal_px)),
            name=f"{self.name}/{scene.name}/im0",
        )


def _read_calibration(path: Path) -> tuple[float, float, float]:
    """Focal length in pixels, baseline in millimetres, difference of the principal points in pixels."""
    entries = dict(line.split("=", 1) for line in read_lines(path) if "=" in line)
    try:
        focal_px = float(re.split(r"[\s;]+", entries["cam0"].strip("[] "))[0])
        return focal_px, float(entries["baseline"]), float(entries["doffs"])
    except (KeyError, ValueError) as error:
        raise DatasetError(f"{path} isn't a calibration with cam0, baseline and doffs: {error!r}") from error
