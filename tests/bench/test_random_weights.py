"""Networks that are filled at random are good enough to be timed and compared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import midas
from midas.bench.cases import Case
from midas.bench.files import fitting_file
from midas.bench.picture import draw_picture
from midas.bench.runner import Settings, run_benchmark
from midas.bench.timing import Effort
from midas.bench.torch_side import count_gmacs, write_random_weights
from midas.errors import ModelError
from midas.models.zoo import MODELS

SMALL = "midas_nano_256"


def test_the_maps_of_both_files_vary_and_are_alike(tmp_path: Path) -> None:
    files = [str(path) for path in write_random_weights(SMALL, tmp_path)]
    picture = draw_picture((128, 128))
    maps = {}
    for backend in ("torch", "onnxruntime"):
        file = fitting_file(Case(SMALL, backend), files)
        assert file is not None
        maps[backend] = midas.load(file, backend=backend, precision="float32")(picture).values
    assert maps["torch"].std() > 0.1
    assert (maps["torch"] > 0).mean() > 0.5
    assert np.allclose(maps["torch"], maps["onnxruntime"], atol=1e-3 * np.ptp(maps["torch"]))


def test_a_back_end_that_runs_none_of_the_files_says_so(tmp_path: Path) -> None:
    path = tmp_path / "x.onnx"
    path.write_bytes(b"")
    with pytest.raises(ModelError, match="'torch' doesn't run"):
        fitting_file(Case(SMALL, "torch"), [str(path)])
    assert fitting_file(Case(SMALL, "torch"), []) is None


@pytest.mark.parametrize("name", ["midas_nano_256", "midas_v21_small_256", "depth_anything_v2_vits"])
def test_counted_multiply_adds_are_those_of_the_table(name: str) -> None:
    assert count_gmacs(name, MODELS[name].input.size) == pytest.approx(MODELS[name].gmacs, rel=0.01)


@pytest.mark.slow
def test_all_back_ends_of_one_run_have_the_same_random_weights() -> None:
    cases = [Case(SMALL, backend, size=64, threads=1) for backend in ("onnxruntime", "torch")]
    report = run_benchmark(cases, Settings(draw_picture((64, 64)), "", Effort(0, 1, 0.1), random_weights=True))
    assert [result.error for result in report.results] == [None, None]
    assert all(result.difference is not None and result.difference < 1e-4 for result in report.results)
