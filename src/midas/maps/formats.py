"""Maps of values as files: 16-bit PNG, PFM, NPY, NPZ, EXR, TIFF, and pictures for the eye.

``FORMATS`` is the table of formats. A file that keeps values also keeps the metadata where its format has room for
them: PNG, NPZ, EXR and TIFF have, NPY and PFM haven't.
"""

from __future__ import annotations

import json
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import IMAGEDESCRIPTION

from midas.arrays import Array, Float32, UInt8
from midas.errors import OutputError
from midas.maps.colormaps import colorize
from midas.maps.exr import read_exr, write_exr
from midas.maps.kinds import KIND_KEY, METRIC, RELATIVE_DISPARITY, Kind, nearness
from midas.maps.layouts import plain_map
from midas.maps.numpy_files import parsed_metadata, read_npy, read_npz, write_npy, write_npz
from midas.maps.pfm import read_pfm, write_pfm
from midas.maps.png import OutputFile, read_png, write_png
from midas.maps.value_range import ValueRange, as_float32_map
from midas.pictures.libtiff import raised_errors
from midas.pictures.tiff import TiffFile
from midas.storage.atomic import atomic_file
from midas.storage.regular_files import open_regular, path_of

# Keywords in PNG and EXR files carry this prefix, so that they can't be taken for another program's.
_PREFIX = "midas:"
_ValuesAndText = tuple[Array, dict[str, str]]

# What the readers of all formats raise for a damaged file, collected by changing bytes of good ones at random.
_DAMAGED = (
    OSError,
    EOFError,
    KeyError,
    NotImplementedError,
    SyntaxError,
    TypeError,
    ValueError,
    Image.DecompressionBombError,
    struct.error,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True)
class MapContent:
    """What may go into a file.

    Attributes:
        values: float32 (H, W).
        metadata: names and texts that say what the values are.
        image: the photograph, uint8 RGB (H, W, 3), where the format shows it.
        colormap: one of ``midas.maps.colormaps.COLORMAPS``, where the format has colours.
        kind: what the values are: colours show near as bright.
    """

    values: Float32[Array, "H W"]
    metadata: Mapping[str, str]
    image: UInt8[Array, "h w 3"] | None
    colormap: str
    kind: Kind = RELATIVE_DISPARITY


@dataclass(frozen=True)
class Format:
    """One way to store a map.

    Attributes:
        name: as the user writes it.
        suffix: of the file name.
        tag: goes between the picture's name and the suffix, so that formats with the same suffix don't collide.
        write: writes the content to a file opened for binary writing.
        read: gives values and metadata back; None for a picture for the eye.
        shows_image: the photograph is part of it.
        only_metres: it holds depth in metres, and nothing else.
    """

    name: str
    suffix: str
    tag: str
    write: Callable[[OutputFile, MapContent], None]
    read: Callable[[BinaryIO], _ValuesAndText] | None
    shows_image: bool = False
    only_metres: bool = False


def write_map(
    path: str | Path,
    values: Float32[Array, "H W"],
    format_name: str | None = None,
    *,
    metadata: Mapping[str, str] | None = None,
    kind: Kind = RELATIVE_DISPARITY,
    image: UInt8[Array, "h w 3"] | None = None,
    colormap: str = "inferno",
    overwrite: bool = False,
) -> None:
    """Write a map to a file that appears complete or not at all; missing folders are created.

    Args:
        path: the file. Its suffix must fit the format.
        values: the map.
        format_name: a key of ``FORMATS``; None takes the format from the suffix (``.png`` is ``png16``).
        metadata: names and texts stored with the values where the format has room for them.
        kind: what the values are.
        image: the photograph, of the map's height and width; ``side-by-side`` needs it.
        colormap: one of ``midas.maps.colormaps.COLORMAPS``, for ``color`` and ``side-by-side``.
        overwrite: whether a file of that name may be replaced.

    Raises:
        OutputError: for an unknown format, a suffix that doesn't fit, a missing photograph, an existing file, or a
            file that can't be written.
        ConfigError: for an unknown colour map.
    """
    path = path_of(path)
    chosen = format_by_suffix(path) if format_name is None else format_by_name(format_name)
    if canonical_suffix(path) != chosen.suffix:
        raise OutputError(f"{path}: a file of format {chosen.name} has the suffix {chosen.suffix}")
    content = _content(values, metadata, kind, image, colormap)
    with atomic_file(path, overwrite=overwrite) as file:
        chosen.write(file, content)


