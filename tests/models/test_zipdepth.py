"""Networks with branches: trained as many convolutions, run as one, exported of plain operations."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor, nn

import midas
from midas.errors import WeightsError
from midas.export.exporter import ExportOptions, export_network
from midas.export.onnx import export_onnx
from midas.models import create_model
from midas.models.branches import BranchedConv, NormedSum, merge_branches
from midas.models.folding import without_branches
from midas.models.network import DepthNetwork
from midas.models.upsampling import BlendedUpsampling, ConvexUpsampling, UpsamplingHead
from midas.models.zoo import find_model

NAMES = ("zipdepth_base", "zipdepth_base_npu")

# Tables of indices, and what turns channels into pixels.
BAD_ON_PHONES = {"Gather", "GatherND", "GatherElements", "ScatterND", "DepthToSpace", "Col2Im", "Pad", "Exp"}


def with_statistics(module: nn.Module) -> nn.Module:
    """As if it had been trained: no normalisation is the identity."""
    torch.manual_seed(0)
    for norm in module.modules():
        if isinstance(norm, nn.BatchNorm2d) and norm.running_var is not None:
            nn.init.uniform_(norm.weight, 0.5, 1.5)
            nn.init.normal_(norm.bias, std=0.1)
            norm.running_var.uniform_(0.5, 1.5)
    return module.eval()


@pytest.fixture(scope="module")
def networks() -> dict[str, DepthNetwork]:
    torch.manual_seed(0)
    made = {name: create_model(name, weights=None) for name in NAMES}
    for network in made.values():
        with_statistics(network)
    return made


@pytest.fixture(scope="module")
def exported(networks: dict[str, DepthNetwork], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    paths = {name: tmp_path_factory.mktemp(name) / "exported.onnx" for name in NAMES}
    for name, path in paths.items():
        export_onnx(networks[name], find_model(name), path)
    return paths


def farthest(actual: Tensor, expected: Tensor) -> float:
    """Largest difference, in units of the range."""
    return float((actual - expected).abs().max() / (expected.max() - expected.min()))


# ── branches ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("out_channels", "stride"), [(6, 1), (6, 2), (9, 1)])
def test_one_convolution_gives_the_sum_of_the_branches(out_channels: int, stride: int) -> None:
    branched = with_statistics(BranchedConv(6, out_channels, stride=stride))
    assert isinstance(branched, BranchedConv)
    feature = torch.randn(2, 6, 8, 10)
    with torch.inference_mode():
        torch.testing.assert_close(branched.merged()(feature), branched(feature), atol=1e-5, rtol=1e-5)


def test_a_normalised_sum_without_its_normalisation_gives_the_same() -> None:
    total = with_statistics(NormedSum(nn.Conv2d(4, 6, 1, bias=False), nn.Conv2d(3, 6, 3, padding=1, bias=False)))
    assert isinstance(total, NormedSum)
    one, other = torch.randn(2, 4, 5, 7), torch.randn(2, 3, 5, 7)
    with torch.inference_mode():
        expected = total(one, other)
        total.fold()
        torch.testing.assert_close(total(one, other), expected, atol=1e-5, rtol=1e-5)
    assert total.is_folded


@pytest.mark.parametrize("name", NAMES)
def test_a_network_without_branches_is_another_one_with_the_same_numbers(
    name: str, networks: dict[str, DepthNetwork]
) -> None:
    network, pixels = networks[name], torch.randn(2, 3, 64, 96)
    runs = without_branches(network)
    with torch.inference_mode():
        assert farthest(runs(pixels), network(pixels)) < 1e-5
    assert any(isinstance(module, BranchedConv) for module in network.modules())
    assert not any(isinstance(module, BranchedConv) for module in runs.modules())


def test_a_network_that_has_no_branches_is_left_alone() -> None:
    network = create_model("midas_nano_256", weights=None)
    assert without_branches(network) is network
    assert merge_branches(network) == 0


def test_a_step_of_training_changes_every_branch(networks: dict[str, DepthNetwork]) -> None:
    network = copy.deepcopy(networks["zipdepth_base"]).train()
    before = {key: parameter.detach().clone() for key, parameter in network.named_parameters()}
    network(torch.randn(2, 3, 64, 64)).square().mean().backward()
    torch.optim.AdamW(network.parameters(), lr=1e-2, weight_decay=0).step()
    branches = [key for key in before if ".wide." in key or ".narrow." in key]
    assert branches
    assert [key for key in branches if torch.equal(before[key], network.get_parameter(key))] == []


# ── the last step ───────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", [ConvexUpsampling, BlendedUpsampling])
def test_a_plain_map_stays_plain(kind: Callable[[int, int], nn.Module]) -> None:
    enlarged = kind(8, 4).eval()(torch.full((1, 1, 5, 7), 3.0), torch.randn(1, 8, 5, 7))
    torch.testing.assert_close(enlarged, torch.full((1, 1, 10, 14), 3.0))


def test_convex_upsampling_is_a_softmax_over_unfolded_neighbours() -> None:
    upsampling, coarse, feature = ConvexUpsampling(8, 4).eval(), torch.randn(2, 1, 5, 7), torch.randn(2, 8, 5, 7)
    weights = upsampling.weights(feature).view(2, 9, 4, 5, 7).softmax(dim=1)
    bordered = nn.functional.pad(coarse, (1, 1, 1, 1), mode="replicate")
    neighbours = nn.functional.unfold(bordered, 3).view(2, 9, 1, 5, 7)
    expected = nn.functional.pixel_shuffle((weights * neighbours).sum(1), 2)
    torch.testing.assert_close(upsampling(coarse, feature), expected)


@torch.no_grad()
def test_convex_upsampling_bears_scores_of_any_size() -> None:
    upsampling = ConvexUpsampling(8, 4).eval()
    nn.init.constant_(upsampling.weights[-1].bias, 1e4)
    coarse = torch.rand(1, 1, 5, 7)
    enlarged = upsampling(coarse, torch.randn(1, 8, 5, 7) * 1e3)
    assert bool(torch.isfinite(enlarged).all())
    assert float(enlarged.max()) <= float(coarse.max()) + 1e-6


def test_the_bias_of_the_disparity_lifts_the_map(networks: dict[str, DepthNetwork]) -> None:
    head = copy.deepcopy(networks["zipdepth_base"].head)
    assert isinstance(head, UpsamplingHead)
    with torch.no_grad():
        head.last_bias().fill_(100.0)
        feature = torch.randn(1, 32, 8, 8)
        low = head(feature)
        head.last_bias().add_(1.0)
        torch.testing.assert_close(head(feature), low + 1)


# ── weights ─────────────────────────────────────────────────────────────────


def test_neither_network_takes_the_other_s_weights(networks: dict[str, DepthNetwork]) -> None:
    for name, other in (NAMES, NAMES[::-1]):
        with pytest.raises(WeightsError, match="tensors are"):
            create_model(name, weights=networks[other].state_dict())


# ── exported ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
@pytest.mark.parametrize("name", NAMES)
def test_an_exported_file_predicts_what_the_network_does_by_the_same_rules(
    name: str, backend: str, networks: dict[str, DepthNetwork], exported: dict[str, Path]
) -> None:
    if backend == "openvino":
        pytest.importorskip("openvino")
    network, spec = networks[name], find_model(name)
    predictor = midas.load(exported[name], backend=backend, precision="float32", size=96)
    assert predictor.input == spec.input.with_size(96)
    image = np.random.default_rng(0).integers(0, 256, (70, 110, 3), dtype=np.uint8)
    with torch.inference_mode():
        disparity = network(torch.from_numpy(predictor.prepare(image).pixels))
        expected = nn.functional.interpolate(disparity[None], (70, 110), mode="bilinear", align_corners=True)[0, 0]
    assert farthest(torch.tensor(predictor(image).values), expected) < 1e-4


@pytest.mark.parametrize(
    ("name", "bad"), [("zipdepth_base_npu", set()), ("zipdepth_base", {"DepthToSpace", "Pad", "Exp"})]
)
def test_the_graph_has_no_operations_that_are_bad_on_phones(
    name: str, bad: set[str], networks: dict[str, DepthNetwork], tmp_path: Path
) -> None:
    """But for the last step of the one that isn't meant for them."""
    path = tmp_path / "exported.onnx"
    export_network(networks[name], find_model(name), path, ExportOptions(size=(96, 128)))
    assert {node.op_type for node in onnx.load(path).graph.node} & BAD_ON_PHONES == bad


def test_no_branch_reaches_an_exported_file(exported: dict[str, Path]) -> None:
    graph = onnx.load(exported["zipdepth_base"]).graph
    assert not {node.op_type for node in graph.node} & {"BatchNormalization"}
    values = sum(int(np.prod(tensor.dims)) for tensor in graph.initializer)
    assert values == pytest.approx(find_model("zipdepth_base").parameters, rel=0.01)
