"""The graph around a network sizes, resamples and normalises pictures as the preprocessing of this package does."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from midas.export.onnx import open_onnx
from midas.export.pre_post import with_pre_post
from midas.export.single_precision import in_single_precision
from midas.maps.resize import resize_map
from midas.pictures.preprocess import InputSpec, Interpolation, Preprocess, ResizeRule

SPEC = InputSpec(size=(64, 96), mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.25))

# Odd, upright, tiny, of the target's very size, long, and one that grows along one side only.
SIZES = [(211, 307), (97, 41), (1, 1), (64, 96), (30, 600), (50, 200)]


def weighted_channels() -> onnx.ModelProto:
    """A network that shows each pixel: a mixture of its three channels in which none is like another."""
    weights = helper.make_tensor("weights", TensorProto.FLOAT, [1, 3, 1, 1], [0.2, 0.5, 0.3])
    nodes = [
        helper.make_node("Conv", ["pixels", "weights"], ["mixed"]),
        helper.make_node("Squeeze", ["mixed", "one"], ["disparity"]),
    ]
    graph = helper.make_graph(
        nodes,
        "mixture",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["B", 3, "H", "W"])],
        [helper.make_tensor_value_info("disparity", TensorProto.FLOAT, ["B", "H", "W"])],
        [weights, helper.make_tensor("one", TensorProto.INT64, [1], [1])],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def departure(spec: InputSpec, image: np.ndarray) -> float:
    """Largest difference from this package's own way, in units of the input's standard deviations."""
    pixels = Preprocess(spec)(image)[0]
    small = np.tensordot(np.array([0.2, 0.5, 0.3], np.float32), pixels, axes=1)
    expected = resize_map(small, (image.shape[0], image.shape[1]), spec.restore)
    actual = open_onnx(with_pre_post(weighted_channels(), spec).SerializeToString())(image)
    assert actual.dtype == np.float32
    assert actual.shape == expected.shape
    return float(np.abs(actual - expected).max())


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("resize", get_args(ResizeRule))
@pytest.mark.parametrize("interpolation", ["cubic", "area"])
def test_every_rule_gives_the_predictor_s_numbers(
    interpolation: Interpolation, resize: ResizeRule, size: tuple[int, int]
) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    # Weights of cubic samples depend on coordinates in float32, which differ by a rounding.
    assert departure(replace(SPEC, interpolation=interpolation, resize=resize), image) < 1e-3


# Some versions of Pillow begin with the columns of upright pictures; the graph begins with the rows of all.
@pytest.mark.parametrize("size", [size for size in SIZES if size[0] <= size[1]])
def test_pillow_s_way_is_met_to_one_level_of_256(size: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    # The cubic enlargement of the map can double a level's step.
    assert departure(replace(SPEC, interpolation="pillow_cubic"), image) < 2 / 255 / min(SPEC.std)


@pytest.mark.parametrize("size", SIZES)
def test_opencv_s_way_with_8_bits_is_met_but_for_a_level_of_256_here_and_there(size: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    spec = replace(SPEC, interpolation="opencv_linear", restore="aligned_linear")
    assert departure(spec, image) < 1.01 / 255 / min(SPEC.std)


@pytest.mark.parametrize("interpolation", get_args(Interpolation))
def test_without_float64_the_graph_gives_nearly_the_same(interpolation: Interpolation) -> None:
    graph = with_pre_post(weighted_channels(), replace(SPEC, interpolation=interpolation))
    single = in_single_precision(graph)
    known = onnx.shape_inference.infer_shapes(single).graph
    assert TensorProto.DOUBLE not in {each.type.tensor_type.elem_type for each in known.value_info}
    for size in [
        (64, 96),
        (200, 300),
        (211, 307),
        (300, 211),
    ]:  # none of which grows: floors of growing ones may differ
        image = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
        exact, nearly = (open_onnx(each.SerializeToString())(image) for each in (graph, single))
        assert np.abs(nearly - exact).max() < 2e-3


@pytest.mark.parametrize("size", SIZES)
def test_maps_grow_in_the_graph_as_the_rule_says(size: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    assert departure(replace(SPEC, interpolation="area", restore="aligned_linear"), image) < 1e-3


@pytest.mark.parametrize("interpolation", get_args(Interpolation))
def test_a_network_of_one_size_gets_pictures_squeezed(interpolation: Interpolation) -> None:
    image = np.random.default_rng(0).integers(0, 256, (75, 211, 3), dtype=np.uint8)
    spec = replace(SPEC, interpolation=interpolation, keep_aspect=False, fixed=True)
    assert departure(spec, image) < 2 / 255 / min(SPEC.std)
