"""What is rounded for a reduced precision, and what is not."""

from __future__ import annotations

import onnx
import pytest
import torch
from torch import nn

from midas.assets import asset_path
from midas.backends.exactness import FACTS
from midas.errors import ModelError
from midas.models import create_model
from midas.models.network import DepthNetwork
from midas.models.reduced import Exact, ReducedNetwork, keep_exact, round_weights
from midas.models.zoo import DEFAULT_MODEL

UNTIL = FACTS[DEFAULT_MODEL].float32_until


@pytest.fixture
def network() -> DepthNetwork:
    return create_model(DEFAULT_MODEL, weights=None)


def test_all_up_to_a_module_and_the_head_keep_float32(network: DepthNetwork) -> None:
    keep_exact(network, UNTIL)
    round_weights(network, torch.bfloat16)
    kept = [
        name
        for name, module in network.named_modules()
        if isinstance(module, nn.Conv2d) and module.weight.dtype == torch.float32
    ]
    parts = {".".join(name.split(".")[:4]).removesuffix(".module") for name in kept if not name.startswith("head.")}
    assert parts == {"encoder.network.conv_stem", UNTIL}
    assert network.head.last_bias().dtype == torch.float32
    assert network.get_submodule("reassemble.projections.0.0").get_parameter("weight").dtype == torch.bfloat16


def test_exact_modules_ignore_the_precision_around_them() -> None:
    convolution = nn.Conv2d(3, 4, 3)
    pixels = torch.randn(1, 3, 8, 8)
    with torch.inference_mode():
        expected = convolution(pixels)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert convolution(pixels).dtype == torch.bfloat16
            assert torch.equal(Exact(convolution)(pixels), expected)


def test_a_module_that_is_not_there_is_an_error(network: DepthNetwork) -> None:
    with pytest.raises(ModelError, match=r"no module 'encoder\.network\.block'"):
        keep_exact(network, "encoder.network.block")


@pytest.mark.parametrize("name", FACTS)
def test_the_modules_of_the_table_of_facts_are_there(name: str) -> None:
    keep_exact(create_model(name, weights=None), FACTS[name].float32_until)


def test_the_scope_of_the_table_of_facts_is_that_of_exported_files() -> None:
    graph = onnx.load(asset_path(f"{DEFAULT_MODEL}.onnx")).graph
    assert any(node.name.startswith(FACTS[DEFAULT_MODEL].scope) for node in graph.node)


@pytest.mark.parametrize("until", [None, UNTIL])
def test_a_network_that_is_reduced_by_itself_leaves_the_other_as_it_was(until: str | None) -> None:
    whole = create_model(DEFAULT_MODEL).eval()
    pixels = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected = whole(pixels)
        disparity = ReducedNetwork(whole, torch.bfloat16, until).eval()(pixels)
        assert torch.equal(whole(pixels), expected)
    assert disparity.dtype == torch.float32
    departure = float((disparity - expected).abs().mean() / (expected.max() - expected.min()))
    assert 0 < departure < (0.1 if until is None else 0.02)
