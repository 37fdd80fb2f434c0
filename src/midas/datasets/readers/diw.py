"""Reader for Depth in the Wild: photographs from the web, each with one pair of points that people put in order.

The annotation has two lines per photograph: its path, then ``y_A,x_A,y_B,x_B,relation,width,height``. Rows and columns
count from 1: the set's test program (``test_model_on_DIW.lua``) uses them as they are in arrays that start at 1.

``relation`` compares depth: ``>`` says that A is farther than B. The files don't say so. The test program does: it
counts ``>`` as right where z_A > z_B, with the same z that it compares with metric depth on NYU; other programs that
measure WHDR on the set read it so too. In disparity, where larger is nearer, the relation is turned round.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from midas.arrays import Array, Shaped
from midas.datasets.formats import read_lines, read_rgb
from midas.datasets.reader import Layout
from midas.datasets.sample import PairSample
from midas.errors import DatasetError

LAYOUT = Layout(
    title="Depth in the Wild",
    homepage="http://www-personal.umich.edu/~wfchen/depth-in-the-wild/",
    licence="none stated; for research",
    tree="""
<root>/DIW_Annotations/DIW_test.csv    from DIW_Annotations_splitted.tar.gz; or beside the pictures' folder
<root>/DIW_test/*.thumb                from DIW_test.tar.gz
""",
)

# +1: A is nearer. Nothing else in the package knows which way round the set's signs are.
RELATIONS = {">": -1, "<": 1}


@dataclass(frozen=True)
class Annotation:
    """One photograph's pair, as the file has it: rows and columns count from 1."""

    picture: Path
    first: tuple[float, float]
    second: tuple[float, float]
    relation: int


class DiwReader:
    """The photographs of one annotation file.

    Args:
        root: the set's folder.
        annotations: the file's name, in the folder or in its ``DIW_Annotations``.

    Raises:
        DatasetError: folder or file isn't there, or the file isn't as described.
    """

    name = "diw"

    def __init__(self, root: str | Path, *, annotations: str = "DIW_test.csv") -> None:
        folder = LAYOUT.folder(root)
        beside = folder / annotations
        path = beside if beside.is_file() else folder / "DIW_Annotations" / annotations
        self.annotations = LAYOUT.some(_read_annotations(LAYOUT.file(path), folder), "annotation", path)

    def __len__(self) -> int:
        return len(self.annotations)

    def __getitem__(self, index: int) -> PairSample:
        """The sample at an index.

        Raises:
            DatasetError: the photograph is missing or damaged.
        """
        annotation = self.annotations[index]
        picture = annotation.picture
        image = read_rgb(LAYOUT.file(picture))
        size = (image.shape[0], image.shape[1])
        return PairSample(
            image=image,
            first=_to_pixel(annotation.first, size),
            second=_to_pixel(annotation.second, size),
            relation=np.array([annotation.relation], dtype=np.int8),
            name=f"{self.name}/{picture.parent.name}/{picture.stem}",
        )


def _read_annotations(path: Path, folder: Path) -> list[Annotation]:
    lines = read_lines(path)
    if len(lines) % 2:
        raise DatasetError(f"{path} is cut short: it has {len(lines)} lines, expected two for each photograph")
    return [_parse(path, folder, lines[i], lines[i + 1]) for i in range(0, len(lines), 2)]


def _parse(path: Path, folder: Path, picture: str, pair: str) -> Annotation:
    fields = pair.split(",")
    try:
        row_a, column_a, row_b, column_b = (float(field) for field in fields[:4])
        # The set's own program looks at the sign's first character only.
        relation = RELATIONS[fields[4].strip()[:1]]
    except (ValueError, KeyError, IndexError) as error:
        raise DatasetError(
            f"{path}: {pair!r} under {picture!r} isn't y_A,x_A,y_B,x_B,relation,width,height with < or >"
        ) from error
    return Annotation(folder / picture, (row_a, column_a), (row_b, column_b), relation)


def _to_pixel(point: tuple[float, float], size: tuple[int, int]) -> Shaped[Array, "1 2"]:
    """Row and column from 0, moved into the picture where they lie beyond its border."""
    return np.asarray(np.clip(np.floor(np.array([point]) - 1), 0, np.array(size) - 1), dtype=np.int64)
