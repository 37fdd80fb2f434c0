"""TIFF files, with those kinds that Pillow doesn't know or takes for others."""

from __future__ import annotations

import io
import logging
import re
import struct
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import cv2
import numpy as np
from PIL import Image, TiffImagePlugin
from PIL.TiffImagePlugin import (
    BITSPERSAMPLE,
    COMPRESSION,
    EXTRASAMPLES,
    FILLORDER,
    IMAGELENGTH,
    IMAGEWIDTH,
    PHOTOMETRIC_INTERPRETATION,
    PLANAR_CONFIGURATION,
    PREDICTOR,
    ROWSPERSTRIP,
    SAMPLEFORMAT,
    SAMPLESPERPIXEL,
    STRIPBYTECOUNTS,
    STRIPOFFSETS,
    TILEBYTECOUNTS,
    TILELENGTH,
    TILEOFFSETS,
    TILEWIDTH,
)

from midas.arrays import Array, Shaped
from midas.pictures.damage import StrangePictureError
from midas.pictures.exif import orientation_of
from midas.pictures.libtiff import raised_errors

_ORIENTATION, _XMP, _PROFILE = 274, 700, 34675
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB = 0, 1, 2
_IN_PLANES = 2
_UNSIGNED, _FLOAT = 1, 3
_ALPHA = (1, 2)
_LONG = 4
_TAGS_OF_ALL_PLANES = (
    IMAGEWIDTH, IMAGELENGTH, COMPRESSION, FILLORDER, ROWSPERSTRIP, PREDICTOR, TILEWIDTH, TILELENGTH,
)  # fmt: skip


