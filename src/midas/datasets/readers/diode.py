"""Reader for DIODE: laser scans of rooms, streets and woods, as pictures of 1024 × 768; 771 in the validation split.

Depth is z in metres, float32 of (H, W, 1), with a mask beside it. Neither the paper nor the development kit says
whether it is z or the length of the ray. It is taken for z, as by others who evaluate on the set: streets and floors
are reported to come out plane that way, by the camera that the kit states, and bent the other way.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from midas.datasets.formats import read_npy, read_rgb
from midas.datasets.reader import Layout, check_choice
from midas.datasets.sample import Sample

LAYOUT = Layout(
    title="DIODE",
    homepage="https://diode-dataset.org",
    licence="MIT",
    tree="""
<root>/val/indoors/scene_00019/scan_00183/*.png    and outdoor/
<root>/val/indoors/scene_00019/scan_00183/*_depth.npy
<root>/val/indoors/scene_00019/scan_00183/*_depth_mask.npy
""",
)

PARTS = {"all": "*", "indoors": "indoors", "outdoor": "outdoor"}
SPLITS = ("val", "train")


class DiodeReader:
    """One split, or its indoor or outdoor part.

    Args:
        root: the folder with ``val``.
        part: ``all``, ``indoors`` or ``outdoor``.
        split: ``val`` or ``train``.

    Raises:
        DatasetError: the folder isn't there, or holds no picture.
    """

    name = "diode"

    def __init__(self, root: str | Path, *, part: str = "all", split: str = "val") -> None:
        folder = LAYOUT.folder(root)
        where = f"{check_choice('split', split, SPLITS)}/{PARTS[check_choice('part', part, tuple(PARTS))]}"
        found = sorted(folder.glob(f"{where}/scene_*/scan_*/*.png"))
        self.pictures = LAYOUT.some(found, f"{where}/scene_*/scan_*/*.png", folder)

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> Sample:
        """The sample at an index.

        Raises:
            DatasetError: a file is missing or damaged.
        """
        picture = self.pictures[index]
        depth, mask = (
            read_npy(LAYOUT.file(picture.with_name(f"{picture.stem}_{what}.npy"))) for what in ("depth", "depth_mask")
        )
        return Sample.from_depth(
            read_rgb(LAYOUT.file(picture)),
            depth.astype(np.float32, copy=False),
            name=f"{self.name}/{picture.parents[1].name}/{picture.stem}",
            valid=mask > 0,
        )
