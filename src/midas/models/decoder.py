"""The fusion decoder: from the coarsest map upwards, add the next finer one, refine, enlarge."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import interpolate, relu

from midas.models.specs import DecoderSpec
from midas.models.strip_pooling import StripPooling


class ResidualConvUnit(nn.Module):
    """ReLU, 3x3 convolution, twice, added to the input (DPT paper, after RefineNet).

    Args:
        features: channels in and out.
        spec: normalisation, and whether the input is added as it is or rectified.
    """

    def __init__(self, features: int, spec: DecoderSpec) -> None:
        super().__init__()
        self.rectified_skip = spec.rectified_skip
        layers: list[nn.Module] = []
        for _ in range(2):
            layers += [nn.ReLU(), nn.Conv2d(features, features, kernel_size=3, padding=1, bias=not spec.batch_norm)]
            if spec.batch_norm:
                layers.append(nn.BatchNorm2d(features))
        self.layers = nn.Sequential(*layers)

    def forward(self, feature: Tensor) -> Tensor:
        """Refined map of the same shape."""
        skip = relu(feature) if self.rectified_skip else feature
        refined: Tensor = skip + self.layers(feature)
        return refined


class FusionBlock(nn.Module):
    """Join the map from below with the skip of this level, refine, change width, enlarge by two.

    Args:
        features: channels of this level.
        out_features: channels handed to the next finer level.
        has_skip: False at the coarsest level, where there is nothing to join.
        spec: normalisation, projection and upsampling convention.
    """

    def __init__(self, features: int, out_features: int, *, has_skip: bool, spec: DecoderSpec) -> None:
        super().__init__()
        self.align_corners = spec.align_corners
        self.refine_skip = ResidualConvUnit(features, spec) if has_skip else None
        self.refine = ResidualConvUnit(features, spec)
        self.project = nn.Sequential()
        if spec.projection:
            self.project.append(nn.Conv2d(features, out_features, kernel_size=1, bias=not spec.batch_norm))
        if spec.batch_norm:
            # The training loss doesn't see the scale of the output. Unchecked, the coarse map grows from block to block
            # until the finer maps added to it no longer count, and every edge is lost.
            self.project.append(nn.BatchNorm2d(out_features))

    def forward(self, feature: Tensor, skip: Tensor | None = None, finer: Tensor | None = None) -> Tensor:
        """Map as large as the finer one, or of twice its own size, in ``out_features`` channels."""
        if skip is not None and self.refine_skip is not None:
            feature = feature + self.refine_skip(skip)
        # Linear maps commute: projecting before enlarging gives the same numbers for a quarter of the work.
        narrow = self.project(self.refine(feature))
        size, factor = (None, 2) if finer is None else (finer.shape[-2:], None)
        return interpolate(narrow, size, factor, mode="bilinear", align_corners=self.align_corners)


class Decoder(nn.Module):
    """Fusion blocks from the coarsest level to the finest; the result has half the finest level's stride.

    Args:
        spec: widths per level and conventions.
    """

    def __init__(self, spec: DecoderSpec) -> None:
        super().__init__()
        self.match_skip = spec.match_skip
        self.widths = widths = spec.features
        self.strips = StripPooling(widths[-1], spec.strip_pooling) if spec.strip_pooling else None
        self.blocks = nn.ModuleList(
            FusionBlock(width, widths[max(level - 1, 0)], has_skip=level < len(widths) - 1, spec=spec)
            for level, width in enumerate(widths)
        )

    def forward(self, features: list[Tensor]) -> Tensor:
        """(B, features, 2 H', 2 W') from maps whose finest is (B, features, H', W')."""
        feature, skip = features[-1], None
        if self.strips is not None:
            feature = self.strips(feature)
        for level in range(len(features) - 1, -1, -1):
            finer = features[level - 1] if level > 0 else None
            # A finer map can have an odd side, which doubling would miss.
            feature = self.blocks[level](feature, skip, finer if self.match_skip else None)
            skip = finer
        return feature
