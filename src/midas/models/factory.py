"""create_model: a name becomes a spec, the spec becomes parts, the parts become a network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from midas.assets import asset_path
from midas.models.decoder import Decoder
from midas.models.encoders.pyramid import PyramidEncoder
from midas.models.heads import DisparityHead
from midas.models.network import DepthNetwork
from midas.models.reassemble import Reassemble
from midas.models.specs import ModelSpec
from midas.models.weights import load_exactly, read_safetensors
from midas.models.zoo import find_model

# What an ImageNet classifier holds behind the last feature map, by timm's names.
CLASSIFIER_PREFIXES = ("conv_head.", "bn2.", "classifier.")


def create_model(name: str, weights: str | Path | Mapping[str, Tensor] | None = "pretrained") -> DepthNetwork:
    """Build a network of the model table.

    Args:
        name: a name from the table.
        weights: ``"pretrained"`` for those of the model table, a path to a safetensors file, a mapping of
            tensors by name, or None for an untrained network.

    Returns:
        The network in evaluation mode: normalised pixels (B, 3, H, W) → relative disparity (B, H, W).

    Raises:
        ModelError: no such model.
        WeightsError: the weights are missing, damaged, or don't fit.
    """
    spec = find_model(name)
    network = build(spec)
    if weights is not None:
        load_exactly(network, _read_weights(spec, weights))
    return network.eval()


def build(spec: ModelSpec) -> DepthNetwork:
    """An untrained network from a spec."""
    return DepthNetwork(
        PyramidEncoder(spec.encoder),
        Reassemble(spec.encoder.channels, spec.decoder.features, batch_norm=spec.decoder.batch_norm),
        Decoder(spec.decoder),
        DisparityHead(spec.decoder.features[0], spec.head),
        multiple=spec.input.multiple,
    )


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
    """Start a network's encoder from a classifier's weights (safetensors, timm's names), leaving its last layers out.

    Raises:
        WeightsError: the file doesn't fit the encoder.
    """
    state = read_safetensors(path)
    dropped = tuple(key for key in state if key.startswith(CLASSIFIER_PREFIXES))
    load_exactly(network.encoder.get_submodule("network"), state, dropped=dropped)


def _read_weights(spec: ModelSpec, weights: str | Path | Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    if isinstance(weights, Mapping):
        return weights
    if weights == "pretrained":
        return read_safetensors(asset_path(f"{spec.name}.safetensors"))
    return read_safetensors(weights)
