"""ZipDepth's encoder: branched convolutions, with a view of the whole picture from the second stage on."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate

from midas.models.branches import BranchedConv, NormedSum, conv_norm
from midas.models.specs import ZipDepthSpec
from midas.models.taps import Tap

# Of what the coarsest two levels hand each other.
_EXCHANGE_SHARE = 0.3


class ZipDepthEncoder(nn.Module):
    """Two strided convolutions, four stages of branched ones, pooling in several sizes, an exchange of two levels.

    Args:
        spec: widths, and numbers of blocks.
    """

    def __init__(self, spec: ZipDepthSpec) -> None:
        super().__init__()
        half, *widths = spec.channels
        self.stem = nn.ModuleList([conv_norm(3, half, 3, stride=2), conv_norm(half, widths[0], 3, stride=2)])
        contexts: tuple[tuple[type[_Context], ...], ...] = ((), (TwoDilations, StripGate), (ChannelGate, Summary), ())
        before = widths[0]
        self.stages = nn.ModuleList()
        for width, count, context in zip(widths, spec.blocks, contexts, strict=True):
            stage = nn.Sequential()
            if self.stages:
                stage.append(BranchedConv(before, width, stride=2))
            stage.extend(BranchedConv(width, width) for _ in range(count))
            stage.extend(kind(width) for kind in context)
            self.stages.append(stage)
            before = width
        self.pooling = PoolingPyramid(widths[-1])
        self.exchange = Exchange(widths[-2], widths[-1], spec.groups)

    def forward(self, pixels: Tensor) -> list[Tap]:
        """Maps (B, C, H / stride, W / stride) of normalised pixels (B, 3, H, W), at strides 2, 4, 8, 16 and 32."""
        maps = [self.stem[0](pixels)]
        feature = self.stem[1](maps[0])
        for stage in self.stages:
            feature = stage(feature)
            maps.append(feature)
        maps[-2:] = self.exchange(maps[-2], self.pooling(maps[-1]))
        return [Tap(feature) for feature in maps]


class _Context(nn.Module):
    """A module that changes no shape and is known by its width alone."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels


class TwoDilations(_Context):
    """Adds the normalised sum of two depthwise 3x3 convolutions, the second of which looks twice as far."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        near, far = (
            nn.Conv2d(channels, channels, 3, padding=reach, dilation=reach, groups=channels, bias=False)
            for reach in (1, 2)
        )
        self.around = NormedSum(near, far)

    def forward(self, feature: Tensor) -> Tensor:
        """A map of the same shape."""
        informed: Tensor = feature + self.around(feature, feature)
        return informed


class StripGate(_Context):
    """Weights each pixel by the means of its row and of its column (strip pooling, Hou et al. 2020)."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self.gate = conv_norm(channels, channels, 1, groups=channels, relu=False)

    def forward(self, feature: Tensor) -> Tensor:
        """A map of the same shape."""
        strips = feature.mean(dim=3, keepdim=True) + feature.mean(dim=2, keepdim=True)
        weighted: Tensor = feature * torch.sigmoid(self.gate(strips))
        return weighted


class ChannelGate(_Context):
    """Weights each channel by what the means of all say (squeeze and excitation, Hu et al. 2018)."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        hidden = channels // 8
        self.gate = nn.Sequential(
            nn.Conv2d(channels, hidden, 1, bias=False), nn.ReLU(), nn.Conv2d(hidden, channels, 1, bias=False)
        )

    def forward(self, feature: Tensor) -> Tensor:
        """A map of the same shape."""
        weighted: Tensor = feature * torch.sigmoid(self.gate(feature.mean(dim=(2, 3), keepdim=True)))
        return weighted


class Summary(_Context):
    """Adds one summary of the picture to all of its pixels (global context, Cao et al. 2019, with batch statistics)."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        hidden = channels // 4
        self.importance = nn.Conv2d(channels, 1, 1)
        self.transform = nn.Sequential(
            nn.Conv2d(channels, hidden, 1), nn.BatchNorm2d(hidden), nn.ReLU(), nn.Conv2d(hidden, channels, 1)
        )

    def forward(self, feature: Tensor) -> Tensor:
        """A map of the same shape."""
        shares = self.importance(feature).flatten(2).softmax(dim=2)
        mean = feature.flatten(2) @ shares.transpose(1, 2)
        informed: Tensor = feature + self.transform(mean.unsqueeze(3))
        return informed


class PoolingPyramid(nn.Module):
    """Largest values within 5, 9 and 13 pixels beside the map itself (spatial pyramid pooling, as in YOLOv5)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        narrow = channels // 4
        self.before = conv_norm(channels, narrow, 1)
        self.pool = nn.MaxPool2d(5, stride=1, padding=2)
        self.after = conv_norm(4 * narrow, channels, 1)

    def forward(self, feature: Tensor) -> Tensor:
        """A map of the same shape."""
        maps = [self.before(feature)]
        for _ in range(3):
            maps.append(self.pool(maps[-1]))
        pooled: Tensor = self.after(torch.cat(maps, dim=1))
        return pooled


class Exchange(nn.Module):
    """Two neighbouring levels hand each other a share of what they hold.

    Args:
        fine: channels of the finer one.
        coarse: channels of the coarser one.
        groups: of the 1x1 convolutions in between.
    """

    def __init__(self, fine: int, coarse: int, groups: int) -> None:
        super().__init__()
        self.to_fine = nn.Conv2d(coarse, fine, 1, groups=groups, bias=False)
        self.to_coarse = nn.Conv2d(fine, coarse, 1, groups=groups, bias=False)

    def forward(self, fine: Tensor, coarse: Tensor) -> tuple[Tensor, Tensor]:
        """Both, of the shapes that they had; the finer one has twice the sides of the other."""
        enlarged = interpolate(self.to_fine(coarse), scale_factor=2, mode="nearest")
        # Linear maps commute: averaging before the convolution gives the same numbers for a quarter of the work.
        reduced = self.to_coarse(avg_pool2d(fine, 2))
        return fine + _EXCHANGE_SHARE * enlarged, coarse + _EXCHANGE_SHARE * reduced
