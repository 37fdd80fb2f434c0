"""Augmentation: crop, flip and colour changes of a sample, driven by a random generator that the caller seeds."""

from __future__ import annotations

from dataclasses import astuple, dataclass, replace

import cv2
import numpy as np

from midas.arrays import Array, Float32, UInt8
from midas.datasets.sample import PairSample, Sample
from midas.pictures.preprocess import InputSpec


@dataclass(frozen=True)
class PhotometricJitter:
    """Largest changes of colour; each sample draws its own within them.

    Attributes:
        brightness, contrast, saturation: relative, 0.3 means a factor of 0.7 to 1.3.
        gamma: the exponent is drawn between 1 / (1 + gamma) and 1 + gamma.
        hue_deg: rotation of the hue, degrees.
        white_balance: relative change of each channel on its own.
        grey_share: share of samples that lose all colour.
        blur_share: share of samples that are blurred or recompressed, half each.
    """

    brightness: float = 0.3
    contrast: float = 0.3
    saturation: float = 0.3
    gamma: float = 0.3
    hue_deg: float = 10.0
    white_balance: float = 0.1
    grey_share: float = 0.05
    blur_share: float = 0.15

    def scaled(self, strength: float) -> PhotometricJitter:
        """All changes and shares times a factor."""
        return PhotometricJitter(*(strength * value for value in astuple(self)))


def random_crop(sample: Sample, size: tuple[int, int], min_share: float, rng: np.random.Generator) -> Sample:
    """A random crop of the size's aspect ratio, resized to it without stretching.

    Args:
        sample: any size.
        size: (height, width) of the result.
        min_share: the crop's height and width are at least this share of the largest crop that fits.
        rng: drawn from three times.
    """
    height, width = sample.mask.shape
    largest = min(height / size[0], width / size[1])
    factor = largest * rng.uniform(min_share, 1.0)
    crop_height, crop_width = min(round(size[0] * factor), height), min(round(size[1] * factor), width)
    top = int(rng.integers(0, height - crop_height + 1))
    left = int(rng.integers(0, width - crop_width + 1))
    window = (slice(top, top + crop_height), slice(left, left + crop_width))
    return resize_sample(
        replace(sample, image=sample.image[window], disparity=sample.disparity[window], mask=sample.mask[window]), size
    )


