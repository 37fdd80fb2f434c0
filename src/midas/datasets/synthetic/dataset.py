"""SyntheticDataset: drawn scenes with exact depth, made when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from midas.datasets.sample import Sample
from midas.datasets.synthetic.closeups import closeup
from midas.datasets.synthetic.kept import read_drawn, write_drawn
from midas.datasets.synthetic.landscapes import ground_material, landscape
from midas.datasets.synthetic.photo import take_photo
from midas.datasets.synthetic.portraits import portrait
from midas.datasets.synthetic.raster import draw_scene
from midas.datasets.synthetic.rooms import room
from midas.datasets.synthetic.scene import Scene
from midas.datasets.synthetic.shading import shade_scene
from midas.datasets.synthetic.streets import street
from midas.datasets.synthetic.tabletops import tabletop
from midas.datasets.synthetic.thickets import thicket
from midas.errors import ConfigError

WORLDS: dict[str, Callable[[np.random.Generator], Scene]] = {
    "rooms": room,
    "streets": street,
    "terrain": landscape,
    "tabletop": tabletop,
    "figures": portrait,
    "thin": thicket,
    "closeups": closeup,
}


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
        return render(WORLDS[world](rng), self.size, rng, f"{self.name}/{world}/{self.seed}-{index}")


def render(scene: Scene, size: tuple[int, int], rng: np.random.Generator, name: str) -> Sample:
    """The photograph and the inverse depth of a scene.

    Args:
        scene: what to draw.
        size: (height, width).
        rng: for the terrain's cover and the camera's faults.
        name: of the sample.
    """
    raster = draw_scene(scene, size)
    image = take_photo(shade_scene(scene, raster, ground_material(rng)), raster, rng)
    return Sample(image, raster.inverse_depth, np.ones(size, np.bool_), name, metric=True, sparse=False)
