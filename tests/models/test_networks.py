"""Laws that every network of the table keeps."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from midas.errors import ModelError, WeightsError
from midas.models import create_model
from midas.models.factory import build
from midas.models.weights import load_exactly
from midas.models.zoo import MODELS, find_model

EVERY_MODEL = sorted(MODELS)


def count_macs(network: nn.Module, size: tuple[int, int]) -> int:
    """Multiply-accumulates of all convolutions for one picture."""
    counts: list[int] = []

    def count(layer: nn.Module, _: object, output: torch.Tensor) -> None:
        assert isinstance(layer, nn.Conv2d)
        counts.append(layer.weight.numel() * output.shape[2] * output.shape[3])

    handles = [layer.register_forward_hook(count) for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    with torch.inference_mode():
        network(torch.zeros(1, 3, *size))
    for handle in handles:
        handle.remove()
    return sum(counts)


@pytest.mark.parametrize("name", EVERY_MODEL)
def test_the_table_states_the_number_of_parameters(name: str) -> None:
    assert sum(parameter.numel() for parameter in build(MODELS[name]).parameters()) == MODELS[name].parameters


@pytest.mark.parametrize("name", EVERY_MODEL)
@pytest.mark.parametrize("size", [(256, 256), (64, 160), (96, 32)])
def test_disparity_has_the_input_s_size_and_is_never_negative(name: str, size: tuple[int, int]) -> None:
    network = create_model(name, weights=None)
    with torch.inference_mode():
        disparity = network(torch.randn(2, 3, *size))
    assert disparity.shape == (2, *size)
    assert float(disparity.min()) >= 0


@pytest.mark.parametrize("name", EVERY_MODEL)
def test_every_parameter_gets_a_gradient(name: str) -> None:
    network = create_model(name, weights=None).train()
    network(torch.randn(2, 3, 64, 64)).sum().backward()
    assert [key for key, parameter in network.named_parameters() if parameter.grad is None] == []


@pytest.mark.parametrize("name", EVERY_MODEL)
def test_an_illegal_size_is_refused_and_the_nearest_legal_one_named(name: str) -> None:
    with pytest.raises(ModelError, match="nearest is 96x64"):
        create_model(name, weights=None)(torch.zeros(1, 3, 100, 64))


def test_the_default_model_is_within_its_budget() -> None:
    spec = find_model("midas_nano_256")
    assert spec.parameters <= 4_000_000
    assert count_macs(build(spec).eval(), (256, 256)) <= 1.2e9


@pytest.mark.parametrize("name", EVERY_MODEL)
def test_the_finest_level_still_counts_however_large_the_weights_of_the_coarsest_grow(name: str) -> None:
    torch.manual_seed(0)
    network = create_model(name, weights=None).train()
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


def test_a_file_that_is_no_safetensors_is_refused(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "weights.safetensors"
    path.write_bytes(b"not at all")
    with pytest.raises(WeightsError, match="can't be read as safetensors"):
        create_model("midas_nano_256", weights=path)
