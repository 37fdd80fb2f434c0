"""Laws that every network of the table keeps."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from midas.errors import ModelError, WeightsError
from midas.models import create_model
from midas.models.branches import merge_branches
from midas.models.building import build
from midas.models.network import DepthNetwork
from midas.models.weights import load_exactly
from midas.models.zoo import MODELS, find_model

EVERY_MODEL = sorted(MODELS)
SMALL_MODELS = (
    "midas_nano_256",
    "midas_v21_small_256",
    "dpt_levit_224",
    "dpt_swin2_tiny_256",
    "depth_anything_v2_vits",
    "zipdepth_base",
    "zipdepth_base_npu",
)


@pytest.fixture(scope="module")
def shapes_only() -> dict[str, DepthNetwork]:
    """Every network, without numbers."""
    with torch.device("meta"):
        return {name: build(spec).eval() for name, spec in MODELS.items()}


def legal_sizes(name: str) -> list[tuple[int, int]]:
    """The size of a network's training, and one neither square nor of that size where it takes such."""
    spec = MODELS[name].input
    step = spec.multiple
    return [spec.size] if spec.fixed else [spec.size, (3 * step, 5 * step), (step, 2 * step)]


def as_it_runs(network: DepthNetwork) -> DepthNetwork:
    """A copy in which no branches are left."""
    copied = copy.deepcopy(network)
    merge_branches(copied)
    return copied


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize("name", EVERY_MODEL)
def test_the_table_states_the_number_of_parameters(name: str, shapes_only: dict[str, DepthNetwork]) -> None:
    spec = MODELS[name]
    assert count(as_it_runs(shapes_only[name])) == spec.parameters
    assert count(shapes_only[name]) == (spec.parameters_in_training or spec.parameters)


@pytest.mark.parametrize("name", EVERY_MODEL)
def test_disparity_has_the_size_of_every_legal_input(name: str, shapes_only: dict[str, DepthNetwork]) -> None:
    for size in legal_sizes(name):
        with torch.no_grad():
            assert shapes_only[name](torch.empty(2, 3, *size, device="meta")).shape == (2, *size)


@pytest.mark.parametrize("name", EVERY_MODEL)
def test_the_table_states_the_cost(name: str, shapes_only: dict[str, DepthNetwork]) -> None:
    network = as_it_runs(shapes_only[name])
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.empty(1, 3, *MODELS[name].input.size, device="meta"))
    assert counter.get_total_flops() / 2e9 == pytest.approx(MODELS[name].gmacs, abs=0.006)


@pytest.mark.parametrize("name", EVERY_MODEL)
def test_an_illegal_size_is_refused_and_the_nearest_legal_one_named(
    name: str, shapes_only: dict[str, DepthNetwork]
) -> None:
    spec = MODELS[name].input
    near = f"{spec.size[0]}x{spec.size[1]}" if spec.fixed else f"{3 * spec.multiple}x{2 * spec.multiple}"
    with pytest.raises(ModelError, match=f"nearest is {near}"):
        shapes_only[name](torch.empty(1, 3, 3 * spec.multiple + 1, 2 * spec.multiple, device="meta"))


@pytest.mark.parametrize("name", SMALL_MODELS)
def test_disparity_is_finite_and_never_negative(name: str) -> None:
    network = create_model(name, weights=None)
    with torch.inference_mode():
        disparity = network(torch.randn(1, 3, *legal_sizes(name)[-1]))
    assert bool(torch.isfinite(disparity).all())
    assert float(disparity.min()) >= 0


@pytest.mark.parametrize("name", SMALL_MODELS)
def test_every_parameter_gets_a_gradient(name: str) -> None:
    torch.manual_seed(0)
    network = create_model(name, weights=None).train()
    network(torch.randn(2, 3, *legal_sizes(name)[-1])).sum().backward()
    assert [key for key, parameter in network.named_parameters() if parameter.grad is None] == []


@pytest.mark.parametrize("name", SMALL_MODELS)
def test_a_batch_gives_what_its_pictures_give_alone(name: str) -> None:
    network = create_model(name, weights=None)
    pixels = torch.randn(2, 3, *legal_sizes(name)[-1])
    with torch.inference_mode():
        alone = torch.cat([network(picture[None]) for picture in pixels])
        torch.testing.assert_close(network(pixels), alone, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("precision", [torch.bfloat16, torch.float16])
def test_the_head_computes_in_float32_under_autocast(precision: torch.dtype) -> None:
    network = create_model("midas_nano_256", weights=None)
    with torch.inference_mode(), torch.autocast("cpu", precision):
        assert network(torch.randn(1, 3, 64, 64)).dtype == torch.float32


def test_the_default_model_is_within_its_budget() -> None:
    spec = find_model("midas_nano_256")
    assert spec.parameters <= 4_000_000
    assert spec.gmacs <= 1.2


def test_the_finest_level_still_counts_however_large_the_weights_of_the_coarsest_grow() -> None:
    torch.manual_seed(0)
    network = create_model("midas_nano_256", weights=None).train()
    with torch.no_grad():
        for weight in network.reassemble.projections[-1].parameters():
            weight.mul_(1000)
    maps = network.reassemble(network.encoder(torch.randn(2, 3, 64, 64)))
    with torch.no_grad():
        whole = network.decoder(maps)
        without_finest = network.decoder([torch.zeros_like(maps[0]), *maps[1:]])
    assert float((whole - without_finest).std()) > 0.1 * float(whole.std())


def test_an_unknown_name_is_answered_with_those_there_are() -> None:
    with pytest.raises(ModelError, match="did you mean 'midas_nano_256'"):
        find_model("midas_nana_256")


def test_a_mapping_of_its_own_weights_gives_the_same_network() -> None:
    first = create_model("midas_nano_256", weights=None)
    second = create_model("midas_nano_256", weights=first.state_dict())
    pixels = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        assert torch.equal(first(pixels), second(pixels))


@pytest.mark.parametrize("problem", ["missing", "unexpected", "of another shape"])
def test_weights_that_do_not_fit_are_refused_by_name(problem: str) -> None:
    network = nn.Linear(2, 3)
    state = dict(network.state_dict())
    if problem == "missing":
        del state["bias"]
    elif problem == "unexpected":
        state["extra"] = torch.zeros(1)
    else:
        state["bias"] = torch.zeros(4)
    with pytest.raises(WeightsError, match=problem):
        load_exactly(network, state)
