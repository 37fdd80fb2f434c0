"""The effects by name: what each makes of a picture, and which work frame by frame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from midas.arrays import Array, Float32, UInt8
from midas.effects.anaglyph import AnaglyphColors, anaglyph
from midas.effects.bokeh import APERTURE, bokeh
from midas.effects.rgbd import color_and_depth
from midas.effects.stereo import CONVERGENCE, DIVERGENCE, StereoPair, stereo_pair
from midas.errors import ConfigError

StereoLayout = Literal["side-by-side", "half", "crossed", "top-bottom"]
Frame = UInt8[Array, "H W 3"]
FrameEffect = Callable[[UInt8[Array, "H W 3"], Float32[Array, "H W"]], UInt8[Array, "H2 W2 3"]]


@dataclass(frozen=True)
class EffectOptions:
    """Settings of all effects; each takes its own.

    Attributes:
        divergence: of stereo and anaglyph, in percent of the width.
        convergence: nearness in the plane of the screen.
        layout: of stereo.
        colors: of anaglyph.
        focus: nearness that stays sharp.
        aperture: of bokeh, in percent of the longer side.
    """

    divergence: float = DIVERGENCE
    convergence: float = CONVERGENCE
    layout: StereoLayout = "side-by-side"
    colors: AnaglyphColors = "dubois"
    focus: float = 1.0
    aperture: float = APERTURE


FRAME_EFFECTS = ("stereo", "anaglyph", "bokeh", "rgbd")


def frame_effect(name: str, options: EffectOptions = EffectOptions()) -> FrameEffect:
    """A function of a picture and its nearness, to be called for each picture, or for each frame of a film.

    A film is steady if its nearness is: the same window of values for frames of a shot, without jumps.

    Raises:
        ConfigError: no such effect, or not one that works frame by frame.
    """
    made: dict[str, FrameEffect] = {
        "stereo": lambda image, nearness: laid_out(_pair(image, nearness, options), options.layout),
        "anaglyph": lambda image, nearness: anaglyph(_pair(image, nearness, options), options.colors),
        "bokeh": lambda image, nearness: bokeh(image, nearness, focus=options.focus, aperture=options.aperture),
        "rgbd": color_and_depth,
    }
    if name not in made:
        raise ConfigError(f"no effect {name!r} works frame by frame: expected one of {', '.join(FRAME_EFFECTS)}")
    return made[name]


def laid_out(pair: StereoPair, layout: StereoLayout) -> UInt8[Array, "H2 W2 3"]:
    """Both views in one picture."""
    if layout == "top-bottom":
        return pair.top_bottom()
    return pair.side_by_side(half=layout == "half", crossed=layout == "crossed")


def _pair(image: UInt8[Array, "H W 3"], nearness: Float32[Array, "H W"], options: EffectOptions) -> StereoPair:
    return stereo_pair(image, nearness, divergence=options.divergence, convergence=options.convergence)