def resize_sample(sample: Sample, size: tuple[int, int]) -> Sample:
    """The sample at another size: the picture by area or cubic, the target by nearest so that no depth is invented."""
    height, width = size
    shrinks = height < sample.mask.shape[0]
    image = cv2.resize(sample.image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    disparity = cv2.resize(sample.disparity, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
    mask = cv2.resize(sample.mask.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
    return replace(sample, image=image, disparity=disparity, mask=mask > 0)


def random_rotation(sample: Sample, largest_deg: float, rng: np.random.Generator) -> Sample:
    """The sample turned about its centre, as a camera held askew sees it.

    Pixels from beyond the border are mirrored in the picture and invalid in the target. Nothing is drawn from the
    generator for 0 degrees.
    """
    if not largest_deg:
        return sample
    height, width = sample.mask.shape
    turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), rng.uniform(-largest_deg, largest_deg), 1.0)
    size = (width, height)
    image = cv2.warpAffine(sample.image, turn, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    disparity = cv2.warpAffine(sample.disparity, turn, size, flags=cv2.INTER_NEAREST)
    mask = cv2.warpAffine(sample.mask.astype(np.uint8), turn, size, flags=cv2.INTER_NEAREST)
    return replace(sample, image=image, disparity=disparity, mask=mask > 0)


def random_flip(sample: Sample, rng: np.random.Generator) -> Sample:
    """Mirrored left to right in half of the draws."""
    if rng.random() < 0.5:
        return sample
    return replace(sample, image=sample.image[:, ::-1], disparity=sample.disparity[:, ::-1], mask=sample.mask[:, ::-1])


def random_upside_down(sample: Sample, share: float, rng: np.random.Generator) -> Sample:
    """Turned top to bottom in a share of the draws, against the habit of taking low for near.

    Nothing is drawn from the generator for a share of 0.
    """
    if not share or rng.random() >= share:
        return sample
    return replace(sample, image=sample.image[::-1], disparity=sample.disparity[::-1], mask=sample.mask[::-1])


def resize_pairs(sample: PairSample, size: tuple[int, int], *, flip: bool) -> PairSample:
    """A picture with pairs of points at another size, whole and without regard to its aspect, mirrored or not."""
    height, width = sample.image.shape[:2]
    shrinks = size[0] < height
    image = cv2.resize(sample.image, size[::-1], interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    factor = np.array([size[0] / height, size[1] / width])
    largest = np.array(size) - 1
    first, second = (
        np.minimum((points + 0.5) * factor, largest).astype(np.int64) for points in (sample.first, sample.second)
    )
    if flip:
        image = image[:, ::-1]
        first, second = (np.stack([points[:, 0], largest[1] - points[:, 1]], axis=1) for points in (first, second))
    return replace(sample, image=np.ascontiguousarray(image), first=first, second=second)


def jitter_colours(
    image: UInt8[Array, "H W 3"], jitter: PhotometricJitter, rng: np.random.Generator
) -> UInt8[Array, "H W 3"]:
    """A picture with other light, other colours, and now and then less sharpness."""
    image = np.ascontiguousarray(image)
    if rng.random() < jitter.blur_share:
        image = _degrade(image, rng)
    if rng.random() < jitter.grey_share:
        image = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    else:
        image = _shift_hue_and_saturation(image, jitter, rng)
    gain = rng.uniform(1 - jitter.brightness, 1 + jitter.brightness)
    gains = gain * rng.uniform(1 - jitter.white_balance, 1 + jitter.white_balance, size=3)
    contrast = rng.uniform(1 - jitter.contrast, 1 + jitter.contrast)
    gamma = (1 + jitter.gamma) ** rng.uniform(-1, 1)
    curve = (np.arange(256)[:, None] / 255.0 * gains).clip(0, 1) ** gamma
    curve = (curve - 0.5) * contrast + 0.5
    table = np.rint(curve.clip(0, 1) * 255).astype(np.uint8)
    return cv2.LUT(image, table[None])


def normalize_pixels(image: UInt8[Array, "H W 3"], input_spec: InputSpec) -> Float32[Array, "3 H W"]:
    """A picture as the network takes it, ``(image / 255 - mean) / std``.

    From a table of the 256 values of each channel, in a fifth of the time of the arithmetic. In NumPy: PyTorch's
    threads, one set in each loader process, would take many times as long over so little.
    """
    levels = np.arange(256, dtype=np.float32) / np.float32(255)
    pixels = np.empty((3, *image.shape[:2]), np.float32)
    for channel, (mean, std) in enumerate(zip(input_spec.mean, input_spec.std, strict=True)):
        table = (levels - np.float32(mean)) / np.float32(std)
        np.take(table, image[..., channel], out=pixels[channel], mode="clip")
    return pixels


def normalize_target(sample: Sample, *, keep_zero: bool = False) -> Float32[Array, "H W"]:
    """The disparity scaled and shifted to [0, 1] over the valid pixels, 0 elsewhere.

    Args:
        sample: a picture with its target.
        keep_zero: only scale it where 0 is infinitely far, so that it stays there.
    """
    values = sample.disparity[sample.mask]
    if values.size == 0:
        return np.zeros_like(sample.disparity)
    low = 0.0 if keep_zero and sample.shift_known else float(values.min())
    high = float(values.max())
    scaled = (sample.disparity - low) / max(high - low, 1e-12)
    return np.where(sample.mask, scaled, 0.0).astype(np.float32)


def _degrade(image: UInt8[Array, "H W 3"], rng: np.random.Generator) -> UInt8[Array, "H W 3"]:
    if rng.random() < 0.5:
        return cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.4))
    _, code = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 80))])
    # What was just encoded can be decoded; the array type only says that OpenCV could answer None.
    return np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR))


def _shift_hue_and_saturation(
    image: UInt8[Array, "H W 3"], jitter: PhotometricJitter, rng: np.random.Generator
) -> UInt8[Array, "H W 3"]:
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    levels = np.arange(256)
    # OpenCV keeps hue in steps of two degrees.
    hue = (levels + rng.uniform(-1, 1) * jitter.hue_deg / 2) % 180
    saturation = (levels * rng.uniform(1 - jitter.saturation, 1 + jitter.saturation)).clip(0, 255)
    table = np.rint(np.stack([hue % 180, saturation, levels], axis=-1)).astype(np.uint8)
    return cv2.cvtColor(cv2.LUT(hsv, table[None]), cv2.COLOR_HSV2RGB)
