"""DepthNetwork: encoder, reassemble, decoder, head."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from midas.errors import ModelError


class DepthNetwork(nn.Module):
    """A network for relative disparity, put together from four parts.

    Args:
        encoder: pixels → feature maps, finest first.
        reassemble: those maps → the decoder's widths.
        decoder: all maps → one map.
        head: that map → disparity.
        multiple: height and width of the input must be multiples of this.
    """

    def __init__(
        self, encoder: nn.Module, reassemble: nn.Module, decoder: nn.Module, head: nn.Module, *, multiple: int
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.reassemble = reassemble
        self.decoder = decoder
        self.head = head
        self.multiple = multiple

    def forward(self, pixels: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B H W"]:
        """Relative disparity, never negative, larger is nearer, without unit.

        Args:
            pixels: normalised RGB.

        Raises:
            ModelError: height or width is not a multiple of what the network needs.
        """
        self._check_size(pixels)
        features = self.encoder(pixels)
        maps = self.reassemble(features)
        decoded = self.decoder(maps)
        # Half precision has 8 bits for all of the range: its steps are larger than many differences between neighbours
        # and would show as contours in a map.
        with torch.autocast(pixels.device.type, enabled=False):
            disparity: Tensor = self.head(decoded.float())
        return disparity

    def _check_size(self, pixels: Tensor) -> None:
        height, width = pixels.shape[-2:]
        if height % self.multiple or width % self.multiple:
            fits = [max(round(side / self.multiple), 1) * self.multiple for side in (height, width)]
            raise ModelError(
                f"an input of {height}x{width} doesn't fit: sides must be multiples of {self.multiple}; "
                f"nearest is {fits[0]}x{fits[1]}"
            )
