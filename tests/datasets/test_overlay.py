"""A near thing over another picture: it hides, it is nearer than what it hides, and its outline stays its own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.corpus_miniature import write_miniature

from midas.datasets.mixture import Augmentation, EpochPlan, Source, TrainingMixture
from midas.datasets.overlay import cut_out, overlay
from midas.datasets.readers.corpus import CorpusDataset
from midas.datasets.sample import Sample
from midas.datasets.transforms import PhotometricJitter
from midas.errors import ConfigError
from midas.models.zoo import find_model

SIZE = (60, 80)


def sample(disparity: np.ndarray, colour: tuple[int, int, int], mask: np.ndarray | None = None) -> Sample:
    image = np.broadcast_to(np.array(colour, np.uint8), (*disparity.shape, 3)).copy()
    valid = np.ones(disparity.shape, np.bool_) if mask is None else mask
    return Sample(image, disparity.astype(np.float32), valid, "made/0/0", metric=False, sparse=False)


def ground() -> np.ndarray:
    """From far at the top to near at the bottom."""
    return np.repeat(np.linspace(0, 1, SIZE[0])[:, None], SIZE[1], 1)


def with_thing(rows: slice, columns: slice) -> tuple[Sample, np.ndarray]:
    """A red thing before a far wall."""
    disparity = np.full(SIZE, 0.1)
    disparity[rows, columns] = 0.9
    made = sample(disparity, (20, 20, 20))
    made.image[rows, columns] = (250, 0, 0)
    return made, disparity > 0.5


def test_a_thing_before_a_wall_is_cut_out_whole() -> None:
    made, where = with_thing(slice(10, 40), slice(20, 40))
    for seed in range(10):
        found = cut_out(made, np.random.default_rng(seed))
        # A threshold below the thing's share of the picture finds it; those above it find nothing.
        assert found is None or np.array_equal(found, where)
    assert any(cut_out(made, np.random.default_rng(seed)) is not None for seed in range(10))


def test_ground_that_ends_at_a_threshold_is_no_thing() -> None:
    for seed in range(20):
        assert cut_out(sample(ground(), (0, 0, 0)), np.random.default_rng(seed)) is None


def test_nothing_is_cut_from_a_target_with_more_holes_than_values() -> None:
    made, _ = with_thing(slice(10, 40), slice(20, 40))
    holes = np.zeros(SIZE, np.bool_)
    holes[::3] = True
    assert cut_out(replace(made, mask=holes), np.random.default_rng(0)) is None


@pytest.mark.parametrize("rows", [slice(10, 40), slice(30, 60), slice(0, 30)])
def test_what_lies_over_is_nearer_than_all_that_it_hides(rows: slice) -> None:
    thing, where = with_thing(rows, slice(20, 40))
    onto = sample(ground(), (0, 200, 0))
    for seed in range(20):
        laid = overlay(onto, thing, where, np.random.default_rng(seed))
        red = laid.image[..., 0] > 128
        assert red.any()
        # On the scale that the target has now, what is not covered is as it was.
        scale = laid.disparity[~red].max() / onto.disparity[~red].max()
        np.testing.assert_allclose(laid.disparity[~red], onto.disparity[~red] * scale, atol=1e-6)
        assert laid.disparity[red].min() > scale * np.quantile(onto.disparity[red], 0.98)
        assert laid.disparity.max() == pytest.approx(1)
        assert laid.mask.all()


def test_an_end_that_the_edge_cuts_stays_at_the_edge_and_whole_things_move_freely() -> None:
    onto = sample(ground(), (0, 0, 0))
    cut, cut_where = with_thing(slice(30, 60), slice(20, 40))
    free, free_where = with_thing(slice(20, 40), slice(20, 40))
    tops = set()
    for seed in range(30):
        red = overlay(onto, cut, cut_where, np.random.default_rng(seed)).image[..., 0] > 128
        assert red[-1].any()
        red = overlay(onto, free, free_where, np.random.default_rng(seed)).image[..., 0] > 128
        assert abs(int(red.sum()) - 400) < 90  # its rim may be mixed with what is behind
        tops.add(int(np.flatnonzero(red.any(axis=1))[0]))
    assert min(tops) < 10
    assert max(tops) > 30


def test_what_it_hides_may_be_unknown_and_is_known_then() -> None:
    thing, where = with_thing(slice(10, 40), slice(20, 40))
    unknown = sample(np.zeros(SIZE), (0, 0, 0), np.zeros(SIZE, np.bool_))
    laid = overlay(unknown, thing, where, np.random.default_rng(0))
    assert laid.mask.sum() == where.sum()
    assert np.array_equal(laid.mask, laid.disparity > 0)


def test_a_thing_may_leave_the_picture_altogether() -> None:
    # Along two edges and empty between them: moved out over both, half of its box stays and nothing of it.
    where = np.zeros(SIZE, np.bool_)
    where[:40, 0] = where[0, :50] = True
    thing, onto = sample(np.where(where, 0.9, 0.1), (250, 0, 0)), sample(ground(), (0, 200, 0))
    laid = [overlay(onto, thing, where, np.random.default_rng(seed)) for seed in range(10)]
    assert any(each is onto for each in laid)
    assert all(each.disparity.max() == pytest.approx(1) for each in laid)


def test_neither_sample_is_changed() -> None:
    thing, where = with_thing(slice(10, 40), slice(20, 40))
    onto = sample(ground(), (0, 200, 0))
    before = [thing.image.copy(), thing.disparity.copy(), onto.image.copy(), onto.disparity.copy()]
    overlay(onto, thing, where, np.random.default_rng(0))
    after = [thing.image, thing.disparity, onto.image, onto.disparity]
    assert all(np.array_equal(first, second) for first, second in zip(before, after, strict=True))


def test_the_mixture_says_which_sources_there_are_if_things_come_from_none(tmp_path: object) -> None:
    dataset = CorpusDataset(write_miniature(tmp_path / "set"))  # type: ignore[operator]
    augmentation = Augmentation(((32, 64),), 0.6, PhotometricJitter(), overlay_share=0.5, overlay_from="rendered")
    spec = find_model("midas_nano_256").input
    with pytest.raises(ConfigError, match=f"overlay_from is 'rendered'.*{dataset.name}"):
        TrainingMixture([Source(dataset, 1.0)], augmentation, spec, EpochPlan(8, 4), seed=3, epoch=0)


class _Made:
    """Pictures of one kind."""

    def __init__(self, name: str, made: Sample):
        self.name, self._made = name, made

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> Sample:
        return self._made


def test_so_many_samples_of_the_mixture_have_a_thing_over_them_and_sparse_ones_none() -> None:
    thing, _ = with_thing(slice(10, 40), slice(20, 40))
    plain = Augmentation((SIZE,), 1.0, PhotometricJitter().scaled(0.0), overlay_share=0.5, overlay_from="things")
    spec = find_model("midas_nano_256").input
    for sparse in (False, True):
        behind = replace(sample(ground(), (0, 200, 0)), sparse=sparse)
        sources = [Source(_Made("behind", behind), 1.0), Source(_Made("things", thing), 1e-12)]
        mixture = TrainingMixture(sources, plain, spec, EpochPlan(60, 4), seed=3, epoch=0)
        plain_rows = [float(np.ptp(mixture[index].target.numpy(), axis=1).max()) for index in range(60)]
        covered = sum(spread > 1e-3 for spread in plain_rows)
        assert covered == 0 if sparse else 10 < covered < 40
