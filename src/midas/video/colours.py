"""Decoded frames become 8-bit RGB pictures, upright: of any sampling, depth, matrix and dynamic range."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from midas.arrays import Array, Float32, UInt8, UInt16

# FFmpeg's numbers (AVColorSpace, AVColorTransferCharacteristic).
_RGB, _BT709, _UNSPECIFIED, _BT601 = 0, 1, 2, (5, 6)
_BT2020 = (9, 10)
_PERCEPTUAL_QUANTIZER, _HYBRID_LOG_GAMMA = 16, 18

# swscale's numbers (SWS_CS_*).
_SWS_709, _SWS_601, _SWS_2020 = 1, 5, 9

_HD_ROWS = 720  # where nothing is said, players take BT.709 from here on
_WHITE_NITS = 203.0  # of what the picture shows as paper: ITU-R BT.2408
_PEAK_NITS = 1000.0
_EXPOSURE = 2.0  # the curve below would show paper as a middle grey

# ITU-R BT.2087: linear BT.2020 → linear BT.709.
_TO_709 = np.array(
    [[1.660491, -0.587641, -0.072850], [-0.124550, 1.132900, -0.008349], [-0.018151, -0.100579, 1.118730]], np.float32
)


class ColourReader:
    """Turns frames of one film into pictures; keeps its converter, whose set-up costs as much as a frame.

    Args:
        av: PyAV.
    """

    def __init__(self, av: Any) -> None:
        self._reformatter = av.video.reformatter.VideoReformatter()

    def rgb(self, frame: Any) -> UInt8[Array, "H W 3"]:
        """The frame's picture, upright; its own colour matrix and range where it names them."""
        high_range = int(frame.color_trc) in (_PERCEPTUAL_QUANTIZER, _HYBRID_LOG_GAMMA)
        converted = self._reformatter.reformat(
            frame,
            format="rgb48le" if high_range else "rgb24",
            src_colorspace=_matrix(frame),
            dst_colorspace=_SWS_709,
            threads=1,
        )
        pixels: Array = converted.to_ndarray()
        if high_range:
            pixels = tone_mapped(pixels, int(frame.color_trc))
        turns = round(getattr(frame, "rotation", 0) / 90) % 4
        upright: Array = np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels
        return upright


def tone_mapped(pixels: UInt16[Array, "H W 3"], transfer: int) -> UInt8[Array, "H W 3"]:
    """A picture of high dynamic range for ordinary screens: light, then Reinhard's curve with a white point, then sRGB.

    Args:
        pixels: 16 bits of code values in BT.2020 primaries.
        transfer: FFmpeg's number of the transfer function: 16 (perceptual quantizer, SMPTE ST 2084) or 18 (hybrid log
            gamma, ITU-R BT.2100).
    """
    light = _light_table(transfer)[pixels] @ (_EXPOSURE * _TO_709.T)
    np.maximum(light, 0, out=light)
    # Reinhard et al., "Photographic Tone Reproduction for Digital Images" (2002), equation 4, on the brightest channel,
    # so that hues stay.
    peak, white = light.max(axis=2, keepdims=True), _EXPOSURE * _PEAK_NITS / _WHITE_NITS
    light *= (1 + peak / white**2) / (1 + peak)
    shown: Array = _srgb_table()[np.minimum(light * 4095 + 0.5, 4095).astype(np.uint16)]
    return shown


@cache
def _light_table(transfer: int) -> Float32[Array, " 65536"]:
    """Code value → light, where 1 is paper white."""
    code = np.arange(65536) / 65535
    if transfer == _PERCEPTUAL_QUANTIZER:
        power = code ** (1 / 78.84375)
        nits = 10000 * (np.maximum(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)) ** (1 / 0.1593017578125)
    else:
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        scene = np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12)
        nits = _PEAK_NITS * scene**1.2
    return np.asarray(nits / _WHITE_NITS, np.float32)


@cache
def _srgb_table() -> UInt8[Array, " 4096"]:
    light = np.arange(4096) / 4095
    encoded = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    codes: Array = np.rint(255 * encoded).astype(np.uint8)
    return codes


def _matrix(frame: Any) -> int:
    said = int(frame.colorspace)
    if said in _BT2020:
        return _SWS_2020
    if said in _BT601:
        return _SWS_601
    if said == _UNSPECIFIED:
        return _SWS_709 if min(frame.width, frame.height) >= _HD_ROWS else _SWS_601
    return _SWS_709
