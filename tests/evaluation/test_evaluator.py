"""Evaluation by the protocol: laws, an independent check, and the reader of real data where it is at hand."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from tests.corpus_miniature import write_miniature

from midas.datasets.readers.corpus import CorpusDataset
from midas.datasets.sample import Sample
from midas.errors import DatasetError
from midas.evaluation import report
from midas.evaluation.baselines import fit_plane
from midas.evaluation.evaluator import evaluate
from midas.evaluation.protocols import PROTOCOLS, protocol_for

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

    strict = type(INDOOR)("near", cap_m=5.0)
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


def test_reports_name_the_protocol_and_every_picture(dataset: CorpusDataset) -> None:
    results = {("model", "set"): evaluate(wrong, dataset.samples(), INDOOR)}
    assert "indoor, cap 10 m" in report.to_markdown(results)
    assert json.loads(report.to_json(results))[0]["pictures"] == len(dataset)
    rows = list(csv.DictReader(io.StringIO(report.to_csv(results))))
    assert [row["picture"] for row in rows] == [sample.name for sample in dataset.samples()]
