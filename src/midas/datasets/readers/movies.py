"""Reader for frames of stereoscopic films with relative disparity, in a layout of this project's own.

The films of the MiDaS paper (19 to train on, 75,074 frames) can't be given out, so that everyone makes such a set from
discs that they own: left picture and disparity by optical flow, checked from left to right and back.
The PNG has 16 bits: 0 is invalid, 1 to 65535 is disparity from far to near, linearly, whose scale and shift are unknown
since films set where the screen lies as they please. Sky bears the least disparity of its frame, as in the paper.
A ``.json`` beside a frame may say how it was made; nothing of it is read.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from midas.datasets.formats import read_codes, read_rgb
from midas.datasets.reader import Layout
from midas.datasets.sample import Sample

LAYOUT = Layout(
    title="stereoscopic films of one's own, as in the MiDaS paper",
    homepage="https://arxiv.org/abs/1907.01341",
    licence="each film's own",
    tree="""
<root>/<film>/<frame>.jpg
<root>/<film>/<frame>.png
<root>/<film>/<frame>.json    where there is one
""",
)

STEPS = 65535


class MoviesReader:
    """All frames of all films.

    Args:
        root: the folder of films.

    Raises:
        DatasetError: the folder isn't there, or holds no frame.
    """

    name = "movies"

    def __init__(self, root: str | Path) -> None:
        folder = LAYOUT.folder(root)
        self.pictures = LAYOUT.some(sorted(folder.glob("*/*.jpg")), "<film>/<frame>.jpg", folder)

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> Sample:
        """The sample at an index.

        Raises:
            DatasetError: a file is missing or damaged.
        """
        picture = self.pictures[index]
        disparity = read_codes(LAYOUT.file(picture.with_suffix(".png"))) / np.float32(STEPS)
        name = f"{self.name}/{picture.parent.name}/{picture.stem}"
        sample = Sample.from_inverse_depth(read_rgb(LAYOUT.file(picture)), disparity, name=name)
        return replace(sample, metric=False, shift_known=False)
