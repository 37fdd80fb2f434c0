"""File formats of data sets: pictures, maps of codes or numbers, lists. Nothing that is read is ever executed.

Every function raises a ``DatasetError`` that names the file when it is damaged or not what it should be.
"""

from __future__ import annotations

import tokenize
import zlib
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np

from midas.arrays import Array, Bool, Float32, UInt8, UInt16
from midas.errors import DatasetError, MissingExtraError, OutputError, reason_of
from midas.maps.exr import read_channels
from midas.maps.formats import read_map
from midas.pictures import exif
from midas.pictures.damage import DECODER_ERRORS, DamagedError
from midas.pictures.jpeg import JpegFile, with_an_end

_DPT_TAG = 202021.25

_JPEG, _START_OF_SCAN, _END_OF_IMAGE = b"\xff\xd8\xff", b"\xda", b"\xff\xd9"
_MAX_JPEG_PIXELS = 1 << 28
_PNG = b"\x89PNG\r\n\x1a\n"

# What NumPy raises for a damaged array, collected by changing bytes of good ones at random.
_DAMAGED_ARRAY = (EOFError, MemoryError, OSError, SyntaxError, TypeError, ValueError, tokenize.TokenError)


def read_rgb(path: Path, *, upright: bool = False) -> UInt8[Array, "H W 3"]:
    """A picture as RGB, whatever its format and its number of channels.

    Args:
        path: the file.
        upright: turn it as its EXIF orientation says. Targets are laid over pixels as they are stored, so that this is
            for sets alone whose annotators saw the turned picture.
    """
    flags = cv2.IMREAD_COLOR if upright else cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    return np.ascontiguousarray(_decode(path, flags)[..., ::-1])


def read_codes(path: Path) -> UInt16[Array, "H W"]:
    """A PNG of one channel and 16 bits, as stored."""
    codes = _decode(path, cv2.IMREAD_UNCHANGED)
    if codes.ndim != 2 or codes.dtype != np.uint16:
        raise DatasetError(f"{path} holds {codes.dtype} {codes.shape}: expected one channel of 16 bits")
    return codes


def read_grey(path: Path) -> Float32[Array, "H W"]:
    """A picture of one channel, 8 or 16 bits, as the numbers that are stored."""
    codes = _decode(path, cv2.IMREAD_UNCHANGED)
    if codes.ndim != 2 or codes.dtype not in (np.uint8, np.uint16):
        raise DatasetError(f"{path} holds {codes.dtype} {codes.shape}: expected one channel of 8 or 16 bits")
    return codes.astype(np.float32)


def read_mask(path: Path) -> Bool[Array, "H W"]:
    """True where a picture isn't black."""
    return np.asarray(_decode(path, cv2.IMREAD_GRAYSCALE) > 0)


def read_npy(path: Path) -> Array:
    """A NumPy array of two axes; a third of length 1 is dropped."""
    try:
        array = np.load(path, allow_pickle=False)
    except _DAMAGED_ARRAY as error:
        raise DatasetError(f"{path} can't be read as a NumPy array: {error}") from error
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if array.ndim != 2 or array.dtype.kind not in "fiub":
        raise DatasetError(f"{path} holds {array.dtype} {array.shape}: expected numbers with two axes")
    return np.asarray(array)


def read_pfm(path: Path) -> Float32[Array, "H W"]:
    """A PFM file of one channel. Its header's scale tells the byte order only, as Middlebury has it."""
    try:
        return read_map(path)[0]
    except OutputError as error:
        raise DatasetError(str(error)) from error


def read_exr_channel(path: Path, channel: str) -> Float32[Array, "H W"]:
    """One channel of an OpenEXR file; a file with one channel gives that one, whatever it is called."""
    try:
        channels = read_channels(path.read_bytes()).channels
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path} can't be read as OpenEXR: {error}") from error
    chosen = channel if len(channels) > 1 else next(iter(channels))
    if chosen not in channels:
        raise DatasetError(f"{path} has no channel {channel!r}; it has {', '.join(channels)}")
    return channels[chosen]


def read_hdf5(path: Path, key: str) -> Float32[Array, "H W"]:
    """One array of two axes in an HDF5 file.

    Raises:
        DatasetError: the file is damaged or lacks the array.
        MissingExtraError: the package that reads HDF5 isn't installed.
    """
    try:
        import h5py
    except ImportError as error:
        raise MissingExtraError("reading HDF5 files", "lab") from error
    # Opened for each map: an open HDF5 file can't go through a fork or into another process.
    try:
        with h5py.File(path, "r") as file:
            values = np.asarray(file[key], dtype=np.float32)
    except (OSError, KeyError, RuntimeError, TypeError, ValueError) as error:
        raise DatasetError(f"{path} isn't an HDF5 file with a map {key!r}: {error}") from error
    if values.ndim != 2:
        raise DatasetError(f"{path} holds {key!r} of shape {values.shape}: expected two axes")
    return values


