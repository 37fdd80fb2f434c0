"""ZipDepth in all the forms in which it runs gives the numbers of its authors' code."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.parity import fixtures
from torch import Tensor

import midas
from midas.errors import WeightsError
from midas.export.onnx import export_onnx
from midas.models import create_model
from midas.models.branches import merge_branches
from midas.models.folding import fold_batch_norm
from midas.models.network import DepthNetwork
from midas.models.zoo import find_model

NAMES = ("zipdepth_base", "zipdepth_base_npu")

pytestmark = pytest.mark.skipif(
    not fixtures.is_there() or not set(NAMES) <= set(fixtures.names()),
    reason="the outputs of ZipDepth's own code are not at hand (parity_zipdepth, beside MIDAS_PARITY)",
)

# What the manifest calls intermediate tensors, and the modules that give them here.
STAGES = {
    "encoder.stem_half": "encoder.stem.0",
    "encoder.stage1": "encoder.stages.0",
    "encoder.stage2": "encoder.stages.1",
    "encoder.stage3": "encoder.stages.2",
    "encoder.stage4": "encoder.stages.3",
    "encoder.spp": "encoder.pooling",
    "decoder.fuse1": "decoder.fusions.1",
    "decoder.fuse_half": "decoder.fusions.0",
    "decoder.head_half": "head.disparity",
}


@pytest.fixture(scope="module", params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def network(name: str) -> DepthNetwork:
    return fixtures.filled_network(name)


@pytest.fixture(scope="module")
def exported(name: str, network: DepthNetwork, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp(name) / "exported.onnx"
    export_onnx(network, find_model(name), path)
    return path


def assert_equal_to_the_original(name: str, network: Any) -> None:
    for item in fixtures.inputs(name):
        assert fixtures.difference(name, item, network) <= fixtures.LARGEST_DIFFERENCE, item["id"]


def test_merged_and_folded_networks_have_the_numbers_of_the_trained_form(name: str, network: DepthNetwork) -> None:
    assert_equal_to_the_original(name, network)
    for change in (merge_branches, fold_batch_norm):
        changed = copy.deepcopy(network)
        assert change(changed) > 0
        # Sums of other numbers are rounded another way, on some processors by more than the bound in float32.
        for item in fixtures.inputs(name):
            assert fixtures.difference(name, item, changed) <= fixtures.bound(name, item), item["id"]
        assert_equal_to_the_original(name, in_float64(changed))


def in_float64(network: DepthNetwork) -> Callable[[Tensor], Tensor]:
    """The network without rounding."""
    exact = copy.deepcopy(network).double()
    return lambda pixels: exact(pixels.double()).float()


@pytest.mark.parametrize("form", ["trained", "merged"])
def test_every_stage_has_the_original_s_values(form: str, name: str, network: DepthNetwork) -> None:
    looked_at = copy.deepcopy(network)
    if form == "merged":
        merge_branches(looked_at)
        looked_at.double()  # as above
    seen: dict[str, Tensor] = {}
    for stage, module in STAGES.items():
        looked_at.get_submodule(module).register_forward_hook(
            lambda _, __, output, stage=stage: seen.update({stage: output})
        )
    with torch.inference_mode():
        looked_at(fixtures.make_input(fixtures.inputs(name)[0]).to(next(looked_at.parameters()).dtype))
    for stage, stated in fixtures.manifest(name)["stages"].items():
        values = seen[stage].numpy()
        assert list(values.shape) == stated["shape"]
        departure = np.abs(values.ravel()[stated["index"]] - stated["value"]).max()
        assert departure <= 1e-5 * stated["std"] + 1e-6, stage


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_an_exported_file_gives_the_original_s_numbers(backend: str, name: str, exported: Path) -> None:
    if backend == "openvino":
        pytest.importorskip("openvino")
    run = midas.load(exported, backend=backend, precision="float32").backend
    assert_equal_to_the_original(name, lambda pixels: torch.from_numpy(run(pixels.numpy())))


@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module."])
def test_a_checkpoint_loads_however_it_is_wrapped(prefix: str, name: str, tmp_path: Path) -> None:
    state = {f"{prefix}{key}": torch.from_numpy(value) for key, value in fixtures.published_state(name).items()}
    beside = {f"{prefix}criterion.weight": torch.zeros(3), f"{prefix}decoder.head_direct.bias": torch.zeros(1)}
    content = {"epoch": 4, "loss": 0.25, "optimizer_state_dict": {"state": {}}, "model_state_dict": state | beside}
    torch.save(content if prefix else state, tmp_path / "checkpoint.pth")
    network = create_model(name, weights=tmp_path / "checkpoint.pth")
    item = fixtures.inputs(name)[-1]
    assert fixtures.difference(name, item, network) <= fixtures.LARGEST_DIFFERENCE


def test_a_checkpoint_with_more_or_less_in_its_network_is_refused(name: str) -> None:
    state = fixtures.published_state(name)
    with pytest.raises(WeightsError, match=r"1 tensors are unexpected, first: encoder\.stage4\.2\.tokens"):
        create_model(name, weights=state | {"encoder.stage4.2.tokens": np.zeros((1, 8, 384), np.float32)})
    del state["encoder.stage1.1.branch_1x1.0.weight"]
    with pytest.raises(WeightsError, match=r"1 tensors are missing, first: encoder\.stages\.0\.1\.narrow\.0\.weight"):
        create_model(name, weights=state)


def test_the_table_states_the_original_s_rule(name: str) -> None:
    stated, rule = fixtures.manifest(name), find_model(name).input
    assert (list(rule.mean), list(rule.std)) == (stated["mean"], stated["std"])
    assert list(rule.size) == stated["network_size"] == [stated["resize"]["shorter_side"]] * 2
    assert (rule.multiple, rule.keep_aspect) == (stated["resize"]["ensure_multiple_of"], True)


def test_the_normalisations_have_the_original_s_epsilon(name: str, network: DepthNetwork) -> None:
    found = [module.eps for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    assert [f"BatchNorm2d eps={found[0]:.0e}"] == list(fixtures.manifest(name)["modules"]["norms"])
    assert (set(found), len(found)) == ({1e-5}, fixtures.manifest(name)["modules"]["norms"]["BatchNorm2d eps=1e-05"])
