"""Two pictures in one: whose pixels are whose, and that what belongs together moves together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.corpus_miniature import write_miniature

from midas.datasets.grafting import MixedSample, cut_mix, graft
from midas.datasets.mixture import Augmentation, EpochPlan, Source, TrainingMixture
from midas.datasets.readers.corpus import CorpusDataset
from midas.datasets.sample import Sample
from midas.datasets.transforms import PhotometricJitter, random_upside_down
from midas.datasets.weighted import Weighted
from midas.models.zoo import find_model

Mix = Callable[[Sample, Sample, np.random.Generator], MixedSample]
both = pytest.mark.parametrize("mix", [graft, cut_mix])


def numbered(first: int, size: tuple[int, int] = (40, 60)) -> Sample:
    """Every pixel has a number of its own, which picture and target share."""
    numbers = np.arange(first, first + size[0] * size[1]).reshape(size)
    image = np.stack([numbers % 256, numbers // 256 % 256, numbers // 65536], axis=-1).astype(np.uint8)
    return Sample(image, numbers.astype(np.float32), numbers % 7 > 0, "numbered", metric=False, sparse=False)


def of_pixels(sample: Sample) -> np.ndarray:
    image = sample.image.astype(np.int64)
    return image[..., 0] + 256 * image[..., 1] + 65536 * image[..., 2]


@both
def test_picture_target_and_mask_of_a_mixed_sample_go_together(mix: Mix) -> None:
    for seed in range(20):
        mixed = mix(numbered(0), numbered(2400), np.random.default_rng(seed)).sample
        assert np.array_equal(of_pixels(mixed), mixed.disparity.astype(np.int64))
        assert np.array_equal(mixed.mask, mixed.disparity % 7 > 0)


@both
def test_the_second_part_is_what_comes_from_the_second_picture(mix: Mix) -> None:
    for seed in range(20):
        mixed = mix(numbered(0), numbered(2400), np.random.default_rng(seed))
        assert np.array_equal(mixed.second_part, mixed.sample.disparity >= 2400)
        assert 0.05 < mixed.second_part.mean() < 0.75


@both
def test_pieces_are_moved_so_that_a_place_says_nothing_of_nearness(mix: Mix) -> None:
    rows = np.arange(40)[:, None]
    moves = set()
    for seed in range(20):
        mixed = mix(numbered(0), numbered(2400), np.random.default_rng(seed))
        moved = ((mixed.sample.disparity % 2400) // 60 - rows)[mixed.second_part]
        assert np.ptp(moved) == 0
        moves.add(int(moved[0]))
    assert len(moves) > 5


def test_a_picture_upside_down_is_the_same_picture_and_target() -> None:
    sample = numbered(0)
    turned = random_upside_down(sample, 1.0, np.random.default_rng(0))
    assert np.array_equal(of_pixels(turned), turned.disparity.astype(np.int64))
    assert np.array_equal(turned.disparity, sample.disparity[::-1])
    assert random_upside_down(sample, 0.0, np.random.default_rng(0)) is sample


def mixture(root: Path, augmentation: Augmentation, weight: float | None = None) -> TrainingMixture:
    dataset = CorpusDataset(root if root.exists() else write_miniature(root))
    reader = dataset if weight is None else Weighted(dataset, weight)
    spec = find_model("midas_nano_256").input
    return TrainingMixture([Source(reader, 1.0)], augmentation, spec, EpochPlan(40, 4), seed=3, epoch=0)


PLAIN = Augmentation(((32, 64),), 0.6, PhotometricJitter())


def test_so_many_items_are_mixed_as_the_shares_say_and_the_rest_are_whole(tmp_path: Path) -> None:
    items = mixture(tmp_path / "set", replace(PLAIN, graft_share=0.3, cut_mix_share=0.2))
    mixed = [bool(items[index].second_part.any()) for index in range(40)]
    assert 12 <= sum(mixed) <= 28
    whole = mixture(tmp_path / "set", PLAIN)
    assert not any(bool(whole[index].second_part.any()) for index in range(40))


def test_an_item_bears_its_sets_gradient_weight_or_leaves_it_to_the_loss(tmp_path: Path) -> None:
    assert float(mixture(tmp_path / "set", PLAIN, weight=0.75)[0].gradient_weight) == 0.75
    assert float(mixture(tmp_path / "set", PLAIN)[0].gradient_weight) < 0
