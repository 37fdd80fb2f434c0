"""Our networks under published weights give the numbers of the original code."""

from __future__ import annotations

import threading

import pytest
import torch
from tests.parity import fixtures

from midas.errors import WeightsError
from midas.models import create_model
from midas.models.legacy_keys import translate
from midas.models.zoo import find_model

pytestmark = pytest.mark.skipif(
    not fixtures.is_there(), reason="the outputs of the original code are not at hand (MIDAS_PARITY)"
)

QUICK = (
    "midas_v21_small_256",
    "dpt_levit_224",
    "dpt_swin2_tiny_256",
    "depth_anything_v2_vits",
    "hf_depth_anything_v2_small",
    "zipdepth_base",
    "zipdepth_base_npu",
)
EVERY = [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in fixtures.names()]


@pytest.mark.parametrize("name", EVERY)
def test_the_numbers_are_those_of_the_original_code(name: str) -> None:
    network = fixtures.filled_network(name)
    for item in fixtures.inputs(name):
        assert fixtures.difference(name, item, network) <= fixtures.bound(name, item), item["id"]


@pytest.mark.parametrize("name", fixtures.names())
def test_every_published_tensor_is_used_or_left_out_for_a_reason(name: str) -> None:
    described = fixtures.manifest(name)
    kinds = {key: kind for key, _, _, kind in described["keys"]}
    meta = {key: torch.empty(shape, device="meta") for key, shape, _, _ in described["keys"]}
    dropped = translate(meta, find_model(fixtures.model_name(name))).dropped
    assert all(dropped.values())
    assert {kinds[key] for key in dropped} <= {"unused", "derived"}
    assert {key for key, kind in kinds.items() if kind == "unused"} <= set(dropped)


@pytest.mark.parametrize("name", fixtures.names())
def test_our_parameters_are_those_published_less_those_left_out(name: str) -> None:
    described = fixtures.manifest(name)
    spec = find_model(fixtures.model_name(name))
    unused = sum(
        torch.Size(shape).numel()
        for key, shape, _, kind in described["keys"]
        if kind == "unused" and not key.endswith(("running_mean", "running_var"))
    )
    assert (spec.parameters_in_training or spec.parameters) == described["parameters"] - unused
    assert spec.parameters == described.get("parameters_fused", described["parameters"]) - unused


def test_files_without_the_tensors_that_follow_from_sizes_load_too() -> None:
    state = fixtures.published_state("dpt_swin2_tiny_256", with_derived=False)
    network = create_model("dpt_swin2_tiny_256", weights=state)
    item = fixtures.inputs("dpt_swin2_tiny_256")[0]
    assert fixtures.difference("dpt_swin2_tiny_256", item, network) <= 1e-4


def test_a_missing_tensor_and_a_superfluous_one_are_named() -> None:
    state = fixtures.published_state("midas_v21_small_256")
    with pytest.raises(WeightsError, match=r"1 tensors are unexpected, first: strange\.weight"):
        create_model("midas_v21_small_256", weights=state | {"strange.weight": state["scratch.output_conv.4.bias"]})
    del state["scratch.output_conv.4.bias"]
    with pytest.raises(WeightsError, match=r"1 tensors are missing, first: head\.layers\.4\.bias"):
        create_model("midas_v21_small_256", weights=state)


def test_two_networks_in_two_threads_give_the_numbers_that_each_gives_alone() -> None:
    names = ("dpt_swin2_tiny_256", "depth_anything_v2_vits")
    networks = {name: fixtures.filled_network(name) for name in names}
    pixels = {name: fixtures.make_input(fixtures.inputs(name)[-1]) for name in names}
    with torch.inference_mode():
        alone = {name: networks[name](pixels[name]) for name in names}
    together: dict[tuple[str, int], torch.Tensor] = {}

    def run(name: str, turn: int) -> None:
        with torch.inference_mode():
            together[name, turn] = networks[name](pixels[name])

    threads = [threading.Thread(target=run, args=(name, turn)) for turn in range(2) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(torch.equal(disparity, alone[name]) for (name, _), disparity in together.items())
    assert len(together) == 4


def test_the_layer_normalisations_have_the_published_epsilon() -> None:
    """The one slip that the outputs of the hybrid network hardly show."""
    for name in ("dpt_hybrid_384", "hf_dpt_hybrid_midas"):
        with torch.device("meta"):
            network = create_model(name, weights=None)
        found = {module.eps for module in network.modules() if isinstance(module, torch.nn.LayerNorm)}
        stated = [row for row in fixtures.manifest(name)["modules"]["norms"] if row.startswith("LayerNorm")]
        assert {f"LayerNorm eps={eps:.0e}" for eps in found} == {row.replace("1e-6", "1e-06") for row in stated}
