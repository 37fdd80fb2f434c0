"""Networks can be traced, exported and compiled: no step depends on anything but the pixels."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

# One for each kind of encoder that is quick to build.
MODELS = (
    "midas_v21_small_256",
    "dpt_levit_224",
    "dpt_swin2_tiny_256",
    "depth_anything_v2_vits",
    "zipdepth_base",
)


@pytest.fixture(scope="module")
def rows(repository: Path) -> dict[str, dict[str, float | str]]:
    """What the benchmark finds, in a process of its own: the checks of shapes that tests make can't be captured."""
    script = repository / "benchmarks" / "graph_capture.py"
    command = [sys.executable, str(script), "--json", "--compiler", "eager", *MODELS]
    result = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert result.returncode == 0, result.stderr
    return {row.pop("network"): row for row in map(json.loads, result.stdout.splitlines())}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("way", ["trace", "torch.export", "ONNX", "torch.compile"])
def test_a_captured_network_keeps_its_numbers(name: str, way: str, rows: dict[str, dict[str, float | str]]) -> None:
    assert float(rows[name][way]) < 1e-3


@pytest.mark.parametrize("name", ["midas_v21_small_256", "depth_anything_v2_vits", "zipdepth_base"])
def test_a_traced_network_takes_other_sizes(name: str, rows: dict[str, dict[str, float | str]]) -> None:
    assert float(rows[name]["trace, other size"]) < 1e-3
