"""Pictures made worse in known ways: dark, fog, snow, blur of motion and of focus, noise, JPEG, each in five strengths.

What a depth network gives for them is measured by `midas.evaluation.robustness`. Noise, defocus and JPEG have the
strengths of Hendrycks & Dietterich, "Benchmarking Neural Network Robustness to Common Corruptions and Perturbations"
(ImageNet-C, 2019), whose pictures have 224 pixels: lengths grow with the picture's shorter side. The others are this
project's own. Light is added and taken away in linear intensity, not in sRGB codes.

Everything is drawn from a seed, the picture's name and the corruption: the same picture looks the same for every model,
and a stronger corruption is more of the same flakes, or a longer move in the same direction. That is why fog takes its
depth from the target and not from a prediction: where the target is silent it takes the nearest value that there is,
and sky is infinitely far. A fog by the model's own prediction would moreover tell the model what it believes already.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from zlib import crc32

import cv2
import numpy as np

from midas.arrays import Array, Float32, UInt8
from midas.datasets.sample import Sample
from midas.datasets.sky import find_sky
from midas.errors import ConfigError

STRENGTHS = (1, 2, 3, 4, 5)

# Share of the light that is left, and photons that a white pixel of the undarkened picture would have given.
_DARK_LIGHT = (0.3, 0.15, 0.08, 0.04, 0.02)
_WHITE_PHOTONS, _READ_NOISE = 2000.0, 0.0005
# Share of the light from the picture's median depth that comes through.
_FOG_TRANSMISSION = (0.9, 0.8, 0.7, 0.55, 0.4)
_FOG_LIGHT = (0.72, 0.74, 0.77)
# Of a disparity of unknown shift, the farthest is put at this share of the range above zero.
_FARTHEST_SHARE = 0.1
# Share of the picture that each layer's flakes cover, and the light of the veil behind them.
_SNOW_COVER = (0.005, 0.01, 0.016, 0.024, 0.034)
_SNOW_VEIL = (0.03, 0.06, 0.1, 0.15, 0.2)
_SNOW_FLAKE_SHARES = (0.004, 0.008, 0.016)
_MOTION_SHARES = (0.02, 0.04, 0.06, 0.09, 0.12)
# At ImageNet-C's 224 pixels.
_IMAGENET_C_PX = 224.0
_DEFOCUS_PX = (3.0, 4.0, 6.0, 8.0, 10.0)
_NOISE = (0.08, 0.12, 0.18, 0.26, 0.38)
_JPEG_QUALITY = (25, 18, 15, 10, 7)
# The darkest sRGB codes lie 1/3295 of linear intensity apart: so many steps tell them all apart.
_CODE_STEPS = 16383

Corruption = Callable[[Sample, int, np.random.Generator], UInt8[Array, "H W 3"]]


def corrupt(sample: Sample, kind: str, strength: int, *, seed: int = 0) -> Sample:
    """The sample with a worse picture; its target stays as it is.

    Args:
        sample: any size.
        kind: name in ``CORRUPTIONS``.
        strength: 1 to 5.
        seed: another one gives other flakes and other noise.

    Raises:
        ConfigError: no such corruption or strength.
    """
    if kind not in CORRUPTIONS or strength not in STRENGTHS:
        raise ConfigError(
            f"corruption {kind!r} of strength {strength}: expected one of {', '.join(CORRUPTIONS)}, 1 to 5"
        )
    rng = np.random.default_rng((seed, crc32(f"{sample.name} {kind}".encode())))
    return replace(sample, image=CORRUPTIONS[kind](sample, strength - 1, rng))


def dark(sample: Sample, level: int, rng: np.random.Generator) -> UInt8[Array, "H W 3"]:
    """Less light on the sensor, with the noise of so few photons, and no gain to make up for it."""
    light = _to_linear(sample.image) * np.float32(_DARK_LIGHT[level])
    # Shot noise of n photons has the variance n; the sensor's own is added to it.
    deviation = np.sqrt(light / np.float32(_WHITE_PHOTONS) + np.float32(_READ_NOISE**2))
    return _to_codes(light + deviation * rng.standard_normal(light.shape, dtype=np.float32))


def fog(sample: Sample, level: int, rng: np.random.Generator) -> UInt8[Array, "H W 3"]:
    """Light lost with distance and replaced by that of the fog: Koschmieder's law, in units of the median depth."""
    relative_depth = _relative_depth(sample)
    clear = np.exp(np.log(np.float32(_FOG_TRANSMISSION[level])) * relative_depth)
    # Seams between values that were filled in would show as lines.
    clear = cv2.GaussianBlur(clear, (0, 0), max(0.004 * min(clear.shape), 0.5))[..., None]
    light = np.float32(rng.uniform(0.9, 1.1)) * np.array(_FOG_LIGHT, np.float32)
    return _to_codes(_to_linear(sample.image) * clear + light * (1 - clear))


