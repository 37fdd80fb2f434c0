"""Writers: values come back, files appear whole or not at all, and nothing is replaced unasked."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import re
import struct
import subprocess
import sys
import tempfile
import zlib
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from midas.errors import ConfigError, OutputError
from midas.maps.colormaps import colorize
from midas.maps.formats import FORMATS, MapContent, encode_map, format_by_suffix, output_path, read_map, write_map
from midas.maps.layouts import plain_map
from midas.maps.png import write_png
from midas.storage.atomic import atomic_file

EXACT = ["pfm", "npy", "npz", "exr", "tiff"]
WITH_METADATA = ["png16", "png8", "npz", "exr", "tiff"]
METADATA = {"space": "relative_disparity", "model": "midas_nano_256", "source": "Höhle 洞.jpg"}
SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, max_side=20)
FINITE = st.floats(-(2.0**100), 2.0**100, width=32)
# Any numbers at all, and numbers so close together that few floats lie between them.
MAPS = st.one_of(
    hnp.arrays(np.float32, SHAPES, elements=FINITE),
    hnp.arrays(np.float32, SHAPES, elements=st.floats(1, 1 + 2**-18, width=32)),
    hnp.arrays(np.float32, SHAPES, elements=st.floats(-(2.0**-126), 2.0**-126, width=32)),
)
ANY_MAPS = hnp.arrays(np.float32, SHAPES, elements=st.floats(width=32))


@pytest.fixture
def values() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(13, 29)).astype(np.float32)


@pytest.fixture
def image(values: np.ndarray) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (*values.shape, 3), dtype=np.uint8)


def written_and_read(values: np.ndarray, name: str) -> tuple[np.ndarray, dict[str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        path = output_path(Path(folder), "photo", name)
        write_map(path, values, name, metadata=METADATA)
        return read_map(path)


def quantisation_bound(values: np.ndarray, largest_code: int) -> np.ndarray:
    """Half a step between codes, and the rounding of the sum to float32."""
    step = (float(values.max()) - float(values.min())) / largest_code
    return step / 2 * (1 + 1e-9) + np.spacing(np.abs(values)) / 2


@pytest.mark.parametrize("name", EXACT)
@given(values=ANY_MAPS)
def test_a_float_format_gives_every_value_back_bit_for_bit(name: str, values: np.ndarray) -> None:
    np.testing.assert_array_equal(written_and_read(values, name)[0].view(np.uint32), values.view(np.uint32))


@pytest.mark.parametrize(("name", "largest_code"), [("png16", 65535), ("png8", 255)])
@given(values=MAPS)
def test_a_png_gives_every_value_back_within_half_a_step(name: str, largest_code: int, values: np.ndarray) -> None:
    recovered = written_and_read(values, name)[0]
    error = np.abs(recovered.astype(np.float64) - values)
    assert (error <= quantisation_bound(values, largest_code)).all()


@pytest.mark.parametrize("name", ["png16", "png8"])
@given(value=FINITE)
def test_a_constant_map_comes_back_exactly_from_a_png(name: str, value: float) -> None:
    values = np.full((3, 4), value, np.float32)
    np.testing.assert_array_equal(written_and_read(values, name)[0], values)


@pytest.mark.parametrize("name", WITH_METADATA)
def test_metadata_come_back_in_any_script(name: str, values: np.ndarray) -> None:
    assert written_and_read(values, name)[1] == METADATA


def test_a_file_name_that_is_no_text_can_be_stored(tmp_path: Path, values: np.ndarray) -> None:
    source = os.fsdecode(b"caf\xe9.jpg")
    write_map(tmp_path / "photo.png", values, metadata={"source": source})
    assert read_map(tmp_path / "photo.png")[1]["source"].startswith("caf")


def test_values_that_are_not_finite_are_0_in_a_png() -> None:
    values = np.array([[np.nan, np.inf, -np.inf, 3, -1]], np.float32)
    np.testing.assert_allclose(written_and_read(values, "png16")[0], [[0, 0, 0, 3, -1]], atol=1e-4)


@pytest.mark.parametrize("name", EXACT)
def test_a_map_whose_rows_are_not_one_block_of_memory_is_written_alike(name: str, values: np.ndarray) -> None:
    flipped = values[::-2, ::3]
    assert encode_map(flipped, name) == encode_map(flipped.copy(), name)


# ── the files, as other programs read them ────────────────────────────────────────────────────────────────────────


def test_opencv_and_pillow_read_the_codes_of_a_16_bit_png(tmp_path: Path, values: np.ndarray) -> None:
    write_map(tmp_path / "photo.png", values)
    codes = cv2.imread(str(tmp_path / "photo.png"), cv2.IMREAD_UNCHANGED)
    assert (codes.dtype, codes.min(), codes.max()) == (np.uint16, 0, 65535)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "photo.png")), codes)


def test_the_texts_of_a_png_say_what_its_values_are(tmp_path: Path, values: np.ndarray) -> None:
    write_map(tmp_path / "photo.png", values, metadata=METADATA)
    with Image.open(tmp_path / "photo.png") as file:
        text = file.text  # type: ignore[attr-defined]
    assert {"midas:space", "midas:model", "midas:source", "midas:scale", "midas:offset"} == set(text)
    assert float(text["midas:offset"]) == values.min()
    assert float(text["midas:scale"]) == (float(values.max()) - float(values.min())) / 65535


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(1, 1), (1, 70_000), (70_000, 1), (300, 500), (150, 400, 3)])
def test_a_png_of_any_shape_decodes_to_its_pixels(shape: tuple[int, ...], dtype: type) -> None:
    if len(shape) == 3 and dtype is np.uint16:
        pytest.skip("colour has 8 bits")
    pixels = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)
    file = io.BytesIO()
    write_png(file, pixels, {})
    decoded = cv2.imdecode(np.frombuffer(file.getvalue(), np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(decoded[..., ::-1] if pixels.ndim == 3 else decoded, pixels)


def test_a_png_needs_no_isal_where_there_is_none(monkeypatch: pytest.MonkeyPatch, values: np.ndarray) -> None:
    with_it = encode_map(values, "png16")
    monkeypatch.setitem(sys.modules, "isal", None)
    without = encode_map(values, "png16")
    decoded = [cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED) for content in (with_it, without)]
    np.testing.assert_array_equal(*decoded)


def test_every_chunk_of_a_png_has_its_checksum(values: np.ndarray) -> None:
    content, at, kinds = encode_map(values, "png16", metadata=METADATA), 8, []
    while at < len(content):
        (length,) = struct.unpack_from(">I", content, at)
        (checksum,) = struct.unpack_from(">I", content, at + 8 + length)
        assert zlib.crc32(content[at + 4 : at + 8 + length]) == checksum
        kinds.append(content[at + 4 : at + 8])
        at += 12 + length
    assert kinds[0] == b"IHDR"
    assert kinds[-2:] == [b"IDAT", b"IEND"]


def test_a_pfm_is_byte_for_byte_that_of_the_official_code(shared_dir: Path) -> None:
    fixture = np.load(shared_dir / "parity" / "preprocess.npz")
    content = encode_map(fixture["post/base_97x61"], "pfm")
    assert hashlib.sha256(content).digest() == fixture["post/pfm_sha256"].tobytes()


def test_opencv_reads_the_values_of_a_pfm_and_a_tiff(tmp_path: Path, values: np.ndarray) -> None:
    for suffix in (".pfm", ".tiff"):
        write_map(tmp_path / f"photo{suffix}", values)
        np.testing.assert_array_equal(cv2.imread(str(tmp_path / f"photo{suffix}"), cv2.IMREAD_UNCHANGED), values)


def test_a_big_endian_pfm_is_read_too(tmp_path: Path, values: np.ndarray) -> None:
    (tmp_path / "photo.pfm").write_bytes(b"Pf\n29 13\n1.0\n" + values[::-1].astype(">f4").tobytes())
    np.testing.assert_array_equal(read_map(tmp_path / "photo.pfm")[0], values)


def test_numpy_reads_values_and_metadata_of_an_npz(tmp_path: Path, values: np.ndarray) -> None:
    write_map(tmp_path / "photo.npz", values, metadata=METADATA)
    with np.load(tmp_path / "photo.npz", allow_pickle=False) as archive:
        assert set(archive.files) == {"values", "metadata"}
        np.testing.assert_array_equal(archive["values"], values)


def test_a_grey_png_of_another_program_gives_its_codes(tmp_path: Path) -> None:
    codes = np.array([[0, 300], [65535, 7]], np.uint16)
    cv2.imwrite(str(tmp_path / "other.png"), codes)
    np.testing.assert_array_equal(read_map(tmp_path / "other.png")[0], codes)


# ── pictures for the eye ──────────────────────────────────────────────────────────────────────────────────────────


def test_the_colour_picture_is_the_colour_map_of_the_values(tmp_path: Path, values: np.ndarray) -> None:
    write_map(tmp_path / "photo.png", values, "color", colormap="turbo")
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "photo.png")), colorize(values, "turbo"))


def test_side_by_side_has_the_photograph_left_and_the_colours_right(
    tmp_path: Path, values: np.ndarray, image: np.ndarray
) -> None:
    write_map(tmp_path / "photo.png", values, "side-by-side", image=image)
    picture = np.asarray(Image.open(tmp_path / "photo.png"))
    np.testing.assert_array_equal(picture, np.concatenate([image, colorize(values)], axis=1))


def test_side_by_side_without_the_photograph_is_an_error(values: np.ndarray) -> None:
    with pytest.raises(OutputError, match="pass it as image"):
        encode_map(values, "side-by-side")


def test_side_by_side_with_a_photograph_of_another_size_is_an_error(values: np.ndarray, image: np.ndarray) -> None:
    with pytest.raises(OutputError, match=re.escape("the map needs (13, 29, 3)")):
        encode_map(values, "side-by-side", image=image[1:])


@pytest.mark.parametrize("name", ["color", "side-by-side"])
def test_a_picture_for_the_eye_does_not_pass_for_values(
    tmp_path: Path, values: np.ndarray, image: np.ndarray, name: str
) -> None:
    write_map(tmp_path / "photo.png", values, name, image=image)
    with pytest.raises(OutputError, match="picture for the eye"):
        read_map(tmp_path / "photo.png")


def test_a_picture_with_a_palette_does_not_pass_for_values(tmp_path: Path) -> None:
    picture = Image.new("P", (3, 2), 1)
    picture.putpalette([0, 0, 0, 200, 40, 40])
    picture.save(tmp_path / "palette.png")
    with pytest.raises(OutputError, match="picture for the eye"):
        read_map(tmp_path / "palette.png")


def test_an_unknown_colour_map_is_an_error_and_leaves_no_file(tmp_path: Path, values: np.ndarray) -> None:
    with pytest.raises(ConfigError, match="jet"):
        write_map(tmp_path / "photo.png", values, "color", colormap="jet")
    assert list(tmp_path.iterdir()) == []


# ── formats and names ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "png-mm"])  # which is for metres
def test_a_file_holds_the_encoded_bytes_the_same_each_time(
    tmp_path: Path, values: np.ndarray, image: np.ndarray, name: str
) -> None:
    path = output_path(tmp_path, "photo", name)
    write_map(path, values, name, metadata=METADATA, image=image)
    encoded = encode_map(values, name, metadata=METADATA, image=image)
    assert path.read_bytes() == encoded == encode_map(values.copy(), name, metadata=dict(METADATA), image=image)


def test_all_formats_of_one_picture_have_different_names() -> None:
    paths = [output_path(Path("depth"), "photo.v2", name) for name in FORMATS]
    assert len(set(paths)) == len(FORMATS)
    assert [path.name for path in paths[:5]] == [
        "photo.v2.png",
        "photo.v2_8bit.png",
        "photo.v2_color.png",
        "photo.v2_side-by-side.png",
        "photo.v2.pfm",
    ]


@pytest.mark.parametrize(
    ("name", "expected"), [("a.png", "png16"), ("a.PNG", "png16"), ("a.tif", "tiff"), ("a.b.exr", "exr")]
)
def test_the_suffix_chooses_the_format(name: str, expected: str) -> None:
    assert format_by_suffix(Path(name)).name == expected


@pytest.mark.parametrize("name", ["photo.jpg", "photo", ".png"])
def test_an_unknown_suffix_is_an_error_that_lists_the_known_ones(name: str, values: np.ndarray) -> None:
    with pytest.raises(OutputError, match=re.escape(".png, .pfm, .npy, .npz, .exr, .tiff")):
        write_map(Path(name), values)


def test_an_unknown_format_is_an_error_that_lists_the_known_ones(values: np.ndarray) -> None:
    with pytest.raises(OutputError, match="'jpg': expected one of png16, png8, color, side-by-side, pfm"):
        encode_map(values, "jpg")


def test_a_suffix_that_does_not_fit_the_format_is_an_error(tmp_path: Path, values: np.ndarray) -> None:
    with pytest.raises(OutputError, match=re.escape("has the suffix .npy")):
        write_map(tmp_path / "photo.png", values, "npy")


# ── files whole or not at all ─────────────────────────────────────────────────────────────────────────────────────


def test_an_existing_file_is_replaced_only_when_asked(tmp_path: Path, values: np.ndarray) -> None:
    path = tmp_path / "photo.npy"
    path.write_bytes(b"precious")
    with pytest.raises(OutputError, match="exists already"):
        write_map(path, values)
    assert path.read_bytes() == b"precious"
    write_map(path, values, overwrite=True)
    np.testing.assert_array_equal(np.load(path), values)


def test_missing_folders_are_made(tmp_path: Path, values: np.ndarray) -> None:
    write_map(tmp_path / "a" / "b" / "photo.npy", values)
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["photo.npy"]


def test_a_folder_that_can_not_be_made_is_an_error_with_the_reason(tmp_path: Path, values: np.ndarray) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match=r"photo\.npy can't be written: (File exists|Not a directory)"):
        write_map(tmp_path / "file" / "photo.npy", values)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_an_error_with_the_reason(tmp_path: Path, values: np.ndarray) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="Permission denied"):
        write_map(tmp_path / "photo.npy", values)


def fail_midway(path: Path, error: BaseException) -> None:
    with atomic_file(path, overwrite=True) as file:
        file.write(b"half")
        raise error


@pytest.mark.parametrize("error", [ValueError("encoder"), KeyboardInterrupt()])
@pytest.mark.parametrize("before", [None, b"precious"])
def test_a_writer_that_fails_midway_leaves_what_was_there(
    tmp_path: Path, before: bytes | None, error: BaseException
) -> None:
    path = tmp_path / "photo.npy"
    if before is not None:
        path.write_bytes(before)
    with pytest.raises(type(error)):
        fail_midway(path, error)
    assert {found.name: found.read_bytes() for found in tmp_path.iterdir()} == ({path.name: before} if before else {})


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is a device of Linux")
@pytest.mark.parametrize("name", [*EXACT, "png16"])
def test_every_format_says_so_when_the_disk_is_full(name: str) -> None:
    values = np.random.default_rng(0).normal(size=(300, 400)).astype(np.float32)
    content = MapContent(values, {}, None, "inferno")
    with pytest.raises(OSError, match="No space left"), Path("/dev/full").open("wb") as file:
        FORMATS[name].write(file, content)


def test_a_full_disk_is_an_error_with_the_reason_and_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"photo\.npy can't be written: No space left"):
        fail_midway(tmp_path / "photo.npy", OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    assert list(tmp_path.iterdir()) == []


def test_a_killed_writer_leaves_nothing_under_the_final_name(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from midas.storage.atomic import atomic_file\n"
        "with atomic_file(Path(sys.argv[1])) as file: file.write(b'half'); file.flush(); os._exit(9)"
    )
    source = Path(sys.modules["midas"].__file__ or "").parents[1]
    command = [sys.executable, "-c", code, str(tmp_path / "photo.npy")]
    finished = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(source)}, check=False)
    assert finished.returncode == 9
    assert not (tmp_path / "photo.npy").exists()


# ── files that can't be read ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")  # Pillow's way to say that a TIFF file is cut off.
@pytest.mark.parametrize("name", ["png16", *EXACT])
@pytest.mark.parametrize("kept", [0, 3, 60, -200])
def test_a_file_that_was_cut_off_is_an_error_that_names_it(
    tmp_path: Path, values: np.ndarray, name: str, kept: int
) -> None:
    path = output_path(tmp_path, "photo", name)
    path.write_bytes(encode_map(values, name)[:kept])
    with pytest.raises(OutputError, match=f"photo{path.suffix} can't be read"):
        read_map(path)


@pytest.mark.filterwarnings("ignore")  # Of NumPy and Pillow about what they find.
@pytest.mark.parametrize("name", ["png16", *EXACT])
def test_a_damaged_file_gives_a_map_or_an_output_error(tmp_path: Path, values: np.ndarray, name: str) -> None:
    rng = np.random.default_rng(0)
    path = output_path(tmp_path, "photo", name)
    for _ in range(60):
        content = np.frombuffer(encode_map(values, name, metadata=METADATA), np.uint8).copy()
        content[rng.integers(0, min(400, content.size), 3)] = rng.integers(0, 256, 3)
        path.write_bytes(content)
        with suppress(OutputError):
            read_map(path)


def test_a_missing_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"photo\.npy can't be read as a map: No such file"):
        read_map(tmp_path / "photo.npy")


def test_three_channels_that_differ_are_no_map(tmp_path: Path) -> None:
    np.save(tmp_path / "photo.npy", np.arange(18.0).reshape(2, 3, 3))
    with pytest.raises(OutputError, match="one value for each pixel"):
        read_map(tmp_path / "photo.npy")


@pytest.mark.parametrize("kind", [np.complex64, "datetime64[s]"])
def test_an_array_of_anything_but_real_numbers_is_no_map(tmp_path: Path, kind: type) -> None:
    np.save(tmp_path / "photo.npy", np.zeros((2, 3), kind))
    with pytest.raises(OutputError, match="expected numbers"):
        read_map(tmp_path / "photo.npy")


@given(values=hnp.arrays(np.float32, hnp.array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=6)))
def test_axes_of_length_1_and_channels_alike_change_nothing(values: np.ndarray) -> None:
    for array in (values[None], values[..., None], values[None, None], values[..., None].repeat(3, 2)):
        np.testing.assert_array_equal(plain_map(array), values)


def test_an_array_by_columns_is_written_by_rows(tmp_path: Path, values: np.ndarray) -> None:
    for name in EXACT:
        path = output_path(tmp_path, "photo", name)
        write_map(path, values.T, name)
        np.testing.assert_array_equal(read_map(path)[0], values.T)
    np.save(tmp_path / "numpy.npy", np.ascontiguousarray(values.T))
    assert (tmp_path / "numpy.npy").read_bytes() == (tmp_path / "photo.npy").read_bytes()


def test_an_array_that_is_no_map_is_an_error(tmp_path: Path) -> None:
    np.save(tmp_path / "photo.npy", np.zeros((2, 3, 5)))
    with pytest.raises(OutputError, match="two axes"):
        read_map(tmp_path / "photo.npy")


@pytest.mark.parametrize("content", [b"PF\n1 1\n-1\n" + bytes(12), b"Pf\n-1 -1\n-1\n" + bytes(4), b"Pf\n1 x\n-1\n"])
def test_a_pfm_of_another_kind_is_an_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "photo.pfm").write_bytes(content)
    with pytest.raises(OutputError, match="can't be read as a map"):
        read_map(tmp_path / "photo.pfm")
