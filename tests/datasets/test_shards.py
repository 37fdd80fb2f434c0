"""Shards: what is packed is what is read, at any index, from files that are the same each time."""

from __future__ import annotations

import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.corpus_miniature import write_miniature

from midas.datasets.reader import Reader
from midas.datasets.readers.corpus import CorpusDataset
from midas.datasets.readers.shards import ShardDataset
from midas.datasets.sample import AnySample, PairSample, Sample
from midas.datasets.shard_members import Packing
from midas.datasets.shards import pack, verify
from midas.errors import ConfigError, DatasetError, OutputError

SMALL = Packing(samples_per_shard=4)


class Given:
    """A reader of given samples; None stands for one that can't be read."""

    name = "given"

    def __init__(self, *given: AnySample | None) -> None:
        self.given = given

    def __len__(self) -> int:
        return len(self.given)

    def __getitem__(self, index: int) -> AnySample:
        sample = self.given[index]
        if sample is None:
            raise DatasetError("torn")
        return sample


def random_sample(seed: int) -> Sample:
    rng = np.random.default_rng(seed)
    mask = rng.random((9, 13)) > 0.3
    disparity = np.where(mask, rng.normal(size=mask.shape), 0).astype(np.float32)
    image = rng.integers(0, 256, (9, 13, 3), dtype=np.uint8)
    return Sample(image, disparity, mask, f"given/{seed}", metric=bool(seed % 2), sparse=bool(seed % 3))


def random_pairs(seed: int) -> PairSample:
    rng = np.random.default_rng(seed)
    first, second = rng.integers(0, 9, (2, 5, 2))
    image = rng.integers(0, 256, (9, 13, 3), dtype=np.uint8)
    return PairSample(image, first, second, rng.integers(-1, 2, 5).astype(np.int8), f"given/{seed}")


def assert_same(one: AnySample, other: AnySample) -> None:
    assert type(one) is type(other)
    for (name, value), found in zip(vars(one).items(), vars(other).values(), strict=True):
        if isinstance(value, np.ndarray):
            assert (name, value.dtype) == (name, found.dtype)
            np.testing.assert_array_equal(value, found)
        else:
            assert value == found


def test_samples_read_back_the_same_at_any_index(tmp_path: Path) -> None:
    reader = CorpusDataset(write_miniature(tmp_path / "set"))
    pack(reader, tmp_path / "shards", SMALL)
    shards = ShardDataset(tmp_path / "shards")
    assert (shards.name, len(shards), isinstance(shards, Reader)) == (reader.name, 6, True)
    for index in (5, 0, 3, 4, 1, 2, -1):
        assert_same(shards[index], reader[index])
    with pytest.raises(IndexError):
        shards[6]


def test_pairs_and_maps_of_all_kinds_keep_each_bit(tmp_path: Path) -> None:
    given = [*map(random_sample, range(6)), *map(random_pairs, range(6, 9))]
    pack(Given(*given), tmp_path, SMALL, workers=3)
    for expected, found in zip(given, map(ShardDataset(tmp_path).__getitem__, range(9)), strict=True):
        assert_same(expected, found)


def test_16_bits_keep_the_disparity_to_a_65535th_of_its_range(tmp_path: Path) -> None:
    given = [random_sample(0), replace(random_sample(1), mask=np.zeros((9, 13), bool))]
    pack(Given(*given), tmp_path, Packing(disparity="png16"))
    for sample, found in zip(given, map(ShardDataset(tmp_path).__getitem__, range(2)), strict=True):
        assert isinstance(found, Sample)
        np.testing.assert_array_equal(found.mask, sample.mask)
        step = np.ptp(sample.disparity) / 65535
        np.testing.assert_allclose(found.disparity[sample.mask], sample.disparity[sample.mask], atol=0.51 * step)
        assert not found.disparity[~sample.mask].any()


def test_jpeg_keeps_the_target_exactly_and_the_picture_nearly(tmp_path: Path) -> None:
    reader = CorpusDataset(write_miniature(tmp_path / "set"))
    pack(reader, tmp_path / "shards", Packing(picture="jpg"))
    found = ShardDataset(tmp_path / "shards")[0]
    assert isinstance(found, Sample)
    np.testing.assert_array_equal(found.disparity, reader[0].disparity)
    assert np.abs(found.image.astype(int) - reader[0].image).mean() < 4