def snow(sample: Sample, level: int, rng: np.random.Generator) -> UInt8[Array, "H W 3"]:
    """Flakes of three sizes, each drawn out by its fall, before a white veil."""
    light = _to_linear(sample.image)
    light += np.float32(_SNOW_VEIL[level]) * (1 - light)
    height, width = light.shape[:2]
    fall_deg = rng.uniform(60, 120)
    for share in _SNOW_FLAKE_SHARES:
        flake_px = max(share * min(height, width), 1.0)
        field = rng.random((max(int(height / flake_px), 1), max(int(width / flake_px), 1)), dtype=np.float32)
        flakes = (field > 1 - _SNOW_COVER[level]).astype(np.float32)
        large = cv2.resize(flakes, (width, height), interpolation=cv2.INTER_CUBIC)
        fallen = cv2.filter2D(large, -1, _streak(3 * flake_px, fall_deg), borderType=cv2.BORDER_REFLECT_101)
        # Three times as long and so a third as bright, but a flake in focus is opaque.
        opacity = np.clip(2.0 * fallen, 0, 1)[..., None].astype(np.float32)
        light += opacity * (np.float32(0.95) - light)
    return _to_codes(light)


def motion_blur(sample: Sample, level: int, rng: np.random.Generator) -> UInt8[Array, "H W 3"]:
    """The camera moved along a line while the shutter was open."""
    light = _to_linear(sample.image)
    kernel = _streak(_MOTION_SHARES[level] * min(light.shape[:2]), rng.uniform(0, 180))
    return _to_codes(cv2.filter2D(light, -1, kernel, borderType=cv2.BORDER_REFLECT_101))


def defocus_blur(sample: Sample, level: int, rng: np.random.Generator) -> UInt8[Array, "H W 3"]:
    """The lens was set to another distance: a disc for every point, everywhere of one size."""
    light = _to_linear(sample.image)
    radius_px = _DEFOCUS_PX[level] * min(light.shape[:2]) / _IMAGENET_C_PX
    return _to_codes(cv2.filter2D(light, -1, _disc(radius_px), borderType=cv2.BORDER_REFLECT_101))


def noise(sample: Sample, level: int, rng: np.random.Generator) -> UInt8[Array, "H W 3"]:
    """Normal noise on the codes, as ImageNet-C has it."""
    codes = sample.image + 255 * _NOISE[level] * rng.standard_normal(sample.image.shape, dtype=np.float32)
    noisy: UInt8[Array, "H W 3"] = np.clip(np.rint(codes), 0, 255).astype(np.uint8)
    return noisy


def jpeg(sample: Sample, level: int, rng: np.random.Generator) -> UInt8[Array, "H W 3"]:
    """Compressed hard."""
    bgr = cv2.cvtColor(sample.image, cv2.COLOR_RGB2BGR)
    _, code = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY[level]])
    # What was just encoded can be decoded; the array type only says that OpenCV could answer None.
    return np.asarray(cv2.cvtColor(np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR)), cv2.COLOR_BGR2RGB))


