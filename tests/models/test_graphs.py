"""Networks can be traced, exported and compiled: no step depends on anything but the pixels."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

# One for each kind of encoder that is quick to build.
QUICK = ("midas_v21_small_256", "zipdepth_base")
OTHERS = ("dpt_levit_224", "dpt_swin2_tiny_256", "depth_anything_v2_vits")
MODELS = (*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in OTHERS))

Rows = Callable[[str], dict[str, float | str]]


@pytest.fixture(scope="module")
def row_of(repository: Path) -> Rows:
    """What the benchmark finds, in a process of its own: the checks of shapes that tests make can't be captured."""

    @cache
    def rows(names: tuple[str, ...]) -> dict[str, dict[str, float | str]]:
        script = repository / "benchmarks" / "graph_capture.py"
        command = [sys.executable, str(script), "--json", "--compiler", "eager", *names]
        result = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
        assert result.returncode == 0, result.stderr
        return {row.pop("network"): row for row in map(json.loads, result.stdout.splitlines())}

    return lambda name: rows(QUICK if name in QUICK else OTHERS)[name]


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("way", ["trace", "torch.export", "ONNX", "torch.compile"])
def test_a_captured_network_keeps_its_numbers(name: str, way: str, row_of: Rows) -> None:
    assert float(row_of(name)[way]) < 1e-3


@pytest.mark.parametrize("name", [*QUICK, pytest.param("depth_anything_v2_vits", marks=pytest.mark.slow)])
def test_a_traced_network_takes_other_sizes(name: str, row_of: Rows) -> None:
    assert float(row_of(name)["trace, other size"]) < 1e-3
