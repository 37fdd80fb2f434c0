"""Strip pooling: what the whole row and the whole column of a place hold, added to what is seen there."""

from __future__ import annotations

from torch import Tensor, nn, relu

from midas.models.branches import conv_norm


class StripPooling(nn.Module):
    """Means over rows and over columns, each through a convolution along what is left, joined and added to the map.

    After Hou et al. 2020 ("Strip Pooling: Rethinking Spatial Pooling for Scene Parsing"), section 3.1, with one
    difference: there the result weighs the map, equation 4, here it is added, since where in the picture something
    lies tells its depth and not how much it counts. An untrained one adds nothing, so that a trained network goes on
    as it was.

    Args:
        channels: of the map.
        width: channels of the strips.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.rows = nn.Sequential(nn.Conv2d(channels, width, (3, 1), padding=(1, 0), bias=False), nn.BatchNorm2d(width))
        self.columns = nn.Sequential(
            nn.Conv2d(channels, width, (1, 3), padding=(0, 1), bias=False), nn.BatchNorm2d(width)
        )
        self.join = conv_norm(width, channels, 1, relu=False)
        nn.init.zeros_(self.join[1].get_parameter("weight"))

    @property
    def width(self) -> int:
        """Channels of the strips."""
        return int(self.join[0].get_parameter("weight").shape[1])

    def forward(self, feature: Tensor) -> Tensor:
        """(B, C, H, W), of the map's shape."""
        rows = self.rows(feature.mean(3, keepdim=True))
        columns = self.columns(feature.mean(2, keepdim=True))
        seen: Tensor = feature + self.join(relu(rows + columns))
        return seen
