"""Reader for NYU Depth v2, the labelled part: 1,449 rooms, of which 654 are the test split.

``nyu_depth_v2_labeled.mat`` is a MATLAB 7.3 file, which is HDF5 with the axes turned round: ``images`` (N, 3, W, H),
``depths`` and ``rawDepths`` (N, W, H). Depth is z in metres, laid over the colour picture. ``rawDepths`` is what the
Kinect measured, 0 where it saw nothing; ``depths`` is filled in by colour. The MiDaS figures are over ``rawDepths``.
``splits.mat`` is a MATLAB 5 file with the numbers of the pictures in each split, from 1.
"""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np

from midas.arrays import Array, Float32, UInt8
from midas.datasets.reader import Layout, check_choice
from midas.datasets.sample import Sample
from midas.errors import DatasetError, MissingExtraError

LAYOUT = Layout(
    title="NYU Depth v2 (labelled)",
    homepage="https://cs.nyu.edu/~fergus/datasets/nyu_depth_v2.html",
    licence="none stated; for research",
    tree="""
<root>/nyu_depth_v2_labeled.mat    the labelled dataset, 2.8 GB
<root>/splits.mat                  from the page's train/test split
""",
)

DEPTHS = {"raw": "rawDepths", "filled": "depths"}
SPLITS = {"test": "testNdxs", "train": "trainNdxs"}

# What SciPy raises for a damaged MATLAB file, collected by changing bytes of good ones at random.
_DAMAGED = (
    IndexError,
    KeyError,
    MemoryError,
    NotImplementedError,
    OSError,
    OverflowError,
    TypeError,
    ValueError,
    zlib.error,
)


class NyuReader:
    """One split. Each picture is a slice of the file, read when it is asked for.

    Args:
        root: the folder with both files.
        depth: ``raw`` as measured, or ``filled``.
        split: ``test`` or ``train``.

    Raises:
        DatasetError: a file is missing or damaged.
        MissingExtraError: the packages that read MATLAB files aren't installed.
    """

    name = "nyu"

    def __init__(self, root: str | Path, *, depth: str = "raw", split: str = "test") -> None:
        folder = LAYOUT.folder(root)
        self.split = check_choice("split", split, tuple(SPLITS))
        self.depth_name = DEPTHS[check_choice("depth", depth, tuple(DEPTHS))]
        self.path = LAYOUT.file(folder / "nyu_depth_v2_labeled.mat")
        self.numbers = _read_split(LAYOUT.file(folder / "splits.mat"), SPLITS[split])

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, index: int) -> Sample:
        """The sample at an index.

        Raises:
            DatasetError: the file is damaged or lacks what it should hold.
        """
        number = self.numbers[index]
        image, depth = _read_picture(self.path, number - 1, self.depth_name)
        return Sample.from_depth(image, depth, name=f"{self.name}/{self.split}/{number:04d}")


def _read_split(path: Path, variable: str) -> list[int]:
    try:
        from scipy.io import loadmat
        from scipy.io.matlab import MatReadError
    except ImportError as error:
        raise MissingExtraError("reading NYU Depth v2", "lab") from error
    try:
        return [int(number) for number in np.ravel(loadmat(path)[variable])]
    except (*_DAMAGED, MatReadError) as error:
        raise DatasetError(f"{path} isn't the splits file of {LAYOUT.title}: {error!r}") from error


def _read_picture(path: Path, index: int, depth_name: str) -> tuple[UInt8[Array, "H W 3"], Float32[Array, "H W"]]:
    try:
        import h5py
    except ImportError as error:
        raise MissingExtraError("reading NYU Depth v2", "lab") from error
    # Opened for each picture: an open HDF5 file can't go through a fork or into another process.
    try:
        with h5py.File(path, "r") as file:
            image = np.ascontiguousarray(file["images"][index].transpose(2, 1, 0), dtype=np.uint8)
            depth = np.ascontiguousarray(file[depth_name][index].T, dtype=np.float32)
    except (OSError, KeyError, IndexError, RuntimeError, TypeError, ValueError) as error:
        raise DatasetError(f"{path} has no picture {index + 1} as {LAYOUT.title} has: {error}") from error
    return image, depth
