"""The reader of drawn scenes: they are the same every time, each world looks like itself, and files keep them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from midas.datasets.reader import Reader, samples
from midas.datasets.readers.synthetic import SyntheticDataset
from midas.datasets.sample import Sample
from midas.errors import ConfigError, DatasetError
from midas.scenes import WORLDS

SIZE = (48, 64)
every_world = pytest.mark.parametrize("world", WORLDS)


def same(first: Sample, second: Sample) -> bool:
    return np.array_equal(first.image, second.image) and np.array_equal(first.disparity, second.disparity)


def test_the_set_is_a_reader_of_metric_dense_samples() -> None:
    reader = SyntheticDataset(2, SIZE)
    assert isinstance(reader, Reader)
    for sample in samples(reader):
        assert isinstance(sample, Sample)
        assert (sample.metric, sample.sparse, sample.image.shape) == (True, False, (*SIZE, 3))
        assert sample.name.startswith(f"{reader.name}/")


@every_world
def test_a_picture_depends_on_seed_and_index_alone(world: str) -> None:
    reader, again = SyntheticDataset(4, SIZE, 5, [world]), SyntheticDataset(9, SIZE, 5, [world])
    expected = [reader[index] for index in range(4)]
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(again.__getitem__, range(3, -1, -1)))
    assert all(same(first, second) for first, second in zip(expected, reversed(found), strict=True))


@every_world
def test_neighbours_and_other_seeds_differ(world: str) -> None:
    here, other = SyntheticDataset(2, SIZE, 0, [world]), SyntheticDataset(2, SIZE, 1, [world])
    assert not same(here[0], here[1])
    assert not same(here[0], other[0])


@every_world
def test_a_world_is_mostly_there_and_deep(world: str) -> None:
    for sample in samples(SyntheticDataset(5, SIZE, 2, [world])):
        assert isinstance(sample, Sample)
        assert sample.mask.all()
        assert np.isfinite(sample.disparity).all()
        there = sample.disparity[sample.disparity > 0]
        assert there.size > 0.2 * sample.disparity.size
        assert there.max() > 2 * there.min()
        assert sample.image.std() > 5


@pytest.mark.parametrize("world", ["rooms", "tabletop"])
def test_indoors_there_is_depth_at_every_pixel(world: str) -> None:
    for sample in samples(SyntheticDataset(8, SIZE, 4, [world])):
        assert isinstance(sample, Sample)
        assert (sample.disparity > 0).mean() > 0.999


def test_what_cannot_be_drawn_is_refused() -> None:
    for count, size, worlds in ((1, SIZE, ["moon"]), (1, SIZE, []), (-1, SIZE, None), (1, (4, 64), None)):
        with pytest.raises(ConfigError, match="expected"):
            SyntheticDataset(count, size, 0, worlds)
    with pytest.raises(IndexError):
        SyntheticDataset(3, SIZE)[3]


def test_what_a_close_up_is_of_is_much_nearer_than_what_is_behind_it() -> None:
    ratios = []
    for sample in samples(SyntheticDataset(12, SIZE, 3, ["closeups"])):
        near, far = np.quantile(sample.disparity, (0.97, 0.2))
        ratios.append(near / max(far, 1e-3))
    assert np.median(ratios) > 3


def test_a_scene_in_a_folder_is_drawn_once_and_the_same_before_and_after(tmp_path: Path) -> None:
    first = [SyntheticDataset(3, SIZE, folder=tmp_path)[index] for index in range(3)]
    files = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.npz")}
    second = [SyntheticDataset(3, SIZE, folder=tmp_path)[index] for index in range(3)]
    assert len(files) == 3
    assert all(path.stat().st_mtime_ns == time_ns for path, time_ns in files.items())
    assert all(map(same, first, second))


def test_a_scene_in_a_folder_is_the_drawn_one_but_for_jpeg_and_half_precision(tmp_path: Path) -> None:
    kept, drawn = SyntheticDataset(1, SIZE, folder=tmp_path)[0], SyntheticDataset(1, SIZE)[0]
    np.testing.assert_allclose(kept.disparity, drawn.disparity, rtol=1e-3, atol=1e-6)
    assert np.abs(kept.image.astype(int) - drawn.image.astype(int)).mean() < 8
    assert kept.name == drawn.name


def test_pictures_of_other_settings_have_other_files(tmp_path: Path) -> None:
    for settings in ({"seed": 0}, {"seed": 1}, {"worlds": ["rooms"]}):
        assert SyntheticDataset(1, SIZE, folder=tmp_path, **settings)[0].image.shape[:2] == SIZE  # type: ignore[arg-type]
    assert len(list(tmp_path.rglob("*.npz"))) == 3


def test_a_damaged_file_of_a_scene_is_named(tmp_path: Path) -> None:
    SyntheticDataset(1, SIZE, folder=tmp_path)[0]
    (file,) = tmp_path.rglob("*.npz")
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(DatasetError, match=file.name):
        SyntheticDataset(1, SIZE, folder=tmp_path)[0]


def test_the_sky_is_valid_at_disparity_0() -> None:
    skies = [sample.mask[sample.disparity == 0] for sample in samples(SyntheticDataset(5, SIZE, 2, ["terrain"]))]
    assert sum(sky.size for sky in skies) > 0
    assert all(sky.all() for sky in skies)
