"""Networks whose tensors have the same names and shapes and mean something else are never taken for each other."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import midas
from midas.errors import EmptyMapWarning, WeightsError
from midas.models import create_model
from midas.models.building import build
from midas.models.convert import convert_weights
from midas.models.identification import fitting_models, identify
from midas.models.namesakes import check_meaning, narrowed, what_is_said
from midas.models.zoo import MODELS

RELATIVE, OLDER = "depth_anything_v2_vits", "depth_anything_v1_vits"
INDOOR, OUTDOOR = "depth_anything_v2_metric_hypersim_vits", "depth_anything_v2_metric_vkitti_vits"
NAMESAKES = [MODELS[name] for name in (RELATIVE, OLDER, INDOOR, OUTDOOR)]
PICTURE = np.zeros((70, 84, 3), np.uint8)


def zeros_of(model: str) -> dict[str, Tensor]:
    """Tensors of the right names and shapes."""
    with torch.device("meta"):
        shapes = build(MODELS[model]).state_dict()
    return {name: torch.zeros(tensor.shape, dtype=tensor.dtype) for name, tensor in shapes.items()}


@pytest.fixture(scope="module")
def zeros(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of these four networks' tensors, all zero: half way up a sigmoid, and nothing after a ReLU."""
    path = tmp_path_factory.mktemp("weights") / "zeros.pth"
    torch.save(zeros_of(RELATIVE), path)
    return path


@pytest.fixture
def called(zeros: Path, tmp_path: Path) -> Callable[[str], Path]:
    """The file under another name."""

    def link(name: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        os.link(zeros, path)
        return path

    return link


@pytest.fixture
def there(tmp_path: Path) -> Callable[[str], Path]:
    """A file of another name, without anything in it."""

    def touch(name: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        return path

    return touch


def test_metric_weights_under_their_own_name_give_metres(called: Callable[[str], Path]) -> None:
    predictor = midas.load(called(f"{OUTDOOR}.pth"))
    depth_map = predictor(PICTURE)
    assert (predictor.name, predictor.kind, depth_map.kind, depth_map.space) == (OUTDOOR, "metric", "metric", "depth_m")
    np.testing.assert_allclose(depth_map.values, 40.0, rtol=1e-6)


def test_metres_are_a_sigmoid_times_the_largest_depth() -> None:
    torch.manual_seed(0)
    relative = create_model(RELATIVE, weights=None)
    metric = create_model(INDOOR, weights=relative.state_dict())
    raw: list[Tensor] = []
    relative.head.layers[-1].register_forward_hook(lambda _, inputs, __: raw.append(inputs[0]))
    with torch.no_grad():
        pixels = torch.rand(1, 3, 56, 70)
        relative(pixels)
        torch.testing.assert_close(metric(pixels), 20 * torch.sigmoid(raw[0].squeeze(1)))


def test_metric_weights_are_never_taken_for_relative_ones(there: Callable[[str], Path]) -> None:
    path = there(f"{INDOOR}.pth")
    path.write_bytes(b"whatever")
    expected = f"name of a file of {INDOOR}, expected one of {RELATIVE}: give the name {INDOOR}"
    with pytest.raises(WeightsError, match=expected):
        midas.load(RELATIVE, weights=path)
    with pytest.raises(WeightsError, match=expected):
        create_model(RELATIVE, weights=path)


def test_a_file_that_this_package_wrote_says_itself_what_it_is(called: Callable[[str], Path], tmp_path: Path) -> None:
    target = tmp_path / "out.safetensors"
    convert_weights(called("weights.pth"), target, model=OUTDOOR)
    assert identify(target) == OUTDOOR
    with pytest.raises(WeightsError, match=f"says that it is {OUTDOOR}, expected weights of {RELATIVE}"):
        midas.load(RELATIVE, weights=target)


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("my-Metric-Hypersim.pth", INDOOR),
        ("vkitti_small.pth", OUTDOOR),
        ("metric_outdoor.pth", OUTDOOR),
        ("Depth-Anything-V2-Metric-Indoor-Small/weights.pth", INDOOR),
    ],
)
def test_words_of_a_name_decide_among_networks_of_equal_tensors(
    name: str, model: str, there: Callable[[str], Path]
) -> None:
    path = there(name)
    assert narrowed(path, NAMESAKES) == [MODELS[model]]
    with pytest.raises(WeightsError, match=rf"holds depth in metres to .* as its name says.*give the name .*{model}"):
        check_meaning(path, MODELS[RELATIVE])


@pytest.mark.parametrize("name", ["weights.pth", "outdoor/indoor.pth", "geometric.pth"])
def test_a_name_that_doesnt_say_it_says_nothing(name: str, there: Callable[[str], Path]) -> None:
    assert narrowed(there(name), NAMESAKES) == NAMESAKES
    for spec in NAMESAKES:
        check_meaning(there(name), spec)


