"""Reader for ScanNet: sequences of rooms from a tablet with a depth sensor, as its ``SensReader`` exports them.

Depth is z in millimetres, 16 bits, 0 where invalid, at 640 × 480. Colour is 1296 × 968 from a camera beside the sensor:
the colour picture is brought to the depth map's size by area averaging, which is how the two are commonly laid over
each other, a few pixels off.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from midas.datasets.formats import read_codes, read_lines, read_rgb
from midas.datasets.reader import Layout
from midas.datasets.sample import Sample

LAYOUT = Layout(
    title="ScanNet",
    homepage="http://www.scan-net.org",
    licence="ScanNet terms of use: research, not commercial, by agreement",
    tree="""
<root>/<scene>/color/<frame>.jpg
<root>/<scene>/depth/<frame>.png
""",
)

STEPS_PER_METRE = 1000.0


class ScannetReader:
    """Frames of all scenes in a folder, or of a list.

    Args:
        root: the folder of scenes.
        frames: a list of the frames to read, one ``<scene>/<frame>`` per line; None for all.

    Raises:
        DatasetError: folder or list isn't there, or there is no frame.
    """

    name = "scannet"

    def __init__(self, root: str | Path, *, frames: str | Path | None = None) -> None:
        self.root = LAYOUT.folder(root)
        if frames is None:
            pictures = sorted(self.root.glob("*/color/*.jpg"), key=_in_time)
            found = [f"{picture.parents[1].name}/{picture.stem}" for picture in pictures]
        else:
            found = read_lines(Path(frames))
        self.frames = LAYOUT.some(found, "<scene>/color/<frame>.jpg", self.root)

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, index: int) -> Sample:
        """The sample at an index.

        Raises:
            DatasetError: a file is missing or damaged.
        """
        scene, _, frame = self.frames[index].rpartition("/")
        depth = read_codes(LAYOUT.file(self.root / scene / "depth" / f"{frame}.png")) / np.float32(STEPS_PER_METRE)
        image = read_rgb(LAYOUT.file(self.root / scene / "color" / f"{frame}.jpg"))
        if image.shape[:2] != depth.shape:
            image = np.asarray(cv2.resize(image, depth.shape[::-1], interpolation=cv2.INTER_AREA))
        return Sample.from_depth(image, depth, name=f"{self.name}/{scene}/{frame}")


def _in_time(picture: Path) -> tuple[str, int, str]:
    """Frames are numbered without leading zeros."""
    return picture.parents[1].name, int(picture.stem) if picture.stem.isdecimal() else 0, picture.stem
