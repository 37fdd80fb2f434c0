"""Reader for ARKitScenes: 5,047 walks through homes with a tablet and its laser scanner, 256 × 192.

``lowres_depth/*.png`` is z in millimetres, 16 bits, 0 where unknown, laid over the picture of the same name.
``confidence/*.png`` is 0, 1 or 2: low, medium, high, as ARKit has it. Pictures are as the sensor lies, so that rooms
may lie on their side; a picture without a depth map is left out.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from midas.datasets.formats import read_codes, read_grey, read_rgb
from midas.datasets.reader import Layout, check_choice
from midas.datasets.sample import Sample

LAYOUT = Layout(
    title="ARKitScenes",
    homepage="https://github.com/apple/ARKitScenes",
    licence="CC BY-NC-SA 4.0",
    tree="""
<root>/Training/<video>/lowres_wide/<video>_<seconds>.png     <root> is raw; also Validation/
<root>/Training/<video>/lowres_depth/<video>_<seconds>.png
<root>/Training/<video>/confidence/<video>_<seconds>.png
""",
)

SPLITS = ("Training", "Validation")
CONFIDENCES = {"high": 2, "medium": 1, "any": 0}
STEPS_PER_METRE = 1000.0


class ArkitscenesReader:
    """The pictures of one split that have a depth map.

    Args:
        root: the folder with ``Training``.
        split: ``Training`` or ``Validation``.
        confidence: the least that counts as valid: ``high``, ``medium`` or ``any``.

    Raises:
        DatasetError: the folder isn't there, or holds no depth map.
    """

    name = "arkitscenes"

    def __init__(self, root: str | Path, *, split: str = "Training", confidence: str = "high") -> None:
        folder = LAYOUT.folder(root)
        self.least = CONFIDENCES[check_choice("confidence", confidence, tuple(CONFIDENCES))]
        found = sorted(folder.glob(f"{check_choice('split', split, SPLITS)}/*/lowres_depth/*.png"))
        self.depths = LAYOUT.some(found, f"{split}/<video>/lowres_depth/*.png", folder)

    def __len__(self) -> int:
        return len(self.depths)

    def __getitem__(self, index: int) -> Sample:
        """The sample at an index.

        Raises:
            DatasetError: a file is missing or damaged.
        """
        path = self.depths[index]
        video = path.parents[1]
        depth = read_codes(LAYOUT.file(path)) / np.float32(STEPS_PER_METRE)
        confidence = read_grey(LAYOUT.file(video / "confidence" / path.name))
        image = read_rgb(LAYOUT.file(video / "lowres_wide" / path.name))
        name = f"{self.name}/{video.name}/{path.stem}"
        return Sample.from_depth(image, depth, name=name, valid=confidence >= self.least)
