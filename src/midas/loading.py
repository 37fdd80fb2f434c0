"""A ``Predictor`` from a model's name or file."""

from __future__ import annotations

from pathlib import Path

from midas.backends import AUTO
from midas.backends.identity import open_model, resized_rule
from midas.errors import ModelError, net
from midas.models.zoo import DEFAULT_MODEL, MODELS
from midas.predictor import Predictor


def list_models() -> list[str]:
    """The names that ``load`` accepts."""
    return list(MODELS)


def load(
    name_or_path: str | Path = DEFAULT_MODEL,
    *,
    weights: str | Path | None = None,
    backend: str = AUTO,
    device: str = AUTO,
    precision: str = AUTO,
    size: int | None = None,
    threads: int | None = None,
    offline: bool | None = None,
) -> Predictor:
    """Make a model ready to predict.

    Args:
        name_or_path: a name that ``list_models`` gives, or the path of a file: an ONNX file that this package exported
            or that the model table knows by its name, or weights of a model of the table (``midas-depth[lab]``).
        weights: a file for the model of that name, in place of its own.
        backend: what runs the network: ``"onnxruntime"``, ``"openvino"``, ``"torch"``, ``"torch-compile"``; ``"auto"``
            for the fastest that is known to be exact enough, or ``"quick"`` for the one that has a first picture done
            soonest; ``midas.backends.choice`` states the rules and the measured reasons.
        device: where: ``"cpu"``; with torch also ``"cuda"``, ``"cuda:1"``, ``"mps"``, ``"xpu"``; or ``"auto"``.
        precision: in which number format: ``"float32"``, ``"bfloat16"``, ``"float16"``, as far as backend and device
            have it; ``"auto"`` is float32, or bfloat16 for networks whose maps depart by less than 1 % of their range.
        size: shorter side of the network's input in pixels, rounded to what the network takes; None is the model's
            own. Larger shows more detail and takes longer.
        threads: number of threads for one picture; None is one per physical core.
        offline: whether nothing may be downloaded; None lets the environment say.

    Raises:
        ModelError: no such model, a file that is none, or a backend, device or precision that there isn't.
        WeightsError: weights that can't be had, are damaged, or don't fit the model.
        MissingExtraError: the model needs packages that are not installed.
        ConfigError: ``size`` is not a whole number from 1 to 4096, or not one that the network takes.
    """
    with net(f"{weights or name_or_path} can't be made ready", ModelError, "try another file, back end or device"):
        opened = open_model(
            name_or_path,
            weights=weights,
            backend=backend,
            device=device,
            precision=precision,
            threads=threads,
            offline=offline,
        )
        rule = opened.input if size is None else resized_rule(opened.input, size, opened.name)
        return Predictor(opened.name, rule, opened.network, opened.spec)
