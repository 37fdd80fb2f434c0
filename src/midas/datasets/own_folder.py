"""A folder that somebody names without saying what is in it: opened by what is found there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from midas.arrays import Array, Float32, UInt8
from midas.datasets.catalogue import open_reader
from midas.datasets.depth_files import DepthUnit, GuessedUnit, guess_unit, named_unit
from midas.datasets.layouts import find_pairs, is_corpus
from midas.datasets.reader import Reader
from midas.datasets.readers.corpus import CorpusDataset

Nearness = Callable[[UInt8[Array, "H W 3"]], Float32[Array, "H W"]]


@dataclass(frozen=True)
class OwnFolder:
    """A folder as it was found.

    Attributes:
        reader: reads it.
        reader_name: in the catalogue.
        options: of the reader.
        layout: in words.
        unpaired: files without a partner.
        unit: what its depth maps hold, and why that is believed.
    """

    reader: Reader
    reader_name: str
    options: dict[str, Any]
    layout: str
    unpaired: tuple[Path, ...]
    unit: GuessedUnit


def open_own_folder(root: Path, depth_unit: DepthUnit | None, nearness: Nearness) -> OwnFolder:
    """Find out what a folder of pictures with depth maps holds, and open it.

    Args:
        root: the folder.
        depth_unit: of its depth maps; None to find out.
        nearness: a picture's relative disparity by any fair model, asked for where the unit is to be found out.

    Raises:
        DatasetError: nothing there is a picture with a depth map, or their unit can't be told.
    """
    if is_corpus(root) and depth_unit is None:
        return _corpus(root)
    found = find_pairs(root)
    unit = guess_unit(found, nearness) if depth_unit is None else named_unit(depth_unit)
    options: dict[str, Any] = {"depth_unit": unit.unit, "depth_scale": unit.scale}
    return OwnFolder(open_reader("folder", root, **options), "folder", options, found.layout, found.unpaired, unit)


def _corpus(root: Path) -> OwnFolder:
    dataset = CorpusDataset(root)
    kind: DepthUnit = "m" if dataset.info.metric else "disparity"
    alone = tuple(path for path in dataset.pictures if not path.with_suffix(".png").is_file())
    unit = GuessedUnit(kind, dataset.info.depth_scale, f"dataset.json says depth_kind {dataset.info.depth_kind!r}")
    return OwnFolder(dataset, "corpus", {}, "corpus format", alone, unit)
