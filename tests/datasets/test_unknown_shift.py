"""Disparity whose zero nobody knows: said once by the set, carried by every sample, never taken for infinitely far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.corpus_miniature import write_miniature
from tests.datasets.training_miniatures import TRAINING_MINIATURES

from midas.datasets.catalogue import open_reader
from midas.datasets.domain import Domain
from midas.datasets.memory import InMemory
from midas.datasets.reader import Reader
from midas.datasets.readers.corpus import CorpusDataset
from midas.datasets.readers.shards import ShardDataset
from midas.datasets.sample import AnySample, Sample
from midas.datasets.shard_members import Packing
from midas.datasets.shards import pack
from midas.datasets.sky import with_sky
from midas.datasets.transforms import normalize_target, random_crop, random_flip, random_rotation, resize_sample
from midas.errors import ConfigError, DatasetError


def unknown(tmp_path: Path) -> CorpusDataset:
    facts = {"depth_kind": "relative-disparity", "shift_known": False}
    return CorpusDataset(write_miniature(tmp_path / "unknown", name="unknown", **facts))


class UnderSky:
    """One picture with a white, unmeasured upper half."""

    name = "under_sky"

    def __init__(self, *, shift_known: bool) -> None:
        image = np.full((80, 100, 3), 90, np.uint8)
        image[:40] = 250
        disparity = np.linspace(1, 2, 80, dtype=np.float32)[:, None].repeat(100, 1)
        mask = np.arange(80)[:, None].repeat(100, 1) >= 40
        self.sample = Sample(image, np.where(mask, disparity, 0), mask, "under_sky", False, False, shift_known)

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> AnySample:
        return self.sample


def test_a_set_knows_its_shift_unless_it_says_otherwise(tmp_path: Path) -> None:
    known, not_known = CorpusDataset(write_miniature(tmp_path / "known")), unknown(tmp_path)
    assert (known.info.shift_known, known[0].shift_known) == (True, True)
    assert (not_known.info.shift_known, not_known[0].shift_known) == (False, False)


def test_a_description_of_shift_that_cannot_be_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="shift_known is 'no', expected true or false"):
        CorpusDataset(write_miniature(tmp_path / "word", depth_kind="disparity", shift_known="no"))
    with pytest.raises(DatasetError, match="a target in metres, whose zero is known"):
        CorpusDataset(write_miniature(tmp_path / "metres", shift_known=False))


@pytest.mark.parametrize("name", ["hrwsi", "movies", "redweb"])
def test_photographs_and_films_in_stereo_have_an_unknown_shift(name: str, tmp_path: Path) -> None:
    sample = open_reader(name, TRAINING_MINIATURES[name](tmp_path / "set").root)[0]
    assert isinstance(sample, Sample)
    assert not sample.shift_known


def test_it_is_still_unknown_after_a_shard(tmp_path: Path) -> None:
    reader = unknown(tmp_path)
    pack(reader, tmp_path / "shards", Packing())
    sample = ShardDataset(tmp_path / "shards")[0]
    assert isinstance(sample, Sample)
    assert not sample.shift_known


def test_it_is_still_unknown_after_every_change_of_a_sample(tmp_path: Path) -> None:
    sample, rng = unknown(tmp_path)[0], np.random.default_rng(0)
    changed = [
        random_crop(sample, (32, 40), 0.7, rng),
        random_flip(sample, rng),
        random_rotation(sample, 5.0, rng),
        resize_sample(sample, (32, 40)),
    ]
    assert not any(one.shift_known for one in changed)


@pytest.mark.parametrize(
    "ask",
    [
        lambda reader: with_sky(reader[0]),
        lambda reader: InMemory(reader, sky=True),
        lambda reader: Domain("outdoor", [reader], [1.0], [True])[0],
    ],
)
def test_sky_is_never_put_at_0_where_the_shift_is_unknown(ask: Callable[[Reader], object]) -> None:
    ask(UnderSky(shift_known=True))
    with pytest.raises(ConfigError, match=r"under_sky has disparities of unknown shift.*leave out the setting `sky`"):
        ask(UnderSky(shift_known=False))


def test_no_zero_is_kept_where_there_is_none() -> None:
    sample = UnderSky(shift_known=True).sample
    assert normalize_target(sample, keep_zero=True)[sample.mask].min() == pytest.approx(0.75, abs=0.01)
    shifted = replace(sample, disparity=sample.disparity + np.float32(7), shift_known=False)
    np.testing.assert_allclose(
        normalize_target(shifted, keep_zero=True), normalize_target(sample, keep_zero=False), atol=1e-5
    )
