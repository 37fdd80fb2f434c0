"""BMP files, with the layouts of bits that Pillow lacks.

Here and not by OpenCV's decoder, which knows no more layouts of 16 bits, and whose colours of 32 bits are off by up to
248 where the masks stand behind a header of 40 bytes.
"""

from __future__ import annotations

import struct

import numpy as np
from PIL import BmpImagePlugin

from midas.arrays import Array, Shaped, UInt8

_FILE_HEADER_BYTES, _SMALLEST_HEADER_BYTES, _LARGEST_HEADER_BYTES = 14, 40, 124
_HEADER_BYTES_WITH_ALPHA = 56
_BITFIELDS, _ALPHA_BITFIELDS = 3, 6
_MOST_BITS = 16


class BmpFile(BmpImagePlugin.BmpImageFile):
    """Pillow's plugin, and a way round it.

    Attributes:
        strange: whether ``values`` is to be called and not ``load``.
    """

    strange = False

    def _bitmap(self, header: int = 0, offset: int = 0) -> None:
        try:
            super()._bitmap(header, offset)
        except OSError:
            info = self._stored(_FILE_HEADER_BYTES, _LARGEST_HEADER_BYTES).ljust(_LARGEST_HEADER_BYTES, b"\0")
            size, width, height, _, bits, compression = struct.unpack_from("<IiiHHI", info)
            if size < _SMALLEST_HEADER_BYTES or compression not in (_BITFIELDS, _ALPHA_BITFIELDS):
                raise
            if bits not in (16, 32) or width < 0:
                raise
            *colours, alpha = struct.unpack_from("<4I", info, _SMALLEST_HEADER_BYTES)
            has_alpha = alpha and (size >= _HEADER_BYTES_WITH_ALPHA or compression == _ALPHA_BITFIELDS)
            self._masks = (*colours, alpha) if has_alpha else tuple(colours)
            self._bits, self._rows_from_above, self._offset = bits, height < 0, offset
            self._size, self._mode, self.strange = (width, abs(height)), "RGB", True

    def load_end(self) -> None:
        """Leave an alpha aside that is 0 everywhere: programs write it, and none shows such a picture as nothing."""
        if self.mode == "RGBA" and self.im.getband(3).getextrema()[1] == 0:
            self.im, self._mode = self.im.convert("RGB"), "RGB"
        super().load_end()

    def values(self) -> Shaped[Array, "H W channels"]:
        """Red, green and blue, and alpha where there is any that isn't 0 everywhere.

        Raises:
            ValueError: the file is cut off.
        """
        width, height = self.size
        stride = (width * self._bits + 31) // 32 * 4
        rows = np.frombuffer(self._stored(self._offset, height * stride), np.uint8).reshape(height, stride)
        codes = rows[:, : width * self._bits // 8].view(f"<u{self._bits // 8}")
        channels = [_scaled(codes, mask) for mask in self._masks]
        if len(channels) == 4 and not channels[3].any():
            channels.pop()
        pixels = np.stack(channels, axis=2)
        return pixels if self._rows_from_above else pixels[::-1]

    def _stored(self, begin: int, count: int) -> bytes:
        if self.fp is None:
            raise ValueError("its file is closed")
        self.fp.seek(begin)
        return self.fp.read(count)


def _scaled(codes: Shaped[Array, "H W"], mask: int) -> UInt8[Array, "H W"]:
    """The bits of a mask as 0 to 255."""
    shift = (mask & -mask).bit_length() - 1 if mask else 0
    bits = mask.bit_length() - shift
    shift, bits = shift + max(bits - _MOST_BITS, 0), min(bits, _MOST_BITS)
    largest = (1 << bits) - 1
    table = np.rint(np.arange(largest + 1) * (255 / max(largest, 1))).astype(np.uint8)
    return np.asarray(table[(codes >> shift) & largest], np.uint8)
