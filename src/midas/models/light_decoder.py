"""A decoder of 1x1 convolutions: from the coarsest map upwards, enlarge, add the next finer one, normalise."""

from __future__ import annotations

from torch import Tensor, nn, relu
from torch.nn.functional import interpolate

from midas.models.branches import NormedSum, conv_norm
from midas.models.specs import LightDecoderSpec
from midas.models.taps import Tap


class PlainTaps(nn.Module):
    """Stands where other networks reassemble: the encoder's maps are a pyramid, and the decoder takes their widths."""

    def forward(self, taps: list[Tap]) -> list[Tensor]:
        """The maps."""
        return [tap.feature for tap in taps]


class LightFusion(NormedSum):
    """The map from below, enlarged by two, and the one of this level: projected, added, normalised, rectified."""

    def forward(self, fine: Tensor, coarse: Tensor) -> Tensor:
        """A map of the finer one's size."""
        # Linear maps commute: projecting before enlarging gives the same numbers for a quarter of the work.
        below = interpolate(self.second(coarse), scale_factor=2, mode="bilinear", align_corners=False)
        return relu(self.norm(self.first(fine) + below))


class LightDecoder(nn.Module):
    """Fuses a pyramid into one map of the finest level's size.

    Args:
        channels: of the maps, finest first; each has half the sides of the one before.
        spec: widths.
    """

    def __init__(self, channels: tuple[int, ...], spec: LightDecoderSpec) -> None:
        super().__init__()
        self.narrow = conv_norm(channels[-1], spec.features[-1], 1)
        self.fusions = nn.ModuleList(
            LightFusion(
                nn.Conv2d(own, width, 1, groups=spec.groups, bias=False),
                nn.Conv2d(below, width, 1, groups=spec.groups, bias=False),
            )
            for own, width, below in zip(channels[:-1], spec.features[:-1], spec.features[1:], strict=True)
        )

    def forward(self, maps: list[Tensor]) -> Tensor:
        """(B, features, H', W') from maps whose finest is (B, C, H', W')."""
        feature: Tensor = self.narrow(maps[-1])
        for level in range(len(self.fusions) - 1, -1, -1):
            feature = self.fusions[level](maps[level], feature)
        return feature
