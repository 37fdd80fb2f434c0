"""Which pixels of a map become points: whole rows and columns, evenly spaced, the outermost among them."""

from __future__ import annotations

import numpy as np

from midas.arrays import Array, Float32, Shaped, UInt8


def sample_grid(size: tuple[int, int], samples: tuple[int, int]) -> tuple[Shaped[Array, " h"], Shaped[Array, " w"]]:
    """Rows and columns, so many of each, of a map of (height, width)."""
    rows, columns = (
        np.rint(np.linspace(0, pixels - 1, min(count, pixels))).astype(np.intp)
        for pixels, count in zip(size, samples, strict=True)
    )
    return rows, columns


def sampled(
    values: Float32[Array, "H W"], rows: Shaped[Array, " h"], columns: Shaped[Array, " w"]
) -> Float32[Array, "h w"]:
    """The values at the crossings. They are not smoothed: the mean over an outline is a depth that nothing has."""
    taken: Array = values[rows[:, None], columns[None, :]]
    return taken


def sampled_colors(
    image: UInt8[Array, "H W 3"], map_size: tuple[int, int], rows: Shaped[Array, " h"], columns: Shaped[Array, " w"]
) -> UInt8[Array, "h w 3"]:
    """The picture's colours at the crossings of a map of it that may have another size."""
    at = [
        np.minimum((index + 0.5) * (pixels / samples), pixels - 1).astype(np.intp)
        for index, pixels, samples in zip((rows, columns), image.shape, map_size, strict=False)
    ]
    colors: Array = image[at[0][:, None], at[1][None, :]]
    return colors
