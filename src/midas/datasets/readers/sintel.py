"""Reader for MPI Sintel: 23 scenes of a rendered film, 1,064 frames with depth.

Depth is z from the renderer, in a unit that published figures take for metres. Every pixel has one, the sky too, at
no matter what distance: it is for the protocol to leave out what is far, at 72 m or beyond in the MiDaS paper.
"""

from __future__ import annotations

from pathlib import Path

from midas.datasets.formats import read_dpt, read_rgb
from midas.datasets.reader import Layout, check_choice
from midas.datasets.sample import Sample

LAYOUT = Layout(
    title="MPI Sintel with depth",
    homepage="http://sintel.is.tue.mpg.de/depth",
    licence="for research; the film is CC BY 3.0, Blender Foundation",
    tree="""
<root>/training/final/<scene>/frame_0001.png    and clean/, if that is to be read
<root>/training/depth/<scene>/frame_0001.dpt    from the depth training data
""",
)

RENDERS = ("final", "clean")


class SintelReader:
    """All frames of the training part.

    Args:
        root: the folder with ``training``.
        render: ``final`` with blur and haze, or ``clean``.

    Raises:
        DatasetError: the folder isn't there, or holds no frame.
    """

    name = "sintel"

    def __init__(self, root: str | Path, *, render: str = "final") -> None:
        folder = LAYOUT.folder(root) / "training"
        self.depths = folder / "depth"
        found = sorted((folder / check_choice("render", render, RENDERS)).glob("*/frame_*.png"))
        self.pictures = LAYOUT.some(found, f"training/{render}/<scene>/frame_*.png", folder.parent)

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> Sample:
        """The sample at an index.

        Raises:
            DatasetError: a file is missing or damaged.
        """
        picture = self.pictures[index]
        scene = picture.parent.name
        depth = read_dpt(LAYOUT.file(self.depths / scene / f"{picture.stem}.dpt"))
        return Sample.from_depth(read_rgb(LAYOUT.file(picture)), depth, name=f"{self.name}/{scene}/{picture.stem}")