def encode_map(
    values: Float32[Array, "H W"],
    format_name: str,
    *,
    metadata: Mapping[str, str] | None = None,
    kind: Kind = RELATIVE_DISPARITY,
    image: UInt8[Array, "h w 3"] | None = None,
    colormap: str = "inferno",
) -> bytes:
    """Give the very bytes that ``write_map`` would put into a file; arguments and errors are the same."""
    chosen = format_by_name(format_name)
    file = BytesIO()
    chosen.write(file, _content(values, metadata, kind, image, colormap))
    return file.getvalue()


def read_map(path: str | Path) -> tuple[Float32[Array, "H W"], dict[str, str]]:
    """Read values and metadata from a file that ``write_map`` wrote, or another program.

    PFM, NPY, NPZ, EXR and TIFF give the values bit for bit. A PNG gives ``offset + scale * code`` with its texts
    ``midas:offset`` and ``midas:scale``, at most half a scale away from the values but for float32's own rounding; a
    grey PNG without these texts gives its codes. Of other programs' files, axes of length 1 are left out, three
    channels that say the same count as one, and any type of numbers is taken.

    Raises:
        OutputError: if the file is missing or damaged, of an unknown format, or a picture for the eye.
    """
    path = path_of(path)
    read = format_by_suffix(path).read
    if read is None:  # The first format of each suffix keeps values.
        raise OutputError(f"{path} keeps no values")
    try:
        with open_regular(path) as file:
            values, metadata = read(file)
        return as_float32_map(plain_map(values)), metadata
    except _DAMAGED as error:
        reason = getattr(error, "strerror", None) or error
        raise OutputError(f"{path} can't be read as a map: {reason}") from error


def format_by_name(name: str) -> Format:
    """Give the format of that name, or raise an ``OutputError`` that lists them."""
    if not isinstance(name, str) or name not in FORMATS:
        raise OutputError(f"unknown format {name!r}: expected one of {', '.join(FORMATS)}")
    return FORMATS[name]


def format_by_suffix(path: Path) -> Format:
    """Give the first format with the suffix of that path, or raise an ``OutputError`` that lists the suffixes."""
    suffix = canonical_suffix(path)
    for candidate in FORMATS.values():
        if candidate.suffix == suffix:
            return candidate
    known = ", ".join(dict.fromkeys(candidate.suffix for candidate in FORMATS.values()))
    raise OutputError(f"{path}: unknown suffix {path.suffix!r}, expected one of {known}")


def output_path(folder: Path, stem: str, format_name: str) -> Path:
    """Give the path of a picture's map in that format: ``folder/photo_color.png`` for ``photo`` and ``color``."""
    chosen = format_by_name(format_name)
    return folder / f"{stem}{chosen.tag}{chosen.suffix}"


def canonical_suffix(path: Path) -> str:
    """The suffix of a path in lower case, and of several for one format the longest: ``.tiff`` for ``.TIF``."""
    suffix = path.suffix.lower()
    return ".tiff" if suffix == ".tif" else suffix


def _content(
    values: Array, metadata: Mapping[str, str] | None, kind: Kind, image: Array | None, colormap: str
) -> MapContent:
    try:
        values = as_float32_map(values)
    except ValueError as error:
        raise OutputError(str(error)) from error
    return MapContent(values, {name: _plain(text) for name, text in (metadata or {}).items()}, image, colormap, kind)


def _plain(text: str) -> str:
    """Give text that every format can hold; names of files may hold bytes that are no UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "")


def _write_png16(file: OutputFile, content: MapContent) -> None:
    value_range = ValueRange.of(content.values)
    write_png(file, value_range.codes_16bit(content.values), _png_text(content, value_range, 65535))


def _write_png8(file: OutputFile, content: MapContent) -> None:
    value_range = ValueRange.of(content.values)
    write_png(file, value_range.codes_8bit(content.values), _png_text(content, value_range, 255))


def _write_png_mm(file: OutputFile, content: MapContent) -> None:
    """Whole millimetres, as depth cameras write them: 0 where the depth isn't known, or beyond 65.535 m."""
    if content.kind != METRIC:
        raise OutputError(
            f"format png-mm is for depth in metres; these values are of kind {content.kind!r}: "
            "give distances that are known, or choose another format"
        )
    millimetres = np.rint(np.nan_to_num(content.values, nan=0.0, posinf=0.0, neginf=0.0).astype(np.float64) * 1000)
    codes = np.where((millimetres > 0) & (millimetres <= 65535), millimetres, 0).astype(np.uint16)
    write_png(file, codes, _prefixed({**content.metadata, "scale": "0.001", "offset": "0"}))


