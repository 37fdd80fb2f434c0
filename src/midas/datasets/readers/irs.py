"""Reader for IRS: 103,316 rendered stereo pairs of homes, offices, restaurants and shops, 960 × 540.

``d_*.exr`` is the stereo disparity of the left picture in pixels, in the file's only channel or the one called G. The
set's own code states a focal length of 480 px and a baseline of 0.1 m, which make it metric: z = 480 × 0.1 / d.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from midas.datasets.formats import read_exr_channel, read_rgb
from midas.datasets.reader import Layout
from midas.datasets.sample import Sample

LAYOUT = Layout(
    title="IRS, indoor robotics stereo",
    homepage="https://github.com/HKBU-HPML/IRS",
    licence="see the homepage",
    tree="""
<root>/Home/<scene>/l_1.png    <root> is IRSDataset; also Office, Restaurant, Store
<root>/Home/<scene>/d_1.exr
""",
)

FOCAL_PX = 480.0
BASELINE_M = 0.1
CHANNEL = "G"


class IrsReader:
    """All left pictures.

    Args:
        root: the folder with ``Home`` and the others.

    Raises:
        DatasetError: the folder isn't there, or holds no picture.
    """

    name = "irs"

    def __init__(self, root: str | Path) -> None:
        folder = LAYOUT.folder(root)
        self.pictures = LAYOUT.some(sorted(folder.glob("*/*/l_*.png")), "<kind>/<scene>/l_*.png", folder)

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> Sample:
        """The sample at an index.

        Raises:
            DatasetError: a file is missing or damaged.
        """
        picture = self.pictures[index]
        number = picture.stem.removeprefix("l_")
        disparity_px = read_exr_channel(LAYOUT.file(picture.with_name(f"d_{number}.exr")), CHANNEL)
        return Sample.from_inverse_depth(
            read_rgb(LAYOUT.file(picture)),
            disparity_px / np.float32(FOCAL_PX * BASELINE_M),
            name=f"{self.name}/{picture.parents[1].name}_{picture.parent.name}/{number}",
        )
