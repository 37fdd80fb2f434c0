"""Offline means offline: nothing is written outside our own folders, and no name is asked for, whatever runs it."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests import fake_resolver

from midas.backends.runtimes import import_runtime

PREDICT = """
import sys, time
import numpy as np
import midas
midas.load(backend=sys.argv[1], threads=1)(np.zeros((64, 64, 3), np.uint8))
time.sleep(float(sys.argv[2]))
"""

# Longer than ONNX Runtime waits before it asks for its maker's host.
WATCHED_S = 30

needs_nncf = pytest.mark.skipif(importlib.util.find_spec("nncf") is None, reason="nncf is not installed")
# Compiling takes minutes.
BACKENDS = ["onnxruntime", "openvino", "torch", pytest.param("torch-compile", marks=pytest.mark.slow)]


def fresh(home: Path | None) -> dict[str, str]:
    """This environment as a user has it: a home of its own or none, and none of the switches of test machines."""
    switches = ("CI", "HOME", "ORT_DISABLE_TELEMETRY", "DO_NOT_TRACK", "TORCHINDUCTOR_CACHE_DIR")
    kept = {name: text for name, text in os.environ.items() if name not in switches and not name.startswith("XDG_")}
    return kept if home is None else {**kept, "HOME": str(home)}


def run(*arguments: str, home: Path | None, folder: Path) -> str:
    command = [sys.executable, *arguments]
    finished = subprocess.run(command, env=fresh(home), cwd=folder, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    return finished.stderr


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_prediction_leaves_the_home_folder_empty(backend: str, tmp_path: Path) -> None:
    home, here = tmp_path / "home", tmp_path / "here"
    home.mkdir()
    here.mkdir()
    run("-c", PREDICT, backend, "0", home=home, folder=here)
    assert [*home.rglob("*"), *here.rglob("*")] == []


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_prediction_needs_no_home_folder(backend: str, tmp_path: Path) -> None:
    run("-c", PREDICT, backend, "0", home=None, folder=tmp_path)


@pytest.mark.parametrize(
    "arguments", ["predict photo.jpg -o depth --offline --backend openvino", "models", "evaluate --list"]
)
def test_a_command_leaves_the_home_folder_empty(arguments: str, examples_dir: Path, tmp_path: Path) -> None:
    home, here = tmp_path / "home", tmp_path / "here"
    home.mkdir()
    here.mkdir()
    (here / "photo.jpg").symlink_to(sorted(examples_dir.glob("*.jpg"))[0])
    assert run("-m", "midas", *arguments.split(), home=home, folder=here) == ""
    assert list(home.rglob("*")) == []


@needs_nncf
@pytest.mark.slow
@pytest.mark.parametrize("form", ["onnx", "openvino"])
def test_making_integers_leaves_the_home_folder_empty(form: str, examples_dir: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    options = ["--precision", "int8", "--format", form, "--calibration", str(examples_dir)]
    run("-m", "midas", "export", *options, home=home, folder=tmp_path)
    assert list(home.rglob("*")) == []


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux" or not fake_resolver.available(), reason="no namespaces here")
@pytest.mark.parametrize("backend", BACKENDS)
def test_no_name_is_asked_for(backend: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", PREDICT, backend, str(WATCHED_S)]
    assert fake_resolver.names_asked_for(command, fresh(tmp_path)) == []


@pytest.mark.skipif(sys.platform != "linux" or not fake_resolver.available(), reason="no namespaces here")
def test_the_fake_resolver_hears_who_asks(tmp_path: Path) -> None:
    ask = "import socket\ntry: socket.getaddrinfo('depth.example', 443)\nexcept OSError: pass"
    assert "depth.example" in fake_resolver.names_asked_for([sys.executable, "-c", ask], fresh(tmp_path))


def test_the_door_hides_the_sender_for_as_long_as_it_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "openvino_telemetry", raising=False)
    import_runtime("onnxruntime")
    assert "openvino_telemetry" not in sys.modules
    monkeypatch.setitem(sys.modules, "openvino_telemetry", pytest)
    with pytest.raises(ModuleNotFoundError):
        import_runtime("no_such_runtime")
    assert sys.modules["openvino_telemetry"] is pytest


def test_who_asks_for_the_telemetry_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORT_DISABLE_TELEMETRY", "0")
    import_runtime("onnxruntime")
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "0"


def test_importing_the_package_loads_no_runtime_and_sets_no_switch() -> None:
    code = "import os, sys, midas; midas.Predictor; print(sorted({*os.environ, *sys.modules}))"
    finished = subprocess.run([sys.executable, "-c", code], env=fresh(None), capture_output=True, text=True, check=True)
    there = set(finished.stdout.strip("[]\n").replace("'", "").split(", "))
    assert not {"ORT_DISABLE_TELEMETRY", "onnxruntime", "openvino"} & there
