"""Two numbers for all pictures of a camera: found, judged on pictures left out, and kept in a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from tests.own_miniatures import SIZE, floor, write_pair
from tests.tiny_model import write_tiny_model
from typer.testing import CliRunner, Result

import midas
from midas.alignment.calibration import Calibration
from midas.arrays import Array, Float32
from midas.assets import asset_path
from midas.cli import app
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


def test_weights_are_calibrated_as_onnx_files_are(tmp_path: Path) -> None:
    source = asset_path("midas_nano_256.safetensors")
    target = tmp_path / "metric.safetensors"
    write_calibrated(source, target, Calibration(0.5, 0.25, 12, 0.05, 0.9), name="midas_nano_256")
    predictor = midas.load(target)
    assert (predictor.kind, predictor.name) == ("metric", "metric")
    assert "from 12 pictures" in repr(predictor)


def calibrated(root: Path, *arguments: object) -> Result:
    return CliRunner().invoke(app, ["calibrate", "--root", str(root), *map(str, arguments)])


def test_the_command_finds_the_two_numbers_of_a_folder_and_its_file_predicts_metres(tmp_path: Path) -> None:
    for number in range(6):
        write_pair(tmp_path / "rgb" / f"{number}.png", tmp_path / "depth" / f"{number}.png", number)
    model, output = write_tiny_model(tmp_path / "tiny.onnx"), tmp_path / "metric.onnx"
    result = calibrated(tmp_path, "--model", model, "-o", output, "--depth-unit", "mm")
    assert result.exit_code == 0, result.output
    assert "from 6 pictures" in result.stdout
    assert "relative error of depth on pictures left out: " in result.stdout
    assert "explained of the differences of inverse depth: " in result.stdout
    depth = midas.load(output)(tmp_path / "rgb" / "0.png")
    assert depth.kind == "metric"
    assert float(np.median(np.abs(depth.values / floor(0) - 1))) < 0.05
    again = calibrated(tmp_path, "--model", model, "-o", output)
    assert (again.exit_code, "--overwrite" in again.stderr) == (1, True)


def test_the_command_writes_nothing_where_two_numbers_explain_too_little(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    (tmp_path / "depth").mkdir()
    for number in range(6):
        write_pair(tmp_path / "rgb" / f"{number}.png", tmp_path / "depth" / f"{number}.npy", number)
        np.save(tmp_path / "depth" / f"{number}.npy", rng.uniform(1, 6, SIZE).astype(np.float32))
    output = tmp_path / "metric.onnx"
    model = write_tiny_model(tmp_path / "tiny.onnx")
    result = calibrated(tmp_path, "--model", model, "-o", output, "--depth-unit", "m")
    assert result.exit_code == 1
    assert "explain" in result.stderr
    assert not output.exists()
