"""Pictures made of a picture and its depth: for two eyes, with a shallow focus, moving, as normals.

Each effect is a function on arrays, of a picture (uint8 RGB) and of nearness: float32 of the same size, 1 for the
nearest and 0 for the farthest, an affine function of inverse depth. ``table`` lists them; those that work frame by
frame can be called for each frame of a film, whose nearness must then be steady.
"""

from midas.effects.anaglyph import anaglyph
from midas.effects.bokeh import bokeh
from midas.effects.films import FILM_EFFECTS, film_effect
from midas.effects.normals import normal_picture
from midas.effects.parallax import parallax_frames
from midas.effects.stereo import StereoPair, stereo_pair
from midas.effects.table import FRAME_EFFECTS, EffectOptions, frame_effect

__all__ = [
    "FILM_EFFECTS",
    "FRAME_EFFECTS",
    "EffectOptions",
    "StereoPair",
    "anaglyph",
    "bokeh",
    "film_effect",
    "frame_effect",
    "normal_picture",
    "parallax_frames",
    "stereo_pair",
]
