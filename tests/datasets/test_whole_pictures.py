"""Pictures of data sets that are cut off are refused, by whatever names they are found."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from tests.corpus_miniature import write_miniature

from midas.datasets.formats import read_codes, read_rgb
from midas.datasets.readers.corpus import CorpusDataset
from midas.errors import DamageWarning, DatasetError
from midas.pictures.reading import read_image

PIXELS = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)


def jpeg(path: Path, **options: object) -> bytes:
    """A JPEG with a thumbnail of its own, whose end is not the picture's."""
    exif = Image.Exif()
    exif[0x010E] = "\xff\xd9 in a description"
    Image.fromarray(PIXELS).save(path, exif=exif.tobytes() + b"\xff\xd8\xff\xd9", **options)  # type: ignore[arg-type]
    return path.read_bytes()


@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"quality": 100}], ids=["plain", "progressive", "large"]
)
@pytest.mark.parametrize("share", [0.3, 0.5, 0.9, 0.97])
def test_a_jpeg_that_is_cut_off_is_refused(
    share: float, options: dict[str, object], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.jpg"
    whole = jpeg(path, **options)
    assert np.abs(read_rgb(path).astype(int) - PIXELS).mean() < 60
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(DatasetError, match=r"a\.jpg is damaged or no picture"):
        read_rgb(path)
    assert capfd.readouterr() == ("", "")


def test_a_jpeg_that_lacks_its_last_few_bytes_is_read_as_predict_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    Image.fromarray(np.tile(PIXELS, (8, 8, 1))).save(path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.warns(DamageWarning, match=r"a\.jpg ends too early: 99\.\d %"):
        image = read_rgb(path)
    with pytest.warns(DamageWarning):
        np.testing.assert_array_equal(image, read_image(path))


def test_what_stands_behind_a_jpeg_is_none_of_its_business(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg(path) + b"a trailer, as some phones write")
    assert read_rgb(path).shape == PIXELS.shape


@pytest.mark.parametrize("kept", [20, 0.3, 0.9, -12])
def test_a_png_that_is_cut_off_or_changed_is_refused_without_a_word(
    kept: float, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 65535, (60, 80), np.uint16))
    whole = path.read_bytes()
    end = int(kept * len(whole)) if 0 < kept < 1 else int(kept)
    changed = bytearray(whole)
    changed[len(whole) // 2] ^= 1
    for content in (whole[:end], bytes(changed)):
        path.write_bytes(content)
        with pytest.raises(DatasetError, match=r"a\.png"):
            read_codes(path)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("suffix", [".jpg", ".JPG", ".jpeg", ".Jpeg", ".PNG", ".rgb.png", "_rgb.png"])
def test_a_colour_picture_is_found_by_any_of_its_suffixes(suffix: str, tmp_path: Path) -> None:
    root = write_miniature(tmp_path / "set", scenes=("a",))
    expected = [CorpusDataset(root)[index] for index in range(3)]
    for path in sorted((root / "a").glob("*.jpg")):
        if suffix.lower().endswith("png"):
            cv2.imwrite(str(path.with_name("new.png")), cv2.imread(str(path)))
            path.with_name("new.png").rename(path.with_name(f"{path.stem}{suffix}"))
            path.unlink()
        else:
            path.rename(path.with_name(f"{path.stem}{suffix}"))
    (root / "a" / "._000.jpg").write_bytes(b"what some systems leave beside a file")
    found = CorpusDataset(root)
    assert [found[index].name for index in range(len(found))] == [sample.name for sample in expected]
    assert all(np.array_equal(found[index].image, sample.image) for index, sample in enumerate(expected))
    assert all(np.array_equal(found[index].disparity, sample.disparity) for index, sample in enumerate(expected))


def test_a_frame_with_two_pictures_counts_once(tmp_path: Path) -> None:
    root = write_miniature(tmp_path / "set", scenes=("a",))
    first = root / "a" / "000.jpg"
    first.with_suffix(".JPG").write_bytes(first.read_bytes())
    assert len(CorpusDataset(root)) == 3
