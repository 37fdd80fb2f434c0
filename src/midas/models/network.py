"""DepthNetwork: encoder, reassemble, decoder, head."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from jaxtyping import Float
from torch import Tensor, nn

from midas.errors import ModelError
from midas.pictures.preprocess import InputSpec


class DepthNetwork(nn.Module):
    """A network for relative disparity, or depth in metres, put together from four parts.

    Args:
        encoder: pixels → feature maps, finest first.
        reassemble: those maps → the decoder's widths.
        decoder: all maps → one map.
        head: that map → disparity.
        input_spec: which sizes of input are legal.
    """

    def __init__(
        self, encoder: nn.Module, reassemble: nn.Module, decoder: nn.Module, head: nn.Module, *, input_spec: InputSpec
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.reassemble = reassemble
        self.decoder = decoder
        self.head = head
        self.input_spec = input_spec

    def forward(self, pixels: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B H W"]:
        """Relative disparity, never negative, larger is nearer, without unit; or depth in metres, as its head has it.

        Weights may be of any floating type (``network.half()``, ``.bfloat16()``, ``.double()``), which is then that of
        the result.

        Args:
            pixels: normalised RGB.

        Raises:
            ModelError: the network doesn't take an input of this size.
        """
        # Where a graph is made of the network, sizes are symbols, and a check would tie it to one of them.
        if not (torch.jit.is_tracing() or torch.compiler.is_compiling()):  # type: ignore[attr-defined, no-untyped-call]
            self.check_size((pixels.shape[-2], pixels.shape[-1]))
        dtype = next((parameter.dtype for parameter in self.head.parameters()), torch.float32)
        # A head in float32 says nothing of the encoder, which may be in half precision for itself: see `reduced`.
        taps = self.encoder(pixels if dtype == torch.float32 else pixels.to(dtype))
        maps = self.reassemble(taps)
        decoded = self.decoder(maps)
        # Where autocast is at work: half precision has 8 bits for all of the range, so that its steps are larger than
        # many differences between neighbours and would show as contours in a map.
        with _full_precision(pixels.device.type):
            disparity: Tensor = self.head(decoded.to(dtype))
        return disparity

    def check_size(self, size: tuple[int, int]) -> None:
        """Make sure that the network takes an input of this (height, width).

        Raises:
            ModelError: it doesn't; the message names the nearest one that it takes.
        """
        nearest = self.input_spec.nearest_size(size)
        if size != nearest:
            rule = (
                "only one size is legal"
                if self.input_spec.fixed
                else (f"sides must be multiples of {self.input_spec.multiple}")
            )
            raise ModelError(
                f"an input of {size[0]}x{size[1]} doesn't fit: {rule}; nearest is {nearest[0]}x{nearest[1]}"
            )


def _full_precision(device_type: str) -> AbstractContextManager[object]:
    # The meta device, which has shapes and no numbers, knows no autocast.
    return nullcontext() if device_type == "meta" else torch.autocast(device_type, enabled=False)
