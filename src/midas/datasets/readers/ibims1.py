"""Reader for iBims-1: 100 photographs of rooms with laser scans, made to test edges, planes and far walls.

Depth is z in metres × 65535 / 50, 16 bits, 0 where invalid. Two masks are white where the depth counts:
``mask_invalid`` is black where it is wrong or missing, ``mask_transp`` on glass. Both hold, as in the set's own
evaluation.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from midas.datasets.formats import read_codes, read_lines, read_mask, read_rgb
from midas.datasets.reader import Layout
from midas.datasets.sample import Sample

LAYOUT = Layout(
    title="iBims-1",
    homepage="https://mediatum.ub.tum.de/1455541",
    licence="see the homepage",
    tree="""
<root>/imagelist.txt              names, one per line; without it, all pictures are read
<root>/rgb/<name>.png             <root> is what ibims1_core_raw.zip unpacks
<root>/depth/<name>.png
<root>/mask_invalid/<name>.png
<root>/mask_transp/<name>.png
""",
)

METRES_PER_STEP = 50.0 / 65535.0


class Ibims1Reader:
    """The photographs of ``imagelist.txt``, in the folder or beside it; all if there is no list.

    Args:
        root: the folder with ``rgb`` and ``depth``.

    Raises:
        DatasetError: the folder isn't there, or holds no picture.
    """

    name = "ibims1"

    def __init__(self, root: str | Path) -> None:
        self.root = LAYOUT.folder(root)
        lists = [path for path in (self.root / "imagelist.txt", self.root.parent / "imagelist.txt") if path.is_file()]
        found = read_lines(lists[0]) if lists else sorted(path.stem for path in self.root.glob("rgb/*.png"))
        self.names = LAYOUT.some([name.removesuffix(".png") for name in found], "rgb/*.png", self.root)

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> Sample:
        """The sample at an index.

        Raises:
            DatasetError: a file is missing or damaged.
        """
        name = self.names[index]
        folders = ("rgb", "depth", "mask_invalid", "mask_transp")
        image, depth, invalid, transparent = (LAYOUT.file(self.root / folder / f"{name}.png") for folder in folders)
        return Sample.from_depth(
            read_rgb(image),
            read_codes(depth) * np.float32(METRES_PER_STEP),
            name=f"{self.name}/{name.rpartition('_')[0] or 'scene'}/{name}",
            valid=read_mask(invalid) & read_mask(transparent),
        )
