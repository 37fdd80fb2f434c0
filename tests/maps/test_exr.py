"""OpenEXR as we, renderers, OpenCV and others write it; of damaged files not a word but the error."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import OpenEXR
import pytest

from midas.datasets.formats import read_exr_channel
from midas.errors import DatasetError, OutputError
from midas.maps.exr import read_channels, read_exr, write_exr
from midas.maps.formats import read_map, write_map

# 37 lines: two blocks of 16 and what is left. Halves hold these numbers exactly.
VALUES = np.random.default_rng(0).integers(0, 1000, (37, 21)).astype(np.float32) / 4
LOSSLESS = ["NO", "RLE", "ZIPS", "ZIP", "PIZ"]
LOSSY = ["PXR24", "B44", "B44A", "DWAA", "DWAB"]


def written(
    channels: dict[str, np.ndarray], compression: str = "ZIP", *, tiled: bool = False, **header: object
) -> bytes:
    storage = (
        {"type": OpenEXR.tiledimage, "tiles": OpenEXR.TileDescription()} if tiled else {"type": OpenEXR.scanlineimage}
    )
    file = io.BytesIO()
    header = {"compression": getattr(OpenEXR, f"{compression}_COMPRESSION"), **storage, **header}
    OpenEXR.File(header, {name: OpenEXR.Channel(values) for name, values in channels.items()}).write(file)
    return file.getvalue()


@pytest.mark.parametrize("tiled", [False, True], ids=["lines", "tiles"])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.uint32])
@pytest.mark.parametrize("compression", LOSSLESS)
def test_every_lossless_file_gives_its_values(compression: str, dtype: type, tiled: bool) -> None:
    values = (VALUES * 4).astype(dtype)
    found, _ = read_exr(written({"Y": values}, compression, tiled=tiled))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, values)


@pytest.mark.parametrize("compression", LOSSY)
def test_a_lossy_file_gives_about_its_values(compression: str) -> None:
    smooth = np.add.outer(np.linspace(1, 2, 37), np.linspace(1, 2, 21)).astype(np.float16)
    found, _ = read_exr(written({"Y": smooth}, compression))
    np.testing.assert_allclose(found, smooth, rtol=0.01)


def test_what_we_write_is_read_back_bit_for_bit_with_its_texts() -> None:
    values = np.array([[0.1, np.nan, np.inf], [-np.inf, 1e-42, -0.0]], np.float32)
    text = {"midas:model": "tiny", "midas:source": "Straße 東京.jpg", "midas:empty": ""}
    file = io.BytesIO()
    write_exr(file, values, text)
    found, again = read_exr(file.getvalue())
    assert found.tobytes() == values.tobytes()
    assert again == text


def test_two_writings_are_the_same_bytes() -> None:
    first, second = io.BytesIO(), io.BytesIO()
    write_exr(first, VALUES, {"midas:model": "tiny"})
    write_exr(second, VALUES[:, ::-1][:, ::-1], {"midas:model": "tiny"})
    assert first.getvalue() == second.getvalue()


@pytest.mark.parametrize(
    "channels",
    [
        {"anything": VALUES},
        {"ViewLayer.Combined.R": VALUES + 1, "ViewLayer.Combined.G": VALUES + 2, "ViewLayer.Depth.Z": VALUES},
        {"R": VALUES + 1, "G": VALUES + 2, "B": VALUES + 3, "depth": VALUES},
        {"R": VALUES, "G": VALUES, "B": VALUES},
        {"R": VALUES, "G": VALUES, "B": VALUES, "A": VALUES + 1},
    ],
    ids=["one", "Blender", "named", "grey", "grey with alpha"],
)
def test_the_map_is_found_among_channels(channels: dict[str, np.ndarray]) -> None:
    np.testing.assert_array_equal(read_exr(written(channels))[0], VALUES)


def test_channels_that_dont_tell_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="the channels B, G, R don't tell which is the map"):
        read_exr(written({"R": VALUES, "G": VALUES + 1, "B": VALUES}))


def test_parts_are_told_apart() -> None:
    parts = [
        OpenEXR.Part({"type": OpenEXR.scanlineimage, "name": name}, {"Z": VALUES + at}) for at, name in enumerate("ab")
    ]
    file = io.BytesIO()
    OpenEXR.File(parts).write(file)
    content = read_channels(file.getvalue())
    assert list(content.channels) == ["a.Z", "b.Z"]
    np.testing.assert_array_equal(content.channels["b.Z"], VALUES + 1)


def test_of_several_channels_a_data_set_names_one(tmp_path: Path) -> None:
    path = tmp_path / "a.exr"
    path.write_bytes(written({"R": VALUES + 1, "G": VALUES, "B": VALUES + 2}))
    np.testing.assert_array_equal(read_exr_channel(path, "G"), VALUES)
    with pytest.raises(DatasetError, match=r"a\.exr has no channel 'Z'; it has B, G, R"):
        read_exr_channel(path, "Z")
    path.write_bytes(written({"Y": VALUES}))
    np.testing.assert_array_equal(read_exr_channel(path, "G"), VALUES)


@pytest.mark.parametrize("size", [(40, 1 << 24), (1 << 24, 40), (60_000, 60_000), (0, 5)])
@pytest.mark.parametrize("compression", ["NO", "ZIP", "DWAA"])
def test_a_size_that_is_claimed_costs_nothing(compression: str, size: tuple[int, int]) -> None:
    content = bytearray(written({"Y": VALUES}, compression))
    at = content.index(b"dataWindow\0box2i\0") + len(b"dataWindow\0box2i\0") + 4
    content[at : at + 16] = struct.pack("<iiii", 0, 0, size[1] - 1, size[0] - 1)
    start = time.process_time()
    with pytest.raises(ValueError, match="OpenEXR"):
        read_exr(bytes(content))
    assert time.process_time() - start < 1


def damaged(seed: int, count: int) -> list[bytes]:
    rng = np.random.default_rng(seed)
    whole = [written({"Y": VALUES}, each) for each in (*LOSSLESS, *LOSSY)] + [written({"Y": VALUES}, tiled=True)]
    found = []
    for number in range(count):
        content = bytearray(whole[number % len(whole)])
        for at in rng.integers(0, len(content) if number % 2 else 420, rng.integers(1, 5)):
            content[at] = rng.integers(256)
        found.append(bytes(content[: rng.integers(len(content))] if number % 3 == 0 else content))
    return found


def test_a_damaged_file_is_read_or_refused_without_a_word(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path, refused = tmp_path / "a.exr", 0
    for content in damaged(0, 300):
        path.write_bytes(content)
        try:
            assert read_map(path)[0].ndim == 2
        except OutputError as error:
            refused += 1
            assert "a.exr can't be read as a map: " in str(error)  # noqa: PT017
    assert refused > 100
    assert capfd.readouterr() == ("", "")


def test_what_others_say_meanwhile_is_heard() -> None:
    code = """
