"""Reader for Virtual KITTI 2: five drives of KITTI, rendered in ten kinds of weather and view each, 1242 × 375.

``depth/*.png`` is z in centimetres, 16 bits. The largest number, 65535, stands for the sky, which is valid with
disparity 0; so would be the little that is farther than 655 m.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from midas.datasets.formats import read_codes, read_rgb
from midas.datasets.reader import Layout
from midas.datasets.sample import Sample

LAYOUT = Layout(
    title="Virtual KITTI 2",
    homepage="https://europe.naverlabs.com/proxy-virtual-worlds-vkitti-2/",
    licence="CC BY-NC-SA 3.0",
    tree="""
<root>/Scene01/15-deg-left/frames/rgb/Camera_0/rgb_00000.jpg        also Camera_1; vkitti_2.0.3_rgb.tar
<root>/Scene01/15-deg-left/frames/depth/Camera_0/depth_00000.png    vkitti_2.0.3_depth.tar
""",
)

STEPS_PER_METRE = 100.0
SKY = 65535


class VirtualKitti2Reader:
    """All pictures of both cameras.

    Args:
        root: the folder of scenes.

    Raises:
        DatasetError: the folder isn't there, or holds no picture.
    """

    name = "virtual_kitti2"

    def __init__(self, root: str | Path) -> None:
        folder = LAYOUT.folder(root)
        found = sorted(folder.glob("Scene*/*/frames/rgb/Camera_*/rgb_*.jpg"))
        self.pictures = LAYOUT.some(found, "Scene*/<variation>/frames/rgb/Camera_*/rgb_*.jpg", folder)

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> Sample:
        """The sample at an index.

        Raises:
            DatasetError: a file is missing or damaged.
        """
        picture = self.pictures[index]
        camera, variation = picture.parent.name, picture.parents[3]
        number = picture.stem.removeprefix("rgb_")
        codes = read_codes(LAYOUT.file(variation / "frames" / "depth" / camera / f"depth_{number}.png"))
        sky = codes == SKY
        name = f"{self.name}/{variation.parent.name}_{variation.name}/{camera}_{number}"
        depth = codes / np.float32(STEPS_PER_METRE)
        sample = Sample.from_depth(read_rgb(LAYOUT.file(picture)), depth, name=name, valid=~sky)
        return replace(sample, mask=sample.mask | sky)
