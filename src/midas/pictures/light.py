"""The screen's codes (sRGB) as light and back: what is averaged, blurred or mixed is light."""

from __future__ import annotations

from functools import cache

import numpy as np

from midas.arrays import Array, Float32, UInt8

_STEPS = 1 << 14


def to_light(image: UInt8[Array, "*shape"]) -> Float32[Array, "*shape"]:
    """Light from 0 to 1 of codes from 0 to 255: IEC 61966-2-1."""
    light: Array = _light_of_codes()[image]
    return light


def to_screen(light: Float32[Array, "*shape"]) -> UInt8[Array, "*shape"]:
    """Codes of light; what is darker than 0 or brighter than 1 is cut off."""
    steps = np.clip(light, 0, 1) * np.float32(_STEPS)
    steps += np.float32(0.5)
    codes: Array = _codes_of_steps()[steps.astype(np.int32)]
    return codes


@cache
def _light_of_codes() -> Float32[Array, " 256"]:
    screen = np.arange(256) / 255
    light: Array = np.where(screen <= 0.04045, screen / 12.92, ((screen + 0.055) / 1.055) ** 2.4).astype(np.float32)
    return light


@cache
def _codes_of_steps() -> UInt8[Array, " steps"]:
    light = np.arange(_STEPS + 1) / _STEPS
    screen = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    codes: Array = np.rint(screen * 255).astype(np.uint8)
    return codes
