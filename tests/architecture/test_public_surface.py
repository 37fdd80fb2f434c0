"""What `import midas` promises: these names, no more, and nothing heavy behind them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import midas

PUBLIC_NAMES = {"DepthMap", "MidasError", "Predictor", "list_models", "load"}
LAB_PACKAGES = ["torch", "timm", "safetensors", "onnx"]

REPORT_LAB_PACKAGES = f"print('lab packages:', sorted(set({LAB_PACKAGES}) & set(sys.modules)))"


def run_python(code: str, *arguments: str) -> str:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_all_lists_exactly_the_public_names() -> None:
    assert set(midas.__all__) - {"__version__"} == PUBLIC_NAMES


@pytest.mark.parametrize("name", sorted(PUBLIC_NAMES))
def test_every_name_in_all_is_there(name: str) -> None:
    assert getattr(midas, name).__doc__


def test_nothing_public_is_missing_from_all() -> None:
    for name in PUBLIC_NAMES:
        getattr(midas, name)
    of_ours = {name for name, value in vars(midas).items() if str(getattr(value, "__module__", "")).startswith("midas")}
    assert {name for name in of_ours if not name.startswith("_")} <= set(midas.__all__)


def test_importing_midas_loads_no_lab_package() -> None:
    names = ", ".join(sorted(PUBLIC_NAMES))
    assert "lab packages: []" in run_python(f"import sys; from midas import {names}; {REPORT_LAB_PACKAGES}")


def test_predicting_loads_no_lab_package(examples_dir: Path, tmp_path: Path) -> None:
    photograph = sorted(examples_dir.glob("*.jpg"))[0]
    code = f"""
import sys
from midas.cli import main
sys.argv = ["midas", "predict", {str(photograph)!r}, "-o", {str(tmp_path)!r}]
try:
    main()
except SystemExit as exit:
    assert not exit.code, exit.code
{REPORT_LAB_PACKAGES}
"""
    assert "lab packages: []" in run_python(code)
    assert list(tmp_path.iterdir())
