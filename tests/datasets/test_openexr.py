"""OpenEXR as renderers write it: each compression that is read gives the values, every other is refused by name."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from tests.datasets.training_miniatures import write_zip_exr

from midas.datasets.openexr import read_openexr
from midas.errors import DatasetError
from midas.maps.exr import write_exr

# 37 lines: two blocks of 16 and what is left. Halves hold these numbers exactly.
VALUES = np.random.default_rng(0).integers(0, 1000, (37, 21)).astype(np.float32) / 4


@pytest.mark.parametrize("compression", [0, 2, 3])
@pytest.mark.parametrize("values", [VALUES, np.zeros((37, 21), np.float32)], ids=["noise", "flat"])
def test_what_is_read_is_what_was_written(compression: int, values: np.ndarray, tmp_path: Path) -> None:
    path = write_zip_exr(tmp_path / "a.exr", {"Y": values}, compression)
    assert (read_openexr(path, "G") == values).all()


def test_of_several_channels_the_named_one_is_read(tmp_path: Path) -> None:
    path = write_zip_exr(tmp_path / "a.exr", {"R": VALUES + 1, "G": VALUES, "B": VALUES + 2})
    assert (read_openexr(path, "G") == VALUES).all()
    with pytest.raises(DatasetError, match=r"a\.exr .*expected a channel 'Z', found B, G, R"):
        read_openexr(path, "Z")


def test_maps_that_this_package_writes_are_read_too(tmp_path: Path) -> None:
    with (tmp_path / "a.exr").open("wb") as file:
        write_exr(file, VALUES / 3, {})
    assert (read_openexr(tmp_path / "a.exr", "Y") == VALUES / 3).all()


def test_another_compression_and_tiles_are_refused_by_name(tmp_path: Path) -> None:
    path = write_zip_exr(tmp_path / "a.exr", {"G": VALUES})
    content = path.read_bytes()
    path.write_bytes(content.replace(b"compression\0compression\0\1\0\0\0\3", b"compression\0compression\0\1\0\0\0\4"))
    with pytest.raises(DatasetError, match="compression PIZ isn't read: expected none, ZIPS or ZIP"):
        read_openexr(path, "G")
    path.write_bytes(content[:5] + b"\2" + content[6:])
    with pytest.raises(DatasetError, match="tiles, deep data and several parts aren't read"):
        read_openexr(path, "G")


def test_a_file_with_any_byte_changed_or_cut_off_is_read_or_refused(tmp_path: Path) -> None:
    path = write_zip_exr(tmp_path / "a.exr", {"G": VALUES})
    content = path.read_bytes()
    rng = np.random.default_rng(0)
    for at in rng.integers(0, len(content), 300):
        for damaged in (content[:at], content[:at] + bytes([int(rng.integers(256))]) + content[at + 1 :]):
            path.write_bytes(damaged)
            with suppress(DatasetError):
                assert read_openexr(path, "G").ndim == 2
