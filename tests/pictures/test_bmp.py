"""BMP files of any layout of bits."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from midas.errors import ImageError
from midas.pictures.reading import read_image

HEIGHT, WIDTH = 5, 7
PIXELS = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)

LAYOUTS = {
    "565": (0xF800, 0x7E0, 0x1F),
    "555": (0x7C00, 0x3E0, 0x1F),
    "444": (0xF00, 0xF0, 0xF),
    "231": (0x30, 0xE, 0x1),
    "565 from blue on": (0x1F, 0x7E0, 0xF800),
    "888": (0xFF0000, 0xFF00, 0xFF),
    "888 from red on": (0xFF, 0xFF00, 0xFF0000),
    "888 with a gap": (0xFF, 0xFF0000, 0xFF00),
    "101010": (0x3FF00000, 0xFFC00, 0x3FF),
    "18 bits of red": (0xFFFFC000, 0x3F80, 0x7F),
}


def bitmap(masks: tuple[int, ...], bits: int, header: int, *, from_above: bool = False, alpha: int = 255) -> bytes:
    """A file whose colours lie under these masks."""
    channels = [*np.moveaxis(PIXELS, 2, 0), np.full((HEIGHT, WIDTH), alpha)]
    codes = np.zeros((HEIGHT, WIDTH), np.uint64)
    for channel, mask in zip(channels, masks, strict=False):
        shift = (mask & -mask).bit_length() - 1
        codes |= np.rint(channel / 255 * (mask >> shift)).astype(np.uint64) << np.uint64(shift)
    rows = codes.astype(f"<u{bits // 8}")[:: 1 if from_above else -1]
    stride = (WIDTH * bits + 31) // 32 * 4
    body = b"".join(row.tobytes().ljust(stride, b"\0") for row in rows)
    height = -HEIGHT if from_above else HEIGHT
    info = struct.pack("<IiiHHIIiiII", header, WIDTH, height, 1, bits, 3, len(body), 2835, 2835, 0, 0)
    info += struct.pack(f"<{len(masks)}I", *masks)
    info = info[: 40 + 12] if header == 40 else info.ljust(header, b"\0")[:header]
    begin = 14 + len(info)
    return b"BM" + struct.pack("<IHHI", begin + len(body), 0, 0, begin) + info + body


@pytest.mark.parametrize("header", [40, 52, 56, 108, 124])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("from_above", [False, True])
def test_colours_lie_under_their_masks(layout: str, header: int, from_above: bool) -> None:
    masks = LAYOUTS[layout]
    rgb = read_image(bitmap(masks, 16 if max(masks) < 1 << 16 else 32, header, from_above=from_above))
    steps = [255 / (mask // (mask & -mask)) for mask in masks]
    assert (np.abs(rgb.astype(int) - PIXELS) <= np.ceil(np.array(steps) / 2) + 1).all()


@pytest.mark.parametrize("masks", [(0xF00, 0xF0, 0xF, 0xF000), (0xFF0000, 0xFF00, 0xFF, 0xFF000000)])
def test_alpha_counts_unless_it_is_0_everywhere(masks: tuple[int, ...]) -> None:
    bits = 16 if max(masks) < 1 << 16 else 32
    opaque, unset, half = (read_image(bitmap(masks, bits, 56, alpha=alpha)) for alpha in (255, 0, 128))
    np.testing.assert_array_equal(opaque, unset)
    assert (half >= opaque).all()
    assert half.mean() > opaque.mean() + 30


@pytest.mark.parametrize("cut", [1, 30, 60])
def test_a_cut_file_is_refused(cut: int) -> None:
    with pytest.raises(ImageError, match="damaged or incomplete"):
        read_image(bitmap(LAYOUTS["444"], 16, 52)[:-cut])
