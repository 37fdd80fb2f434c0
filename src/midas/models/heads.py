"""From the decoder's map to one channel: relative disparity, or depth in metres."""

from __future__ import annotations

from torch import Tensor, nn

from midas.models.specs import HeadSpec


class Head(nn.Module):
    """The last part of a network: a map of features becomes relative disparity or depth (B, H, W), never negative."""

    def last_bias(self) -> nn.Parameter:
        """The bias of the convolution that gives the values: where their zero lies."""
        raise NotImplementedError


class DisparityHead(Head):
    """3x3 convolutions, an enlargement, a 1x1 convolution to one channel, ReLU: never negative.

    With ``max_depth_m``, a sigmoid times this in place of the ReLU: depth in metres (Depth Anything V2, section 7.5).

    Args:
        in_features: channels that the decoder gives.
        spec: widths, and where in the row the enlargement stands.
    """

    def __init__(self, in_features: int, spec: HeadSpec) -> None:
        super().__init__()
        self.stem = _transposed_stem(in_features, spec.transposed)
        if spec.transposed:
            in_features = spec.transposed[-1]
        enlarge = nn.Upsample(scale_factor=spec.scale, mode="bilinear", align_corners=spec.align_corners)
        layers: list[nn.Module] = []
        for index, features in enumerate(spec.features):
            if index == spec.upsample_before:
                layers.append(enlarge)
            layers.append(nn.Conv2d(in_features, features, kernel_size=3, padding=1))
            if index > 0 or not spec.linear_first:
                layers.append(nn.ReLU())
            in_features = features
        layers.append(nn.Conv2d(in_features, 1, kernel_size=1))
        if spec.upsample_before == len(spec.features):
            layers.append(enlarge)
        self.max_depth_m = spec.max_depth_m
        self.layers = nn.Sequential(*layers, nn.ReLU() if spec.max_depth_m is None else nn.Sigmoid())
        # Starts above zero: a ReLU that is closed everywhere at the first step would never open.
        nn.init.ones_(self.last_bias())

    def last_bias(self) -> nn.Parameter:
        """The bias of the last convolution."""
        last = [layer for layer in self.layers if isinstance(layer, nn.Conv2d)][-1]
        return last.get_parameter("bias")

    def forward(self, feature: Tensor) -> Tensor:
        """A map (B, H, W), larger than the given one by ``spec.scale``, and by two per transposed convolution."""
        values: Tensor = self.layers(self.stem(feature)).squeeze(1)
        return values if self.max_depth_m is None else values * self.max_depth_m


def _transposed_stem(in_features: int, widths: tuple[int, ...]) -> nn.Sequential:
    """Transposed convolutions that double the size, each with batch normalisation and hard-swish."""
    layers: list[nn.Module] = []
    for width in widths:
        enlarge = nn.ConvTranspose2d(in_features, width, 3, stride=2, padding=1, output_padding=1, bias=False)
        layers += [enlarge, nn.BatchNorm2d(width), nn.Hardswish()]
        in_features = width
    return nn.Sequential(*layers)
