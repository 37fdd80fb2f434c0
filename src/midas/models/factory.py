"""create_model: a name becomes a network with its weights."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from midas.errors import ModelError, WeightsError, net
from midas.models.building import build
from midas.models.identification import fitting_models
from midas.models.legacy_keys import encoder_state, naming_of, translate
from midas.models.namesakes import check_meaning
from midas.models.network import DepthNetwork
from midas.models.onnx_names import NAME_KEY
from midas.models.open_spec import open_spec
from midas.models.specs import DecoderSpec, ModelSpec
from midas.models.unfilled import Unfilled
from midas.models.weights import load_exactly, read_safetensors_metadata, read_weights, without_prefixes
from midas.models.zoo import MODELS, find_model

# What an ImageNet classifier holds behind the last feature map, by timm's names.
CLASSIFIER_PREFIXES = ("conv_head.", "bn2.", "classifier.", "fc.", "head.", "head_dist.", "norm.", "fc_norm.")

Weights = str | Path | Mapping[str, Any] | None


def create_model(
    name: str | None = None,
    weights: Weights = "pretrained",
    *,
    encoder: str | None = None,
    encoder_weights: bool = False,
    features: int = 256,
) -> DepthNetwork:
    """Build a network of the model table, or one of the same parts on any encoder of timm.

    Args:
        name: a name from the table.
        weights: ``"pretrained"`` for those of the model table, found in the package, in the cache or at their
            publisher's; a path to a safetensors or PyTorch file; a mapping of tensors or arrays by our, the official
            or Hugging Face's names; or None for an untrained network.
        encoder: in place of a name: any network of timm that gives feature maps. What stands behind it is untrained
            unless ``weights`` is a path or a mapping.
        encoder_weights: with ``encoder``, whether timm fetches the weights of its own pretraining for it.
        features: with ``encoder``, width of the decoder.

    Returns:
        The network in evaluation mode: normalised pixels (B, 3, H, W) → relative disparity (B, H, W).

    Raises:
        ModelError: no such model or encoder, or both or neither given.
        WeightsError: the weights are missing, damaged, or don't fit.
    """
    if (name is None) == (encoder is None):
        raise ModelError("give the name of a model, or encoder= with the name of a timm network, and not both")
    spec = find_model(str(name)) if encoder is None else open_spec(encoder, features=features)
    if weights is None or (encoder is not None and weights == "pretrained"):
        return build(spec, pretrained_encoder=encoder_weights).eval()
    what = "the given tensors" if isinstance(weights, Mapping) else weights
    with net(f"{what} can't be loaded into {spec.name}", WeightsError, "get the file again"):
        return _filled(spec, weights).eval()


def _filled(spec: ModelSpec, weights: str | Path | Mapping[str, Any]) -> DepthNetwork:
    """The network of a spec with weights.

    Raises:
        WeightsError: they are missing, damaged, or another network's; the message names that, if the table has it.
    """
    state = _read_state(spec, weights)
    own = isinstance(weights, Mapping)  # the caller's, which training must not write into
    try:
        spec = form_of(spec, state)
        translation = translate(state, spec)
        with nullcontext() if own else Unfilled():
            network = build(spec)
        load_exactly(network, translation.state, published=translation.published, assign=not own)
    except WeightsError as error:
        what = "these tensors are" if own else f"{weights} holds"
        others = [name for name in fitting_models(state) if name != spec.name]
        if spec.name not in MODELS or not others:
            raise WeightsError(f"{what} no weights of {spec.name}: {error}") from error
        raise WeightsError(
            f"{what} the weights of {' or '.join(others)}, not of {spec.name}; give that name with them"
        ) from error
    return network


def form_of(spec: ModelSpec, state: Mapping[str, Tensor]) -> ModelSpec:
    """The form of a model that weights were made for: Hugging Face's computes some details in another way.

    Ours may have learnt with a strip pooling that the table's has not.

    Raises:
        WeightsError: nobody's names that we know.
    """
    strips = state.get("decoder.strips.join.0.weight")
    if strips is not None and isinstance(spec.decoder, DecoderSpec):
        return replace(spec, decoder=replace(spec.decoder, strip_pooling=strips.shape[1]))
    return find_model(spec.huggingface) if spec.huggingface and naming_of(state) == "huggingface" else spec


def create_untrained(name: str, encoder_weights: str | Path | None = None, *, seed: int = 0) -> DepthNetwork:
    """A network as training finds it: random but for the encoder, the same for the same seed.

    Args:
        name: a name from the table.
        encoder_weights: a classifier's weights to start the encoder from, as `load_encoder` takes them.
        seed: of the random weights.

    Raises:
        ModelError: no such model.
        WeightsError: the file doesn't fit the encoder.
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = create_model(name, weights=None)
    if encoder_weights is not None:
        load_encoder(network, encoder_weights)
    return network


def load_encoder(network: DepthNetwork, path: str | Path) -> None:
    """Start a network's encoder from a classifier's weights, leaving its last layers out.

    Their names are timm's, or for an EfficientNet those of EfficientNet-PyTorch.

    Raises:
        WeightsError: the file doesn't fit the encoder.
    """
    own = network.encoder.state_dict()
    with net(f"{path} can't be loaded into the encoder", WeightsError, "get the file again", item=str(path)):
        state = encoder_state(read_weights(path), own)
        behind = tuple(f"network.{prefix}" for prefix in CLASSIFIER_PREFIXES)
        dropped = tuple(key for key in state if key.startswith(behind) and key not in own)
        load_exactly(network.encoder, state, dropped=dropped)


def _read_state(spec: ModelSpec, weights: str | Path | Mapping[str, Any]) -> dict[str, Tensor]:
    if isinstance(weights, Mapping):
        return without_prefixes(
            {
                name: torch.from_numpy(value) if isinstance(value, np.ndarray) else value
                for name, value in weights.items()
            }
        )
    if weights == "pretrained":
        from midas.models.weight_files import find_weights

        return read_weights(find_weights(spec, "safetensors", "pytorch").path)
    check_meaning(Path(weights), spec, read_safetensors_metadata(weights).get(NAME_KEY))
    return read_weights(weights)
