"""Reader for TartanAir: rendered flights through 18 places, 640 × 480.

``depth_left/*.npy`` is z in metres as float32. The set's description says that the sky has a large depth, such as
10,000 m, in place of an infinite one: depths from 1,000 m are taken for sky, which is valid with disparity 0.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from midas.datasets.formats import read_npy, read_rgb
from midas.datasets.reader import Layout, check_choice
from midas.datasets.sample import Sample

LAYOUT = Layout(
    title="TartanAir",
    homepage="https://theairlab.org/tartanair-dataset/",
    licence="CC BY 4.0",
    tree="""
<root>/<place>/Easy/P000/image_left/000000_left.png          also Hard/
<root>/<place>/Easy/P000/depth_left/000000_left_depth.npy
""",
)

DIFFICULTIES = {"all": "*", "easy": "Easy", "hard": "Hard"}
SKY_M = 1000.0


class TartanairReader:
    """All left pictures, or those of one difficulty.

    Args:
        root: the folder of places.
        difficulty: ``all``, ``easy`` or ``hard``: how fast the camera moves.

    Raises:
        DatasetError: the folder isn't there, or holds no picture.
    """

    name = "tartanair"

    def __init__(self, root: str | Path, *, difficulty: str = "all") -> None:
        folder = LAYOUT.folder(root)
        part = DIFFICULTIES[check_choice("difficulty", difficulty, tuple(DIFFICULTIES))]
        found = sorted(folder.glob(f"*/{part}/P*/image_left/*.png"))
        self.pictures = LAYOUT.some(found, f"<place>/{part}/P*/image_left/*.png", folder)

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> Sample:
        """The sample at an index.

        Raises:
            DatasetError: a file is missing or damaged.
        """
        picture = self.pictures[index]
        flight = picture.parents[1]
        depth = read_npy(LAYOUT.file(flight / "depth_left" / f"{picture.stem}_depth.npy")).astype(np.float32)
        sky = depth >= SKY_M
        name = f"{self.name}/{flight.parents[1].name}_{flight.parent.name}_{flight.name}/{picture.stem}"
        sample = Sample.from_depth(read_rgb(LAYOUT.file(picture)), depth, name=name, valid=~sky)
        return replace(sample, mask=sample.mask | sky)