CORRUPTIONS: dict[str, Corruption] = {
    corruption.__name__: corruption for corruption in (dark, fog, snow, motion_blur, defocus_blur, noise, jpeg)
}


def _relative_depth(sample: Sample) -> Float32[Array, "H W"]:
    """Depth at every pixel in units of the picture's median; 1e3 where it is infinite, 1 where nothing is known."""
    if not sample.mask.any():
        return np.ones(sample.mask.shape, np.float32)
    disparity = sample.disparity
    if not sample.shift_known:
        farthest, low, high = np.percentile(disparity[sample.mask], [2, 5, 95])
        disparity = disparity - np.float32(farthest - _FARTHEST_SHARE * (high - low))
    filled = _nearest_valid(disparity, sample)
    median = float(np.median(filled))
    filled[find_sky(sample)] = 0
    depth: Float32[Array, "H W"] = np.float32(median) / np.maximum(filled, np.float32(1e-3 * median or 1.0))
    return depth


def _nearest_valid(disparity: Float32[Array, "H W"], sample: Sample) -> Float32[Array, "H W"]:
    """The value of the nearest valid pixel, at every pixel."""
    if sample.mask.all():
        return disparity.copy()
    gaps = (~sample.mask).astype(np.uint8)
    _, labels = cv2.distanceTransformWithLabels(gaps, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    of_label = np.zeros(int(labels.max()) + 1, np.float32)
    of_label[labels[sample.mask]] = disparity[sample.mask]
    filled: Float32[Array, "H W"] = of_label[labels]
    return filled


def _streak(length_px: float, angle_deg: float) -> Float32[Array, "k k"]:
    """A kernel that spreads a point over a line, of sum 1."""
    radius = max(int(np.ceil(length_px / 2)), 1)
    along = np.deg2rad(angle_deg)
    tip = np.array([np.cos(along), np.sin(along)]) * length_px / 2
    # OpenCV draws between sixteenths of pixels.
    ends = [tuple(np.rint(16 * (radius + sign * tip)).astype(int).tolist()) for sign in (-1, 1)]
    kernel = np.zeros((2 * radius + 1, 2 * radius + 1), np.uint8)
    cv2.line(kernel, ends[0], ends[1], 255, 1, cv2.LINE_AA, 4)
    weights: Float32[Array, "k k"] = kernel.astype(np.float32) / np.float32(kernel.sum(dtype=np.int64))
    return weights


def _disc(radius_px: float) -> Float32[Array, "k k"]:
    """A kernel that spreads a point over a disc with a soft rim, of sum 1."""
    reach = int(np.ceil(radius_px)) + 1
    down, right = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    weights = np.clip(radius_px + 0.5 - np.hypot(down, right), 0, 1).astype(np.float32)
    normalised: Float32[Array, "k k"] = weights / weights.sum()
    return normalised


def _to_linear(image: UInt8[Array, "H W 3"]) -> Float32[Array, "H W 3"]:
    """sRGB codes to linear intensity from 0 to 1 (IEC 61966-2-1)."""
    codes = np.arange(256, dtype=np.float32) / 255
    table = np.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4).astype(np.float32)
    linear: Float32[Array, "H W 3"] = table[image]
    return linear


def _to_codes(linear: Float32[Array, "H W 3"]) -> UInt8[Array, "H W 3"]:
    """Linear intensity, cut to 0 and 1, to sRGB codes."""
    steps = np.arange(_CODE_STEPS + 1, dtype=np.float32) / np.float32(_CODE_STEPS)
    codes = np.where(steps <= 0.0031308, 12.92 * steps, 1.055 * steps ** (1 / 2.4) - 0.055)
    table = np.rint(255 * codes).astype(np.uint8)
    nearest = (np.clip(linear, 0, 1) * np.float32(_CODE_STEPS) + np.float32(0.5)).astype(np.uint16)
    coded: UInt8[Array, "H W 3"] = table[nearest]
    return coded
