"""Whatever a picture comes as, it becomes RGB uint8 (H, W, 3), or an ImageError says why not."""

from __future__ import annotations

import inspect
import io
import os
import struct
import warnings
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFile
from PIL.PngImagePlugin import PngInfo

from midas.errors import ImageError
from midas.pictures.formats import IMAGE_SUFFIXES, is_image_path
from midas.pictures.reading import read_image, read_reduced

WHITE, BLACK = (255, 255, 255), (0, 0, 0)


def smooth_picture(height: int = 40, width: int = 60) -> np.ndarray:
    """A picture that JPEG keeps nearly as it is: red grows downwards, green to the right, blue is even."""
    red, green = np.mgrid[0:height, 0:width]
    return np.stack([red * 255 // height, green * 255 // width, np.full_like(red, 90)], axis=2).astype(np.uint8)


def encoded(picture: np.ndarray | Image.Image, file_format: str, **options: Any) -> bytes:
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def png(width: int, height: int, bit_depth: int, colour_type: int, scanlines: bytes) -> bytes:
    """A PNG file put together by hand: Pillow can't write 16-bit RGB."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, bit_depth, colour_type, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(scanlines)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def exif_of_orientation(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


# ── sources ──────────────────────────────────────────────────────────────────────


def test_every_kind_of_source_gives_the_same_picture(tmp_path: Path) -> None:
    picture = smooth_picture()
    data = encoded(picture, "PNG")
    path = tmp_path / "picture.png"
    path.write_bytes(data)
    with path.open("rb") as file:
        opened = Image.open(io.BytesIO(data))
        sources = [str(path), path, data, bytearray(data), memoryview(data), io.BytesIO(data), file, opened, picture]
        for source in sources:
            np.testing.assert_array_equal(read_image(source), picture)


def test_the_suffix_of_a_file_doesnt_matter(tmp_path: Path) -> None:
    path = tmp_path / "picture.txt"
    path.write_bytes(encoded(smooth_picture(), "PNG"))
    np.testing.assert_array_equal(read_image(path), smooth_picture())


def test_a_file_that_cant_be_rewound_is_read_too() -> None:
    read_end, write_end = os.pipe()
    with os.fdopen(read_end, "rb") as reader, os.fdopen(write_end, "wb") as writer:
        writer.write(encoded(smooth_picture(), "PNG"))
        writer.close()
        np.testing.assert_array_equal(read_image(reader), smooth_picture())


def test_a_file_at_its_end_is_read_from_its_beginning() -> None:
    written = io.BytesIO()
    Image.fromarray(smooth_picture()).save(written, "PNG")
    np.testing.assert_array_equal(read_image(written), smooth_picture())


def test_a_contiguous_rgb_array_is_not_copied() -> None:
    picture = smooth_picture()
    assert read_image(picture) is picture


def test_a_pil_image_is_left_as_it_was() -> None:
    image = Image.open(io.BytesIO(encoded(Image.new("LA", (4, 4), (10, 20)), "PNG", exif=exif_of_orientation(6))))
    read_image(image)
    assert (image.mode, image.getexif()[0x0112]) == ("LA", 6)


@pytest.mark.parametrize("source", [None, 3, ["photo.jpg"], io.StringIO("photo")])
def test_another_kind_of_source_is_refused(source: Any) -> None:
    untyped_read_image = inspect.unwrap(read_image)  # else the tests' own type check comes first
    with pytest.raises(ImageError, match=f"{type(source).__name__} is not a picture; expected a path"):
        untyped_read_image(source)


# ── formats ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "BMP", "PPM"])
def test_lossless_formats_give_the_exact_picture(file_format: str) -> None:
    np.testing.assert_array_equal(read_image(encoded(smooth_picture(), file_format)), smooth_picture())


@pytest.mark.parametrize("file_format", ["JPEG", "WEBP", "AVIF"])
def test_lossy_formats_give_nearly_the_picture(file_format: str) -> None:
    if f".{file_format.lower()}" not in IMAGE_SUFFIXES | {".jpeg"}:
        pytest.skip(f"this Pillow reads no {file_format}")
    rgb = read_image(encoded(smooth_picture(), file_format, quality=95)).astype(int)
    assert np.abs(rgb - smooth_picture()).max() < 16


def test_heic_gives_nearly_the_picture() -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    buffer = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(smooth_picture(64, 64))).save(buffer, quality=95)
    assert np.abs(read_image(buffer.getvalue()).astype(int) - smooth_picture(64, 64)).max() < 24


def test_a_picture_larger_than_one_strip_is_whole() -> None:
    picture = smooth_picture(700, 800)
    np.testing.assert_array_equal(read_image(encoded(picture, "BMP")), picture)


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_grey_becomes_three_equal_channels(file_format: str) -> None:
    options = {"lossless": True} if file_format == "WEBP" else {}
    grey = np.full((5, 7), 77, np.uint8)
    np.testing.assert_array_equal(read_image(encoded(grey, file_format, **options)), np.full((5, 7, 3), 77))


def test_black_and_white_becomes_0_and_255() -> None:
    bits = np.array([[True, False], [False, True]])
    np.testing.assert_array_equal(read_image(encoded(Image.fromarray(bits), "PNG"))[..., 0], bits * 255)


@pytest.mark.parametrize("file_format", ["PNG", "GIF", "TIFF"])
def test_a_palette_becomes_its_colours(file_format: str) -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.putdata([0, 1])
    rgb = read_image(encoded(image, file_format))
    np.testing.assert_array_equal(rgb, [[[10, 20, 30], [200, 100, 50]]])


def test_the_first_frame_of_an_animation_counts() -> None:
    frames = [Image.new("RGB", (3, 2), colour) for colour in ("red", "lime", "blue")]
    for file_format in ("GIF", "PNG", "TIFF"):
        data = encoded(frames[0], file_format, save_all=True, append_images=frames[1:])
        np.testing.assert_array_equal(read_image(data)[0, 0], (255, 0, 0), err_msg=file_format)


@pytest.mark.parametrize("file_format", ["JPEG", "TIFF"])
def test_cmyk_becomes_rgb(file_format: str) -> None:
    data = encoded(Image.new("RGB", (16, 16), (200, 40, 90)).convert("CMYK"), file_format)
    assert np.abs(read_image(data).astype(int) - (200, 40, 90)).max() < 8


# ── 16 bits ──────────────────────────────────────────────────────────────────────

RAMP = np.linspace(0, 65535, 60).astype(np.uint16).reshape(6, 10)


@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "PGM"])
def test_16_bit_grey_is_scaled_and_not_cut_off(file_format: str) -> None:
    pgm = b"P5 10 6 65535\n" + RAMP.astype(">u2").tobytes()
    data = pgm if file_format == "PGM" else encoded(RAMP, file_format)
    expected = np.rint(RAMP / 257).astype(np.uint8)
    np.testing.assert_array_equal(read_image(data), np.stack([expected] * 3, axis=2))


def test_16_bit_rgb_is_scaled_and_not_cut_off() -> None:
    colours = np.stack([RAMP, RAMP[::-1], RAMP // 2], axis=2)
    scanlines = b"".join(b"\0" + row.astype(">u2").tobytes() for row in colours)
    rgb = read_image(png(10, 6, 16, 2, scanlines))
    assert np.abs(rgb - colours / 257).max() < 1  # Pillow keeps the high byte


def test_float_values_from_0_to_1_are_scaled() -> None:
    expected = np.rint(np.linspace(0, 1, 12).reshape(3, 4) * 255)
    data = encoded(Image.fromarray(np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)), "TIFF")
    np.testing.assert_array_equal(read_image(data)[..., 1], expected)


@pytest.mark.parametrize(
    "values", [np.full((3, 3), 255.0, np.float32), np.full((3, 3), 70000, np.int32), np.full((3, 3), -1, np.int32)]
)
def test_values_of_unknown_range_in_a_file_are_refused(values: np.ndarray) -> None:
    with pytest.raises(ImageError, match=r"the picture of \d+ bytes, with '[IF]' values,.* expected"):
        read_image(encoded(Image.fromarray(values), "TIFF"))


# ── arrays ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("dtype", ["uint8", "uint16", ">u2", "float16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(4, 5, 3), (4, 5), (4, 5, 1), (4, 5, 4)])
def test_arrays_of_each_type_and_shape_mean_the_same_picture(dtype: str, shape: tuple[int, ...]) -> None:
    full = {"u": 255 if dtype == "uint8" else 65535, "f": 1}[np.dtype(dtype).kind]
    rgb = read_image(np.full(shape, full, dtype))
    np.testing.assert_array_equal(rgb, np.full((4, 5, 3), 255, np.uint8))
    assert rgb.dtype == np.uint8


def test_uint16_and_float_arrays_are_rounded() -> None:
    np.testing.assert_array_equal(read_image(RAMP)[..., 0], np.rint(RAMP / 257))
    np.testing.assert_array_equal(read_image(RAMP / 65535)[..., 0], np.rint(RAMP / 257))


def test_a_view_of_an_array_comes_out_contiguous() -> None:
    rgb = read_image(smooth_picture()[::-1, ::2])
    assert rgb.flags.c_contiguous
    np.testing.assert_array_equal(rgb, smooth_picture()[::-1, ::2])


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((3, 4, 5), np.uint8), r"expected the shape \(H, W, 3\)"),
        (np.zeros((4, 5, 2), np.uint8), r"expected the shape \(H, W, 3\)"),
        (np.zeros(7, np.uint8), r"expected the shape \(H, W, 3\)"),
        (np.zeros((1, 4, 5, 3), np.uint8), r"expected the shape \(H, W, 3\)"),
        (np.zeros((4, 5, 3), np.int64), "expected uint8"),
        (np.zeros((4, 5), bool), "expected uint8"),
        (np.full((4, 5, 3), 255.0), r"from 255.0 to 255.0; expected \[0, 1\]"),
        (np.full((4, 5, 3), -0.1), r"expected \[0, 1\]"),
        (np.full((4, 5, 3), np.nan), r"expected \[0, 1\]"),
        (np.zeros((0, 5, 3), np.uint8), "no pixels"),
        (np.zeros((5, 0)), "no pixels"),
    ],
)
def test_an_array_that_is_no_picture_is_refused(array: np.ndarray, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        read_image(array)


# ── alpha ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "TIFF"])
def test_alpha_is_composited_over_white(file_format: str) -> None:
    options = {"lossless": True, "exact": True} if file_format == "WEBP" else {}
    pixels = np.array([[(200, 0, 0, 255), (200, 0, 0, 0), (200, 0, 0, 51)]], np.uint8)
    expected = [[(200, 0, 0), WHITE, (244, 204, 204)]]
    np.testing.assert_array_equal(read_image(encoded(pixels, file_format, **options)), expected)
    np.testing.assert_array_equal(read_image(pixels), expected)


def test_grey_with_alpha_is_composited_over_white() -> None:
    image = Image.new("LA", (2, 1))
    image.putdata([(40, 255), (40, 0)])
    np.testing.assert_array_equal(read_image(encoded(image, "PNG")), [[(40, 40, 40), WHITE]])


@pytest.mark.parametrize("transparency", [0, b"\x00\xff"])
@pytest.mark.parametrize("file_format", ["PNG", "GIF"])
def test_a_transparent_palette_entry_is_white(transparency: int | bytes, file_format: str) -> None:
    if file_format == "GIF" and isinstance(transparency, bytes):
        pytest.skip("GIF has one transparent entry")
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.putdata([0, 1])
    data = encoded(image, file_format, transparency=transparency)
    np.testing.assert_array_equal(read_image(data), [[WHITE, (200, 100, 50)]])


@pytest.mark.parametrize(("mode", "transparency"), [("L", 0), ("RGB", BLACK)])
def test_a_transparent_colour_is_white(mode: str, transparency: Any) -> None:
    data = encoded(Image.new(mode, (2, 2)), "PNG", transparency=transparency)
    np.testing.assert_array_equal(read_image(data), np.full((2, 2, 3), 255))


# ── orientation ──────────────────────────────────────────────────────────────────

UPRIGHT: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda stored: stored,
    2: lambda stored: stored[:, ::-1],
    3: lambda stored: stored[::-1, ::-1],
    4: lambda stored: stored[::-1],
    5: lambda stored: stored.swapaxes(0, 1),
    6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: np.rot90(stored, 2).swapaxes(0, 1),
    8: lambda stored: np.rot90(stored, 1),
}


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "TIFF"])
def test_the_exif_orientation_is_applied(orientation: int, file_format: str) -> None:
    options = {"lossless": True} if file_format == "WEBP" else {}
    data = encoded(smooth_picture(), file_format, exif=exif_of_orientation(orientation), **options)
    np.testing.assert_array_equal(read_image(data), UPRIGHT[orientation](smooth_picture()))


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("file_format", ["JPEG", "AVIF"])
def test_the_exif_orientation_of_lossy_formats_is_applied(orientation: int, file_format: str) -> None:
    if f".{file_format.lower()}" not in IMAGE_SUFFIXES:
        pytest.skip(f"this Pillow reads no {file_format}")
    data = encoded(smooth_picture(), file_format, exif=exif_of_orientation(orientation), quality=95)
    expected = UPRIGHT[orientation](smooth_picture())
    assert np.abs(read_image(data).astype(int) - expected).max() < 16
    np.testing.assert_array_equal(read_image(Image.open(io.BytesIO(data))), read_image(data))


@pytest.mark.parametrize(
    "entry",
    [
        struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0),
        struct.pack("<HHII", 0x0112, 4, 1, 6),
    ],
)
def test_the_orientation_is_found_among_other_tags_in_either_integer_type(entry: bytes) -> None:
    other = struct.pack("<HHII", 0x010F, 2, 999, 0xFFFFFFFF)  # a damaged maker's name
    exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 2) + other + entry
    data = encoded(smooth_picture(), "JPEG", exif=exif)
    assert read_image(data).shape == (60, 40, 3)


@pytest.mark.parametrize(
    "exif",
    [
        b"Exif\0\0",
        b"Exif\0\0nonsense",
        b"Exif\0\0II*\0\xff\xff\xff\xff",
        b"Exif\0\0II*\0" + struct.pack("<IH", 8, 9),
        b"Exif\0\0II*\0" + struct.pack("<IHHHIHH", 8, 1, 0x0112, 3, 1, 77, 0),
    ],
)
def test_damaged_exif_data_leave_the_picture_as_it_is(exif: bytes) -> None:
    assert read_image(encoded(smooth_picture(), "JPEG", exif=exif)).shape == (40, 60, 3)


XMP = b'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" %s/>'
ATTRIBUTE, ELEMENT, SINGLE = (
    b'tiff:Orientation="6"',
    b"><tiff:Orientation>6</tiff:Orientation><",
    b"tiff:Orientation = '6'",
)


@pytest.mark.parametrize("form", [ATTRIBUTE, ELEMENT, SINGLE])
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_an_orientation_in_xmp_alone_is_applied(file_format: str, form: bytes) -> None:
    if file_format == "TIFF" and form == SINGLE:
        pytest.skip("Pillow turns TIFF files itself")
    options: dict[str, Any] = {"lossless": True} if file_format == "WEBP" else {}
    if file_format == "PNG":
        options["pnginfo"] = PngInfo()
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", (XMP % form).decode())
    elif file_format == "TIFF":
        options["tiffinfo"] = {700: XMP % form}
    else:
        options["xmp"] = XMP % form
    rgb = read_image(encoded(smooth_picture(), file_format, **options))
    assert np.abs(rgb.astype(int) - UPRIGHT[6](smooth_picture())).max() < 16


def test_exif_data_count_more_than_xmp() -> None:
    data = encoded(smooth_picture(), "JPEG", exif=exif_of_orientation(1), xmp=XMP % ATTRIBUTE)
    assert read_image(data).shape == (40, 60, 3)


def png_with_raw_profile(digits: str) -> bytes:
    """EXIF data as ImageMagick puts them into PNG files."""
    info = PngInfo()
    info.add_text("Raw profile type exif", f"\nexif\n{len(digits) // 2:8d}\n{digits}\n", zip=True)
    return encoded(smooth_picture(), "PNG", pnginfo=info)


def test_an_orientation_in_a_raw_profile_is_applied() -> None:
    digits = exif_of_orientation(6).tobytes().hex()
    lines = "\n".join(digits[start : start + 72] for start in range(0, len(digits), 72))
    np.testing.assert_array_equal(read_image(png_with_raw_profile(lines)), UPRIGHT[6](smooth_picture()))


@pytest.mark.parametrize("digits", ["", "zz", "457", "45786966"])
def test_a_damaged_raw_profile_leaves_the_picture_as_it_is(digits: str) -> None:
    np.testing.assert_array_equal(read_image(png_with_raw_profile(digits)), smooth_picture())


@pytest.mark.parametrize("change", [lambda image: image.rotate(-90, expand=True), Image.Image.copy])
def test_a_pil_image_that_was_changed_is_taken_as_it_is_seen(change: Callable[[Image.Image], Image.Image]) -> None:
    image = change(Image.open(io.BytesIO(encoded(smooth_picture(), "PNG", exif=exif_of_orientation(6)))))
    np.testing.assert_array_equal(read_image(image), np.asarray(image))


# ── what can't be read ───────────────────────────────────────────────────────────


def test_a_missing_file_is_named() -> None:
    with pytest.raises(ImageError, match=r"no/such/photo\.jpg does not exist; .*check"):
        read_image("no/such/photo.jpg")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=f"{tmp_path.name} is a folder; expected a picture file"):
        read_image(tmp_path)


def test_a_file_without_permission_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "locked.png"
    path.write_bytes(encoded(smooth_picture(), "PNG"))
    path.chmod(0)
    if os.access(path, os.R_OK):  # the super-user may read anything

        def refuse(*_: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(ImageError, match=r"locked\.png may not be read; check the permissions"):
        read_image(path)


@pytest.mark.parametrize("path", ["x" * 5000 + ".jpg", "nul\0byte.jpg"])
def test_a_path_that_no_file_can_have_is_refused(path: str) -> None:
    with pytest.raises(ImageError, match="expected the path of a picture file"):
        read_image(path)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.jpg"
    path.touch()
    for source in (path, path.read_bytes(), io.BytesIO()):
        with pytest.raises(ImageError, match=r"empty.*fresh copy"):
            read_image(source)


@pytest.mark.parametrize("data", [b"P", b"hello", b"%PDF-1.7 and so on", b"<svg/>", bytes(100)])
def test_what_is_not_a_picture_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "notes.jpg"
    path.write_bytes(data)
    with pytest.raises(ImageError, match=r"notes\.jpg is (not a picture|damaged).*expected"):
        read_image(path)


def test_heic_without_its_decoder_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("midas.pictures.formats._SUPPORTED", ["JPEG", "PNG"])
    with pytest.raises(ImageError, match="pip install pillow-heif"):
        read_image(b"\0\0\0\x18ftypheic" + bytes(100))


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "PPM"])
@pytest.mark.parametrize("part", [0.5, 0.9])
def test_a_truncated_file_is_refused(tmp_path: Path, file_format: str, part: float) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    data = encoded(picture, file_format)
    path = tmp_path / "half.bin"
    path.write_bytes(data[: int(len(data) * part)])
    with pytest.raises(ImageError, match=r"half\.bin is damaged or incomplete, .*fresh copy"):
        read_image(path)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "BMP", "GIF"])
@given(position=st.floats(0, 1, exclude_max=True), noise=st.binary(min_size=1, max_size=12))
def test_a_damaged_file_gives_a_picture_or_an_image_error(file_format: str, position: float, noise: bytes) -> None:
    data = encoded(smooth_picture(), file_format)
    start = int(position * len(data))
    try:
        rgb = read_image(data[:start] + noise + data[start + len(noise) :], max_pixels=10**6)
    except ImageError:
        return
    assert rgb.dtype == np.uint8


def test_a_picture_without_pixels_is_refused() -> None:
    with pytest.raises(ImageError, match="no pixels"):
        read_image(Image.new("RGB", (0, 5)))
    with pytest.raises(ImageError, match="damaged"):
        read_image(png(0, 5, 8, 2, b""))


# ── the limit ────────────────────────────────────────────────────────────────────


def test_a_picture_over_the_limit_is_refused_by_its_header_alone() -> None:
    header_only = png(100_000, 100_000, 8, 2, b"")
    with pytest.raises(ImageError, match=r"100000 x 100000 = 10000000000 pixels, expected at most 200000000; scale"):
        read_image(header_only)


def test_the_limit_can_be_moved() -> None:
    data = encoded(smooth_picture(40, 60), "PNG")
    assert read_image(data, max_pixels=2400).shape == (40, 60, 3)
    for source in (data, Image.open(io.BytesIO(data))):
        with pytest.raises(ImageError, match="expected at most 2399"):
            read_image(source, max_pixels=2399)


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "GIF", "TIFF", "BMP"])
def test_pillows_own_limit_doesnt_count(file_format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded(smooth_picture(800, 900), file_format)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 300_000)
    assert read_image(data).shape == (800, 900, 3)


def test_reading_changes_no_setting_of_pillow_or_of_warnings() -> None:
    before = (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(warnings.filters))
    read_image(encoded(smooth_picture(), "JPEG"))
    assert (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(warnings.filters)) == before
    assert not ImageFile.LOAD_TRUNCATED_IMAGES


def test_many_threads_read_at_once() -> None:
    files = [encoded(smooth_picture(), name) for name in ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP")]
    expected = [read_image(data) for data in files]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(read_image, files * 20))
    for index, rgb in enumerate(found):
        np.testing.assert_array_equal(rgb, expected[index % len(files)])


# ── folders ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["a.jpg", "a.JPEG", "a.Png", "a.webp", "a.tif", "a.tiff", "a.bmp", "a.gif", "b/a.jpg"])
def test_pictures_are_known_by_their_suffix(name: str) -> None:
    assert is_image_path(name)
    assert is_image_path(Path(name))


@pytest.mark.parametrize("name", ["a.txt", "a", "jpg", "a.jpg.part", "a.pfm", "a.npy", "a.pdf", "._a.jpg", ".jpg"])
def test_other_files_are_not_pictures(name: str) -> None:
    assert not is_image_path(name)


def test_the_suffixes_are_lower_case_and_start_with_a_dot() -> None:
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in IMAGE_SUFFIXES)


def test_heic_is_listed_only_where_it_can_be_read() -> None:
    try:
        import pillow_heif  # noqa: F401
    except ImportError:
        assert ".heic" not in IMAGE_SUFFIXES
    else:
        assert ".heic" in IMAGE_SUFFIXES


# ── no larger than needed ───────────────────────────────────────────────────


def jpeg(picture: np.ndarray, orientation: int = 1, **options: Any) -> bytes:
    return encoded(picture, "JPEG", quality=95, exif=exif_of_orientation(orientation), **options)


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_reduced_jpeg_is_upright_small_and_not_below_what_is_needed(orientation: int, progressive: bool) -> None:
    data = jpeg(smooth_picture(403, 611), orientation, progressive=progressive)
    whole = read_image(data)
    asked: list[tuple[int, int]] = []

    def needed(size: tuple[int, int]) -> tuple[int, int]:
        asked.append(size)
        return 100, 100

    reduced, size = read_reduced(data, needed)
    assert asked == [size] == [whole.shape[:2]]
    assert reduced.shape[:2] in ((101, 153), (153, 101))
    small = cv2.resize(whole, reduced.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(reduced.astype(int) - small).mean() < 2


def test_a_jpeg_of_which_all_is_needed_is_read_whole() -> None:
    data = jpeg(smooth_picture(400, 600))
    for needed in ((400, 600), (201, 301), (9999, 1)):
        reduced, size = read_reduced(data, lambda _, needed=needed: needed)
        assert size == (400, 600)
        np.testing.assert_array_equal(reduced, read_image(data))


@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "TIFF"])
def test_other_formats_and_pictures_in_memory_are_read_whole(file_format: str) -> None:
    picture = smooth_picture()
    image = Image.open(io.BytesIO(jpeg(picture)))
    for source in (encoded(picture, file_format, exif=exif_of_orientation(6)), picture, image):
        reduced, size = read_reduced(source, lambda _: (1, 1))
        assert size == reduced.shape[:2] == read_image(source).shape[:2]


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_grey_and_cmyk_jpegs_are_reduced_too(mode: str) -> None:
    data = encoded(Image.fromarray(smooth_picture(64, 96)).convert(mode), "JPEG", quality=95)
    reduced, size = read_reduced(data, lambda _: (8, 8))
    assert (reduced.shape, size) == ((8, 12, 3), (64, 96))


def test_reduced_reading_refuses_what_reading_refuses() -> None:
    data = jpeg(smooth_picture(64, 96))
    with pytest.raises(ImageError, match="6144"):
        read_reduced(data, lambda _: (1, 1), max_pixels=6143)
    with pytest.raises(ImageError, match="damaged"):
        read_reduced(data[: len(data) // 2], lambda _: (1, 1))
