"""The pictures that an exported file is compared on, and those that int8 is calibrated on."""

from __future__ import annotations

from pathlib import Path

import midas
from midas.arrays import Array, UInt8
from midas.datasets.readers.synthetic import SyntheticDataset
from midas.errors import ConfigError
from midas.pictures.formats import is_image_path
from midas.pictures.reading import read_image

# Enough for several shapes and kinds of scene; each costs one run of the network in float32.
COMPARED_PICTURES = 6

_DRAWN_SIZES = ((240, 320), (320, 240))

# No letters: lists of pictures hold several sizes.
Picture = UInt8[Array, "_ _ 3"]


def comparison_pictures(folder: Path | None = None) -> list[Picture]:
    """Up to ``COMPARED_PICTURES`` pictures, RGB, to compare a file and its network on.

    Args:
        folder: where pictures lie; None for the examples of a source checkout, and without one for drawn scenes.

    Raises:
        ConfigError: the folder holds no picture.
        ImageError: a picture can't be read.
    """
    if folder is not None:
        return read_pictures(folder, COMPARED_PICTURES)
    examples = Path(midas.__file__).resolve().parents[2] / "examples"
    photographs = sorted(examples.glob("*.jpg"))[:COMPARED_PICTURES]
    return [read_image(path) for path in photographs] or drawn_pictures()


def read_pictures(folder: Path, count: int) -> list[Picture]:
    """Pictures of a folder and the folders in it, RGB, evenly spread over all there are.

    A PNG beside a JPEG of the same name is left out: it is the depth map that data sets keep there.

    Args:
        folder: where they lie.
        count: at most so many.

    Raises:
        ConfigError: there is no such folder, or no picture in it.
        ImageError: a picture can't be read.
    """
    paths = sorted(path for path in folder.rglob("*") if is_image_path(path) and not _is_depth_map(path))
    if not paths:
        raise ConfigError(f"{folder} holds no picture; expected a folder with photographs in it, or in its folders")
    chosen = paths if len(paths) <= count else [paths[index * len(paths) // count] for index in range(count)]
    return [read_image(path) for path in chosen]


def drawn_pictures() -> list[Picture]:
    """Four drawn scenes, two upright and two lying: the same at every call."""
    return [SyntheticDataset(2, size, seed=1)[index].image for size in _DRAWN_SIZES for index in range(2)]


def _is_depth_map(path: Path) -> bool:
    return path.suffix.lower() == ".png" and path.with_suffix(".jpg").exists()
