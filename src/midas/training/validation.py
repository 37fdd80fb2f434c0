"""The validation figure: a network measured by the evaluation protocol on scenes that are never trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from midas.arrays import Array, Float32
from midas.datasets.sample import Sample
from midas.evaluation.candidates import FunctionCandidate
from midas.evaluation.evaluator import Predict
from midas.evaluation.runs import run
from midas.maps.resize import resize_map, unguided
from midas.models.network import DepthNetwork
from midas.pictures.preprocess import InputSpec, Preprocess
from midas.training.sources import ValidationSet


def network_predictor(network: DepthNetwork, input_spec: InputSpec) -> Predict:
    """A network as a function from a sample to relative disparity at its picture's size, in float32."""
    preprocess, rule = Preprocess(input_spec), unguided(input_spec.restore)
    device = next(network.parameters()).device

    def predict(sample: Sample) -> Float32[Array, "H W"]:
        pixels = torch.from_numpy(preprocess(sample.image)).to(device)
        with torch.inference_mode():
            disparity = network(pixels)[0].float().cpu().numpy()
        return resize_map(disparity, (sample.image.shape[0], sample.image.shape[1]), rule)

    return predict


@dataclass(frozen=True)
class Measured:
    """What weights have on validation sets, percent, lower is better.

    Attributes:
        figures: of each set, by its name.
        values: of each of its pictures.
        opposed: names of the sets of which, in most pictures, near and far are the wrong way round; an alignment with
            a negative scale hides that from the figures.
        unrelated: names of those of which the maps say next to nothing: a network that has collapsed to one value.
    """

    figures: dict[str, float] = field(default_factory=dict)
    values: dict[str, list[float]] = field(default_factory=dict)
    opposed: list[str] = field(default_factory=list)
    unrelated: list[str] = field(default_factory=list)


def validate(network: DepthNetwork, sets: Sequence[ValidationSet], input_spec: InputSpec) -> Measured:
    """Measure a network on each set.

    The figure is delta1 outliers; of disparities of unknown shift, which have none, the error as a share of the
    target's range.
    """
    network.eval()
    candidate = FunctionCandidate(network_predictor(network, input_spec))
    measured = Measured()
    for chosen in sets:
        metric = "delta1_outliers" if chosen.benchmark.protocol.needs_zero else "range_error"
        result = run(candidate, chosen.benchmark, metrics=(metric,), limit=chosen.limit)
        measured.figures[chosen.name] = result.mean(metric)
        measured.values[chosen.name] = [float(value) for value in result.values(metric)]
        if result.is_opposed:
            measured.opposed.append(chosen.name)
        if result.is_unrelated:
            measured.unrelated.append(chosen.name)
    return measured


def validation_figure(figures: Mapping[str, float], sets: Sequence[ValidationSet]) -> float:
    """Weighted mean over sets of their figures, percent: the one number that the best weights are chosen by.

    Outliers and errors of range are both percentages of which less is better, and of the same order; how much of each
    stands for one of the other is what the weights say. NaN without figures.
    """
    weights = [chosen.weight for chosen in sets if chosen.name in figures]
    if not weights:
        return float("nan")
    return float(np.average([figures[chosen.name] for chosen in sets if chosen.name in figures], weights=weights))
