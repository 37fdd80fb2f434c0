"""Reader for BlendedMVS: views of reconstructed objects, places and landscapes, 768 × 576 or 2048 × 1536.

``rendered_depth_maps/*.pfm`` is z of the reconstruction's mesh, 0 where it has none, the sky among it. The unit is each
reconstruction's own, so that only its proportions count. Pictures are the blended ones, whose light is the
photograph's and whose shapes are the mesh's; those called ``*_masked.jpg`` are left out.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from midas.datasets.formats import read_pfm, read_rgb
from midas.datasets.reader import Layout
from midas.datasets.sample import Sample

LAYOUT = Layout(
    title="BlendedMVS",
    homepage="https://github.com/YoYo000/BlendedMVS",
    licence="CC BY 4.0",
    tree="""
<root>/<project>/blended_images/00000000.jpg         also BlendedMVS+ and ++, which are laid out alike
<root>/<project>/rendered_depth_maps/00000000.pfm
""",
)


class BlendedmvsReader:
    """All blended views of all projects.

    Args:
        root: the folder of projects.

    Raises:
        DatasetError: the folder isn't there, or holds no view.
    """

    name = "blendedmvs"

    def __init__(self, root: str | Path) -> None:
        folder = LAYOUT.folder(root)
        views = (path for path in folder.glob("*/blended_images/*.jpg") if not path.stem.endswith("_masked"))
        self.pictures = LAYOUT.some(sorted(views), "<project>/blended_images/*.jpg", folder)

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> Sample:
        """The sample at an index.

        Raises:
            DatasetError: a file is missing or damaged.
        """
        picture = self.pictures[index]
        project = picture.parents[1]
        depth = read_pfm(LAYOUT.file(project / "rendered_depth_maps" / f"{picture.stem}.pfm"))
        name = f"{self.name}/{project.name}/{picture.stem}"
        return replace(Sample.from_depth(read_rgb(LAYOUT.file(picture)), depth, name=name), metric=False)
