"""What a camera makes of radiance: haze, exposure, white balance, bloom, tone curve, lens, noise."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from midas.arrays import Array, Float32, UInt8
from midas.scenes.rendered.depth_files import sky_mask

LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)


@dataclass(frozen=True)
class View:
    """One rendered view, as the generator gives it.

    Attributes:
        radiance: linear, denoised, sRGB primaries, no unit.
        depth_m: along the axis at pixel centres; infinite where nothing was hit.
        distance_m: the same with antialiased edges, for haze; None for a view without haze.
        haze_m: distance after which two thirds of the light are haze; infinite for clear air.
        night: lit by lamps under a black sky.
        exposure_ev: what the photographer corrects, in stops.
    """

    radiance: Float32[Array, "H W 3"]
    depth_m: Float32[Array, "H W"]
    distance_m: Float32[Array, "H W"] | None = None
    haze_m: float = np.inf
    night: bool = False
    exposure_ev: float = 0.0


def develop(view: View, rng: np.random.Generator, *, grain: np.random.Generator | None = None) -> UInt8[Array, "H W 3"]:
    """The photograph, sRGB. The same generator state gives the same pixels.

    Args:
        view: what was rendered.
        rng: chance of camera and photographer.
        grain: of the sensor's noise, which in a film is another in each frame; None takes ``rng`` for it too.
    """
    light = np.maximum(np.nan_to_num(view.radiance.astype(np.float32), posinf=0.0), 0.0)
    light = _with_haze(light, view)
    light = light * _exposure(light, view, rng)
    light = light * _white_balance(light, view, rng)
    light = _with_bloom(light, rng)
    light = _with_vignette(light, rng)
    coded = _tone_curve(light, rng)
    coded = _with_saturation(coded, rng)
    coded = _with_noise(coded, view.night, rng, grain or rng)
    return np.asarray(np.clip(_sharpened(coded, rng), 0, 1) * 255 + 0.5, np.uint8)


def _with_haze(light: Float32[Array, "H W 3"], view: View) -> Float32[Array, "H W 3"]:
    if view.distance_m is None or not np.isfinite(view.haze_m):
        return light
    sky = sky_mask(view.depth_m)
    share = 1 - np.exp(-np.minimum(view.distance_m, 10 * view.haze_m) / view.haze_m)
    # The sky's own colour is haze already, of which its lower part has most.
    share = np.where(sky, np.minimum(share, 0.25), share)[..., None].astype(np.float32)
    source = (
        light[sky] if sky.mean() > 0.02 else light.reshape(-1, 3)[light.sum(-1).ravel().argsort()[-light.size // 30 :]]
    )
    colour = np.percentile(source, 50, axis=0).astype(np.float32)
    return np.asarray(light * (1 - share) + colour * share, np.float32)


def _exposure(light: Float32[Array, "H W 3"], view: View, rng: np.random.Generator) -> float:
    luminance = light @ LUMA
    sky = sky_mask(view.depth_m)
    # A photographer exposes for what there is, not for the sky above it.
    metered = luminance[~sky] if 0.2 < 1 - sky.mean() < 0.99 else luminance.ravel()
    key = float(np.exp(np.log(metered + 1e-5).mean()))
    high = float(np.percentile(metered, 96)) ** 0.45 * float(np.percentile(luminance, 97)) ** 0.55
    gain = min(0.19 / max(key, 1e-6), 1.5 / max(high, 1e-6))
    stops = view.exposure_ev + float(np.clip(rng.normal(0, 0.3), -0.7, 0.6))
    return float(gain * 2**stops * (0.65 if view.night else 1.0))


def _white_balance(light: Float32[Array, "H W 3"], view: View, rng: np.random.Generator) -> Float32[Array, " 3"]:
    mean = light.reshape(-1, 3).mean(axis=0) + 1e-6
    # Cameras take out part of the light's colour; the rest is what evening and lamps look like.
    strength = rng.uniform(0.2, 0.5) if view.night else rng.uniform(0.4, 0.75)
    gains = np.clip((mean[1] / mean) ** strength, 0.55, 1.9)
    taste = np.array([2 ** rng.normal(0, 0.06), 1.0, 2 ** rng.normal(0, 0.08)])
    return np.asarray(gains * taste, np.float32)


def _with_bloom(light: Float32[Array, "H W 3"], rng: np.random.Generator) -> Float32[Array, "H W 3"]:
    strength = rng.uniform(0.0, 0.07)
    bright = np.clip(light - 1.0, 0, 8)
    sigma_px = light.shape[1] * rng.uniform(0.008, 0.03)
    return np.asarray(light + strength * cv2.GaussianBlur(bright, (0, 0), sigma_px), np.float32)


def _with_vignette(light: Float32[Array, "H W 3"], rng: np.random.Generator) -> Float32[Array, "H W 3"]:
    height, width = light.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    radius2 = ((x - width / 2) ** 2 + (y - height / 2) ** 2) / ((width**2 + height**2) / 4)
    return np.asarray(light * (1 - rng.uniform(0, 0.3) * radius2)[..., None], np.float32)


def _tone_curve(light: Float32[Array, "H W 3"], rng: np.random.Generator) -> Float32[Array, "H W 3"]:
    """From scene-linear light to sRGB codes by a curve with toe and shoulder.

    Half of it is the usual rational fit of the ACES film curve (Narkowicz, 2015), half an exponential shoulder.
    """
    x = light * 0.9
    film = np.clip(x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14), 0, 1)
    soft = 1 - np.exp(-1.1 * light)
    mixed = film + (soft - film) * rng.uniform(0.1, 0.7)
    return np.where(mixed <= 0.0031308, 12.92 * mixed, 1.055 * np.maximum(mixed, 1e-8) ** (1 / 2.4) - 0.055).astype(
        np.float32
    )


def _with_saturation(coded: Float32[Array, "H W 3"], rng: np.random.Generator) -> Float32[Array, "H W 3"]:
    grey = (coded @ LUMA)[..., None]
    return np.asarray(grey + (coded - grey) * rng.uniform(0.95, 1.25), np.float32)


def _with_noise(
    coded: Float32[Array, "H W 3"], night: bool, rng: np.random.Generator, chance: np.random.Generator
) -> Float32[Array, "H W 3"]:
    level = rng.choice([0.003, 0.006, 0.010, 0.016]) * (1.6 if night else 1.0)
    grain = chance.normal(size=coded.shape).astype(np.float32)
    grain = 0.6 * grain + 0.4 * grain.mean(axis=-1, keepdims=True) * 3**0.5
    # Cameras smooth it before we see it; darker parts have more.
    grain = 1.5 * cv2.GaussianBlur(grain, (0, 0), 0.6)
    return np.asarray(coded + grain * level * (1.25 - coded), np.float32)


def _sharpened(coded: Float32[Array, "H W 3"], rng: np.random.Generator) -> Float32[Array, "H W 3"]:
    return np.asarray(coded + rng.uniform(0.0, 0.5) * (coded - cv2.GaussianBlur(coded, (0, 0), 0.8)), np.float32)
