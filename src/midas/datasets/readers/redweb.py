"""Reader for ReDWeb: 3,600 stereo photographs from the web, with relative disparity by optical flow.

``RDs/*.png`` has 8 bits: larger is farther, 255 is invalid. The MiDaS authors say how they read it (MiDaS issue 16):
divided by 255, negated, scaled and shifted. So does this reader, shifted so that all valid values are above 0:
disparity = 1 - code / 255, of unknown scale and shift. Sky is reported to bear the farthest code.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from midas.datasets.formats import read_grey, read_rgb
from midas.datasets.reader import Layout
from midas.datasets.sample import Sample

LAYOUT = Layout(
    title="ReDWeb",
    homepage="https://sites.google.com/site/redwebcvpr18/",
    licence="none stated; for research",
    tree="""
<root>/Imgs/*.jpg    <root> is ReDWeb_V1
<root>/RDs/*.png     of the same names
""",
)

INVALID = 255


class RedwebReader:
    """All photographs.

    Args:
        root: the folder with ``Imgs`` and ``RDs``.

    Raises:
        DatasetError: the folder isn't there, or holds no picture.
    """

    name = "redweb"

    def __init__(self, root: str | Path) -> None:
        self.root = LAYOUT.folder(root)
        self.pictures = LAYOUT.some(sorted(self.root.glob("Imgs/*.jpg")), "Imgs/*.jpg", self.root)

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> Sample:
        """The sample at an index.

        Raises:
            DatasetError: a file is missing or damaged.
        """
        picture = self.pictures[index]
        codes = read_grey(LAYOUT.file(self.root / "RDs" / f"{picture.stem}.png"))
        disparity = np.float32(1) - codes / np.float32(INVALID)
        name = f"{self.name}/Imgs/{picture.stem}"
        sample = Sample.from_inverse_depth(read_rgb(LAYOUT.file(picture)), disparity, name=name)
        return replace(sample, metric=False, shift_known=False)