def read_raw_floats(path: Path, size: tuple[int, int]) -> Float32[Array, "H W"]:
    """Bare little-endian float32 numbers, row by row, of a known size (height, width)."""
    values = np.fromfile(path, dtype="<f4")
    if values.size != size[0] * size[1]:
        raise DatasetError(f"{path} holds {values.size} numbers: expected {size[0]} × {size[1]}, as its picture has")
    return values.reshape(size).astype(np.float32, copy=False)


def read_dpt(path: Path) -> Float32[Array, "H W"]:
    """A ``.dpt`` file: the tag 202021.25 as float32, width and height as int32, float32 rows; little-endian."""
    data = path.read_bytes()
    if len(data) < 12 or np.frombuffer(data, "<f4", 1)[0] != _DPT_TAG:
        raise DatasetError(f"{path} is no .dpt file: it doesn't start with the tag {_DPT_TAG}")
    width, height = (int(side) for side in np.frombuffer(data, "<i4", 2, offset=4))
    if len(data) != 12 + 4 * width * height:
        raise DatasetError(f"{path} is cut short or damaged: {len(data)} bytes don't make {height} × {width} numbers")
    return np.frombuffer(data, "<f4", offset=12).reshape(height, width).astype(np.float32)


def read_lines(path: Path) -> list[str]:
    """The lines of a text file, stripped, without empty ones and comments (``#``)."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path} can't be read as a list: {error}") from error
    return [line for line in (line.strip() for line in text.splitlines()) if line and not line.startswith("#")]


def _decode(path: Path, flags: int) -> Array:
    try:
        content = path.read_bytes()
        jpeg = content.startswith(_JPEG)
        if jpeg and not _has_end_of_jpeg(content):
            content = with_an_end(content, str(path), DamagedError("the end of the JPEG file is missing"))
        if content.startswith(_PNG) and not _has_sound_chunks(content):
            raise ValueError("the PNG file is cut off, or differs from its checksums")
        array = _decode_jpeg(content, flags) if jpeg else cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    except (*DECODER_ERRORS, DamagedError, cv2.error) as error:
        raise DatasetError(f"{path} is damaged or no picture ({reason_of(error)}): download it again") from error
    if array is None:
        raise DatasetError(f"{path} is damaged or no picture: download it again")
    return np.asarray(array)


def _decode_jpeg(content: bytes, flags: int) -> Array:
    """As OpenCV does, pixel by pixel, but for damaged ones: of these it tells standard error, and goes on."""
    image = JpegFile(BytesIO(content), "")
    if image.width * image.height > _MAX_JPEG_PIXELS:
        raise ValueError(f"it claims {image.width} x {image.height} pixels")
    if flags == cv2.IMREAD_GRAYSCALE or (flags == cv2.IMREAD_UNCHANGED and image.mode == "L"):
        return np.asarray(image.convert("L"))
    rgb = np.asarray(image.convert("RGB"))
    turned = rgb if flags & cv2.IMREAD_IGNORE_ORIENTATION else exif.upright(rgb, exif.orientation_of(image.info))
    return np.asarray(turned[..., ::-1])


def _has_end_of_jpeg(content: bytes) -> bool:
    """Whether a JPEG file has its end: without it, decoders fill up the rest with grey and say nothing."""
    at = 2
    while content[at : at + 1] == b"\xff" and content[at + 1 : at + 2] != _START_OF_SCAN:
        if content[at + 1 : at + 2] == b"\xff":  # any number of these may fill the space before a marker
            at += 1
            continue
        at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")  # thumbnails, which have ends of their own, lie there
    # Coded pixels hold this pair of bytes nowhere.
    return content.find(_END_OF_IMAGE, at) >= 0


def _has_sound_chunks(content: bytes) -> bool:
    """Whether a PNG file's parts fit their checksums: what libpng finds wrong it tells standard error, not us."""
    at = len(_PNG)
    while len(content) >= at + 12:
        length, kind = int.from_bytes(content[at : at + 4], "big"), content[at + 4 : at + 8]
        end = at + 8 + length
        if zlib.crc32(content[at + 4 : end]) != int.from_bytes(content[end : end + 4], "big"):
            return False
        if kind == b"IEND":
            return True
        at = end + 4
    return False
