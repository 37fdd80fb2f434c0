"""JPEG files without their end: shown where next to all is there, refused otherwise."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from midas.errors import DamageWarning, ImageError
from midas.pictures.jpeg import mended
from midas.pictures.reading import read_image, read_reduced

KINDS: dict[str, dict[str, Any]] = {
    "baseline": {},
    "progressive": {"progressive": True},
    "full colour": {"subsampling": 0},
    "restarts": {"restart_marker_rows": 2},
    "grey": {"mode": "L"},
    "cmyk": {"mode": "CMYK"},
    "progressive grey": {"mode": "L", "progressive": True},
}
NAMED = r"bytes ends too early: (9[89](\.\d)?|100) % of the picture is there"


def photograph(height: int = 480, width: int = 640, *, plain: bool = False) -> Image.Image:
    """Noise of several scales, on request over something plain, so that the file's end holds next to nothing."""
    random = np.random.default_rng(0)
    pixels = np.zeros((height, width, 3))
    for cell in (4, 16, 80):
        noise = random.normal(0, 25, (-(-height // cell), -(-width // cell), 3))
        pixels += noise.repeat(cell, axis=0).repeat(cell, axis=1)[:height, :width]
    if plain:
        pixels[height // 2 :] = 60
    return Image.fromarray(np.clip(pixels + 128, 0, 255).astype(np.uint8))


def jpeg(kind: str, **more: Any) -> bytes:
    options = {"quality": 88, **KINDS[kind]}
    mode = options.pop("mode", "RGB")
    buffer = io.BytesIO()
    photograph(**more).convert(mode).save(buffer, "JPEG", **options)
    return buffer.getvalue()


@pytest.mark.parametrize("cut", [1, 2, 3, 10, 60])
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_without_its_last_bytes_is_shown_and_its_share_is_named(kind: str, cut: int) -> None:
    whole = jpeg(kind)
    with pytest.warns(DamageWarning, match=NAMED) as heard:
        rgb = read_image(whole[:-cut])
    assert len(heard) == 1
    assert np.abs(rgb.astype(int) - read_image(whole)).mean() < 1


@pytest.mark.parametrize("cut", [3, 10])
@pytest.mark.parametrize("kind", KINDS)
def test_a_plain_part_at_the_end_makes_no_difference(kind: str, cut: int) -> None:
    with pytest.warns(DamageWarning, match=NAMED):
        read_image(jpeg(kind, plain=True)[:-cut])


@pytest.mark.parametrize("share", [0.9, 0.6, 0.2])
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_lacks_more_is_refused(kind: str, share: float) -> None:
    whole = jpeg(kind)
    with pytest.raises(ImageError, match="damaged or incomplete"):
        read_image(whole[: int(len(whole) * share)])


@pytest.mark.parametrize("cut", [1, 60])
def test_no_file_without_its_end_passes_where_one_is_strict(cut: int, tmp_path: Path) -> None:
    path = tmp_path / "cut.jpg"
    path.write_bytes(jpeg("baseline")[:-cut])
    with pytest.raises(ImageError, match=r"cut\.jpg is damaged or incomplete"):
        read_image(path, strict=True)


def test_the_share_of_a_baseline_file_is_that_of_its_area() -> None:
    whole = jpeg("baseline")
    end = mended(whole[: len(whole) * 3 // 4])
    assert end is not None
    with Image.open(io.BytesIO(end.data)) as image:
        rows = (np.asarray(image) == read_image(whole)).all(axis=(1, 2))
    assert end.share == pytest.approx(rows.mean(), abs=16 / len(rows) + 0.01)


@pytest.mark.parametrize("kind", KINDS)
def test_the_share_falls_with_the_data(kind: str) -> None:
    whole = jpeg(kind)
    ends = [mended(whole[: int(len(whole) * share)]) for share in (0.999, 0.99, 0.97, 0.93)]
    shares = [end.share if end else 0.0 for end in ends]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > 0.98


def test_a_reduced_picture_is_mended_as_well() -> None:
    whole = jpeg("baseline", height=960, width=1280)
    expected, _ = read_reduced(whole, lambda _: (100, 100))
    with pytest.warns(DamageWarning):
        rgb, size = read_reduced(whole[:-20], lambda _: (100, 100))
    assert (size, rgb.shape) == ((960, 1280), expected.shape)
    assert (rgb != expected).any(axis=2).mean() < 0.01


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_file_needs_no_mending(kind: str) -> None:
    assert mended(jpeg(kind)) is None


@given(cut=st.integers(2, 3000), noise=st.binary(max_size=8))
def test_whatever_a_file_ends_with_there_is_a_share_or_nothing(cut: int, noise: bytes) -> None:
    end = mended(jpeg("progressive", height=48, width=64)[:cut] + noise)
    assert end is None or 0 <= end.share <= 1


def test_the_share_is_never_rounded_up() -> None:
    data = jpeg("baseline")[:-8]
    with pytest.warns(DamageWarning) as heard:
        read_image(data)
    (percent,) = re.findall(r"([\d.]+) %", str(heard[0].message))
    end = mended(data)
    assert end is not None
    assert float(percent) <= 100 * end.share < 100
