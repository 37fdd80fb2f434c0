"""Reader for TUM RGB-D: Kinect sequences in front of a motion capture system.

Depth is z in metres × 5000, 16 bits, 0 where the Kinect saw nothing, laid over the colour picture. Colour and depth
were not taken at the same moments: a frame is a picture with the depth map nearest in time, each used once, as the
set's own tool pairs them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from midas.datasets.formats import read_codes, read_lines, read_rgb
from midas.datasets.moments import MAX_DIFFERENCE_S, associate
from midas.datasets.reader import Layout
from midas.datasets.sample import Sample
from midas.errors import DatasetError

LAYOUT = Layout(
    title="TUM RGB-D",
    homepage="https://cvg.cit.tum.de/data/datasets/rgbd-dataset",
    licence="CC BY 4.0",
    tree="""
<root>/<sequence>/rgb.txt      lines of: <seconds> rgb/<seconds>.png
<root>/<sequence>/rgb/
<root>/<sequence>/depth.txt    lines of: <seconds> depth/<seconds>.png
<root>/<sequence>/depth/
""",
)

STEPS_PER_METRE = 5000.0


@dataclass(frozen=True)
class Frame:
    """A picture and the depth map that goes with it."""

    name: str
    picture: Path
    depth: Path


class TumReader:
    """Frames of all sequences in a folder, or of a list.

    Args:
        root: the folder of sequences, or one sequence.
        frames: a list of the frames to read, one ``<sequence>/<seconds>`` per line, the seconds as in ``rgb.txt``; None
            for all.

    Raises:
        DatasetError: a sequence or a list isn't there, or a listed frame has no depth map.
    """

    name = "tum"

    def __init__(self, root: str | Path, *, frames: str | Path | None = None) -> None:
        folder = LAYOUT.folder(root)
        lists = [folder / "rgb.txt"] if (folder / "rgb.txt").is_file() else sorted(folder.glob("*/rgb.txt"))
        found = [frame for path in lists for frame in _read_sequence(path.parent)]
        if frames is not None:
            found = _listed(found, Path(frames))
        self.frames = LAYOUT.some(found, "frame", folder)

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, index: int) -> Sample:
        """The sample at an index.

        Raises:
            DatasetError: a file is missing or damaged.
        """
        frame = self.frames[index]
        depth = read_codes(LAYOUT.file(frame.depth)) / np.float32(STEPS_PER_METRE)
        return Sample.from_depth(read_rgb(LAYOUT.file(frame.picture)), depth, name=f"{self.name}/{frame.name}")


def _read_sequence(sequence: Path) -> list[Frame]:
    pictures, depths = (_read_moments(LAYOUT.file(sequence / name)) for name in ("rgb.txt", "depth.txt"))
    pairs = associate([moment for moment, _ in pictures], [moment for moment, _ in depths])
    files = ((pictures[i][1], depths[j][1]) for i, j in pairs)
    return [Frame(f"{sequence.name}/{picture.stem}", picture, depth) for picture, depth in files]


def _read_moments(path: Path) -> list[tuple[float, Path]]:
    try:
        rows = [line.split() for line in read_lines(path)]
        return sorted((float(moment), path.parent / file) for moment, file in rows)
    except ValueError as error:
        raise DatasetError(f"{path} isn't a list of moments and files: {error}") from error


def _listed(found: Sequence[Frame], path: Path) -> list[Frame]:
    by_name = {frame.name: frame for frame in found}
    names = read_lines(path)
    for name in names:
        if name not in by_name:
            raise DatasetError(
                f"{path} lists {name!r}, of which there is no picture with a depth map within {MAX_DIFFERENCE_S} s: "
                "expected <sequence>/<seconds> of a sequence that is there"
            )
    return [by_name[name] for name in names]