class TiffFile(TiffImagePlugin.TiffImageFile):
    """Pillow's plugin, without its own limit of pixels, and with a way round it.

    Attributes:
        strange: whether ``values`` is to be called and not ``load``: for more than 8 bits in planes, of which Pillow
            makes noise; with 0 for white, which it shows as a negative; of 12 bits, which it shows as nearly black;
            and for several float values per pixel, which it doesn't know.
    """

    strange = False

    def _open(self) -> None:
        _leave_words_of_tags_aside()
        super()._open()

    def load_prepare(self) -> None:
        """Make room for the pixels: Pillow's plugin checks their number against a limit of its own here."""
        stored = (self.tag_v2[IMAGEWIDTH], self.tag_v2[IMAGELENGTH])
        self.im = Image.new(self.mode, stored, None).im
        super().load_prepare()

    def _setup(self) -> None:
        tags = self.tag_v2
        bits = tags.get(BITSPERSAMPLE, (1,))
        self._bits = bits[0] if len(set(bits)) == 1 else 0
        self._samples = tags.get(SAMPLESPERPIXEL, 1)
        self._is_float = set(tags.get(SAMPLEFORMAT, (_UNSIGNED,))) == {_FLOAT}
        self._in_planes = self._samples > 1 and tags.get(PLANAR_CONFIGURATION, 1) == _IN_PLANES and self._bits > 8
        self._negative = tags.get(PHOTOMETRIC_INTERPRETATION) == _WHITE_IS_ZERO and self._bits > 8
        if self._negative:  # Pillow knows the rest of it, if anything
            tags[PHOTOMETRIC_INTERPRETATION] = _BLACK_IS_ZERO
        self.strange = self._negative or self._bits == 12 or self._in_planes
        try:
            super()._setup()
        except SyntaxError as error:
            several_floats = self._is_float and self._samples in (3, 4) and self._bits in (32, 64)
            if not (self._in_planes or several_floats):
                raise StrangePictureError(
                    f"is a TIFF file of {self._samples} values of {' and '.join(map(str, sorted(set(bits))))} bits per "
                    "pixel, which can't be read; expected grey, RGB, RGBA or CMYK of 8 or 16 bits: convert it"
                ) from error
            self.strange, self._mode, self.tile = True, "RGB", []

    @property
    def orientation(self) -> int:
        """Which way up ``values`` are to be seen; ``load`` gives upright ones."""
        return orientation_of({"xmp": self.tag_v2.get(_XMP)}) if self._stated is None else self._stated

    @property
    def profile(self) -> bytes | None:
        """The colour profile."""
        return self.tag_v2.get(_PROFILE)

    def values(self) -> Shaped[Array, "H W *channels"]:
        """The pixels as they are stored, but planes put together and 0 made black: uint8, uint16 or float.

        Raises:
            OSError, SyntaxError, TypeError, ValueError, struct.error: the file is damaged.
            StrangePictureError: a layout that can't be read.
        """
        if self._samples > 1 and not self._in_planes:
            return self._by_opencv()
        stored = self._planes()
        if self._bits == 12:
            stored = np.rint(stored * (65535 / 4095)).astype(np.uint16)
        return (1 if self._is_float else 65535) - stored if self._negative else stored

    def _planes(self) -> Shaped[Array, "H W *channels"]:
        """Each plane as a grey picture of its own, in a file with the same data and another directory."""
        tags = self.tag_v2
        colours = {_BLACK_IS_ZERO: 1, _RGB: 3}.get(tags.get(PHOTOMETRIC_INTERPRETATION, -1), 0)
        kind = _FLOAT if self._is_float else tags.get(SAMPLEFORMAT, (_UNSIGNED,))[0]
        known = (self._bits, kind) in ((12, _UNSIGNED), (16, _UNSIGNED), (32, _FLOAT))
        if not (known and 0 < colours <= self._samples):
            raise StrangePictureError(
                f"is a TIFF file of {self._samples} planes of {self._bits} bits, which can't be read; expected grey or "
                "RGB planes of 8 or 16 bits: convert it"
            )
        alpha = colours == 3 and self._samples > colours and tags.get(EXTRASAMPLES, (0,))[0] in _ALPHA
        shared = {tag: (tags[tag],) for tag in _TAGS_OF_ALL_PLANES if tag in tags}
        shared |= {BITSPERSAMPLE: (self._bits,), SAMPLEFORMAT: (kind,), SAMPLESPERPIXEL: (1,)}
        shared[PHOTOMETRIC_INTERPRETATION] = (_BLACK_IS_ZERO,)
        places = (TILEOFFSETS, TILEBYTECOUNTS) if TILEOFFSETS in tags else (STRIPOFFSETS, STRIPBYTECOUNTS)
        data = self._content()
        planes = []
        for plane in range(colours + alpha):
            counts = {tag: len(tags[tag]) // self._samples for tag in places}
            own = {tag: tags[tag][plane * count : (plane + 1) * count] for tag, count in counts.items()}
            content = _with_directory(data, tags.prefix, shared | own)
            with TiffImagePlugin.TiffImageFile(io.BytesIO(content)) as grey, raised_errors():
                planes.append(np.asarray(grey))
        return planes[0] if len(planes) == 1 else np.stack(planes, axis=2)

    def _by_opencv(self) -> Shaped[Array, "H W channels"]:
        with _quiet_opencv():
            try:
                bgr = cv2.imdecode(np.frombuffer(self._content(), np.uint8), cv2.IMREAD_UNCHANGED)
            except cv2.error as error:
                raise ValueError(str(error).splitlines()[0]) from error
        if bgr is None or bgr.ndim != 3 or bgr.shape[2] not in (3, 4):
            raise ValueError("its float values can't be decoded")
        return np.asarray(bgr[:, :, [2, 1, 0, 3][: bgr.shape[2]]])

    def _content(self) -> bytes:
        if self.fp is None:
            raise ValueError("its file is closed")
        self.fp.seek(0)
        return self.fp.read()

    @property
    def _stated(self) -> int | None:
        value = self.tag_v2.get(_ORIENTATION)
        return value if value in range(1, 9) else None


def _with_directory(data: bytes, order: bytes, tags: dict[int, Sequence[int]]) -> bytes:
    """The same file with another directory of tags, behind its data."""
    form = {b"II": "<", b"MM": ">"}[order]
    begin = len(data) + len(data) % 2
    behind = begin + 2 + 12 * len(tags) + 4
    entries, longer = [], b""
    for tag, numbers in sorted(tags.items()):
        packed = struct.pack(f"{form}{len(numbers)}I", *numbers)
        place = packed if len(numbers) == 1 else struct.pack(f"{form}I", behind + len(longer))
        longer += packed if len(numbers) > 1 else b""
        entries.append(struct.pack(f"{form}HHI", tag, _LONG, len(numbers)) + place)
    directory = struct.pack(f"{form}H", len(entries)) + b"".join(entries) + struct.pack(f"{form}I", 0) + longer
    header = order + struct.pack(f"{form}HI", 42, begin)
    return header + data[len(header) :] + bytes(len(data) % 2) + directory


def _leave_words_of_tags_aside() -> None:
    """Pillow warns of every odd tag, without a file's name; what the pixels need is refused where it is missing.

    Filters that the user has set come before this one; handlers of log lines that the user has set get them as before,
    but where there are none, Python no longer writes them to standard error.
    """
    log = logging.getLogger("PIL")
    if not log.handlers:
        log.addHandler(logging.NullHandler())
    ours = ("ignore", None, UserWarning, re.compile(r"PIL\.TiffImagePlugin"), 0)
    if ours not in warnings.filters:
        warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.TiffImagePlugin", append=True)


@contextmanager
def _quiet_opencv() -> Iterator[None]:
    """OpenCV prints what it raises, too."""
    level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(level)
