"""Reader for DA-2K: 1,000 pictures of all kinds with 2,000 pairs of points, of which one is plainly nearer.

``annotations.json`` maps each picture's path to its pairs: ``point1`` and ``point2`` as [row, column] from 0, and
``closer_point``, the name of the nearer one.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from midas.datasets.formats import read_rgb
from midas.datasets.reader import Layout
from midas.datasets.sample import PairSample
from midas.errors import DatasetError

LAYOUT = Layout(
    title="DA-2K",
    homepage="https://huggingface.co/datasets/depth-anything/DA-2K",
    licence="see the homepage",
    tree="""
<root>/annotations.json
<root>/images/*.jpg        the paths are those in annotations.json
""",
)

RELATIONS = {"point1": 1, "point2": -1}


class Da2kReader:
    """All pictures; each sample has all of its picture's pairs.

    Args:
        root: the folder with ``annotations.json``.

    Raises:
        DatasetError: folder or annotations aren't there, or not as described.
    """

    name = "da2k"

    def __init__(self, root: str | Path) -> None:
        self.root = LAYOUT.folder(root)
        self.path = LAYOUT.file(self.root / "annotations.json")
        try:
            annotations: dict[str, Any] = json.loads(self.path.read_text(encoding="utf-8"))
            self.pairs = {picture: [_parse(pair) for pair in pairs] for picture, pairs in annotations.items()}
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise DatasetError(f"{self.path} isn't a map from pictures to pairs of points: {error!r}") from error
        self.pictures = LAYOUT.some(list(self.pairs), "picture", self.path)

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> PairSample:
        """The sample at an index.

        Raises:
            DatasetError: the picture is missing or damaged, or a point lies outside it.
        """
        picture = Path(self.pictures[index])
        pairs = np.array(self.pairs[self.pictures[index]], dtype=np.int64).reshape(-1, 5)
        image = read_rgb(LAYOUT.file(self.root / picture), upright=True)
        first, second = pairs[:, 0:2], pairs[:, 2:4]
        for points in (first, second):
            if (points < 0).any() or (points >= image.shape[:2]).any():
                raise DatasetError(f"{self.path}: a point lies outside {picture}, which is {image.shape[:2]}")
        name = f"{self.name}/{picture.parent.name}/{picture.stem}"
        return PairSample(image, first, second, pairs[:, 4].astype(np.int8), name)


def _parse(pair: dict[str, Any]) -> tuple[int, int, int, int, int]:
    (row_1, column_1), (row_2, column_2) = pair["point1"], pair["point2"]
    return int(row_1), int(column_1), int(row_2), int(column_2), RELATIONS[pair["closer_point"]]
