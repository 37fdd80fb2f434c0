"""Any picture becomes RGB: a path, bytes, a file, a PIL image or an array gives uint8 (H, W, 3)."""

from __future__ import annotations

import importlib
import importlib.util
import io
import os
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, runtime_checkable

import cv2
import numpy as np
from PIL import Image, ImageFile, JpegImagePlugin, TiffImagePlugin

from midas.arrays import Array, Shaped, UInt8
from midas.errors import ImageError
from midas.pictures.exif import TRANSPOSED, orientation_of, upright
from midas.storage.regular_files import NotRegularFileError, open_regular

DEFAULT_MAX_PIXELS = 200_000_000


@runtime_checkable
class BinaryFile(Protocol):
    """Anything to read bytes from: an open file, a ``BytesIO``, an upload."""

    def read(self) -> bytes:
        """All bytes from the current position to the end."""
        ...


ImageSource = str | os.PathLike[str] | bytes | BinaryFile | Image.Image | Array
_File = io.BufferedReader | io.BytesIO

# Pillow's name of each format, the suffixes of its files, and the optional module that decodes it.
_FORMATS: dict[str, tuple[tuple[str, ...], str | None]] = {
    "JPEG": ((".jpg", ".jpeg", ".jpe", ".jfif"), None),
    "PNG": ((".png", ".apng"), None),
    "WEBP": ((".webp",), "PIL._webp"),
    "TIFF": ((".tif", ".tiff"), None),
    "BMP": ((".bmp",), None),
    "GIF": ((".gif",), None),
    "PPM": ((".ppm", ".pgm", ".pbm", ".pnm"), None),
    "AVIF": ((".avif",), "PIL._avif"),
    "HEIF": ((".heic", ".heif", ".hif"), "pillow_heif"),
}
_SUPPORTED = [name for name, (_, module) in _FORMATS.items() if module is None or importlib.util.find_spec(module)]

IMAGE_SUFFIXES = frozenset(suffix for name in _SUPPORTED for suffix in _FORMATS[name][0])
"""Suffixes, in lower case, of the files that can be read with the packages installed here."""

# What Pillow's decoders raise on damaged data; a warning only where the user has turned warnings into errors.
_DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    IndexError,
    KeyError,
    EOFError,
    OverflowError,
    MemoryError,
    RuntimeError,
    Warning,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)

# Modes with more than 8 bits per value. Pillow's own conversion to RGB cuts them off at 255.
_DEEP_MODES = frozenset({"I;16", "I;16L", "I;16B", "I;16N", "I", "F"})

# Four values of 32 bits.
_MOST_BYTES_PER_PIXEL = 16

# A strip this large, of four bytes a pixel as Pillow holds them, stays in a processor's cache.
_STRIP_PIXELS = 1 << 18


class _JpegFile(JpegImagePlugin.JpegImageFile):
    """Pillow's plugin, quiet: not knowing a resolution, it would read all EXIF tags and warn of damaged ones.

    The plugin that Pillow registers also looks for further frames, and may warn of these.
    """

    def _open(self) -> None:
        self.info["dpi"] = (72, 72)
        super()._open()


class _TiffFile(TiffImagePlugin.TiffImageFile):
    """Pillow's plugin, without its own limit: it checks the size when it allocates the pixels."""

    def load_prepare(self) -> None:
        stored = (self.tag_v2[TiffImagePlugin.IMAGEWIDTH], self.tag_v2[TiffImagePlugin.IMAGELENGTH])
        self.im = Image.new(self.mode, stored, None).im
        super().load_prepare()


_PLUGINS = {"JPEG": _JpegFile, "TIFF": _TiffFile}


