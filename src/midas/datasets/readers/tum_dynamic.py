"""Reader for TUM RGB-D with moving people, as Li et al. (Mannequin Challenge, CVPR 2019) prepared it: 1,815 frames.

The zero-shot figures of the MiDaS paper for TUM are over these frames, whose names don't say which of TUM's own they
are. One HDF5 file per frame: ``gt/img_1`` (384, 512, 3) RGB in [0, 1], ``gt/gt_depth`` z in metres, 0 where the Kinect
saw nothing.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from midas.arrays import Array, Float32, UInt8
from midas.datasets.formats import read_lines
from midas.datasets.reader import Layout
from midas.datasets.sample import Sample
from midas.errors import DatasetError, MissingExtraError

LAYOUT = Layout(
    title="TUM RGB-D with moving people",
    homepage="https://github.com/google/mannequinchallenge",
    licence="CC BY 4.0, as TUM RGB-D",
    tree="""
<root>/<video>_<microseconds>.jpg.h5    what fetch_tum_data.sh unpacks
""",
)


class TumDynamicReader:
    """All frames in a folder, or of a list.

    Args:
        root: the folder with the HDF5 files.
        frames: a list with one file per line, whose folder is not looked at; None for all files.

    Raises:
        DatasetError: the folder or list isn't there, or names no frame.
    """

    name = "tum_dynamic"

    def __init__(self, root: str | Path, *, frames: str | Path | None = None) -> None:
        folder = LAYOUT.folder(root)
        if frames is None:
            found = sorted(folder.glob("*.h5"))
        else:
            found = [folder / Path(line).name for line in read_lines(Path(frames))]
        self.paths = LAYOUT.some(found, "*.h5", folder)

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> Sample:
        """The sample at an index.

        Raises:
            DatasetError: the file is missing or damaged.
            MissingExtraError: the package that reads it isn't installed.
        """
        path = LAYOUT.file(self.paths[index])
        image, depth = _read_frame(path)
        video, _, moment = path.name.removesuffix(".h5").removesuffix(".jpg").rpartition("_")
        return Sample.from_depth(image, depth, name=f"{self.name}/{video or 'frame'}/{moment}")


def _read_frame(path: Path) -> tuple[UInt8[Array, "H W 3"], Float32[Array, "h w"]]:
    try:
        import h5py
    except ImportError as error:
        raise MissingExtraError(f"reading {LAYOUT.title}", "lab") from error
    try:
        with h5py.File(path, "r") as file:
            picture = np.asarray(file["gt/img_1"])
            depth = np.asarray(file["gt/gt_depth"], dtype=np.float32)
        if picture.dtype != np.uint8:
            picture = np.rint(picture.clip(0, 1) * 255).astype(np.uint8)
    except (OSError, KeyError, RuntimeError, TypeError, ValueError) as error:
        raise DatasetError(f"{path} isn't a frame of {LAYOUT.title}: {error}") from error
    return picture, depth
