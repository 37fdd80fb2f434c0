"""Which network of the table weights belong to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from midas.errors import WeightsError, net
from midas.models.building import build
from midas.models.legacy_keys import naming_of, translate
from midas.models.namesakes import check_meaning, narrowed
from midas.models.onnx_names import NAME_KEY
from midas.models.specs import LightDecoderSpec, ModelSpec, Naming
from midas.models.weights import read_safetensors_metadata, read_weights
from midas.models.zoo import MODELS, find_weights_file


def identify(path: str | Path) -> str:
    """The model of the table to which a weight file belongs.

    Its metadata say so in files that this package wrote; else its name, where it is a published one; else the names
    and shapes of its tensors, and where these are several networks', words of its name or a ``config.json`` beside it.

    Raises:
        WeightsError: the file can't be read, or fits no model, or several.
    """
    path = Path(path)
    with net(f"{path} can't be told for the weights of a model", WeightsError, "name their model", item=str(path)):
        return _identified(path)


def _identified(path: Path) -> str:
    state = read_weights(path)
    naming_of(state)
    named = read_safetensors_metadata(path).get(NAME_KEY)
    published = find_weights_file(path.name)
    if named in MODELS:
        return named
    if published is not None:
        return published[0].name
    fitting = [MODELS[name] for name in fitting_models(state)]
    left = narrowed(path, fitting) if len(fitting) > 1 else fitting
    if len(left) == 1:
        check_meaning(path, left[0])
        return left[0].name
    names = " and ".join(spec.name for spec in left or fitting)
    if not fitting:
        found = "fits no model of the table"
    elif left:
        found = f"fits {names}, whose tensors have the same names and shapes"
    else:
        found = f"has the tensors of {names}, and its name or the config.json beside it says that it is none of them"
    raise WeightsError(f"{path} {found}; name the model to which its weights belong")


def fitting_models(state: Mapping[str, Tensor]) -> list[str]:
    """The models of the table that have tensors of these names and shapes."""
    try:
        naming = naming_of(state)
    except WeightsError:
        return []
    return [spec.name for spec in MODELS.values() if _reads(spec, naming) and _fits(spec, state)]


def _reads(spec: ModelSpec, naming: Naming) -> bool:
    # Under our own names, a network and its Hugging Face form look the same; only metadata could tell the second.
    published = {file.naming for file in spec.weights.files}
    return naming in published or (naming == "own" and "official" in published)


def _fits(spec: ModelSpec, state: Mapping[str, Tensor]) -> bool:
    """Whether names and shapes are the model's; the decoder alone tells most models apart, without building them."""
    try:
        shapes = {name: tuple(tensor.shape) for name, tensor in translate(state, spec).state.items()}
    except WeightsError:
        return False
    if any(shapes.get(name) != shape for name, shape in _telling_shapes(spec).items()):
        return False
    with torch.device("meta"):
        own = {name: tuple(tensor.shape) for name, tensor in build(spec).state_dict().items()}
    # Very old files don't count batches.
    return all(own.get(name) == shapes.get(name) for name in own | shapes if not name.endswith("num_batches_tracked"))


def _telling_shapes(spec: ModelSpec) -> dict[str, tuple[int, ...]]:
    """Of some of a network's tensors, as far as the spec alone gives them."""
    if isinstance(spec.decoder, LightDecoderSpec):
        return {"decoder.narrow.0.weight": (spec.decoder.features[-1], spec.encoder.channels[-1], 1, 1)}
    levels = spec.reassemble or (None,) * len(spec.encoder.channels)
    widths = zip(spec.encoder.channels, levels, spec.decoder.features, strict=True)
    return {
        f"reassemble.projections.{index}.0.weight": (features, width if level is None else level.channels, 3, 3)
        for index, (width, level, features) in enumerate(widths)
    }
