"""From the decoder's map to one channel of relative disparity."""

from __future__ import annotations

from torch import Tensor, nn

from midas.models.specs import HeadSpec


class DisparityHead(nn.Module):
    """3x3 convolutions, enlargement by two, a 1x1 convolution to one channel, ReLU: never negative.

    Args:
        in_features: channels that the decoder gives.
        spec: widths, and where in the row the enlargement stands.
    """

    def __init__(self, in_features: int, spec: HeadSpec) -> None:
        super().__init__()
        enlarge = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=spec.align_corners)
        layers: list[nn.Module] = []
        for index, features in enumerate(spec.features):
            if index == spec.upsample_before:
                layers.append(enlarge)
            layers += [nn.Conv2d(in_features, features, kernel_size=3, padding=1), nn.ReLU()]
            in_features = features
        layers.append(nn.Conv2d(in_features, 1, kernel_size=1))
        if spec.upsample_before == len(spec.features):
            layers.append(enlarge)
        self.layers = nn.Sequential(*layers, nn.ReLU())
        # Starts above zero: a ReLU that is closed everywhere at the first step would never open.
        nn.init.ones_(self.last_bias())

    def last_bias(self) -> nn.Parameter:
        """The bias of the last convolution: where the disparity's zero lies."""
        last = [layer for layer in self.layers if isinstance(layer, nn.Conv2d)][-1]
        return last.get_parameter("bias")

    def forward(self, feature: Tensor) -> Tensor:
        """Disparity (B, H, W), at twice the size of the given map."""
        disparity: Tensor = self.layers(feature).squeeze(1)
        return disparity
