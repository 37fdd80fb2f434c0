"""A network that is filled from a file takes the file's memory, and nothing but time is different."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from midas.models import create_model
from midas.models.building import build
from midas.models.unfilled import Unfilled
from midas.models.weights import load_exactly, write_safetensors
from midas.models.zoo import MODELS

SMALL = ("midas_nano_256", "dpt_levit_224", "dpt_swin2_tiny_256", "depth_anything_v2_vits")


@pytest.mark.parametrize("name", SMALL)
def test_buffers_that_no_file_holds_are_those_of_a_network_built_as_ever(name: str) -> None:
    with Unfilled():
        unfilled = build(MODELS[name])
    expected = dict(build(MODELS[name]).named_buffers())
    assert expected.keys() == dict(unfilled.named_buffers()).keys()
    assert all(torch.equal(buffer, expected[name]) for name, buffer in unfilled.named_buffers())


def test_parameters_are_built_as_ever_but_for_their_values() -> None:
    with Unfilled():
        unfilled = build(MODELS["midas_nano_256"])
    shapes = [(name, tuple(value.shape), value.requires_grad) for name, value in unfilled.named_parameters()]
    network = build(MODELS["midas_nano_256"])
    assert shapes == [(name, tuple(value.shape), value.requires_grad) for name, value in network.named_parameters()]


def test_assigned_tensors_are_the_networks_own_and_are_trained() -> None:
    with Unfilled():
        network = build(MODELS["midas_nano_256"])
    state = create_model("midas_nano_256", weights=None).state_dict()
    load_exactly(network, state, assign=True)
    assert all(value.data_ptr() == state[name].data_ptr() for name, value in network.named_parameters())
    assert all(value.requires_grad for value in network.parameters())


def test_half_precision_in_a_file_becomes_float32(tmp_path: Path) -> None:
    network = create_model("midas_nano_256", weights=None)
    halves = {
        name: value.half() if value.is_floating_point() else value for name, value in network.state_dict().items()
    }
    write_safetensors(halves, tmp_path / "half.safetensors", {})
    loaded = create_model("midas_nano_256", weights=tmp_path / "half.safetensors")
    assert {value.dtype for value in loaded.parameters()} == {torch.float32}


def test_training_never_writes_into_the_file_or_into_a_callers_tensors(tmp_path: Path) -> None:
    state = create_model("midas_nano_256", weights=None).state_dict()
    write_safetensors(state, tmp_path / "own.safetensors", {})
    before = (tmp_path / "own.safetensors").read_bytes()
    copy = {name: value.clone() for name, value in state.items()}
    for weights in (state, tmp_path / "own.safetensors"):
        with torch.no_grad():
            for parameter in create_model("midas_nano_256", weights=weights).parameters():
                parameter.add_(1)
    assert all(torch.equal(state[name], value) for name, value in copy.items())
    assert (tmp_path / "own.safetensors").read_bytes() == before
