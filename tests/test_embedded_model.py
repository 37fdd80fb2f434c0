"""The model that ships: its files agree with each other, and its maps of the examples are those that were looked at."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

import midas
from midas.assets import asset_path
from midas.evaluation.candidates import ModelCandidate
from midas.evaluation.runs import open_benchmark, run
from midas.maps.resize import Interpolation
from midas.models import create_model
from midas.models.zoo import DEFAULT_MODEL, find_model
from midas.pictures.preprocess import Preprocess
from midas.pictures.reading import read_image

GOLDEN = Path(__file__).parent / "golden" / f"{DEFAULT_MODEL}.json"
EXAMPLES = Path(__file__).parents[1] / "examples"
GRID = (12, 16)
# Share of the map's range. Processors round differently; a wrong resize, colour order or weight moves far more.
TOLERANCE = 0.01
RULES: tuple[Interpolation | None, ...] = (None, "guided", "cubic")


def describe(picture: Path) -> list[list[float]]:
    """A picture's normalised map, averaged over a coarse grid."""
    grid = cv2.resize(midas.load(precision="float32")(picture).normalized(), GRID[::-1], interpolation=cv2.INTER_AREA)
    return [[round(float(value), 4) for value in row] for row in grid]


def golden_maps() -> dict[str, list[list[float]]]:
    maps: dict[str, list[list[float]]] = json.loads(GOLDEN.read_text(encoding="utf-8"))
    return maps


def test_there_is_a_golden_map_for_every_example() -> None:
    assert sorted(golden_maps()) == sorted(path.name for path in EXAMPLES.glob("*.jpg"))


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.glob("*.jpg")))
def test_the_map_of_an_example_is_the_golden_one_within_1_percent_of_its_range(name: str) -> None:
    assert np.abs(np.array(describe(EXAMPLES / name)) - np.array(golden_maps()[name])).max() <= TOLERANCE


@pytest.mark.parametrize("size", [(256, 256), (256, 352), (320, 224)])
def test_onnx_and_safetensors_hold_the_same_network(size: tuple[int, int]) -> None:
    network = create_model(DEFAULT_MODEL)
    pixels = torch.randn(1, 3, *size, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        expected = network(pixels).numpy()
    actual = midas.load(precision="float32").backend(pixels.numpy())
    assert np.abs(actual - expected).max() <= 1e-4 * np.ptp(expected)


def test_the_file_carries_the_input_rule_of_the_table() -> None:
    predictor = midas.load(asset_path(f"{DEFAULT_MODEL}.onnx"))
    assert predictor.input == find_model(DEFAULT_MODEL).input
    assert predictor.name == DEFAULT_MODEL


def test_a_mirrored_picture_gives_nearly_the_mirrored_map() -> None:
    image = read_image(EXAMPLES / "coffee.jpg")
    predictor = midas.load()
    straight = predictor(image).normalized()
    mirrored = predictor(np.ascontiguousarray(image[:, ::-1])).normalized()[:, ::-1]
    assert np.corrcoef(straight.ravel(), mirrored.ravel())[0, 1] > 0.95


def test_its_maps_grow_along_the_picture_s_edges_unless_another_way_is_asked_for() -> None:
    predictor, image = midas.load(precision="float32"), EXAMPLES / "temple.jpg"
    assert predictor.input.restore == "guided"
    steepest = {rule: np.abs(np.diff(predictor(image, interpolation=rule).normalized())).max() for rule in RULES}
    assert steepest[None] == steepest["guided"] > 1.5 * steepest["cubic"]


def test_the_ground_is_nearer_than_the_sky() -> None:
    disparity = midas.load()(EXAMPLES / "temple.jpg").normalized()
    assert np.median(disparity[-40:]) > np.median(disparity[:40]) + 0.3


def test_of_pairs_of_points_that_were_set_by_hand_most_are_in_the_right_order() -> None:
    result = run(ModelCandidate(midas.load()), open_benchmark("da2k", EXAMPLES))
    assert result.mean("pair_accuracy") >= 80


def test_weights_ship_within_30_megabytes() -> None:
    sizes = [asset_path(DEFAULT_MODEL + suffix).stat().st_size for suffix in (".onnx", ".safetensors")]
    assert sum(sizes) <= 30_000_000


def test_the_card_names_data_licences_and_command() -> None:
    card = asset_path(find_model(DEFAULT_MODEL).weights.card).read_text(encoding="utf-8")
    for fact in (
        "nyuv2-train",
        "EfficientNet-Lite0",
        "Apache-2.0",
        "midas train configs/midas_nano_256.toml",
        "Limits",
    ):
        assert fact in card


def test_the_network_takes_what_the_core_s_preprocess_gives() -> None:
    pixels = Preprocess(find_model(DEFAULT_MODEL).input)(read_image(EXAMPLES / "cat.jpg"))
    assert create_model(DEFAULT_MODEL)(torch.from_numpy(pixels)).shape == pixels.shape[:1] + pixels.shape[2:]


if __name__ == "__main__":  # python -m tests.test_embedded_model: after new weights, and a look at their maps
    GOLDEN.parent.mkdir(exist_ok=True)
    GOLDEN.write_text(json.dumps({path.name: describe(path) for path in sorted(EXAMPLES.glob("*.jpg"))}, indent=1))
