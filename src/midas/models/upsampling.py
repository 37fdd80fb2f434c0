"""Disparity at half the picture's size, and its enlargement along edges that the features know."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, pad, pixel_shuffle

from midas.models.branches import conv_norm
from midas.models.heads import Head
from midas.models.specs import UpsamplingHeadSpec

_FACTOR = 2
_NEIGHBOURS = 9


class UpsamplingHead(Head):
    """A 3x3 convolution to one channel, an enlargement by two, ReLU: never negative.

    Args:
        in_features: channels that the decoder gives.
        spec: by which rule the map is enlarged.
    """

    def __init__(self, in_features: int, spec: UpsamplingHeadSpec) -> None:
        super().__init__()
        kinds: dict[str, type[ConvexUpsampling] | type[BlendedUpsampling]] = {
            "convex": ConvexUpsampling,
            "blended": BlendedUpsampling,
        }
        self.upsampling = kinds[spec.upsampling](in_features, spec.features)
        self.disparity = nn.Conv2d(in_features, 1, 3, padding=1)
        # Starts above zero: a ReLU that is closed everywhere at the first step would never open.
        nn.init.ones_(self.last_bias())

    def last_bias(self) -> nn.Parameter:
        """The bias of the 3x3 convolution."""
        return self.disparity.get_parameter("bias")

    def forward(self, feature: Tensor) -> Tensor:
        """Disparity (B, 2 H', 2 W') of a map (B, features, H', W')."""
        return torch.relu(self.upsampling(self.disparity(feature), feature)).squeeze(1)


class ConvexUpsampling(nn.Module):
    """Each pixel is a mean of the 3x3 around it in the coarse map, with weights of its own (RAFT, Teed and Deng 2020).

    Args:
        features: channels of the map that the weights are made from.
        hidden: width of the layer in between.
    """

    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        self.weights = conv_norm(features, hidden, 3)
        self.weights.append(nn.Conv2d(hidden, _NEIGHBOURS * _FACTOR**2, 1))

    def forward(self, coarse: Tensor, feature: Tensor) -> Tensor:
        """(B, 1, 2 H', 2 W') from (B, 1, H', W')."""
        scores = self.weights(feature).unflatten(1, (_NEIGHBOURS, _FACTOR**2))
        # A softmax written out: for one that isn't along the last axis ONNX Runtime turns the map and turns it back,
        # which took a third of the network's time.
        weights = torch.exp(scores - scores.amax(dim=1, keepdim=True))
        total = (weights * _neighbourhood(coarse).unsqueeze(2)).sum(dim=1)
        return pixel_shuffle(total / weights.sum(dim=1), _FACTOR)


def _neighbourhood(coarse: Tensor) -> Tensor:
    """(B, 9, H', W'): the 3x3 around each pixel, row by row; the border is its own neighbour.

    As slices, and not as ``unfold``, which becomes a table of indices as large as the map in exported graphs.
    """
    bordered = pad(coarse, (1, 1, 1, 1), mode="replicate")
    ends = (-2, -1, None)
    rows = [bordered[:, :, start:end] for start, end in enumerate(ends)]
    return torch.cat([row[..., start:end] for row in rows for start, end in enumerate(ends)], dim=1)


class BlendedUpsampling(nn.Module):
    """A blend of the nearest pixel and of bilinear interpolation: sharp where an edge runs, smooth elsewhere.

    It consists of nothing but what every runtime for phones has.

    Args:
        features: channels of the map that the share of the nearest pixel is made from.
        hidden: width of the layers in between.
    """

    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        self.weights = nn.Sequential(
            *conv_norm(features, hidden, 1),
            *conv_norm(hidden, hidden, 5, groups=hidden),
            nn.Conv2d(hidden, 1, 1, bias=False),
        )

    def forward(self, coarse: Tensor, feature: Tensor) -> Tensor:
        """(B, 1, 2 H', 2 W') from (B, 1, H', W')."""
        nearest = interpolate(coarse, scale_factor=_FACTOR, mode="nearest")
        smooth = _bilinear(coarse)
        share = torch.sigmoid(_bilinear(self.weights(feature)))
        return share * nearest + (1 - share) * smooth


def _bilinear(coarse: Tensor) -> Tensor:
    return interpolate(coarse, scale_factor=_FACTOR, mode="bilinear", align_corners=False)