def test_what_nothing_is_said_of_is_left_to_the_user(called: Callable[[str], Path]) -> None:
    with pytest.raises(WeightsError, match=rf"fits .*{INDOOR} and {OUTDOOR}, whose tensors .*; name the model"):
        identify(called("weights.pth"))
    with pytest.raises(WeightsError, match=f"fits {INDOOR} and {OUTDOOR}, whose tensors"):
        identify(called("metric.pth"))


def config(**changes: Any) -> dict[str, Any]:
    return {"model_type": "depth_anything", "backbone_config": {"out_indices": [3, 6, 9, 12]}, **changes}


@pytest.mark.parametrize(
    ("configuration", "model"),
    [
        (config(depth_estimation_type="metric", max_depth=20), INDOOR),
        (config(depth_estimation_type="metric", max_depth=80.0), OUTDOOR),
        (config(depth_estimation="metric", max_depth=80), OUTDOOR),
        (config(depth_estimation_type="relative", max_depth=1), RELATIVE),
        (config(), RELATIVE),
        (config(backbone_config={"out_indices": [9, 10, 11, 12]}), OLDER),
    ],
)
def test_the_configuration_beside_a_file_decides(
    configuration: dict[str, Any], model: str, there: Callable[[str], Path]
) -> None:
    path = there("model.bin")
    path.with_name("config.json").write_text(json.dumps(configuration), encoding="utf-8")
    assert narrowed(path, NAMESAKES) == [MODELS[model]]
    for other in {RELATIVE, OLDER, INDOOR, OUTDOOR} - {model}:
        with pytest.raises(WeightsError, match=rf"as config\.json beside it says.*give the name .*{model}"):
            check_meaning(path, MODELS[other])


def test_a_file_of_equal_tensors_is_what_its_configuration_says(called: Callable[[str], Path]) -> None:
    path = called("model.bin")
    said = config(depth_estimation_type="metric", max_depth=20)
    path.with_name("config.json").write_text(json.dumps(said), encoding="utf-8")
    assert identify(path) == INDOOR


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"model_type": "dpt"}', "[" * 100_000, '{"model_type": "depth_anything", "max_depth": []}']
)
def test_a_configuration_of_something_else_says_nothing_of_metres(text: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(text, encoding="utf-8")
    assert not any(said.metric for said in what_is_said(tmp_path / "weights.pth"))


def test_a_metric_network_that_the_table_lacks_is_refused(there: Callable[[str], Path]) -> None:
    path = there("model.bin")
    said = config(depth_estimation_type="metric", max_depth=10)
    path.with_name("config.json").write_text(json.dumps(said), encoding="utf-8")
    assert narrowed(path, NAMESAKES) == []
    with pytest.raises(WeightsError, match=r"depth in metres to 10 m, .* `midas models` doesn't list"):
        check_meaning(path, MODELS[INDOOR])


@pytest.mark.parametrize("name", ["dpt_hybrid_kitti-cb926ef4.pt", "dpt_hybrid_nyu-2ce69ec7.pt"])
def test_published_files_of_equal_tensors_that_the_table_lacks_are_refused(name: str) -> None:
    with pytest.raises(WeightsError, match=r"dpt_hybrid_384 fine-tuned for metres on .* another meaning"):
        check_meaning(Path(name), MODELS["dpt_hybrid_384"])


@pytest.mark.parametrize("model", sorted(MODELS))
def test_a_published_name_is_good_for_its_own_network_alone(model: str) -> None:
    spec = MODELS[model]
    for file in spec.weights.files:
        check_meaning(Path(file.name), spec)
        for other in MODELS.values():
            if other.name not in (spec.name, spec.huggingface) and other.huggingface != spec.name:
                with pytest.raises(WeightsError, match=f"give the name {spec.name}"):
                    check_meaning(Path(file.name), other)


def test_a_map_of_nothing_but_zeros_is_not_passed_over(called: Callable[[str], Path]) -> None:
    predictor = midas.load(RELATIVE, weights=called("weights.pth"))
    with pytest.warns(EmptyMapWarning, match="zeros for 100% of a picture; .* such as one that gives depth in metres"):
        predictor(PICTURE)


# ── wrong weights ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("given", "asked_for"), [("dpt_levit_224", "midas_v21_small_256"), ("midas_nano_256", "dpt_levit_224")]
)
def test_wrong_weights_are_called_by_their_name(given: str, asked_for: str, tmp_path: Path) -> None:
    state = zeros_of(given)
    path = tmp_path / "weights.pth"
    torch.save(state, path)
    with pytest.raises(WeightsError, match=f"holds the weights of {given}, not of {asked_for}; give that name"):
        create_model(asked_for, weights=path)
    with pytest.raises(WeightsError, match=f"these tensors are the weights of {given}, not of {asked_for}"):
        create_model(asked_for, weights=state)


def test_weights_of_no_network_of_the_table_say_what_they_lack() -> None:
    state = zeros_of("midas_nano_256")
    state.pop("reassemble.projections.3.0.weight")
    assert fitting_models(state) == []
    with pytest.raises(WeightsError, match=r"no weights of midas_nano_256: 1 tensors are missing, first: reassemble"):
        create_model("midas_nano_256", weights=state)
