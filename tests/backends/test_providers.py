"""Devices of ONNX Runtime by lists of providers, since the machines themselves are not at hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from midas.backends.choice import choose_for_name
from midas.backends.providers import PROVIDERS, providers_for
from midas.errors import ModelError

CPU = "CPUExecutionProvider"


@pytest.mark.parametrize("device", PROVIDERS)
def test_a_device_is_its_providers_and_the_processor_stands_last(device: str) -> None:
    names = [name for name, _ in providers_for(device, [name for name, _ in PROVIDERS[device]])]
    assert names == [name for name, _ in PROVIDERS[device]]
    assert names[-1] == CPU


def test_what_the_build_lacks_of_the_rest_is_left_out_and_a_number_chooses_the_card() -> None:
    found = providers_for("tensorrt:1", ["TensorrtExecutionProvider", CPU])
    assert [name for name, _ in found] == ["TensorrtExecutionProvider", CPU]
    assert found[0][1]["device_id"] == 1
    assert found[1][1] == {}


def test_a_device_that_the_build_lacks_is_an_error_that_lists_what_it_has() -> None:
    with pytest.raises(ModelError, match=r"no device 'cuda' .*it has cpu\. onnxruntime-gpu brings cuda"):
        providers_for("cuda", [CPU])
    with pytest.raises(ModelError, match="expected one of auto, cpu, cuda"):
        providers_for("abacus", [CPU])


def test_auto_is_the_processor_even_where_there_is_a_card() -> None:
    assert providers_for("auto", ["CUDAExecutionProvider", CPU]) == [(CPU, {})]


def test_a_device_that_only_onnx_runtime_has_chooses_it() -> None:
    assert choose_for_name("midas_nano_256", device="coreml").backend == "onnxruntime"


def test_the_document_has_the_table_of_devices(repository: Path) -> None:
    text = (repository / "docs" / "predict.md").read_text(encoding="utf-8")
    spelt = {"Tensorrt": "TensorRT", "CoreML": "Core ML", "Dml": "DirectML", "ROCM": "ROCm"}
    for device, providers in PROVIDERS.items():
        names = [name.removesuffix("ExecutionProvider") for name, _ in providers]
        order = [spelt.get(name, name) for name in names]
        (told,) = [line.split("|")[3] for line in text.splitlines() if line.startswith(f"| `{device}`")]
        assert [part.partition(" (")[0].strip() for part in told.split(", ")] == order
        assert all(f"{key}={value}" in told for key, value in providers[0][1].items())
