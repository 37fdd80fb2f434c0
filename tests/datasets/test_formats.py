"""Files of data sets: what is read is what the format says, and nothing else is read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.datasets.miniatures import write_dpt, write_grey, write_pfm, write_picture

from midas.datasets import formats
from midas.datasets.sample import Sample
from midas.errors import DatasetError

READERS = {
    "read_rgb": ".png",
    "read_codes": ".png",
    "read_grey": ".png",
    "read_mask": ".png",
    "read_npy": ".npy",
    "read_pfm": ".pfm",
    "read_dpt": ".dpt",
    "read_lines": ".txt",
}


@pytest.mark.parametrize("function", READERS)
@pytest.mark.parametrize("content", [b"", b"\xff\xfe damaged", bytes(64)])
def test_a_damaged_file_is_an_error_that_names_it(function: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"file{READERS[function]}"
    path.write_bytes(content)
    if function == "read_lines" and content != b"\xff\xfe damaged":
        return  # An empty list is a list.
    with pytest.raises(DatasetError, match=path.name):
        getattr(formats, function)(path)


def test_an_array_that_would_run_code_is_not_loaded(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{"code": print}], dtype=object), allow_pickle=True)
    with pytest.raises(DatasetError, match=r"a\.npy can't be read"):
        formats.read_npy(tmp_path / "a.npy")


def test_the_scale_of_a_pfm_file_is_its_byte_order_only(tmp_path: Path) -> None:
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    values[0, 0] = np.inf
    assert (formats.read_pfm(write_pfm(tmp_path / "a.pfm", values, "-0.003922")) == values).all()


def test_a_dpt_file_cut_short_is_an_error(tmp_path: Path) -> None:
    path = write_dpt(tmp_path / "a.dpt", np.ones((4, 5)))
    assert formats.read_dpt(path).shape == (4, 5)
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(DatasetError, match="cut short"):
        formats.read_dpt(path)


def test_bare_numbers_must_be_as_many_as_the_picture_has_pixels(tmp_path: Path) -> None:
    (tmp_path / "a.JPG").write_bytes(np.arange(6, dtype="<f4").tobytes())
    assert formats.read_raw_floats(tmp_path / "a.JPG", (2, 3))[1].tolist() == [3, 4, 5]
    with pytest.raises(DatasetError, match="holds 6 numbers: expected 3 × 3"):
        formats.read_raw_floats(tmp_path / "a.JPG", (3, 3))


def test_a_map_of_8_bits_is_no_map_of_16(tmp_path: Path) -> None:
    for path in (write_picture(tmp_path / "a.png"), write_grey(tmp_path / "b.png", np.ones((4, 5)))):
        with pytest.raises(DatasetError, match="expected one channel of 16 bits"):
            formats.read_codes(path)


def test_depth_that_is_no_finite_number_above_0_is_invalid() -> None:
    depth = np.array([[2.0, 0.0, -1.0, np.nan, np.inf, -np.inf, 1e-42]], np.float32)
    sample = Sample.from_depth(np.zeros((1, 7, 3), np.uint8), depth, name="a/b/c")
    assert sample.mask.tolist() == [[True] + [False] * 6]
    assert sample.disparity.tolist() == [[0.5] + [0.0] * 6]


def test_what_the_set_calls_invalid_is_invalid() -> None:
    depth, valid = np.full((1, 2), 2.0, np.float32), np.array([[True, False]])
    sample = Sample.from_depth(np.zeros((1, 2, 3), np.uint8), depth, name="a/b/c", valid=valid)
    assert sample.mask.tolist() == valid.tolist()
    assert sample.disparity.tolist() == [[0.5, 0.0]]
