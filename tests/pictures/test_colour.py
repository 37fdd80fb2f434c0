"""Colours become sRGB by a picture's profile, in whatever format it comes."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from benchmarks.colour_profiles import SPACES, ColourSpace, grey_profile, icc_profile
from PIL import Image, ImageCms
from tests.pictures.tiff_files import PLANES, RGB, tiff

from midas.pictures.formats import IMAGE_SUFFIXES
from midas.pictures.reading import read_image, read_reduced

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
# Inside all of these spaces.
COLOURS = np.random.default_rng(0).integers(60, 200, (6, 8, 3)).repeat(8, axis=0).repeat(8, axis=1).astype(np.uint8)


def stored(space: ColourSpace, colours: np.ndarray = COLOURS) -> Image.Image:
    profile = ImageCms.ImageCmsProfile(io.BytesIO(space.profile()))
    return ImageCms.profileToProfile(Image.fromarray(colours), ImageCms.createProfile("sRGB"), profile)


def encoded(image: Image.Image, file_format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "WEBP"])
def test_every_space_gives_the_same_picture(space: str, file_format: str) -> None:
    options = {"lossless": True} if file_format == "WEBP" else {}
    data = encoded(stored(SPACES[space]), file_format, icc_profile=SPACES[space].profile(), **options)
    np.testing.assert_allclose(read_image(data).astype(int), COLOURS, atol=6)  # rounding, where lights lie far apart


@pytest.mark.parametrize("file_format", ["JPEG", "AVIF"])
def test_lossy_formats_are_converted_too(file_format: str) -> None:
    if file_format == "AVIF" and ".avif" not in IMAGE_SUFFIXES:
        pytest.skip("this Pillow reads no AVIF")
    space = SPACES["ProPhoto RGB"]
    data = encoded(stored(space), file_format, icc_profile=space.profile(), quality=98)
    assert np.abs(read_image(data).astype(int) - COLOURS).mean() < 6


def test_a_reduced_picture_is_converted_too() -> None:
    space = SPACES["ProPhoto RGB"]
    data = encoded(stored(space), "JPEG", icc_profile=space.profile(), quality=98)
    reduced, size = read_reduced(data, lambda _: (6, 8))
    assert (reduced.shape, size) == ((6, 8, 3), (48, 64))
    assert np.abs(reduced.astype(int) - COLOURS[::8, ::8]).mean() < 4


def test_transparency_stays_what_it_was() -> None:
    space = SPACES["ProPhoto RGB"]
    image = stored(space)
    image.putalpha(Image.fromarray(np.where(np.arange(64) < 32, 0, 255).astype(np.uint8)[None].repeat(48, axis=0)))
    rgb = read_image(encoded(image, "PNG", icc_profile=space.profile()))
    assert (rgb[:, :32] == 255).all()
    np.testing.assert_allclose(rgb[:, 32:].astype(int), COLOURS[:, 32:], atol=6)


def test_a_palette_is_converted() -> None:
    space = SPACES["Adobe RGB"]
    data = encoded(stored(space).quantize(256), "PNG", icc_profile=space.profile())
    np.testing.assert_allclose(read_image(data).astype(int), COLOURS, atol=6)


def test_planes_of_16_bits_are_converted() -> None:
    space = SPACES["Adobe RGB"]
    pixels = np.asarray(stored(space)).astype(np.uint16) * 257
    data = tiff(pixels, RGB, planar=PLANES, extra={34675: list(space.profile())})
    np.testing.assert_allclose(read_image(data).astype(int), COLOURS, atol=6)


def test_grey_follows_its_own_profile() -> None:
    ramp = np.arange(256, dtype=np.uint8)[None]
    rgb = read_image(encoded(Image.fromarray(ramp), "PNG", icc_profile=grey_profile(1.0)))
    assert (rgb == rgb[..., :1]).all()
    assert rgb[0, 55, 0] == pytest.approx(128, abs=2)  # a fifth of the light


def test_srgb_leaves_every_value_as_it_is() -> None:
    data = encoded(Image.fromarray(COLOURS), "PNG", icc_profile=SRGB)
    np.testing.assert_array_equal(read_image(data), COLOURS)


@pytest.mark.parametrize(
    "profile", [b"nonsense", SRGB[:300], grey_profile(1.8), icc_profile(b"RGB ", {}), SRGB + bytes(9 << 20)]
)
def test_a_profile_that_is_damaged_or_for_other_values_is_left_aside(profile: bytes) -> None:
    np.testing.assert_array_equal(read_image(encoded(Image.fromarray(COLOURS), "TIFF", icc_profile=profile)), COLOURS)


def test_threads_may_share_a_profile() -> None:
    space = SPACES["Display P3"]
    data = encoded(stored(space), "PNG", icc_profile=space.profile())
    alone = read_image(data)
    with ThreadPoolExecutor(4) as pool:
        for rgb in pool.map(lambda _: read_image(data), range(20)):
            np.testing.assert_array_equal(rgb, alone)
