"""SyntheticDataset: drawn scenes with exact depth, made when they are asked for, and kept in files if so wished."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from zipfile import BadZipFile

import cv2
import numpy as np

from midas.arrays import Array, Float32, UInt8
from midas.datasets.sample import Sample
from midas.errors import ConfigError, DatasetError
from midas.scenes import WORLDS, render
from midas.storage.atomic import atomic_file

# Half precision tells inverse depths apart that differ by a thousandth, and 0, the sky, stays 0. Drawing a scene takes
# twenty times as long as reading it back.
_JPEG_QUALITY = 95
_DAMAGED = (BadZipFile, EOFError, KeyError, OSError, ValueError)


class SyntheticDataset:
    """Pictures of drawn worlds with their exact inverse depth, in 1/metre, at every pixel.

    Sky is valid at disparity 0, as the MiDaS authors count it. Item i depends on (seed, i) alone: it is the same at
    every call, in every thread and process.

    Args:
        count: number of pictures.
        size: (height, width), at least 16.
        seed: another one gives other pictures.
        worlds: which of ``WORLDS``, drawn with equal probability; None for all.
        folder: where a scene is kept once it is drawn, some 200 kB each, and read back in a twentieth of
            that time. Processes may share it; delete it when this program changes. None draws anew each time.

    Raises:
        ConfigError: an unknown world, none, or a size or count that makes no picture.
    """

    def __init__(
        self,
        count: int,
        size: tuple[int, int] = (240, 320),
        seed: int = 0,
        worlds: Sequence[str] | None = None,
        folder: str | Path | None = None,
    ) -> None:
        chosen = tuple(WORLDS if worlds is None else worlds)
        unknown = [world for world in chosen if world not in WORLDS]
        if unknown or not chosen:
            raise ConfigError(f"worlds {list(chosen)}: expected some of {', '.join(WORLDS)}")
        if count < 0 or min(size) < 16:
            raise ConfigError(f"{count} pictures of size {size}: expected a count from 0 and sides from 16 pixels")
        self.count = count
        self.size = size
        self.seed = seed
        self.worlds = chosen
        self.folder = None if folder is None else Path(folder)

    @property
    def name(self) -> str:
        """The first part of every sample's name."""
        return "synthetic"

    def __len__(self) -> int:
        """Number of pictures."""
        return self.count

    def __getitem__(self, index: int) -> Sample:
        """The sample at an index.

        Raises:
            IndexError: there are fewer.
            DatasetError: its file in the folder is damaged.
            OutputError: the folder can't be written to.
        """
        if not 0 <= index < self.count:
            raise IndexError(f"picture {index} of {self.count} synthetic ones")
        if self.folder is None:
            return self._draw(index)
        path = self.folder / self._settings() / f"{index // 1000:04d}" / f"{index:07d}.npz"
        if not path.exists():
            write_drawn(path, self._draw(index))
        # Also the first time from the file, so that a picture is the same before and after.
        return read_drawn(path)

    def _settings(self) -> str:
        """What pictures depend on beside their index, as the name of a folder."""
        return f"{self.seed}-{self.size[0]}x{self.size[1]}-{'-'.join(self.worlds)}"

    def _draw(self, index: int) -> Sample:
        rng = np.random.default_rng((self.seed, index))
        world = self.worlds[int(rng.integers(len(self.worlds)))]
        drawn = render(WORLDS[world](rng), self.size, rng)
        return _sample(drawn.image, drawn.inverse_depth, f"{self.name}/{world}/{self.seed}-{index}")


def write_drawn(path: Path, sample: Sample) -> None:
    """Store a drawn scene, the picture as JPEG and its inverse depth in half precision.

    Raises:
        OutputError: it can't be written.
    """
    code = cv2.imencode(".jpg", sample.image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1]
    with atomic_file(path, overwrite=True) as file:
        np.savez(file, picture=code, inverse_depth=sample.disparity.astype(np.float16), name=np.array(sample.name))


def read_drawn(path: Path) -> Sample:
    """A drawn scene that `write_drawn` has stored.

    Raises:
        DatasetError: the file is damaged.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            picture = cv2.imdecode(stored["picture"], cv2.IMREAD_COLOR)
            inverse_depth, name = stored["inverse_depth"].astype(np.float32), str(stored["name"])
    except _DAMAGED as error:
        raise DatasetError(f"{path} is no drawn scene: {error}; delete it, and it will be drawn again") from error
    if picture is None:
        raise DatasetError(f"the picture in {path} can't be decoded; delete it, and it will be drawn again")
    return _sample(np.ascontiguousarray(picture[..., ::-1]), inverse_depth, name)


def _sample(image: UInt8[Array, "H W 3"], inverse_depth: Float32[Array, "H W"], name: str) -> Sample:
    return Sample(image, inverse_depth, np.ones(inverse_depth.shape, np.bool_), name, metric=True, sparse=False)
