"""How near a file is to the network it was made from, on pictures, and how near it has to be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from midas.arrays import Array, Float32, UInt8
from midas.errors import ModelError
from midas.maps.resize import resize_map, unguided
from midas.models.network import DepthNetwork
from midas.pictures.preprocess import InputSpec, Preprocess

Precision = Literal["fp32", "fp16", "bf16", "int8"]
Run = Callable[[np.ndarray], np.ndarray]
# No letters: lists of inputs hold several sizes.
Pixels = Float32[Array, "_ 3 _ _"]


@dataclass(frozen=True)
class Difference:
    """What a file's numbers depart by from the network's in float32, in units of the range of the network's output.

    Attributes:
        largest: of any pixel of any picture.
        mean: over all pixels, of the picture where it is largest.
        sizes: (height, width) of the inputs compared, in pixels, each once.
        pictures: how many were compared.
    """

    largest: float
    mean: float
    sizes: tuple[tuple[int, int], ...]
    pictures: int


@dataclass(frozen=True)
class Bound:
    """What a file may depart by, as in `Difference`.

    Attributes:
        largest: at any pixel.
        mean: over all pixels of any picture.
    """

    largest: float
    mean: float


# About twice what the network departs by that is touchiest of those measured (docs/export.md): the embedded one, whose
# narrow decoder adds large numbers of opposite signs. A wrong graph is farther off.
BOUNDS: dict[Precision, Bound] = {
    "fp32": Bound(largest=1e-3, mean=1e-4),
    "fp16": Bound(largest=1e-1, mean=1e-2),
    "bf16": Bound(largest=1e-1, mean=2e-2),
    "int8": Bound(largest=4e-1, mean=4e-2),
}

# Of graphs that resize as Pillow or OpenCV do in 8 bits: near the middle between two levels they may take the other.
ROUNDED_BOUND = Bound(largest=1e-2, mean=1e-3)


def input_batches(pictures: Iterable[UInt8[Array, "_ _ 3"]], spec: InputSpec) -> list[Pixels]:
    """The network's inputs for pictures; those of one size share a batch, so that batches are tried too."""
    preprocess, by_size = Preprocess(spec), dict[tuple[int, ...], list[np.ndarray]]()
    for picture in pictures:
        pixels = preprocess(picture)
        by_size.setdefault(pixels.shape, []).append(pixels)
    return [np.concatenate(group) for group in by_size.values()]


def compare_inputs(network: DepthNetwork, run: Run, batches: Sequence[Pixels]) -> Difference:
    """Compare a file with its network on the network's inputs.

    Args:
        network: in evaluation mode, float32, on the CPU.
        run: the file: pixels (B, 3, h, w) → disparity (B, h, w).
        batches: the inputs.
    """
    pairs = []
    for pixels in batches:
        pairs += list(zip(_predict(network, pixels), run(pixels), strict=True))
    return _difference(pairs, [pixels.shape[2:] for pixels in batches])


def compare_pictures(
    network: DepthNetwork, run: Run, pictures: Sequence[UInt8[Array, "_ _ 3"]], spec: InputSpec
) -> Difference:
    """Compare a file that takes pictures as they are with preprocessing, network and resizing of this package.

    Args:
        network: in evaluation mode, float32, on the CPU.
        run: the file: RGB, 0 to 255 (H, W, 3) → disparity (H, W).
        pictures: of any sizes.
        spec: how a picture becomes the network's input.
    """
    preprocess, rule, pairs = Preprocess(spec), unguided(spec.restore), []
    for picture in pictures:
        expected = _predict(network, preprocess(picture))[0]
        pairs.append((resize_map(expected, (picture.shape[0], picture.shape[1]), rule), run(picture)))
    return _difference(pairs, [picture.shape[:2] for picture in pictures])


def check(difference: Difference, precision: Precision, bound: Bound | None = None) -> None:
    """Make sure that a file is near enough to its network.

    Args:
        difference: what was measured.
        precision: the file's number format.
        bound: how near; None for the bound of that precision.

    Raises:
        ModelError: it isn't.
    """
    bound = bound or BOUNDS[precision]
    # Written so that a difference that is no number is refused too.
    if not (difference.largest <= bound.largest and difference.mean <= bound.mean):
        raise ModelError(
            f"the exported file departs from the network by {difference.largest:.1e} of the output's range at most and "
            f"{difference.mean:.1e} in the mean of a picture, where {precision} may by {bound.largest:.0e} and "
            f"{bound.mean:.0e}: it was not written; try another precision or format"
        )


def _predict(network: DepthNetwork, pixels: Float32[Array, "B 3 h w"]) -> Float32[Array, "B h w"]:
    with torch.inference_mode():
        disparity: Float32[Array, "B h w"] = network(torch.from_numpy(pixels)).numpy()
    return disparity


def _difference(pairs: Sequence[tuple[np.ndarray, np.ndarray]], sizes: Iterable[Sequence[int]]) -> Difference:
    largest, mean = [], []
    for expected, actual in pairs:
        if actual.shape != expected.shape:
            raise ModelError(f"the exported file gives a map of {actual.shape}; expected one of {expected.shape}")
        spread = max(float(np.ptp(expected)), 1e-12)
        departure = np.abs(actual.astype(np.float32) - expected) / spread
        largest.append(float(departure.max()))
        mean.append(float(departure.mean()))
    unique = dict.fromkeys((int(size[0]), int(size[1])) for size in sizes)
    # Of numpy, whose maximum of anything and no number is no number.
    return Difference(float(np.max(largest)), float(np.max(mean)), tuple(unique), len(pairs))
