"""What is measured: a model by name or file, or a baseline, on one set."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from midas.arrays import Array, Float32
from midas.datasets.readers.corpus import CorpusInfo
from midas.datasets.sample import Sample
from midas.evaluation.baselines import fit_plane
from midas.evaluation.evaluator import EvaluationResult, evaluate
from midas.evaluation.protocols import protocol_for
from midas.predictor import load


def evaluate_model(
    name_or_path: str | Path, samples: Iterable[Sample], info: CorpusInfo, *, size: int | None = None
) -> EvaluationResult:
    """A model's result on one set.

    Args:
        name_or_path: as `midas.load` takes it.
        samples: of that set.
        info: says which protocol holds.
        size: shorter side of the network's input, pixels.

    Raises:
        MidasError: the model can't be loaded, or nothing can be measured.
    """
    predictor = load(name_or_path, size=size)

    def predict(sample: Sample) -> Float32[Array, "H W"]:
        return predictor(sample.image).values

    return evaluate(predict, samples, protocol_for(info.domain, metric=info.metric))


def evaluate_plane(samples: Iterable[Sample], info: CorpusInfo, *, tilted: bool) -> EvaluationResult:
    """The result of the best plane in inverse depth, fitted to each picture's own target.

    Args:
        samples: of one set.
        info: says which protocol holds.
        tilted: a linear function of column and row; otherwise one constant.

    Raises:
        DatasetError: nothing can be measured.
    """
    return evaluate(partial(fit_plane, tilted=tilted), samples, protocol_for(info.domain, metric=info.metric))