import io, os, sys, threading
sys.path.insert(0, sys.argv[1])
from tests.maps.test_exr import damaged
from midas.maps.exr import read_exr
done = threading.Event()
def talk():
    for number in range(2000):
        print(number, flush=True)
        os.write(2, f"{number}\\n".encode())
    done.set()
threading.Thread(target=talk).start()
while not done.is_set():
    for content in damaged(0, 30):
        try:
            read_exr(content)
        except ValueError:
            pass
"""
    command = [sys.executable, "-c", code, str(Path(__file__).parents[2])]
    finished = subprocess.run(command, capture_output=True, text=True, check=True)
    assert finished.stdout.split() == finished.stderr.split() == [str(number) for number in range(2000)]


@pytest.mark.skipif(sys.platform == "win32", reason="descriptors are closed as on Unix")
def test_it_works_where_there_is_no_standard_error(tmp_path: Path) -> None:
    write_map(tmp_path / "map.exr", VALUES)
    code = (
        "import os, sys; sys.stdout = None; os.close(2); from midas.maps.formats import read_map; read_map(sys.argv[1])"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "map.exr")], check=True)


def test_a_full_disk_is_said_so() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    with pytest.raises(OSError, match="No space left"), Path("/dev/full").open("wb") as file:
        write_exr(file, np.zeros((500, 500), np.float32), {})
