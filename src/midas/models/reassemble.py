"""From the encoder's taps to the pyramid that the decoder fuses (DPT paper, section 3.1, "Reassemble")."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import gelu, linear

from midas.models.specs import LevelSpec
from midas.models.taps import Tap


class ProjectReadout(nn.Module):
    """Joins the class token to every other token and projects the pair back to its width ("project", eq. 6).

    Args:
        channels: width of a token.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.projection = nn.Linear(2 * channels, channels)

    def forward(self, tap: Tap) -> Tensor:
        """The map, informed by the class token; same shape."""
        if tap.class_token is None:
            return tap.feature
        # The class token is the same for all tokens of a picture: its half of the product is made once.
        for_token, for_class = self.projection.weight.chunk(2, dim=1)
        shared = linear(tap.class_token, for_class, self.projection.bias)
        tokens = linear(tap.feature.flatten(2).transpose(1, 2), for_token) + shared[:, None]
        return gelu(tokens).transpose(1, 2).reshape_as(tap.feature)


class Level(nn.Module):
    """One tap: readout, 1x1 convolution, change of resolution.

    Args:
        channels: width of the tap.
        spec: what is done to it.
    """

    def __init__(self, channels: int, spec: LevelSpec) -> None:
        super().__init__()
        self.readout = ProjectReadout(channels) if spec.readout == "project" else None
        self.projection = nn.Conv2d(channels, spec.channels, kernel_size=1)
        self.resample = _resampling(spec.channels, spec.scale)

    def forward(self, tap: Tap) -> Tensor:
        """A map of ``spec.channels`` at ``spec.scale`` times the tap's size."""
        feature = tap.feature if self.readout is None else self.readout(tap)
        resampled: Tensor = self.resample(self.projection(feature))
        return resampled


def _resampling(channels: int, scale: float) -> nn.Module:
    if scale > 1:
        factor = round(scale)
        return nn.ConvTranspose2d(channels, channels, kernel_size=factor, stride=factor)
    if scale < 1:
        return nn.Conv2d(channels, channels, kernel_size=3, stride=round(1 / scale), padding=1)
    return nn.Identity()


class Untouched(nn.Module):
    """A tap that is a level of the pyramid as it is."""

    def forward(self, tap: Tap) -> Tensor:
        """Its map."""
        return tap.feature


class Reassemble(nn.Module):
    """Brings each tap to its place in the pyramid, then to the decoder's width by a 3x3 convolution.

    Args:
        channels: the taps' channels, finest level first.
        features: the decoder's widths, finest level first.
        levels: what is done to each tap; None leaves it as it is, and so does an empty tuple to all.
        batch_norm: a batch normalisation after each convolution.
    """

    def __init__(
        self,
        channels: tuple[int, ...],
        features: tuple[int, ...],
        *,
        levels: tuple[LevelSpec | None, ...] = (),
        batch_norm: bool,
    ) -> None:
        super().__init__()
        levels = levels or (None,) * len(channels)
        self.levels = nn.ModuleList(
            Untouched() if level is None else Level(width, level) for width, level in zip(channels, levels, strict=True)
        )
        self.projections = nn.ModuleList()
        for width, level, outer in zip(channels, levels, features, strict=True):
            inner = width if level is None else level.channels
            projection = nn.Sequential(nn.Conv2d(inner, outer, kernel_size=3, padding=1, bias=False))
            if batch_norm:
                projection.append(nn.BatchNorm2d(outer))
            self.projections.append(projection)

    def forward(self, taps: list[Tap]) -> list[Tensor]:
        """One map per tap, in the decoder's widths."""
        return [
            projection(level(tap)) for level, projection, tap in zip(self.levels, self.projections, taps, strict=True)
        ]