def read_image(source: ImageSource, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> UInt8[Array, "H W 3"]:
    """Read a picture as RGB.

    The EXIF orientation is applied. Transparent parts are laid over white, as viewers and web pages show them; what
    colour the file hides below them is arbitrary. 16 bits are scaled to 8, not cut off. Of an animation the first frame
    counts. Colour profiles are not applied.

    Args:
        source: a path, the bytes of a file, an open binary file (read from its position to its end), a PIL image, or an
            array: RGB (H, W, 3), grey (H, W) or (H, W, 1), or RGBA (H, W, 4), with uint8 values in [0, 255], uint16
            values in [0, 65535], or float values in [0, 1].
        max_pixels: a picture of more pixels is refused before it is decoded. Arrays, decoded already, are not.

    Returns:
        RGB, 0 to 255; ``source`` itself where that is a contiguous uint8 RGB array.

    Raises:
        ImageError: missing, unreadable, not a picture, damaged, without pixels, too large, or of another array type.
    """
    if isinstance(source, np.ndarray):
        return _rgb_of_array(source, f"the array of shape {source.shape} and type {source.dtype}")
    if isinstance(source, Image.Image):
        return _decode(source, f"the PIL image {getattr(source, 'filename', '') or ''}".rstrip(), max_pixels)
    with _opened(source) as (file, name):
        return _decode(_identified(file, name), name, max_pixels)


def read_reduced(
    source: ImageSource,
    needed: Callable[[tuple[int, int]], tuple[int, int]],
    *,
    max_pixels: int = DEFAULT_MAX_PIXELS,
) -> tuple[UInt8[Array, "H W 3"], tuple[int, int]]:
    """Read a picture as RGB, no larger than it has to be where that saves time.

    A JPEG file can be decoded at a half, a quarter or an eighth of its size, in a fraction of the time. Other formats,
    PIL images and arrays are read as ``read_image`` does.

    Args:
        source: as for ``read_image``.
        needed: (height, width) of the upright picture → those that the result must not fall below.
        max_pixels: as for ``read_image``.

    Returns:
        RGB, 0 to 255, and the (height, width) of the whole picture.

    Raises:
        ImageError: as ``read_image``.
    """
    if isinstance(source, np.ndarray | Image.Image):
        image = read_image(source, max_pixels=max_pixels)
        return image, image.shape[:2]
    with _opened(source) as (file, name):
        picture = _identified(file, name)
        width, height = picture.size
        # A JPEG file's EXIF data stand before its pixels and are known already; in other formats they may come behind.
        if isinstance(picture, _JpegFile) and 0 < width * height <= max_pixels:
            turned = orientation_of(picture.info.get("exif")) >= TRANSPOSED
            size = (width, height) if turned else (height, width)
            least = needed(size)
            picture.draft(None, least if turned else least[::-1])
            return _decode(picture, name, max_pixels), size
        image = _decode(picture, name, max_pixels)
        return image, image.shape[:2]


def is_image_path(path: str | os.PathLike[str]) -> bool:
    """Whether a file in a folder counts as a picture: by its suffix, hidden files (leading dot) apart."""
    path = Path(path)
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")


@contextmanager
def _opened(source: object) -> Iterator[tuple[_File, str]]:
    """The source as an open, seekable file, and what messages call it."""
    if isinstance(source, str | os.PathLike):
        with _opened_path(Path(source)) as file:
            yield file, str(source)
        return
    data = source if isinstance(source, bytes) else getattr(source, "read", lambda: None)()
    if not isinstance(data, bytes):
        raise ImageError(
            f"a {type(source).__name__} is not a picture; expected a path, bytes, a file opened in binary mode, "
            "a PIL image or a NumPy array"
        )
    yield io.BytesIO(data), str(getattr(source, "name", f"the picture of {len(data)} bytes"))


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


def _identified(file: _File, name: str) -> Image.Image:
    """The picture in a file, its header read, its pixels not.

    In place of ``PIL.Image.open``: that warns or fails by a limit which is a variable of Pillow's module, shared by all
    threads, and tries formats that no photograph has.
    """
    head = file.read(32)
    if not head:
        raise ImageError(f"{name} is empty (0 bytes); get a fresh copy of the picture")
    for load_plugins in (Image.preinit, Image.init, _load_heif_plugin):  # from quick and common to slow and rare
        load_plugins()
        for format_name in _SUPPORTED:
            plugin, accept = Image.OPEN.get(format_name, (None, None))
            if plugin is None or accept is None:
                continue
            try:
                if accept(head) is True:
                    file.seek(0)
                    return _PLUGINS.get(format_name, plugin)(file, "")
            except _DECODER_ERRORS as error:
                raise _damaged(name, error) from error
    raise ImageError(f"{name} is not a picture of a known format; {_advice(head)}")


def _load_heif_plugin() -> None:
    if "HEIF" in _SUPPORTED:
        importlib.import_module("pillow_heif").register_heif_opener()


def _advice(head: bytes) -> str:
    if head[4:8] == b"ftyp" and head[8:11] in (b"hei", b"hev", b"mif", b"msf"):
        return "it looks like HEIC: pip install pillow-heif, or convert it to JPEG"
    return f"expected {', '.join(_SUPPORTED[:-1])} or {_SUPPORTED[-1]}; convert it to one of these"


def _damaged(name: str, error: BaseException) -> ImageError:
    reason = str(error) or type(error).__name__
    return ImageError(f"{name} is damaged or incomplete, expected a whole picture ({reason}); get a fresh copy of it")


def _decode(image: Image.Image, name: str, max_pixels: int) -> UInt8[Array, "H W 3"]:
    width, height = image.size
    if width * height == 0:
        raise ImageError(f"{name} has no pixels ({width} x {height}); expected at least one")
    if width * height > max_pixels:
        raise ImageError(
            f"{name} has {width} x {height} = {width * height} pixels, expected at most {max_pixels}; "
            "scale it down, or raise max_pixels"
        )
    if isinstance(image, ImageFile.ImageFile):
        # Pillow reads so much at a time, and copies what it has until there is a whole row.
        image.decodermaxblock = max(image.decodermaxblock, _MOST_BYTES_PER_PIXEL * width)
    try:
        image.load()
        rgb = _rgb_of_image(image, name)
    except _DECODER_ERRORS as error:
        raise _damaged(name, error) from error
    return upright(rgb, orientation_of(image.info.get("exif")))


def _rgb_of_image(image: Image.Image, name: str) -> UInt8[Array, "H W 3"]:
    if image.mode in _DEEP_MODES:
        values = np.asarray(image)
        # Pillow gives 16-bit grey as int32 in some formats and versions.
        fits = image.mode == "I" and values.min() >= 0 and values.max() <= np.iinfo(np.uint16).max
        return _rgb_of_array(values.astype(np.uint16) if fits else values, f"{name}, with {image.mode!r} values,")
    if image.has_transparency_data:
        return _over_white(image)
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


def _over_white(image: Image.Image) -> UInt8[Array, "H W 3"]:
    with_alpha = image.convert("RGBA")
    canvas = Image.new("RGB", image.size, "white")
    canvas.paste(with_alpha, mask=with_alpha)
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
    values = np.ascontiguousarray(_eight_bits(array, name))
    if values.ndim == 2:
        return _rgb_of_grey(values)
    return values if values.shape[2] == 3 else _over_white(Image.fromarray(values))


def _eight_bits(array: Shaped[Array, " ..."], name: str) -> UInt8[Array, " ..."]:
    if array.dtype == np.uint8:
        return array
    if array.dtype.kind == "u" and array.dtype.itemsize == 2:  # in either byte order
        table = np.rint(np.arange(1 << 16) / 257).astype(np.uint8)
        return np.asarray(table[array], np.uint8)
    if array.dtype.kind != "f":
        raise ImageError(
            f"{name} is not a picture; expected uint8 in [0, 255], uint16 in [0, 65535] or float in [0, 1]"
        )
    low, high = array.min(), array.max()
    if not (low >= 0 and high <= 1):  # so that a nan fails too
        raise ImageError(f"{name} has float values from {low} to {high}; expected [0, 1]: scale or clip them")
    return np.asarray(np.rint(array * 255), np.uint8)
