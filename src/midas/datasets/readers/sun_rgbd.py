"""Reader for SUN RGB-D: 10,335 pictures of rooms by four depth cameras, with parts of NYU Depth v2, B3DO and SUN3D.

A depth map is a PNG of 16 bits whose three lowest bits were moved to the top: millimetres are (code >> 3) | (code <<
13). It is z, 0 where unknown, laid over the picture. ``depth_bfx`` is put together from several frames and filled in,
``depth`` is as the camera gave it. The set's own tools cut depth off at 8 m; what lies beyond is invalid here.
The part ``kv1/NYUdata`` is the labelled NYU Depth v2, its test pictures among it: leave it out of training for figures
on NYU.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from midas.datasets.formats import read_codes, read_rgb
from midas.datasets.reader import Layout, check_choice
from midas.datasets.sample import Sample

LAYOUT = Layout(
    title="SUN RGB-D",
    homepage="https://rgbd.cs.princeton.edu",
    licence="none stated; for research",
    tree="""
<root>/kv1/NYUdata/NYU0001/image/*.jpg        <root> is SUNRGBD; also kv2, realsense, xtion, some folders deeper
<root>/kv1/NYUdata/NYU0001/depth_bfx/*.png
<root>/kv1/NYUdata/NYU0001/depth/*.png        for depth raw
""",
)

DEPTHS = {"filled": "depth_bfx", "raw": "depth"}
CAMERAS = ("all", "kv1", "kv2", "realsense", "xtion")
NYU = ("kept", "left_out")
STEPS_PER_METRE = 1000.0
FARTHEST_M = 8.0


class SunRgbdReader:
    """All pictures, or those of one kind of camera.

    Args:
        root: the folder with ``kv1`` and the others.
        depth: ``filled`` or ``raw``.
        camera: ``all``, ``kv1``, ``kv2``, ``realsense`` or ``xtion``.
        nyu: ``kept``, or ``left_out`` for all but the pictures of NYU Depth v2.

    Raises:
        DatasetError: the folder isn't there, or holds no depth map.
    """

    name = "sun_rgbd"

    def __init__(self, root: str | Path, *, depth: str = "filled", camera: str = "all", nyu: str = "kept") -> None:
        self.root = LAYOUT.folder(root)
        kind = DEPTHS[check_choice("depth", depth, tuple(DEPTHS))]
        cameras = CAMERAS[1:] if check_choice("camera", camera, CAMERAS) == "all" else (camera,)
        found = sorted(path for one in cameras for path in self.root.glob(f"{one}/**/{kind}/*.png"))
        if check_choice("nyu", nyu, NYU) == "left_out":
            found = [path for path in found if "NYUdata" not in path.relative_to(self.root).parts]
        self.depths = LAYOUT.some(found, f"{camera}/**/{kind}/*.png", self.root)

    def __len__(self) -> int:
        return len(self.depths)

    def __getitem__(self, index: int) -> Sample:
        """The sample at an index.

        Raises:
            DatasetError: a file is missing or damaged.
        """
        path = self.depths[index]
        view = path.parents[1]
        codes = read_codes(LAYOUT.file(path))
        depth = (codes >> 3 | codes << 13) / np.float32(STEPS_PER_METRE)
        picture = next(iter(sorted((view / "image").glob("*.jpg"))), view / "image" / f"{path.stem}.jpg")
        *folders, last = view.relative_to(self.root).parts
        name = f"{self.name}/{'_'.join(folders)}/{last}"
        return Sample.from_depth(read_rgb(LAYOUT.file(picture)), depth, name=name, valid=depth <= FARTHEST_M)
