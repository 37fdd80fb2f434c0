"""A predictor in several processes: pickled, spawned, forked; maps that come back are read-only."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.tiny_model import write_tiny_model

import midas
from midas.backends import openvino_is_installed
from midas.errors import ModelError
from midas.maps.depth_map import AlignedDepth, DepthMap

PICTURE = np.random.default_rng(0).integers(0, 256, (96, 128, 3), np.uint8)

FORKED = """
import os, sys, threading
import numpy as np
import midas
from midas.errors import ModelError

backend, used = sys.argv[1], sys.argv[2]
picture = np.random.default_rng(0).integers(0, 256, (96, 128, 3), np.uint8)
predictor = midas.load(backend=backend, threads=2)
before = predictor(picture).values
if used == "in use":
    def go_on():
        while True:
            predictor(picture)
    threading.Thread(target=go_on, daemon=True).start()
child = os.fork()
if not child and backend == "openvino":
    for attempt in (lambda: predictor(picture), lambda: midas.load(backend=backend)):
        try:
            attempt()
        except ModelError as error:
            assert "spawn" in str(error)
        else:
            raise AssertionError
    sys.exit(0)
if not child:
    assert np.abs(predictor(picture).values - before).max() < 1e-5 * np.ptp(before)
    predictor(np.repeat(picture, 2, axis=1))
    another = midas.load(backend=backend)
    assert np.abs(another(picture).values - before).max() < 1e-5 * np.ptp(before)
    del predictor, another
    sys.exit(0)
os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""

SPAWNED = """
import multiprocessing, sys
import numpy as np
import midas

def run(predictor, picture):
    return predictor(picture)

if __name__ == "__main__":
    picture = np.random.default_rng(0).integers(0, 256, (96, 128, 3), np.uint8)
    predictor = midas.load(backend=sys.argv[1], threads=1)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        depth_map = pool.apply(run, (predictor, picture))
    assert np.array_equal(depth_map.values, predictor(picture).values)
    assert not depth_map.values.flags.writeable
"""

BACKENDS = [
    "onnxruntime",
    pytest.param("openvino", marks=pytest.mark.skipif(not openvino_is_installed(), reason="openvino isn't installed")),
    "torch",
]


def run(code: str, *arguments: str, folder: Path) -> None:
    script = folder / "script.py"
    script.write_text(code, encoding="utf-8")
    command = [sys.executable, str(script), *arguments]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert (finished.returncode, finished.stderr) == (0, "")


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_pickled_predictor_opens_its_file_again(backend: str) -> None:
    predictor = midas.load(backend=backend, threads=1).tiled(2)
    data = pickle.dumps(predictor)
    again = pickle.loads(data)
    assert len(data) < 10_000
    assert (again.name, again.input, again.spec, again.tiling) == (
        predictor.name,
        predictor.input,
        predictor.spec,
        predictor.tiling,
    )
    assert np.array_equal(again(PICTURE).values, predictor(PICTURE).values)


def test_a_path_is_the_same_in_every_folder(here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tiny_model(here / "tiny.onnx")
    data = pickle.dumps(midas.load("tiny.onnx"))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert pickle.loads(data)(PICTURE).size == (96, 128)


def test_a_file_that_has_gone_is_said_so(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "tiny.onnx")
    data = pickle.dumps(midas.load(path))
    path.unlink()
    with pytest.raises(ModelError, match=r"tiny\.onnx"):
        pickle.loads(data)


def test_a_network_that_was_never_a_file_is_pickled_itself() -> None:
    from midas.backends.torch import TorchBackend
    from midas.models import create_model

    backend = TorchBackend(create_model("midas_nano_256", weights=None), device="cpu", threads=1)
    pixels = np.zeros((1, 3, 64, 64), np.float32)
    assert np.array_equal(pickle.loads(pickle.dumps(backend))(pixels), backend(pixels))


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_predictor_goes_into_a_process_that_is_spawned_and_its_map_comes_back(backend: str, tmp_path: Path) -> None:
    run(SPAWNED, backend, folder=tmp_path)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
@pytest.mark.parametrize("used", ["at rest", "in use"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_predictor_works_after_a_fork_or_says_what_to_do(backend: str, used: str, tmp_path: Path) -> None:
    run(FORKED, backend, used, folder=tmp_path)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
def test_threads_that_a_fork_leaves_behind_cant_be_asked_for(tmp_path: Path) -> None:
    code = """
import os, sys
import numpy as np
import midas
from midas.errors import ModelError
midas.load(backend="torch")(np.zeros((64, 64, 3), np.uint8))
child = os.fork()
if not child:
    try:
        midas.load(backend="torch", threads=2)
    except ModelError as error:
        assert "spawn" in str(error)
        os._exit(0)
    os._exit(1)
os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    run(code, folder=tmp_path)


def same(value: object) -> object:
    return pickle.loads(pickle.dumps(value))


@pytest.mark.parametrize("through", [same, copy.copy, copy.deepcopy], ids=["pickle", "copy", "deepcopy"])
def test_a_copied_map_is_read_only_as_it_was(through: Callable[[Any], Any]) -> None:
    values = np.random.default_rng(0).random((4, 6), np.float32)
    for made in (DepthMap(values, "model", "photo.jpg"), DepthMap(values).aligned(1.0, 0.1)):
        again = through(made)
        map_of = (lambda each: each.depth_m) if isinstance(made, AlignedDepth) else (lambda each: each.values)
        assert type(again) is type(made)
        assert np.array_equal(map_of(again), map_of(made))
        assert not map_of(again).flags.writeable
        assert again.model == made.model
        assert again.source == made.source
