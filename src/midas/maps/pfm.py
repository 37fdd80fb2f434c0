"""PFM files of one channel, as the official program writes them."""

from __future__ import annotations

from io import BufferedWriter, BytesIO
from typing import BinaryIO

import numpy as np

from midas.arrays import Array, Float32
from midas.maps.kinds import KINDS, RELATIVE_DISPARITY, Kind

_SCALE = b"1.000000"

# The format has no room for words. Noughts in front of its scale change nothing for any reader, and no program writes
# them: so many of them stand for each kind, and none for relative disparity, which is what such files hold by custom.
_NOUGHTS: dict[Kind, int] = {
    RELATIVE_DISPARITY: 0,
    **{kind: index for index, kind in enumerate((kind for kind in KINDS if kind != RELATIVE_DISPARITY), start=1)},
}


def write_pfm(file: BufferedWriter | BytesIO, values: Float32[Array, "H W"], kind: Kind) -> None:
    """Write a map: float32, little endian, rows from the bottom up."""
    height, width = values.shape
    scale = b"-" + b"0" * _NOUGHTS[kind] + _SCALE  # negative: little endian
    file.write(f"Pf\n{width} {height}\n".encode() + scale + b"\n")
    file.write(values[::-1].astype("<f4").tobytes())


def read_pfm(file: BinaryIO) -> tuple[Float32[Array, "H W"], Kind | None]:
    """Read a map, and its kind where ``write_pfm`` said another than relative disparity.

    Raises:
        ValueError: if it is damaged, or no PFM file of one channel.
    """
    if file.readline().strip() != b"Pf":
        raise ValueError("no PFM file of one channel")
    width, height = (int(number) for number in file.readline().split())
    scale = file.readline().strip()
    byte_order = "<" if float(scale) < 0 else ">"
    values = np.frombuffer(file.read(4 * width * height), f"{byte_order}f4").reshape(height, width)
    noughts = len(scale) - len(_SCALE) - 1 if scale.lstrip(b"-0") == _SCALE else 0
    kind = next((kind for kind, count in _NOUGHTS.items() if count == noughts > 0), None)
    return values[::-1].astype(np.float32), kind
