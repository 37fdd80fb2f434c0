"""NPY and NPZ files."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from io import BufferedWriter, BytesIO
from typing import BinaryIO

import numpy as np

from midas.arrays import Array, Float32

_MAGIC = b"\x93NUMPY"


def write_npy(
    file: BufferedWriter | BytesIO, values: Float32[Array, "H W"], metadata: Mapping[str, str] | None
) -> None:
    """Write an array, and metadata as a second one behind it: readers of one array see none of that."""
    # numpy.save lets C write into files, and of a full disk then says how many numbers it lacks, and nothing of disks.
    by_rows = np.ascontiguousarray(values)
    np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(by_rows))
    file.write(by_rows.data)
    if metadata is not None:
        np.save(file, np.array(json.dumps(dict(metadata))), allow_pickle=False)


def read_npy(file: BinaryIO) -> tuple[Array, dict[str, str]]:
    """Read the first array, and what ``write_npy`` put behind it.

    Raises:
        ValueError: if it is damaged, or no NPY file of numbers.
    """
    values = np.load(file, allow_pickle=False)
    begin = file.read(len(_MAGIC))
    if begin != _MAGIC:
        return values, {}
    file.seek(-len(_MAGIC), os.SEEK_CUR)
    second = np.load(file, allow_pickle=False)
    return values, parsed_metadata(str(second)) if second.dtype.kind == "U" and second.ndim == 0 else {}


def write_npz(file: BufferedWriter | BytesIO, values: Float32[Array, "H W"], metadata: Mapping[str, str]) -> None:
    """Write the arrays ``values`` and ``metadata``, the second as JSON."""
    np.savez(file, values=values, metadata=np.array(json.dumps(dict(metadata))))


def read_npz(file: BinaryIO) -> tuple[Array, dict[str, str]]:
    """Read what ``write_npz`` wrote, or the only array of another program's file, whatever its name.

    Raises:
        KeyError, ValueError, zipfile.BadZipFile: if it is damaged or another file.
    """
    with np.load(file, allow_pickle=False) as archive:
        metadata = parsed_metadata(str(archive["metadata"])) if "metadata" in archive else {}
        names = [name for name in archive.files if name != "metadata"]
        name = "values" if "values" in names or len(names) != 1 else names[0]
        return archive[name], metadata


def parsed_metadata(text: str) -> dict[str, str]:
    """Names and texts out of JSON.

    Raises:
        ValueError: it is something else.
    """
    metadata = json.loads(text)
    if not isinstance(metadata, dict):
        raise ValueError("its metadata aren't names and texts")
    return {name: str(content) for name, content in metadata.items()}
