"""Reader for MegaDepth: photographs of sights, with depth from structure from motion and multi-view stereo.

``depths/*.h5`` holds ``depth``: z in a unit of its own for every scene, so that only its proportions count; 0 where
unknown, the sky among it. A map with a value below 0 is an ordinal one, which tells foreground from background and
nothing else: its sample has no valid point. Which maps are ordinal shows when they are read; a list of frames leaves
them out for good.
The set's own loader drops depths above the 98th percentile of a map and, of the rest, those below the 1st, where there
are more than 10 valid points. The MiDaS authors keep to that (MiDaS issue 16), and so does this reader unless told
otherwise.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from midas.arrays import Array, Float32
from midas.datasets.formats import read_hdf5, read_lines, read_rgb
from midas.datasets.reader import Layout, check_choice
from midas.datasets.sample import Sample

LAYOUT = Layout(
    title="MegaDepth v1",
    homepage="https://www.cs.cornell.edu/projects/megadepth/",
    licence="see the homepage; the photographs have each their own",
    tree="""
<root>/<scene>/dense0/imgs/*.jpg     <root> is MegaDepth_v1, or the innermost folder of that name; also dense1, ...
<root>/<scene>/dense0/depths/*.h5    of the same names
""",
)

OUTLIERS = ("dropped", "kept")
SUFFIXES = (".jpg", ".jpeg", ".png")
MIN_DEPTH = 1e-8
MIN_POINTS = 10
FAR_PERCENT, NEAR_PERCENT = 98, 1


class MegadepthReader:
    """All photographs that have a depth map, or those of a list.

    Args:
        root: the folder of scenes, 0000 and so on.
        frames: a list of the maps to read, one ``<scene>/dense<n>/depths/<name>.h5`` per line; None for all.
        outliers: ``dropped`` as by the set's own loader, or ``kept``.

    Raises:
        DatasetError: the folder or list isn't there, or names no map.
    """

    name = "megadepth"

    def __init__(self, root: str | Path, *, frames: str | Path | None = None, outliers: str = "dropped") -> None:
        folder = LAYOUT.folder(root)
        self.outliers = check_choice("outliers", outliers, OUTLIERS)
        if frames is None:
            found = sorted(folder.glob("*/dense*/depths/*.h5"))
        else:
            found = [folder / line for line in read_lines(Path(frames))]
        self.depths = LAYOUT.some(found, "<scene>/dense*/depths/*.h5", folder)

    def __len__(self) -> int:
        return len(self.depths)

    def __getitem__(self, index: int) -> Sample:
        """The sample at an index.

        Raises:
            DatasetError: a file is missing or damaged.
            MissingExtraError: the package that reads HDF5 isn't installed.
        """
        path = self.depths[index]
        depth = read_hdf5(LAYOUT.file(path), "depth")
        if (depth < 0).any():
            depth = np.zeros_like(depth)
        elif self.outliers == "dropped":
            depth = without_outliers(depth)
        reconstruction = path.parents[1]
        name = f"{self.name}/{reconstruction.parent.name}_{reconstruction.name}/{path.stem}"
        return replace(Sample.from_depth(read_rgb(_picture(path)), depth, name=name), metric=False)


def without_outliers(depth: Float32[Array, "H W"]) -> Float32[Array, "H W"]:
    """A depth map with 0 where MegaDepth's own loader drops it: the farthest 2 %, and the nearest 1 % of the rest."""
    if (depth > MIN_DEPTH).sum() <= MIN_POINTS:
        return depth
    kept = np.where(depth > np.percentile(depth[depth > MIN_DEPTH], FAR_PERCENT), np.float32(0), depth)
    return np.where(kept < np.percentile(kept[kept > MIN_DEPTH], NEAR_PERCENT), np.float32(0), kept)


def _picture(depth: Path) -> Path:
    """The photograph of a map: photographs have the suffix that they were uploaded with."""
    stem = depth.parents[1] / "imgs" / depth.stem
    candidates = [stem.with_name(f"{stem.name}{suffix}") for suffix in SUFFIXES]
    upper = [stem.with_name(f"{stem.name}{suffix.upper()}") for suffix in SUFFIXES]
    return LAYOUT.file(next((path for path in (*candidates, *upper) if path.is_file()), candidates[0]))
