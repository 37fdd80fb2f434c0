"""The evaluator on measured data, where they are at hand, against plain NumPy."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

import midas
from midas.datasets.sample import Sample
from midas.evaluation.candidates import FunctionCandidate, ModelCandidate
from midas.evaluation.runs import Benchmark, open_benchmark, run

PICTURES = 60


@pytest.fixture(scope="module")
def nyu(repository: Path) -> Benchmark:
    root = repository.parent / "shared" / "corpus" / "nyuv2-test"
    if not root.is_dir():
        pytest.skip("the NYU test pictures are not beside this checkout")
    return open_benchmark("corpus", root)


@pytest.fixture(scope="module")
def kitti(repository: Path) -> Benchmark:
    root = repository.parent / "shared" / "corpus" / "kitti-2015-eval"
    if not root.is_dir():
        pytest.skip("the KITTI pictures are not beside this checkout")
    return open_benchmark("corpus", root)


def test_the_ground_truth_as_prediction_has_no_error(nyu: Benchmark) -> None:
    result = run(
        FunctionCandidate(lambda sample: sample.disparity),
        nyu,
        metrics=("delta1_outliers", "abs_rel", "delta1_accuracy"),
    )
    assert len(result.scores) == 654
    assert result.delta1_outliers == 0
    assert result.abs_rel < 1e-6
    assert result.mean("delta1_accuracy") == 100


def test_scale_and_shift_of_the_ground_truth_cost_nothing(nyu: Benchmark) -> None:
    def disturbed(sample: Sample) -> np.ndarray:
        rng = np.random.default_rng(len(sample.name))
        return (sample.disparity * np.float32(rng.uniform(0.1, 50)) + np.float32(rng.uniform(-20, 20))).astype(
            np.float32
        )

    result = run(FunctionCandidate(disturbed), nyu, limit=200)
    assert result.delta1_outliers == 0
    assert result.abs_rel < 1e-4


def test_the_figures_of_the_embedded_model_equal_those_of_plain_numpy(nyu: Benchmark) -> None:
    predictor = midas.load()
    outliers, relative = [], []
    root = Path(nyu.reader.root)  # type: ignore[attr-defined]
    for path in sorted(root.glob("*/*.jpg"), key=lambda path: (path.parent.name, path.name))[:PICTURES]:
        depth = cv2.imread(str(path.with_suffix(".png")), cv2.IMREAD_UNCHANGED) / 1000.0
        prediction = predictor(cv2.imread(str(path))[..., ::-1].copy()).values.astype(np.float64)
        valid = (depth > 0) & (depth < 10)
        design = np.stack([prediction[valid], np.ones(valid.sum())], axis=1)
        scale, shift = np.linalg.lstsq(design, 1 / depth[valid], rcond=None)[0]
        aligned = 1 / np.maximum(scale * prediction[valid] + shift, 1 / 10)
        outliers.append(100 * np.mean(np.maximum(aligned / depth[valid], depth[valid] / aligned) > 1.25))
        relative.append(np.mean(np.abs(aligned - depth[valid]) / depth[valid]))
    result = run(ModelCandidate(predictor), nyu, limit=PICTURES)
    assert result.delta1_outliers == pytest.approx(np.mean(outliers), abs=0.01)
    assert result.abs_rel == pytest.approx(np.mean(relative), rel=1e-4)


def test_stereo_disparity_with_a_known_baseline_is_measured_in_metres(kitti: Benchmark) -> None:
    assert kitti.protocol.label == "outdoor, cap 80 m"
    depths = 1 / np.concatenate([sample.disparity[sample.mask] for sample in (kitti.reader[0], kitti.reader[5])])  # type: ignore[union-attr]
    assert 2 < np.percentile(depths, 1) < 10
    assert 8 < np.median(depths) < 40
