"""Colours become sRGB, which is what networks have been trained on.

Taken for sRGB as they are, pictures in Display P3 move maps by 1 % of their range in the median of some photographs,
and those in ProPhoto RGB by 2.4 %: `benchmarks/colour_profiles.py`, docs/predict.md.
"""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image

# Larger ones are no profiles of cameras, screens or presses.
_MOST_BYTES = 8 << 20

# A profile that moves no colour by more than this, of 255, is sRGB, whoever made it.
_ROUNDING = 2

# What Pillow calls the kinds of values that profiles are for.
_PROFILED_MODES = ("RGB", "L", "CMYK")


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """A picture as RGB by its colour profile.

    Args:
        image: its values.
        profile: an ICC profile. One that is damaged, or meant for other values, is left aside.

    Returns:
        An RGB image; ``image`` itself where there is nothing to convert.
    """
    if not profile or len(profile) > _MOST_BYTES or image.mode not in _PROFILED_MODES:
        return image
    transform = _transform(bytes(profile), image.mode)
    return image if transform is None else transform.apply(image)


@lru_cache(maxsize=16)
def _transform(profile: bytes, mode: str) -> Any:
    """Pillow's transform from a profile's colours to sRGB; None where none is needed, or can be had."""
    try:
        from PIL import ImageCms  # here, for few pictures need it
    except ImportError:  # a Pillow that was built without
        return None
    try:
        transform = ImageCms.buildTransform(
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
            flags=ImageCms.Flags.NOCACHE,  # several threads may share it
        )
    except (OSError, ImageCms.PyCMSError):
        return None
    if mode == "CMYK":  # of which there is no usual one
        return transform
    patches = _patches(mode)
    changes = np.asarray(transform.apply(patches), np.int16) - np.asarray(patches.convert("RGB"), np.int16)
    return transform if np.abs(changes).max() > _ROUNDING else None


def _patches(mode: str) -> Image.Image:
    """Colours, or greys, from all over the space of these values."""
    levels = np.arange(0, 256, 15, dtype=np.uint8)
    if mode == "L":
        return Image.fromarray(levels[None])
    colours = np.stack(np.meshgrid(levels, levels, levels), axis=-1)
    return Image.fromarray(colours.reshape(len(levels), -1, 3))
