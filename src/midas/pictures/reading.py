"""Any picture becomes RGB: a path, bytes, a file, a PIL image or an array gives uint8 (H, W, 3)."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Protocol, runtime_checkable

import cv2
import numpy as np
from PIL import Image, ImageFile

from midas.arrays import Array, Shaped, UInt8
from midas.errors import ImageError, TooManyPixelsError, UnknownFormatError, net
from midas.pictures.bmp import BmpFile
from midas.pictures.colour import to_srgb
from midas.pictures.damage import DECODER_ERRORS, DamagedError, StrangePictureError
from midas.pictures.exif import TRANSPOSED, orientation_of, upright
from midas.pictures.formats import PictureData, identified
from midas.pictures.jpeg import JpegFile, with_an_end
from midas.pictures.libtiff import raised_errors
from midas.pictures.sample_values import eight_bits
from midas.pictures.tiff import TiffFile
from midas.storage.regular_files import NotRegularFileError, open_regular

DEFAULT_MAX_PIXELS = 200_000_000


@runtime_checkable
class BinaryFile(Protocol):
    """Anything to read bytes from: an open file, a ``BytesIO``, an upload."""

    def read(self) -> bytes:
        """All bytes from the current position to the end."""
        ...


ImageSource = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryFile | Image.Image | Array
_Needed = Callable[[tuple[int, int]], tuple[int, int]]

# Modes with more than 8 bits per value. Pillow's own conversion to RGB cuts them off at 255.
_DEEP_MODES = frozenset({"I;16", "I;16L", "I;16B", "I;16N", "I", "F"})

# Four values of 32 bits.
_MOST_BYTES_PER_PIXEL = 16

# A strip this large, of four bytes a pixel as Pillow holds them, stays in a processor's cache.
_STRIP_PIXELS = 1 << 18


def name_of(source: ImageSource) -> str:
    """What a picture is called in messages."""
    if isinstance(source, str | os.PathLike):
        return str(source)
    return str(getattr(source, "name", None) or f"the picture in a {type(source).__name__}")


def read_image(
    source: ImageSource, *, max_pixels: int = DEFAULT_MAX_PIXELS, strict: bool = False
) -> UInt8[Array, "H W 3"]:
    """Read a picture as RGB.

    The orientation of a file (EXIF, else XMP) is applied, and so is its colour profile. Transparent parts are laid over
    white, as viewers and web pages show them; what colour the file hides below them is arbitrary. 16 bits are scaled to
    8, not cut off. Of an animation the first frame counts. A JPEG file that lacks the last of its data is filled up,
    with a ``DamageWarning``.

    Args:
        source: a path, the bytes of a file, an open binary file (read from its position to its end, and from its
            beginning where it is at its end), a PIL image, or an array: RGB (H, W, 3), grey (H, W) or (H, W, 1), or
            RGBA (H, W, 4), with uint8 values in [0, 255], uint16 values in [0, 65535], or float values in [0, 1]. A PIL
            image that isn't a file's own, because it was turned, converted or copied, is taken as it is seen: whatever
            orientation its file asked for.
        max_pixels: a picture of more pixels is refused before it is decoded. Arrays, decoded already, are not.
        strict: whether a JPEG file that lacks the last of its data is refused too.

    Returns:
        RGB, 0 to 255; ``source`` itself where that is a contiguous uint8 RGB array.

    Raises:
        ImageError: missing, unreadable, not a picture, damaged, without pixels, too large, or of another array type.
    """
    return _read(source, None, max_pixels, strict)[0]


def read_reduced(
    source: ImageSource, needed: _Needed, *, max_pixels: int = DEFAULT_MAX_PIXELS, strict: bool = False
) -> tuple[UInt8[Array, "H W 3"], tuple[int, int]]:
    """Read a picture as RGB, no larger than it has to be where that saves time.

    A JPEG file can be decoded at a half, a quarter or an eighth of its size, in a fraction of the time. Other formats,
    PIL images and arrays are read as ``read_image`` does.

    Args:
        source: as for ``read_image``.
        needed: (height, width) of the upright picture → those that the result must not fall below.
        max_pixels: as for ``read_image``.
        strict: as for ``read_image``.

    Returns:
        RGB, 0 to 255, and the (height, width) of the whole picture.

    Raises:
        ImageError: as ``read_image``.
    """
    return _read(source, needed, max_pixels, strict)


def _read(
    source: object, needed: _Needed | None, max_pixels: int, strict: bool
) -> tuple[UInt8[Array, "H W 3"], tuple[int, int]]:
    if isinstance(source, np.ndarray):
        image = _rgb_of_array(source, f"the array of shape {source.shape} and type {source.dtype}")
        return image, image.shape[:2]
    if isinstance(source, Image.Image):
        name = f"the PIL image {getattr(source, 'filename', '') or ''}".rstrip()
        image = _decode(source, name, max_pixels)
        return image, image.shape[:2]
    with _opened(source) as (file, name):
        try:
            return _read_file(file, name, needed, max_pixels)
        except DamagedError as error:
            if strict:
                raise
            file.seek(0)
            return _read_file(io.BytesIO(with_an_end(file.read(), name, error)), name, needed, max_pixels)


def _read_file(
    file: PictureData, name: str, needed: _Needed | None, max_pixels: int
) -> tuple[UInt8[Array, "H W 3"], tuple[int, int]]:
    picture = identified(file, name)
    width, height = picture.size
    # A JPEG file's EXIF data stand before its pixels and are known already; in other formats they may come behind.
    if needed is None or not isinstance(picture, JpegFile) or not 0 < width * height <= max_pixels:
        image = _decode(picture, name, max_pixels)
        return image, image.shape[:2]
    turned = orientation_of(picture.info) >= TRANSPOSED
    size = (width, height) if turned else (height, width)
    least = needed(size)
    picture.draft(None, least if turned else least[::-1])
    return _decode(picture, name, max_pixels), size


@contextmanager
def _opened(source: object) -> Iterator[tuple[PictureData, str]]:
    """The source as an open, seekable file, and what messages call it."""
    if isinstance(source, str | os.PathLike):
        with _opened_path(Path(source)) as file:
            yield file, str(source)
        return
    with net(f"the picture in a {type(source).__name__} can't be read", ImageError):
        data = bytes(source) if isinstance(source, bytes | bytearray | memoryview) else _content(source)
    if not isinstance(data, bytes):
        raise ImageError(
            f"a {type(source).__name__} is not a picture; expected a path, bytes, a file opened in binary mode, "
            "a PIL image or a NumPy array"
        )
    yield io.BytesIO(data), str(getattr(source, "name", f"the picture of {len(data)} bytes"))


def _content(file: object) -> object:
    """What is left to read of an open file; all of it, if nothing is: it was written a moment ago, or shown."""
    read: Callable[[], object] = getattr(file, "read", lambda: None)
    data = read()
    if data == b"" and isinstance(file, io.IOBase) and file.seekable():
        file.seek(0)
        data = read()
    return data


def _opened_path(path: Path) -> io.BufferedReader:
    try:
        return open_regular(path)
    except NotRegularFileError as error:
        hint = "for instance one of those in it" if path.is_dir() else "or - for what is sent to standard input"
        raise ImageError(f"{path} is {error.kind}; expected a picture file, {hint}") from None
    except FileNotFoundError:
        raise ImageError(f"{path} does not exist; expected the path of a picture file, check its spelling") from None
    except PermissionError:
        raise ImageError(f"{path} may not be read; check the permissions of the file and its folder") from None
    except (OSError, ValueError) as error:
        raise ImageError(f"{path} can't be opened ({error}); expected the path of a picture file") from error


def _decode(image: Image.Image, name: str, max_pixels: int) -> UInt8[Array, "H W 3"]:
    width, height = image.size
    if width * height == 0:
        raise ImageError(f"{name} has no pixels ({width} x {height}); expected at least one")
    if width * height > max_pixels:
        raise TooManyPixelsError(
            f"{name} has {width} x {height} = {width * height} pixels, expected at most {max_pixels}; "
            "scale it down, or raise max_pixels"
        )
    try:
        if isinstance(image, TiffFile | BmpFile) and image.strange:
            return _decode_strange(image, name)
        if isinstance(image, ImageFile.ImageFile):
            # Pillow reads so much at a time, and copies what it has until there is a whole row.
            image.decodermaxblock = max(image.decodermaxblock, _MOST_BYTES_PER_PIXEL * width)
        with raised_errors() if image.format == "TIFF" else nullcontext():
            image.load()
        # Pillow turns TIFF files itself.
        own_file = isinstance(image, ImageFile.ImageFile) and image.format != "TIFF"
        return upright(_rgb_of_image(image, name), orientation_of(image.info) if own_file else 1)
    except StrangePictureError as error:
        raise UnknownFormatError(f"{name} {error}") from error
    except DECODER_ERRORS as error:
        raise DamagedError.because(name, error) from error


def _decode_strange(image: TiffFile | BmpFile, name: str) -> UInt8[Array, "H W 3"]:
    rgb = _rgb_of_array(image.values(), name)
    if isinstance(image, BmpFile):
        return rgb
    return upright(_values(to_srgb(Image.fromarray(rgb), image.profile)), image.orientation)


def _rgb_of_image(image: Image.Image, name: str) -> UInt8[Array, "H W 3"]:
    profile = image.info.get("icc_profile")
    if image.mode in _DEEP_MODES:
        values = np.asarray(image)
        # Pillow gives 16-bit grey as int32 in some formats and versions.
        fits = image.mode == "I" and values.min() >= 0 and values.max() <= np.iinfo(np.uint16).max
        grey = eight_bits(values.astype(np.uint16) if fits else values, f"{name}, with {image.mode!r} values,")
        image = Image.fromarray(grey)
    if image.has_transparency_data:
        return _over_white(image, profile)
    image = to_srgb(image.convert("RGB") if image.mode == "P" else image, profile)
    if image.mode == "L":
        return _rgb_of_grey(np.asarray(image))
    return _values(image if image.mode == "RGB" else image.convert("RGB"))


def _values(image: Image.Image) -> UInt8[Array, "H W 3"]:
    """What ``numpy.asarray`` gives for an RGB image, strip by strip: a third of its time for 12 megapixels."""
    width, height = image.size
    values = np.empty((height, width, 3), np.uint8)
    rows = max(1, _STRIP_PIXELS // width)
    for top in range(0, height, rows):
        values[top : top + rows] = np.asarray(image.crop((0, top, width, min(top + rows, height))))
    return values


def _over_white(image: Image.Image, profile: bytes | None = None) -> UInt8[Array, "H W 3"]:
    with_alpha = image.convert("RGBA")
    canvas = Image.new("RGB", image.size, "white")
    # A profile of grey values is none for the RGB that they have become, and is left aside.
    colours = to_srgb(with_alpha.convert("RGB"), profile) if profile else with_alpha
    canvas.paste(colours, mask=with_alpha)
    return _values(canvas)


def _rgb_of_grey(grey: UInt8[Array, "H W"]) -> UInt8[Array, "H W 3"]:
    return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), np.uint8)


def _rgb_of_array(array: Shaped[Array, " ..."], name: str) -> UInt8[Array, "H W 3"]:
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.ndim != 2 and (array.ndim != 3 or array.shape[2] not in (3, 4)):
        raise ImageError(f"{name} is not a picture; expected the shape (H, W, 3), (H, W), (H, W, 1) or (H, W, 4)")
    if array.size == 0:
        raise ImageError(f"{name} has no pixels; expected at least one")
    values = np.ascontiguousarray(eight_bits(array, name))
    if values.ndim == 2:
        return _rgb_of_grey(values)
    return values if values.shape[2] == 3 else _over_white(Image.fromarray(values))