def _png_text(content: MapContent, value_range: ValueRange, largest_code: int) -> dict[str, str]:
    # repr gives the shortest text that reads back as the same double.
    quantisation = {"scale": repr(value_range.step(largest_code)), "offset": repr(value_range.low)}
    return _prefixed({**content.metadata, **quantisation})


def _write_color(file: OutputFile, content: MapContent) -> None:
    write_png(file, _colours(content), _picture_text(content))


def _write_side_by_side(file: OutputFile, content: MapContent) -> None:
    if content.image is None:
        raise OutputError("format side-by-side shows the photograph too: pass it as image")
    expected = (*content.values.shape, 3)
    if getattr(content.image, "dtype", None) != np.uint8 or content.image.shape != expected:
        given = f"{getattr(content.image, 'dtype', type(content.image).__name__)} {np.shape(content.image)}"
        raise OutputError(f"the photograph is {given}: expected uint8, and the map needs {expected}")
    pair = np.concatenate([content.image, _colours(content)], axis=1)
    write_png(file, pair, _picture_text(content))


def _colours(content: MapContent) -> UInt8[Array, "H W 3"]:
    return colorize(nearness(content.values, content.kind), content.colormap)


def _picture_text(content: MapContent) -> dict[str, str]:
    return _prefixed({**content.metadata, "colormap": content.colormap})


def _read_png_values(file: BinaryIO) -> _ValuesAndText:
    codes, text = read_png(file)
    metadata = _without_prefix(text)
    if "colormap" in metadata:
        raise ValueError("it is a picture for the eye; the values are in the formats png16, pfm, npy, npz, exr, tiff")
    codes = plain_map(codes)
    scale, offset = float(metadata.pop("scale", "1")), float(metadata.pop("offset", "0"))
    return (offset + scale * codes.astype(np.float64)).astype(np.float32), metadata


def _write_pfm(file: OutputFile, content: MapContent) -> None:
    write_pfm(file, content.values, content.kind)


def _read_pfm(file: BinaryIO) -> _ValuesAndText:
    values, kind = read_pfm(file)
    return values, {} if kind is None else {KIND_KEY: kind}


def _write_npy(file: OutputFile, content: MapContent) -> None:
    # A file of relative disparity is what numpy.save writes, to the last byte.
    write_npy(file, content.values, None if content.kind == RELATIVE_DISPARITY else content.metadata)


def _write_npz(file: OutputFile, content: MapContent) -> None:
    write_npz(file, content.values, content.metadata)


def _write_exr(file: OutputFile, content: MapContent) -> None:
    write_exr(file, content.values, _prefixed(content.metadata))


def _read_exr(file: BinaryIO) -> _ValuesAndText:
    values, text = read_exr(file.read())
    return values, _without_prefix(text)


def _write_tiff(file: OutputFile, content: MapContent) -> None:
    # The description is ASCII by the standard; json.dumps escapes what isn't.
    description = json.dumps(content.metadata)
    Image.fromarray(content.values).save(file, "TIFF", tiffinfo={IMAGEDESCRIPTION: description})


def _read_tiff(file: BinaryIO) -> _ValuesAndText:
    with TiffFile(file) as image, raised_errors():
        # Pillow reads so much at a time, and copies what it has until there is a whole row.
        image.decodermaxblock = max(image.decodermaxblock, 16 * image.width)
        description = str(image.tag_v2.get(IMAGEDESCRIPTION, ""))
        values = image.values() if image.strange else np.array(image)
    return values, parsed_metadata(description) if description.startswith("{") else {}


def _prefixed(metadata: Mapping[str, str]) -> dict[str, str]:
    return {_PREFIX + name: text for name, text in metadata.items()}


def _without_prefix(text: Mapping[str, str]) -> dict[str, str]:
    return {name.removeprefix(_PREFIX): value for name, value in text.items() if name.startswith(_PREFIX)}


FORMATS: dict[str, Format] = {
    chosen.name: chosen
    for chosen in (
        Format("png16", ".png", "", _write_png16, _read_png_values),
        Format("png8", ".png", "_8bit", _write_png8, _read_png_values),
        Format("color", ".png", "_color", _write_color, None),
        Format("side-by-side", ".png", "_side-by-side", _write_side_by_side, None, shows_image=True),
        Format("pfm", ".pfm", "", _write_pfm, _read_pfm),
        Format("npy", ".npy", "", _write_npy, read_npy),
        Format("npz", ".npz", "", _write_npz, read_npz),
        Format("exr", ".exr", "", _write_exr, _read_exr),
        Format("tiff", ".tiff", "", _write_tiff, _read_tiff),
        Format("png-mm", ".png", "_mm", _write_png_mm, _read_png_values, only_metres=True),
    )
}
