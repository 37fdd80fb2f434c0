"""Reader for HR-WSI: 20,378 stereo photographs from the web to train on and 400 to validate, with relative disparity.

``gts/*.png`` is disparity by optical flow, larger is nearer, of unknown scale and shift; 8 bits as reported, 16 are
read too. ``valid_masks/*.png`` isn't black where the flows in both directions agree. The set's paper finds the sky by
segmentation and gives it the least disparity of its picture, so that a valid 0 is a distance and stays valid.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from midas.datasets.formats import read_grey, read_mask, read_rgb
from midas.datasets.reader import Layout, check_choice
from midas.datasets.sample import Sample

LAYOUT = Layout(
    title="HR-WSI",
    homepage="https://kexianhust.github.io/Structure-Guided-Ranking-Loss/",
    licence="see the homepage; for research",
    tree="""
<root>/train/imgs/*.jpg           <root> is HR-WSI; also val/
<root>/train/gts/*.png            of the same names
<root>/train/valid_masks/*.png
""",
)

SPLITS = ("train", "val")


class HrwsiReader:
    """One split.

    Args:
        root: the folder with ``train``.
        split: ``train`` or ``val``.

    Raises:
        DatasetError: the folder isn't there, or holds no picture.
    """

    name = "hrwsi"

    def __init__(self, root: str | Path, *, split: str = "train") -> None:
        folder = LAYOUT.folder(root)
        self.folder = folder / check_choice("split", split, SPLITS)
        self.pictures = LAYOUT.some(sorted(self.folder.glob("imgs/*.jpg")), f"{split}/imgs/*.jpg", folder)

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> Sample:
        """The sample at an index.

        Raises:
            DatasetError: a file is missing or damaged.
        """
        picture = self.pictures[index]
        disparity = read_grey(LAYOUT.file(self.folder / "gts" / f"{picture.stem}.png"))
        valid = read_mask(LAYOUT.file(self.folder / "valid_masks" / f"{picture.stem}.png"))
        name = f"{self.name}/{self.folder.name}/{picture.stem}"
        sample = Sample.from_inverse_depth(read_rgb(LAYOUT.file(picture)), disparity, name=name, valid=valid)
        return replace(sample, mask=valid, metric=False, shift_known=False)
