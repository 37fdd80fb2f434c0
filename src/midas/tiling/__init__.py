"""Large pictures in overlapping tiles: the layout from the whole picture, the detail from the tiles.

The whole picture is predicted once, as always: one run of the network sees the scene and knows what is near. Then the
picture is made the network's input a second time, ``zoom`` times as large, and the network runs on overlapping windows
of that. A tile has its own scale and shift, and with little of the scene in view its own idea of the layout. So it is
brought to the whole picture's scale, and what it says at coarse scale is replaced by what the whole picture says.

All this happens on the grid of the larger input, which is as small as its pixels need; the result is a network's output
like any other, only larger.
"""

from midas.tiling.layout import DEFAULT_OVERLAP, MAX_ZOOM, Grid, Tiling, blend_weights, tile_starts
from midas.tiling.mosaic import Cells, Mosaic, blur_map, cell_means, fit_tile
from midas.tiling.prepared import Prepared
from midas.tiling.refine import FinerInput, Network, finer_input, predict_tiles

__all__ = [
    "DEFAULT_OVERLAP",
    "MAX_ZOOM",
    "Cells",
    "FinerInput",
    "Grid",
    "Mosaic",
    "Network",
    "Prepared",
    "Tiling",
    "blend_weights",
    "blur_map",
    "cell_means",
    "finer_input",
    "fit_tile",
    "predict_tiles",
    "tile_starts",
]
