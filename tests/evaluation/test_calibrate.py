"""Two numbers for all pictures of a camera: found, judged on pictures left out, and kept in a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from tests.tiny_model import write_tiny_model

import midas
from midas.alignment.calibration import Calibration
from midas.arrays import Array, Float32
from midas.datasets.sample import Sample
from midas.errors import AlignmentError, DatasetError
from midas.evaluation.calibrate import calibrate
from midas.export.calibrated import write_calibrated
from midas.pictures.preprocess import InputSpec
from midas.predictor import Predictor

SCALE, SHIFT = 0.4, 0.1


class Brightness:
    """A network that takes bright for near."""

    @property
    def metadata(self) -> Mapping[str, str]:
        return {}

    def __call__(self, pixels: Float32[Array, "B 3 H W"]) -> Float32[Array, "B H W"]:
        return pixels.mean(axis=1).astype(np.float32)


class Camera:
    """Pictures whose inverse depth is an affine function of their brightness, with gross errors and a drift."""

    name = "camera"

    def __init__(self, count: int, drift: float = 0.0) -> None:
        self.count, self.drift = count, drift

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Sample:
        rng = np.random.default_rng(index)
        grey = rng.integers(20, 255, (64, 64), dtype=np.uint8)
        inverse_depth = (SCALE * (grey / 255) + SHIFT) * np.exp(rng.normal(0, self.drift))
        inverse_depth[:8] *= 3  # a tenth of the target is wrong
        return Sample.from_inverse_depth(
            np.repeat(grey[..., None], 3, axis=2), inverse_depth.astype(np.float32), name=f"camera/{index}"
        )


def predictor() -> Predictor:
    return Predictor("brightness", InputSpec((64, 64), mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0)), Brightness())


def test_the_two_numbers_are_found_whatever_a_tenth_of_the_target_says() -> None:
    found = calibrate(predictor(), Camera(10), range(10)).calibration
    assert found.scale == pytest.approx(SCALE, rel=0.02)
    assert found.shift == pytest.approx(SHIFT, abs=0.01)
    assert found.pictures == 10
    assert found.explained > 0.5


def test_the_error_is_that_of_pictures_left_out_and_lies_above_the_fit_to_each_alone() -> None:
    steady, drifting = (calibrate(predictor(), Camera(10, drift), range(10)) for drift in (0.0, 0.08))
    assert drifting.calibration.abs_rel > steady.calibration.abs_rel
    assert drifting.calibration.abs_rel > drifting.per_picture_abs_rel
    assert steady.calibration.abs_rel < steady.constant_abs_rel


def test_a_fit_that_explains_too_little_is_refused() -> None:
    with pytest.raises(AlignmentError, match="differ too much from picture to picture"):
        calibrate(predictor(), Camera(10, drift=1.5), range(10))
    with pytest.raises(DatasetError, match="expected 5"):
        calibrate(predictor(), Camera(3), range(3))


def test_a_calibrated_file_predicts_metres_and_says_from_how_many_pictures(tmp_path: Path) -> None:
    source = write_tiny_model(tmp_path / "tiny.onnx")
    write_calibrated(source, tmp_path / "metric.onnx", Calibration(0.5, 0.25, 12, 0.05, 0.9))
    picture = np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    relative, metric = (midas.load(path)(picture) for path in (source, tmp_path / "metric.onnx"))
    assert metric.kind == "metric"
    np.testing.assert_allclose(metric.values, relative.aligned(0.5, 0.25).depth_m, rtol=1e-6)
    calibration = midas.load(tmp_path / "metric.onnx").calibration
    assert calibration is not None
    assert "12 pictures" in str(calibration)
