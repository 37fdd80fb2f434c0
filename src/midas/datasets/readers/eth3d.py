"""Reader for ETH3D, the high-resolution multi-view training scenes: 13 scenes, 454 photographs of 24 megapixels.

Depth is z in metres (the set's own tool renders the z of the laser points, not their distance), for the original
photographs with their lens distortion: bare float32 numbers in a file named like the photograph, infinite where no
laser point fell. Points that two photographs don't see, or that the evaluation masks cover, are left out already.
"""

from __future__ import annotations

from pathlib import Path

from midas.datasets.formats import read_mask, read_raw_floats, read_rgb
from midas.datasets.reader import Layout, check_choice
from midas.datasets.sample import Sample

LAYOUT = Layout(
    title="ETH3D high-resolution multi-view",
    homepage="https://www.eth3d.net/datasets",
    licence="CC BY-NC-SA 4.0",
    tree="""
<root>/<scene>/images/dslr_images/*.JPG                 multi_view_training_dslr_jpg
<root>/<scene>/ground_truth_depth/dslr_images/*.JPG     multi_view_training_dslr_depth
<root>/<scene>/masks_for_images/dslr_images/*.png       where a photograph has one
""",
)

MASKS = ("ignored", "applied")


class Eth3dReader:
    """All photographs of all scenes.

    Args:
        root: the folder of scenes.
        masks: ``applied`` also leaves out what the masks mark as missing from the scans, people and foliage for
            instance; ``ignored``, as in the published figures, doesn't.

    Raises:
        DatasetError: the folder isn't there, or holds no photograph.
    """

    name = "eth3d"

    def __init__(self, root: str | Path, *, masks: str = "ignored") -> None:
        folder = LAYOUT.folder(root)
        self.masked = check_choice("masks", masks, MASKS) == "applied"
        found = sorted(folder.glob("*/images/dslr_images/*.JPG"))
        self.pictures = LAYOUT.some(found, "<scene>/images/dslr_images/*.JPG", folder)

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> Sample:
        """The sample at an index.

        Raises:
            DatasetError: a file is missing or damaged.
        """
        picture = self.pictures[index]
        scene = picture.parents[2]
        image = read_rgb(LAYOUT.file(picture))
        target = LAYOUT.file(scene / "ground_truth_depth" / "dslr_images" / picture.name)
        mask = scene / "masks_for_images" / "dslr_images" / f"{picture.stem}.png"
        return Sample.from_depth(
            image,
            read_raw_floats(target, (image.shape[0], image.shape[1])),
            name=f"{self.name}/{scene.name}/{picture.stem}",
            valid=~read_mask(mask) if self.masked and mask.is_file() else None,
            sparse=True,
        )
