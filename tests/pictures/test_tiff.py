"""A TIFF file gives the right pixels, silently, or a refusal that names it."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, features
from tests.pictures.tiff_files import BLACK_IS_ZERO, PLANES, RGB, WHITE_IS_ZERO, tiff

from midas.errors import ImageError
from midas.pictures.reading import read_image

HEIGHT, WIDTH = 30, 44
ALPHA = {338: [2]}


def colours() -> np.ndarray:
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    return np.stack([rows * 8, columns * 5, 255 - columns * 5], axis=2).astype(np.uint8)


def grey() -> np.ndarray:
    return colours()[..., 0]


def deep(values: np.ndarray) -> np.ndarray:
    return values.astype(np.uint16) * 257


def unit(values: np.ndarray, kind: type = np.float32) -> np.ndarray:
    return (values / 255).astype(kind)


def opaque(values: np.ndarray) -> np.ndarray:
    return np.concatenate([values, np.full_like(values[..., :1], np.iinfo(values.dtype).max)], axis=2)


@pytest.mark.parametrize("options", [{}, {"deflate": True}, {"strips": 4}, {"order": ">"}, {"order": ">", "strips": 3}])
@pytest.mark.parametrize(
    ("pixels", "photometric", "more"),
    [
        (deep(colours()), RGB, {"planar": PLANES}),
        (colours(), RGB, {"planar": PLANES}),
        (unit(colours()), RGB, {"planar": PLANES}),
        (opaque(deep(colours())), RGB, {"planar": PLANES, "extra": ALPHA}),
        (opaque(deep(colours())), RGB, {"planar": PLANES, "extra": {338: [0]}}),
        (deep(colours()), RGB, {}),
        (unit(colours()), RGB, {}),
        (unit(colours(), np.float64), RGB, {}),
        (deep(grey()), BLACK_IS_ZERO, {}),
        (65535 - deep(grey()), WHITE_IS_ZERO, {}),
        (255 - grey(), WHITE_IS_ZERO, {}),
        (1 - unit(grey()), WHITE_IS_ZERO, {}),
        (deep(grey()) >> 4, BLACK_IS_ZERO, {"bits": 12}),
        (4095 - (deep(grey()) >> 4), WHITE_IS_ZERO, {"bits": 12}),
    ],
)
def test_every_layout_gives_its_pixels(
    pixels: np.ndarray, photometric: int, more: dict[str, Any], options: dict[str, Any]
) -> None:
    if more.get("bits") == 12 and "order" in options:
        pytest.skip("12 bits are read in Intel's order alone")
    expected = colours() if pixels.ndim == 3 else np.stack([grey()] * 3, axis=2)
    difference = read_image(tiff(pixels, photometric, **more, **options)).astype(int) - expected
    assert np.abs(difference).max() <= 1  # Pillow keeps the high byte of 16 bits


def test_transparent_planes_are_laid_over_white() -> None:
    pixels = deep(np.dstack([colours(), np.zeros_like(grey())]))
    assert (read_image(tiff(pixels, RGB, planar=PLANES, extra=ALPHA)) == 255).all()


@pytest.mark.parametrize("more", [{274: [6]}, {700: list(b'<x tiff:Orientation="6"/>')}])
@pytest.mark.parametrize("planar", [1, PLANES])
def test_planes_are_turned_as_the_file_says(more: dict[int, list[int]], planar: int) -> None:
    rgb = read_image(tiff(deep(colours()), RGB, planar=planar, extra=more))
    np.testing.assert_allclose(rgb.astype(int), np.rot90(colours(), -1), atol=1)


@pytest.mark.parametrize(
    "data",
    [
        tiff(deep(colours()[..., :2]), BLACK_IS_ZERO),
        tiff(colours().astype(np.uint32), RGB),
        tiff(deep(grey()).astype(np.uint32), WHITE_IS_ZERO),
        tiff(deep(opaque(colours())), 5, planar=PLANES),
        tiff(unit(colours(), np.float64), RGB, planar=PLANES),
    ],
)
def test_a_layout_that_cant_be_read_is_said_to_be_one(data: bytes) -> None:
    with pytest.raises(ImageError, match=r"is a TIFF file of .* bits.*can't be read; expected"):
        read_image(data)


def test_floats_beyond_1_are_refused() -> None:
    with pytest.raises(ImageError, match=r"float values from 0.0 to 2.0.*; expected \[0, 1\]"):
        read_image(tiff(2 * unit(colours()), RGB))


# ── damage ───────────────────────────────────────────────────────────────────────


@contextmanager
def standard_error() -> Iterator[io.BytesIO]:
    """What is written to the descriptor itself, by C code too."""
    heard = io.BytesIO()
    with tempfile.TemporaryFile() as file:
        before = os.dup(2)
        os.dup2(file.fileno(), 2)
        try:
            yield heard
        finally:
            os.dup2(before, 2)
            os.close(before)
            file.seek(0)
            heard.write(file.read())


def compressed(compression: str) -> bytes:
    """A picture that can be compressed, so that damage hits more than pixels."""
    rows, columns = np.mgrid[:200, :300]
    pixels = np.stack([columns * 255 // 299, rows * 255 // 199, columns * rows], axis=2).astype(np.uint8)
    picture = Image.fromarray(pixels[..., 2] > 128) if compression.startswith("group") else Image.fromarray(pixels)
    buffer = io.BytesIO()
    picture.save(buffer, "TIFF", compression=compression)
    return buffer.getvalue()


def damaged(whole: bytes) -> Iterator[bytes]:
    random = np.random.default_rng(1)
    for _ in range(30):
        begin, length = random.integers(8, len(whole) // 2), random.integers(4, 200)
        yield whole[:begin] + random.bytes(length) + whole[begin + length :]


def complaints(data: bytes) -> bytes:
    """What libtiff says to whom nobody listens."""
    with standard_error() as heard, suppress(OSError, SyntaxError), Image.open(io.BytesIO(data)) as image:
        image.load()
    return heard.getvalue()


@pytest.mark.skipif(not features.check("libtiff"), reason="this Pillow has no libtiff")
@pytest.mark.parametrize("compression", ["group3", "group4", "jpeg", "tiff_lzw", "tiff_adobe_deflate", "lzma"])
def test_what_libtiff_complains_of_is_refused_in_silence(compression: str) -> None:
    complained_of = [data for data in damaged(compressed(compression)) if complaints(data)]
    assert complained_of
    with standard_error() as heard:
        for data in complained_of:
            with pytest.raises(ImageError, match=r"the picture of \d+ bytes is damaged or incomplete.*\(.+\)"):
                read_image(data)
    assert heard.getvalue() == b""
    assert complaints(complained_of[0])  # others hear it as before


def test_what_pillow_logs_of_a_file_does_not_reach_standard_error(tmp_path: Path) -> None:
    file = io.BytesIO()
    Image.fromarray(colours()).save(file, "TIFF")
    entry = struct.pack("<HHI", 277, 3, 1)
    assert file.getvalue().count(entry) == 1
    begin, _, end = file.getvalue().partition(entry)
    (tmp_path / "a.tif").write_bytes(begin + entry + struct.pack("<I", 2048) + end[4:])
    code = (
        "import sys; from midas.errors import ImageError; from midas.pictures.reading import read_image\n"
        "try: read_image(sys.argv[1])\nexcept ImageError as error: print(error)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "a.tif")]
    finished = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "a.tif" in finished.stdout
    assert finished.stderr == ""
