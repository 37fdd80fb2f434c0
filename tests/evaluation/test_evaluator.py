"""Evaluation by the protocol: laws, an independent check, and the reader of real data where it is at hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.corpus_miniature import write_miniature

from midas.alignment import ALIGNMENTS
from midas.datasets.readers.corpus import CorpusDataset
from midas.datasets.sample import Sample
from midas.errors import ConfigError, DatasetError
from midas.evaluation.baselines import fit_plane
from midas.evaluation.crops import find_crop
from midas.evaluation.evaluator import check_metrics, evaluate
from midas.evaluation.protocols import PROTOCOLS, Protocol, protocol_for
from midas.metrics import METRICS

INDOOR = PROTOCOLS["indoor"]


@pytest.fixture
def dataset(tmp_path: Path) -> CorpusDataset:
    return CorpusDataset(write_miniature(tmp_path / "set"))


def true_disparity(sample: Sample) -> np.ndarray:
    return sample.disparity


def disturbed(sample: Sample) -> np.ndarray:
    return sample.disparity * np.float32(3.0) + np.float32(0.4)


def wrong(sample: Sample) -> np.ndarray:
    """A prediction with an error that no scale and shift removes."""
    rng = np.random.default_rng(1)
    return (sample.disparity + rng.normal(0, 0.1, sample.disparity.shape)).astype(np.float32)


@pytest.mark.parametrize("predict", [true_disparity, disturbed])
def test_the_target_under_any_scale_and_shift_has_no_error(dataset: CorpusDataset, predict) -> None:  # type: ignore[no-untyped-def]
    result = evaluate(predict, dataset.samples(), INDOOR)
    assert result.delta1_outliers == 0
    assert result.abs_rel == pytest.approx(0, abs=1e-5)


def test_figures_equal_an_independent_calculation(dataset: CorpusDataset) -> None:
    ratios, relative = [], []
    for sample in dataset.samples():
        valid = sample.mask
        design = np.stack([wrong(sample)[valid], np.ones(valid.sum())], axis=1)
        scale, shift = np.linalg.lstsq(design, sample.disparity[valid], rcond=None)[0]
        depth = np.minimum(1 / np.maximum(scale * wrong(sample)[valid] + shift, 1e-9), 10.0)
        target = 1 / sample.disparity[valid]
        ratios.append(100 * np.mean(np.maximum(depth / target, target / depth) > 1.25))
        relative.append(np.mean(np.abs(depth - target) / target))
    result = evaluate(wrong, dataset.samples(), INDOOR)
    assert result.delta1_outliers > 1
    assert result.delta1_outliers == pytest.approx(np.mean(ratios), abs=0.02)
    assert result.abs_rel == pytest.approx(np.mean(relative), rel=1e-4)


def test_targets_beyond_the_cap_do_not_count(dataset: CorpusDataset) -> None:
    def near_only(sample: Sample) -> np.ndarray:
        return np.where(sample.disparity < 1 / 5, np.float32(9), sample.disparity)

    strict = replace(INDOOR, name="near", cap_m=5.0)
    assert evaluate(near_only, dataset.samples(), strict).abs_rel == pytest.approx(0, abs=1e-5)
    assert evaluate(near_only, dataset.samples(), INDOOR).abs_rel > 0.1


def test_a_tilted_plane_fits_better_than_a_constant(dataset: CorpusDataset) -> None:
    def plane(sample: Sample) -> np.ndarray:
        return fit_plane(sample, tilted=True)

    def constant(sample: Sample) -> np.ndarray:
        return fit_plane(sample, tilted=False)

    errors = [evaluate(predict, dataset.samples(), INDOOR).abs_rel for predict in (plane, constant)]
    assert errors[0] < errors[1]


def test_no_usable_sample_is_an_error(dataset: CorpusDataset) -> None:
    with pytest.raises(DatasetError, match="nothing to evaluate"):
        evaluate(true_disparity, dataset.samples(), type(INDOOR)("nowhere", cap_m=0.1))


def test_the_protocol_follows_the_domain_and_the_unit() -> None:
    assert protocol_for("indoor", metric=True).cap_m == 10
    assert protocol_for("driving", metric=True).cap_m == 80
    assert protocol_for("driving", metric=False).cap_m is None


def test_pixels_outside_the_crop_do_not_count(dataset: CorpusDataset) -> None:
    def right_in_the_middle(sample: Sample) -> np.ndarray:
        inside = find_crop("nyu_eigen").mask(sample.mask.shape)
        return np.where(inside, sample.disparity, np.float32(7))

    cropped = replace(INDOOR, crop="nyu_eigen")
    assert evaluate(right_in_the_middle, dataset.samples(), cropped).abs_rel == pytest.approx(0, abs=1e-5)
    assert evaluate(right_in_the_middle, dataset.samples(), INDOOR).abs_rel > 0.01


def test_alignment_in_depth_finds_a_depth_that_is_off_by_scale_and_shift(dataset: CorpusDataset) -> None:
    """With the far end at 1 % of the range, as the inversion has it, the depth is exactly the inverse."""
    in_depth = replace(INDOOR, space="depth")

    def from_depth(sample: Sample) -> np.ndarray:
        depth = np.where(sample.mask, 1 / np.maximum(sample.disparity, 1e-6), 1.0)
        low, high = depth[sample.mask].min(), depth[sample.mask].max()
        inverse = 1 / ((depth - low) / (high - low) * (1 / 0.01 - 1 / 1.01) + 1 / 1.01)
        return inverse.astype(np.float32)

    assert evaluate(from_depth, dataset.samples(), in_depth).abs_rel == pytest.approx(0, abs=1e-4)


def test_a_scale_by_medians_does_not_remove_a_shift(dataset: CorpusDataset) -> None:
    by_median = replace(INDOOR, alignment="median")

    def scaled(sample: Sample) -> np.ndarray:
        return sample.disparity * np.float32(3)

    assert evaluate(scaled, dataset.samples(), by_median).abs_rel == pytest.approx(0, abs=1e-5)
    assert evaluate(disturbed, dataset.samples(), by_median).abs_rel > 0.05


def test_pooling_weighs_pictures_by_their_pixels(dataset: CorpusDataset) -> None:
    pooled = evaluate(wrong, dataset.samples(), replace(INDOOR, averaging="pixels"))
    pixels = np.array([score.pixels for score in pooled.scores])
    assert pooled.abs_rel == pytest.approx(np.average(pooled.values("abs_rel"), weights=pixels))


def test_the_worst_pictures_come_worst_first(dataset: CorpusDataset) -> None:
    result = evaluate(wrong, dataset.samples(), INDOOR)
    figures = [score.figures[result.metrics.index("delta1_outliers")] for score in result.worst(3)]
    assert figures == sorted(figures, reverse=True)
    assert figures[0] == result.values("delta1_outliers").max()


def test_a_map_of_another_size_is_brought_to_the_picture_s(dataset: CorpusDataset) -> None:
    def coarse(sample: Sample) -> np.ndarray:
        return np.ascontiguousarray(sample.disparity[::2, ::2])

    assert evaluate(coarse, dataset.samples(), INDOOR).delta1_outliers < 15


def test_every_metric_can_be_measured(dataset: CorpusDataset) -> None:
    result = evaluate(wrong, dataset.samples(), INDOOR, metrics=tuple(METRICS))
    assert all(np.isfinite(result.values(name)).all() for name in METRICS)


def test_an_unknown_metric_is_answered_with_those_there_are(dataset: CorpusDataset) -> None:
    with pytest.raises(ConfigError, match="no metric for indoor is called 'delta1'"):
        evaluate(wrong, dataset.samples(), INDOOR, metrics=("delta1",))


@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=PROTOCOLS)
def test_every_protocol_names_things_that_exist(protocol: Protocol) -> None:
    assert protocol.alignment in ALIGNMENTS
    assert find_crop(protocol.crop)
    assert check_metrics(protocol, None) == protocol.metrics
    assert protocol.headline in protocol.metrics


@pytest.mark.parametrize(
    "protocol", [protocol for protocol in PROTOCOLS.values() if not protocol.pairs], ids=lambda protocol: protocol.name
)
def test_the_target_itself_is_right_by_every_protocol_in_inverse_depth(
    dataset: CorpusDataset, protocol: Protocol
) -> None:
    if protocol.space == "inverse_depth":
        assert evaluate(true_disparity, dataset.samples(), protocol).delta1_outliers == 0
