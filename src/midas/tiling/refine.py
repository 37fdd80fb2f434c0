"""A picture's larger input, and the network on each window of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from midas.arrays import Array, Float32, UInt8
from midas.errors import ModelError
from midas.pictures.preprocess import InputSpec, Preprocess
from midas.tiling.layout import Grid, Tiling
from midas.tiling.mosaic import Mosaic

ShowTiles = Callable[[int, int], None]
Network = Callable[[Float32[Array, "B 3 h w"]], Float32[Array, "B h w"]]


@dataclass(frozen=True)
class FinerInput:
    """A picture made the network's input a second time, larger.

    Attributes:
        pixels: the larger input, of which each tile is a window.
        grid: the tiles.
    """

    pixels: Float32[Array, "1 3 h w"]
    grid: Grid


def finer_input(image: UInt8[Array, "H W 3"], spec: InputSpec, tiling: Tiling) -> FinerInput | None:
    """Make a picture ready for tiles; None where it is so small that one run of the network shows all of it.

    Args:
        image: RGB, 0 to 255.
        spec: what the network takes for a whole picture.
        tiling: how fine.

    Raises:
        ConfigError: a size of tiles that the network doesn't take.
    """
    grid = tiling.grid(spec, (image.shape[0], image.shape[1]))
    if grid.count == 0:
        return None
    larger = dataclasses.replace(spec, size=grid.size, keep_aspect=False)
    return FinerInput(Preprocess(larger)(image), grid)


def predict_tiles(
    whole: Float32[Array, "h w"],
    finer: FinerInput,
    network: Network,
    *,
    at_once: int = 1,
    show: ShowTiles | None = None,
) -> Float32[Array, "H W"]:
    """Refine a whole picture's prediction with its tiles.

    No more than ``at_once`` tiles are held at a time.

    Args:
        whole: relative disparity of the whole picture, as the network gives it.
        finer: the picture's larger input and its tiles.
        network: from inputs to relative disparities of their size.
        at_once: how many tiles go through the network together.
        show: called with the number of finished tiles and that of all.

    Returns:
        Relative disparity at the larger input's size, with the scale and shift of ``whole``.

    Raises:
        ModelError: the network can't run, or gives numbers that are not finite.
    """
    grid = finer.grid
    height, width = grid.tile
    mosaic = Mosaic(whole, grid)
    places = [(top, left) for top in grid.tops for left in grid.lefts]
    for first in range(0, len(places), at_once):
        batch = places[first : first + at_once]
        pixels = [finer.pixels[:, :, top : top + height, left : left + width] for top, left in batch]
        for (top, left), disparity in zip(batch, network(np.concatenate(pixels)), strict=True):
            if not np.isfinite(disparity).all():
                raise ModelError(
                    f"the network gives numbers that are not finite for the tile at row {top}, column {left} of "
                    f"{grid.size[0]}x{grid.size[1]}; try another number of tiles, or none"
                )
            mosaic.add(top, left, disparity)
        if show is not None:
            show(min(first + at_once, len(places)), len(places))
    return mosaic.disparity
