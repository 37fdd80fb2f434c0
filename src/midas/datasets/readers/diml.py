"""Reader for the indoor part of DIML/CVL RGB-D: some 220,000 pictures of rooms by a Kinect v2, 1344 × 756.

``up_png/*_ud.png`` is z in millimetres, 16 bits, 0 where unknown, brought to the picture's size and filled in. The
names are as people who read the set report them: ``col/..._c.png`` goes with ``up_png/..._ud.png``. A picture without a
map is left out. The small sample of the set (``color``, ``depth_filled``) is laid out differently and isn't read.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from midas.datasets.formats import read_codes, read_rgb
from midas.datasets.reader import Layout
from midas.datasets.sample import Sample

LAYOUT = Layout(
    title="DIML/CVL RGB-D, indoor",
    homepage="https://dimlrgbd.github.io",
    licence="see the homepage; for research",
    tree="""
<root>/<place>/<scene>/col/*_c.png        folders above col may be more or fewer
<root>/<place>/<scene>/up_png/*_ud.png    of the same names up to there
""",
)

STEPS_PER_METRE = 1000.0


class DimlReader:
    """All pictures that have a depth map.

    Args:
        root: the folder of places.

    Raises:
        DatasetError: the folder isn't there, or holds no depth map.
    """

    name = "diml"

    def __init__(self, root: str | Path) -> None:
        self.root = LAYOUT.folder(root)
        self.depths = LAYOUT.some(sorted(self.root.glob("**/up_png/*_ud.png")), "up_png/*_ud.png", self.root)

    def __len__(self) -> int:
        return len(self.depths)

    def __getitem__(self, index: int) -> Sample:
        """The sample at an index.

        Raises:
            DatasetError: a file is missing or damaged.
        """
        path = self.depths[index]
        scene = path.parents[1]
        stem = path.stem.removesuffix("_ud")
        image = read_rgb(LAYOUT.file(scene / "col" / f"{stem}_c.png"))
        depth = read_codes(LAYOUT.file(path)) / np.float32(STEPS_PER_METRE)
        place = "_".join(scene.relative_to(self.root).parts) or self.root.name
        return Sample.from_depth(image, depth, name=f"{self.name}/{place}/{stem}")
