"""What all readers promise, tried on a miniature of every set."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from tests.datasets.miniatures import COLOUR, DEPTH_M, HOLE, PAIR_SETS, PIXEL, SIZE
from tests.datasets.miniatures import MINIATURES as EVALUATION_MINIATURES
from tests.datasets.training_miniatures import RELATIVE_SETS, SKY, SKY_SETS, TRAINING_MINIATURES

from midas.datasets.catalogue import READERS, open_reader
from midas.datasets.reader import Reader, samples
from midas.datasets.sample import PairSample, Sample
from midas.errors import DatasetError

MINIATURES = EVALUATION_MINIATURES | TRAINING_MINIATURES
MAP_SETS = [name for name in MINIATURES if name not in PAIR_SETS]
# iBims-1 stores steps of 0.8 mm, the raw Kinect of NYU 351 of inverse depth to 1/metre.
TOLERANCES = {"ibims1": 2e-4, "nyu_raw": 5e-3}

every_set = pytest.mark.parametrize("name", sorted(MINIATURES))
every_map_set = pytest.mark.parametrize("name", MAP_SETS)
every_pair_set = pytest.mark.parametrize("name", PAIR_SETS)


def test_every_reader_has_a_miniature_here() -> None:
    assert set(MINIATURES) == set(READERS)


@every_set
def test_a_reader_has_a_length_and_ends_there(name: str, tmp_path: Path) -> None:
    miniature = MINIATURES[name](tmp_path / "set")
    reader = open_reader(name, miniature.root)
    assert isinstance(reader, Reader)
    assert len(reader) == miniature.count == len(list(samples(reader)))
    with pytest.raises(IndexError):
        reader[miniature.count]


@every_set
def test_samples_are_named_by_set_scene_and_frame_each_once(name: str, tmp_path: Path) -> None:
    reader = open_reader(name, MINIATURES[name](tmp_path / "set").root)
    names = [sample.name for sample in samples(reader)]
    assert len(set(names)) == len(names)
    assert all(text.split("/")[0] == reader.name and text.count("/") == 2 for text in names)


@every_set
def test_pictures_are_rgb_in_8_bits(name: str, tmp_path: Path) -> None:
    image = open_reader(name, MINIATURES[name](tmp_path / "set").root)[0].image
    assert image.dtype == np.uint8
    assert image.shape == (*SIZE, 3)
    assert np.abs(image.astype(int) - COLOUR).max() <= 4  # JPEG is not exact.


@every_map_set
def test_a_target_is_valid_where_it_is_above_0_or_sky_and_as_large_as_its_picture(name: str, tmp_path: Path) -> None:
    for sample in samples(open_reader(name, MINIATURES[name](tmp_path / "set").root)):
        assert isinstance(sample, Sample)
        assert sample.disparity.shape == sample.mask.shape == sample.image.shape[:2]
        assert (sample.disparity.dtype, sample.mask.dtype) == (np.float32, np.bool_)
        assert np.isfinite(sample.disparity).all()
        assert (sample.disparity >= 0).all()
        valid_zeros = np.argwhere(sample.mask != (sample.disparity > 0)).tolist()
        assert valid_zeros == ([list(SKY)] if name in SKY_SETS else [])


@every_map_set
def test_a_known_depth_comes_out_at_its_pixel_in_1_per_metre_or_in_proportion(name: str, tmp_path: Path) -> None:
    sample = open_reader(name, MINIATURES[name](tmp_path / "set").root)[0]
    assert isinstance(sample, Sample)
    assert sample.metric == (name not in RELATIVE_SETS)
    unit = 1.0 if sample.metric else sample.disparity[PIXEL[::-1]] * 2.0
    tolerance = TOLERANCES.get(name, 1e-6)
    assert sample.disparity[PIXEL] == pytest.approx(unit / DEPTH_M, rel=tolerance)
    assert sample.disparity[PIXEL[::-1]] == pytest.approx(unit / 2.0, rel=tolerance)
    assert not sample.mask[HOLE]


@every_pair_set
def test_pairs_are_rows_and_columns_in_the_picture_with_a_sign(name: str, tmp_path: Path) -> None:
    for sample in samples(open_reader(name, MINIATURES[name](tmp_path / "set").root)):
        assert isinstance(sample, PairSample)
        assert sample.first.shape == sample.second.shape == (len(sample.relation), 2)
        for points in (sample.first, sample.second):
            assert points.dtype.kind == "i"
            assert ((points >= 0) & (points < SIZE)).all()
        assert sample.relation.dtype == np.int8
        assert set(sample.relation) <= {-1, 0, 1}


@every_set
def test_a_missing_folder_is_an_error_that_says_where_to_get_the_set_and_how_to_lay_it_out(
    name: str, tmp_path: Path
) -> None:
    with pytest.raises(DatasetError) as caught:
        open_reader(name, tmp_path / "nowhere")
    layout = READERS[name].layout
    for part in (str(tmp_path / "nowhere"), layout.title, layout.homepage, layout.tree.strip()):
        assert part in str(caught.value)


@every_set
def test_an_empty_folder_is_an_error_of_the_same_kind(name: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetError) as caught:
        open_reader(name, tmp_path)
    if name != "corpus":
        assert READERS[name].homepage in str(caught.value)


@every_set
@pytest.mark.parametrize("content", [None, b""], ids=["missing", "empty"])
def test_a_file_that_is_not_there_is_an_error_that_names_it(name: str, content: bytes | None, tmp_path: Path) -> None:
    miniature = MINIATURES[name](tmp_path / "set")
    miniature.needed.unlink()
    if content is not None:
        miniature.needed.write_bytes(content)
    elif name == "folder":  # nobody says which files there are: a picture without a map is left out, and counted
        assert len(open_reader(name, miniature.root)) == miniature.count - 1
        return
    with pytest.raises(DatasetError) as caught:
        open_reader(name, miniature.root, **({"frames": list_first(tmp_path)} if name == "tum_dynamic" else {}))[0]
    assert miniature.needed.name in str(caught.value)
    assert name == "folder" or READERS[name].homepage in str(caught.value)  # one's own can be had nowhere else


def list_first(folder: Path) -> Path:
    (folder / "frames.txt").write_text("elsewhere/ZL1t_Yu4_10366667.jpg.h5\n", encoding="utf-8")
    return folder / "frames.txt"


@every_set
def test_a_damaged_file_is_an_error_that_names_it(name: str, tmp_path: Path) -> None:
    miniature = MINIATURES[name](tmp_path / "set")
    miniature.needed.write_bytes(b"damaged")
    with pytest.raises(DatasetError, match=miniature.needed.stem.split(".")[0]):
        open_reader(name, miniature.root)[0]


@every_set
def test_a_reader_goes_into_another_process(name: str, tmp_path: Path) -> None:
    reader = open_reader(name, MINIATURES[name](tmp_path / "set").root)
    there = pickle.loads(pickle.dumps(reader))
    assert (there[0].image == reader[0].image).all()
    assert there[0].name == reader[0].name
