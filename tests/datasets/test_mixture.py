"""What the network is trained on: shapes, values, and that the same draw comes back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.corpus_miniature import write_miniature

from midas.datasets.mixture import Augmentation, EpochPlan, Source, TrainingMixture, collate
from midas.datasets.readers.corpus import CorpusDataset
from midas.datasets.sample import PairSample, Sample
from midas.datasets.sky import find_sky, with_sky
from midas.datasets.transforms import (
    PhotometricJitter,
    jitter_colours,
    normalize_pixels,
    normalize_target,
    random_crop,
    random_flip,
    random_rotation,
    resize_sample,
)
from midas.errors import DatasetError
from midas.models.zoo import find_model
from midas.pictures.preprocess import InputSpec


def ramp_sample(size: tuple[int, int] = (60, 90)) -> Sample:
    """Picture and target show the same ramp, so that they can be compared pixel by pixel after any crop."""
    ramp = np.linspace(0, 255, size[1], dtype=np.float32)[None].repeat(size[0], 0)
    image = np.rint(ramp)[..., None].repeat(3, 2).astype(np.uint8)
    return Sample(image, ramp.copy(), np.ones(size, np.bool_), "ramp", metric=False, sparse=False)


def mixture(tmp_path: Path, *, epoch: int = 0, sky: bool = False) -> TrainingMixture:
    root = tmp_path / "set"
    dataset = CorpusDataset(root if root.exists() else write_miniature(root))
    augmentation = Augmentation(((32, 64), (64, 32)), 0.6, PhotometricJitter())
    spec = find_model("midas_nano_256").input
    return TrainingMixture([Source(dataset, 1.0, sky)], augmentation, spec, EpochPlan(16, 4), seed=3, epoch=epoch)


def test_an_item_is_pixels_target_and_mask_of_one_of_the_sizes(tmp_path: Path) -> None:
    item = mixture(tmp_path)[1]
    pixels, target, mask = item.pixels, item.target, item.mask
    assert pixels.shape[1:] in ((32, 64), (64, 32))
    assert pixels.shape[1:] == target.shape == mask.shape
    assert (float(target.min()), float(target.max())) == (0.0, 1.0)
    assert -1 <= float(pixels.min()) < float(pixels.max()) <= 1


def test_all_items_of_a_batch_have_one_size(tmp_path: Path) -> None:
    items = mixture(tmp_path)
    for first in range(0, 16, 4):
        assert len({items[index][0].shape for index in range(first, first + 4)}) == 1


def test_the_same_epoch_gives_the_same_items_and_another_epoch_others(tmp_path: Path) -> None:
    again, other = mixture(tmp_path), mixture(tmp_path, epoch=1)
    assert all(torch.equal(a, b) for a, b in zip(mixture(tmp_path)[5][:-1], again[5][:-1], strict=True))
    assert any(
        mixture(tmp_path)[i][0].shape != other[i][0].shape or not torch.equal(again[i][0], other[i][0])
        for i in range(4)
    )


def test_a_crop_moves_picture_and_target_together() -> None:
    cropped = random_crop(ramp_sample(), (30, 40), 0.5, np.random.default_rng(1))
    assert cropped.image.shape == (30, 40, 3)
    assert np.abs(cropped.image[..., 0] - cropped.disparity).max() < 6


def test_a_flip_moves_picture_and_target_together() -> None:
    flips = [random_flip(ramp_sample(), np.random.default_rng(seed)) for seed in range(8)]
    assert {bool(flip.disparity[0, 0] > flip.disparity[0, -1]) for flip in flips} == {False, True}
    assert all(np.abs(flip.image[..., 0] - flip.disparity).max() < 1 for flip in flips)


def test_resizing_a_target_invents_no_value() -> None:
    sample = ramp_sample()
    assert set(resize_sample(sample, (17, 31)).disparity.ravel()) <= set(sample.disparity.ravel())


def test_colour_jitter_changes_colours_and_keeps_shape_and_type() -> None:
    image = ramp_sample().image
    changed = jitter_colours(image, PhotometricJitter(), np.random.default_rng(0))
    assert changed.shape == image.shape
    assert changed.dtype == np.uint8
    assert not np.array_equal(changed, image)


def test_pixels_are_normalised_as_the_network_takes_them() -> None:
    image = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    spec = InputSpec((256, 256), mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
    expected = ((image / 255 - np.array(spec.mean)) / np.array(spec.std)).transpose(2, 0, 1)
    np.testing.assert_allclose(normalize_pixels(image, spec), expected, rtol=1e-5, atol=1e-6)


def test_a_target_is_scaled_to_0_and_1_over_its_valid_pixels() -> None:
    sample = ramp_sample()
    mask = sample.mask.copy()
    mask[:, :45] = False
    target = normalize_target(replace(sample, mask=mask))
    assert (target[mask].min(), target[mask].max()) == (0.0, 1.0)
    assert (target[~mask] == 0).all()


def test_a_target_that_keeps_its_zero_is_only_scaled() -> None:
    sample = ramp_sample()
    target = normalize_target(sample, keep_zero=True)
    assert np.allclose(target * sample.disparity[sample.mask].max(), np.where(sample.mask, sample.disparity, 0))
    unknown_shift = normalize_target(replace(sample, shift_known=False), keep_zero=True)
    assert unknown_shift[sample.mask].min() == 0.0


def test_a_turned_sample_keeps_picture_and_target_together() -> None:
    sample = ramp_sample()
    values = np.repeat(sample.image[..., :1].astype(np.float32), 3, axis=2)[..., 0]
    turned = random_rotation(replace(sample, disparity=values), 20.0, np.random.default_rng(0))
    inside = turned.mask
    assert 0.5 < inside.mean() < 1.0
    difference = np.abs(turned.image[..., 0].astype(np.float32) - turned.disparity)[inside]
    assert np.median(difference) <= 2
    assert random_rotation(sample, 0.0, np.random.default_rng(0)) is sample


def test_a_target_without_valid_pixels_is_zero() -> None:
    sample = ramp_sample()
    assert not normalize_target(replace(sample, mask=np.zeros_like(sample.mask))).any()


def street(wall_measured: bool) -> Sample:
    """Grey road below, a white upper half that is unmeasured or a near wall."""
    image = np.full((80, 100, 3), 90, np.uint8)
    image[:40] = 250
    disparity = np.linspace(0, 1, 80, dtype=np.float32)[:, None].repeat(100, 1)
    mask = np.ones((80, 100), np.bool_)
    if wall_measured:
        disparity[:40] = 0.9
    else:
        mask[:40] = False
    return Sample(image, np.where(mask, disparity, 0), mask, "street", metric=False, sparse=False)


def test_bright_smooth_unmeasured_top_is_sky_and_becomes_valid_at_disparity_0() -> None:
    sample = with_sky(street(wall_measured=False))
    assert sample.mask[5:30].all()
    assert (sample.disparity[5:30] == 0).all()


def test_a_white_wall_that_was_measured_near_is_no_sky() -> None:
    assert not find_sky(street(wall_measured=True)).any()


@pytest.mark.parametrize("colour", [40, 90])
def test_a_dark_ceiling_is_no_sky(colour: int) -> None:
    sample = street(wall_measured=False)
    image = sample.image.copy()
    image[:40] = colour
    assert not find_sky(replace(sample, image=image)).any()


def test_a_set_keeps_its_share_unless_a_late_one_is_given(tmp_path: Path) -> None:
    dataset = CorpusDataset(write_miniature(tmp_path / "set"))
    assert Source(dataset, 0.5, sky=False).late().weight == 0.5
    assert Source(dataset, 0.5, sky=False, late_weight=2.0).late().weight == 2.0


def test_samples_are_drawn_in_proportion_to_the_weights(tmp_path: Path) -> None:
    often, seldom = (CorpusDataset(write_miniature(tmp_path / name, name=name)) for name in ("often", "seldom"))
    sources = [Source(often, 3.0, sky=False), Source(seldom, 1.0, sky=False)]
    augmentation = Augmentation(((32, 32),), 0.6, PhotometricJitter())
    items = TrainingMixture(
        sources, augmentation, find_model("midas_nano_256").input, EpochPlan(400, 4), seed=0, epoch=0
    )
    drawn = [items.draw(index).name.split("/")[0] for index in range(400)]
    assert 270 <= drawn.count("often") <= 330


class Broken:
    """A set of which every other picture can't be read, or none can."""

    name = "broken"

    def __init__(self, *, all_broken: bool = False) -> None:
        self.all_broken = all_broken

    def __len__(self) -> int:
        return 10

    def __getitem__(self, index: int) -> Sample:
        if self.all_broken or index % 2:
            raise DatasetError(f"picture {index} is damaged")
        return ramp_sample()


