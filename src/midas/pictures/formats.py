"""Which formats of pictures there are, and which one a file has."""

from __future__ import annotations

import importlib
import importlib.util
import io
import os
from pathlib import Path

from PIL import Image

from midas.errors import ImageError, UnknownFormatError
from midas.pictures.bmp import BmpFile
from midas.pictures.damage import DECODER_ERRORS, DamagedError, StrangePictureError
from midas.pictures.jpeg import JpegFile
from midas.pictures.tiff import TiffFile

PictureData = io.BufferedReader | io.BytesIO

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
_PLUGINS = {"JPEG": JpegFile, "TIFF": TiffFile, "BMP": BmpFile}

IMAGE_SUFFIXES = frozenset(suffix for name in _SUPPORTED for suffix in _FORMATS[name][0])
"""Suffixes, in lower case, of the files that can be read with the packages installed here."""

_ALL_SUFFIXES = frozenset(suffix for suffixes, _ in _FORMATS.values() for suffix in suffixes)


def is_image_path(path: str | os.PathLike[str]) -> bool:
    """Whether a file in a folder counts as a picture: by its suffix, hidden files (leading dot) apart.

    So does one of a format whose optional package is missing, so that reading it says which.
    """
    path = Path(path)
    return path.suffix.lower() in _ALL_SUFFIXES and not path.name.startswith(".")


def identified(file: PictureData, name: str) -> Image.Image:
    """The picture in a file, its header read, its pixels not.

    In place of ``PIL.Image.open``: that warns or fails by a limit which is a variable of Pillow's module, shared by all
    threads, and tries formats that no photograph has.

    Args:
        file: from its beginning.
        name: of the picture, for messages.

    Raises:
        UnknownFormatError: of an unknown format, or of a kind that can't be read.
        ImageError: empty or damaged.
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
            except StrangePictureError as error:
                raise UnknownFormatError(f"{name} {error}") from error
            except DECODER_ERRORS as error:
                raise DamagedError.because(name, error) from error
    raise UnknownFormatError(f"{name} is not a picture of a known format; {_advice(head)}")


def _load_heif_plugin() -> None:
    if "HEIF" in _SUPPORTED:
        importlib.import_module("pillow_heif").register_heif_opener()


def _advice(head: bytes) -> str:
    if head[4:8] == b"ftyp" and head[8:11] in (b"hei", b"hev", b"mif", b"msf"):
        return "it looks like HEIC: pip install pillow-heif, or convert it to JPEG"
    if head[4:8] == b"ftyp" and head[8:11] == b"avi":
        return "it looks like AVIF: pip install --upgrade pillow, or convert it to JPEG"
    return f"expected {', '.join(_SUPPORTED[:-1])} or {_SUPPORTED[-1]}; convert it to one of these"
