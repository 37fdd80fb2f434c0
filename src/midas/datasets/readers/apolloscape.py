"""Reader for the stereo part of ApolloScape: streets from a car, 3130 × 960, with disparity from laser scans.

``disparity/*.png`` is the stereo disparity of the left picture, camera 5, 0 where unknown, the sky among it. It is
reported to be pixels × 256 in 16 bits, as KITTI has it; the set's own evaluation takes the numbers as they are. Neither
focal length nor baseline comes with the set, so that only the proportions count.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from midas.datasets.formats import read_grey, read_rgb
from midas.datasets.reader import Layout
from midas.datasets.sample import Sample

LAYOUT = Layout(
    title="ApolloScape stereo",
    homepage="http://apolloscape.auto/stereo.html",
    licence="see the homepage; for research",
    tree="""
<root>/stereo_train_001/camera_5/*.jpg     also stereo_train_002, stereo_train_003
<root>/stereo_train_001/disparity/*.png    of the same names
""",
)

STEPS_PER_PIXEL = 256.0


class ApolloscapeReader:
    """All left pictures of the training part.

    Args:
        root: the folder with ``stereo_train_001``.

    Raises:
        DatasetError: the folder isn't there, or holds no picture.
    """

    name = "apolloscape"

    def __init__(self, root: str | Path) -> None:
        folder = LAYOUT.folder(root)
        found = sorted(folder.glob("stereo_train_*/camera_5/*.jpg"))
        self.pictures = LAYOUT.some(found, "stereo_train_*/camera_5/*.jpg", folder)

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> Sample:
        """The sample at an index.

        Raises:
            DatasetError: a file is missing or damaged.
        """
        picture = self.pictures[index]
        part = picture.parents[1]
        disparity_px = read_grey(LAYOUT.file(part / "disparity" / f"{picture.stem}.png")) / np.float32(STEPS_PER_PIXEL)
        name = f"{self.name}/{part.name}/{picture.stem}"
        return replace(Sample.from_inverse_depth(read_rgb(LAYOUT.file(picture)), disparity_px, name=name), metric=False)