class Pairs:
    """A set with one pair of points: the left one is nearer."""

    name = "pairs"

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int) -> PairSample:
        image = np.linspace(255, 0, 80).astype(np.uint8)[None, :, None].repeat(40, 0).repeat(3, 2)
        return PairSample(image, np.array([[20, 10]]), np.array([[20, 70]]), np.array([1], np.int8), "pairs/0")


def of_sources(*sources: Source, **options: Any) -> TrainingMixture:
    plain = PhotometricJitter().scaled(0.0)
    spec, plan = find_model("midas_nano_256").input, EpochPlan(30, 6, **options)
    return TrainingMixture(sources, Augmentation(((32, 64),), 0.6, plain), spec, plan, seed=3, epoch=0)


def test_another_sample_stands_in_for_one_that_cannot_be_read_and_it_is_named() -> None:
    items = [of_sources(Source(Broken(), 1.0))[index] for index in range(30)]
    assert all(bool(item.mask.all()) for item in items)
    named = [name for item in items for name in item.unreadable]
    assert named
    assert all("is damaged" in name and name.startswith("broken[") for name in named)
    assert collate(items).unreadable == tuple(named)


def test_a_set_of_which_nothing_can_be_read_is_an_error() -> None:
    with pytest.raises(DatasetError, match="in a row can't be read"):
        of_sources(Source(Broken(all_broken=True), 1.0))[0]


def test_naive_mixing_gives_each_set_its_part_of_every_batch(tmp_path: Path) -> None:
    dataset = CorpusDataset(write_miniature(tmp_path / "set"))
    items = of_sources(*[Source(dataset, weight) for weight in (1.0, 5.0, 9.0)], rule="naive")
    for first in range(0, 30, 6):
        drawn = [int(items[index].source) for index in range(first, first + 6)]
        assert sorted(drawn) == [0, 0, 1, 1, 2, 2]


def test_pairs_and_maps_stand_in_one_batch_and_points_move_with_their_picture(tmp_path: Path) -> None:
    dataset = CorpusDataset(write_miniature(tmp_path / "set"))
    items = of_sources(Source(dataset, 1.0), Source(Pairs(), 1.0), rule="naive", pairs=4)
    batch = collate([items[index] for index in range(6)])
    ordinal = batch.pair_mask[:, 0]
    assert int(ordinal.sum()) == 3
    assert not bool(batch.mask[ordinal].any())
    assert bool(batch.mask[~ordinal].any())
    for pixels, (row, column, other_row, other_column) in zip(
        batch.pixels[ordinal], batch.points[ordinal, 0].tolist(), strict=True
    ):
        assert pixels[0, row, column] > pixels[0, other_row, other_column]  # bright is near in these pictures
