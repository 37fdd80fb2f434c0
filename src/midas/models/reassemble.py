"""From the encoder's feature maps to the decoder's widths."""

from __future__ import annotations

from torch import Tensor, nn


class Reassemble(nn.Module):
    """A 3x3 convolution per level that brings the encoder's channels to the decoder's features.

    Args:
        channels: the encoder's channels, finest level first.
        features: the decoder's widths, finest level first.
        batch_norm: a batch normalisation after each convolution.
    """

    def __init__(self, channels: tuple[int, ...], features: tuple[int, ...], *, batch_norm: bool) -> None:
        super().__init__()
        self.projections = nn.ModuleList()
        for inner, outer in zip(channels, features, strict=True):
            projection = nn.Sequential(nn.Conv2d(inner, outer, kernel_size=3, padding=1, bias=False))
            if batch_norm:
                projection.append(nn.BatchNorm2d(outer))
            self.projections.append(projection)

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        """The same maps at the same sizes, in the decoder's widths."""
        return [projection(feature) for projection, feature in zip(self.projections, features, strict=True)]
