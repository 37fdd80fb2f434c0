"""What a graph file must look like to be run: one picture in, one map out; the same for every runtime."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from midas.arrays import Array, Float32
from midas.errors import ModelError

FLOAT32 = "float32"
UINT8 = "uint8"

# None stands for any number; no shape at all for one that is known only when the network runs.
_Shape = tuple[int | None, ...]
_IMAGES: _Shape = (None, 3, None, None)
_PICTURE: _Shape = (None, None, 3)
_PICTURE_MAP: _Shape = (None, None)
_MAPS: tuple[_Shape, ...] = ((None, None, None), (None, 1, None, None), ())


@dataclass(frozen=True)
class Port:
    """An input or output of a graph.

    Attributes:
        name: as the file has it.
        kind: ``FLOAT32``, or what else the runtime calls the type of its values.
        shape: one entry per axis; a text, or None, where the file leaves the number open.
    """

    name: str
    kind: str
    shape: tuple[int | str | None, ...]

    def __str__(self) -> str:
        return f"{self.name} ({self.kind}, {' x '.join(map(str, self.shape))})"

    def fits(self, shape: tuple[int | None, ...], kind: str = FLOAT32) -> bool:
        """Whether it holds values of this kind and shape, None being any number."""
        return (
            self.kind == kind
            and len(self.shape) == len(shape)
            and all(
                expected is None or not isinstance(own, int) or own == expected
                for own, expected in zip(self.shape, shape, strict=True)
            )
        )


class ImageGraph:
    """A graph that takes a picture and gives a map: (B, 3, H, W) → (B, H, W) or (B, 1, H, W), of whatever names.

    Height and width may be fixed in the file. One that takes single pictures runs a batch picture by picture.

    Args:
        path: the file, for messages.
        inputs: of the graph.
        outputs: of the graph.

    Attributes:
        takes_pictures: the graph resizes both ways itself: RGB, uint8 (H, W, 3) of any size → float32 (H, W). It is
            not for ``run``.

    Raises:
        ModelError: the graph is another one.
    """

    def __init__(self, path: Path, inputs: Sequence[Port], outputs: Sequence[Port]) -> None:
        self.takes_pictures = _only(inputs, _PICTURE, UINT8) and _only(outputs, _PICTURE_MAP)
        if not self.takes_pictures and not (_only(inputs, _IMAGES) and any(_only(outputs, shape) for shape in _MAPS)):
            raise ModelError(
                f"{path} takes {', '.join(map(str, inputs))} and gives {', '.join(map(str, outputs))}; expected one "
                "input B x 3 x H x W and one output B x H x W or B x 1 x H x W, both float32, as `midas export` writes "
                "them"
            )
        self.input, self.output = inputs[0], outputs[0]

    def run(
        self,
        infer: Callable[[Float32[Array, "B 3 H W"]], Float32[Array, "*axes"]],
        pixels: Float32[Array, "B 3 H W"],
    ) -> Float32[Array, "B H W"]:
        """Run a batch through the graph.

        Args:
            infer: what runs it once.
            pixels: its input.

        Raises:
            ModelError: the graph doesn't take an input of this size, or its output isn't a map of that size.
        """
        if self.takes_pictures:
            raise ModelError(
                "this model file takes whole pictures and resizes them itself, which `midas predict` knows of; here "
                "a file without --with-pre-post is expected"
            )
        self._check_size(pixels)
        if self.input.shape[0] == 1 and len(pixels) > 1:
            return np.concatenate([_map(infer, pixels[index : index + 1]) for index in range(len(pixels))])
        return _map(infer, pixels)

    def _check_size(self, pixels: Float32[Array, "B 3 H W"]) -> None:
        height, width = pixels.shape[2:]
        fits = [
            own if isinstance(own, int) else side
            for own, side in zip(self.input.shape[2:], (height, width), strict=True)
        ]
        if [height, width] != fits:
            raise ModelError(f"an input of {height}x{width} doesn't fit: this model file takes {fits[0]}x{fits[1]}")


def _only(ports: Sequence[Port], shape: _Shape, kind: str = FLOAT32) -> bool:
    return len(ports) == 1 and ports[0].fits(shape, kind)


def _map(
    infer: Callable[[Float32[Array, "B 3 H W"]], Float32[Array, "*axes"]], pixels: Float32[Array, "B 3 H W"]
) -> Float32[Array, "B H W"]:
    maps = infer(pixels)
    batch, _, height, width = pixels.shape
    if maps.shape not in ((batch, height, width), (batch, 1, height, width)):
        raise ModelError(
            f"the network gives an output of shape {maps.shape} for an input of shape {pixels.shape}; expected a "
            "map of the input's height and width"
        )
    disparity: Float32[Array, "B H W"] = maps.reshape(batch, height, width)
    return disparity