def test_the_same_samples_give_the_same_bytes_whatever_the_number_of_threads(tmp_path: Path) -> None:
    given = Given(*map(random_sample, range(9)))
    one = pack(given, tmp_path / "one", SMALL, workers=1)
    assert one == pack(given, tmp_path / "two", SMALL, workers=4)
    assert [shard.count for shard in one.shards] == [4, 4, 1]
    for shard in one.shards:
        assert (tmp_path / "one" / shard.file).read_bytes() == (tmp_path / "two" / shard.file).read_bytes()


def test_a_shard_is_a_tar_file_whose_samples_share_their_names_up_to_the_first_dot(tmp_path: Path) -> None:
    pack(Given(random_sample(0), random_pairs(1)), tmp_path, SMALL)
    with tarfile.open(tmp_path / "shard-000000.tar") as file:
        names = file.getnames()
    assert names[:4] == ["00000000.png", "00000000.mask.png", "00000000.disparity.npy", "00000000.json"]
    assert [name.partition(".")[0] for name in names] == ["00000000"] * 4 + ["00000001"] * 5


def test_samples_that_cannot_be_read_are_left_out_and_named(tmp_path: Path) -> None:
    given = Given(random_sample(0), None, random_sample(2), None)
    assert pack(given, tmp_path, SMALL).unreadable == ("given[1]: torn", "given[3]: torn")
    assert_same(ShardDataset(tmp_path)[1], random_sample(2))


def test_a_set_of_which_nothing_can_be_read_gives_no_shards(tmp_path: Path) -> None:
    for reader in (Given(None), Given()):
        with pytest.raises(DatasetError, match="no sample of given"):
            pack(reader, tmp_path, SMALL)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ConfigError):
        pack(Given(), tmp_path, Packing(samples_per_shard=0))


def test_shards_are_replaced_only_if_asked_and_then_wholly(tmp_path: Path) -> None:
    given = Given(*map(random_sample, range(9)))
    pack(given, tmp_path, SMALL)
    with pytest.raises(OutputError, match="holds shards already"):
        pack(given, tmp_path, SMALL)
    pack(Given(random_sample(7)), tmp_path, SMALL, overwrite=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index.json", "shard-000000.tar"]
    assert len(ShardDataset(tmp_path)) == 1


def test_a_pack_that_did_not_end_is_no_set(tmp_path: Path) -> None:
    class Stopped(Given):
        def __getitem__(self, index: int) -> AnySample:
            if index == 6:
                raise KeyboardInterrupt
            return super().__getitem__(index)

    with pytest.raises(KeyboardInterrupt):
        pack(Stopped(*map(random_sample, range(9))), tmp_path, SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["shard-000000.tar"]
    with pytest.raises(DatasetError, match=r"index\.json is missing"):
        ShardDataset(tmp_path)


def test_a_shard_cut_short_is_found_on_opening_and_a_changed_one_by_its_hash(tmp_path: Path) -> None:
    pack(Given(random_sample(0)), tmp_path, SMALL)
    assert verify(tmp_path).count == 1
    path = tmp_path / "shard-000000.tar"
    data = bytearray(path.read_bytes())
    data[520] ^= 1
    path.write_bytes(data)
    with pytest.raises(DatasetError, match="is damaged"):
        verify(tmp_path)
    path.write_bytes(data[:-1])
    with pytest.raises(DatasetError, match="bytes long"):
        ShardDataset(tmp_path)


@pytest.mark.parametrize("at", [3, 160, 515, 530])
def test_a_damaged_sample_is_named(at: int, tmp_path: Path) -> None:
    pack(Given(random_sample(0)), tmp_path, SMALL)
    path = tmp_path / "shard-000000.tar"
    data = bytearray(path.read_bytes())
    data[at] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(DatasetError, match="shard-000000"):
        ShardDataset(tmp_path)[0]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 2}', '{"version": 1}'])
def test_an_index_that_is_none_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "index.json").write_text(text)
    with pytest.raises(DatasetError, match=r"index\.json"):
        ShardDataset(tmp_path)
