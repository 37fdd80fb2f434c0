"""create_model: a name becomes a spec, the spec becomes parts, the parts become a network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from midas.errors import ModelError, WeightsError, net
from midas.models.decoder import Decoder
from midas.models.encoders.beit import BeitEncoder
from midas.models.encoders.intermediates import IntermediateEncoder
from midas.models.encoders.levit import LevitEncoder
from midas.models.encoders.pyramid import PyramidEncoder
from midas.models.encoders.vit import VitEncoder
from midas.models.encoders.zipdepth import ZipDepthEncoder
from midas.models.heads import DisparityHead, Head
from midas.models.legacy_keys import encoder_state, naming_of, translate
from midas.models.light_decoder import LightDecoder, PlainTaps
from midas.models.network import DepthNetwork
from midas.models.onnx_names import NAME_KEY
from midas.models.open_spec import open_spec
from midas.models.reassemble import Reassemble
from midas.models.specs import (
    EncoderSpec,
    FeatureSpec,
    HeadSpec,
    LevitSpec,
    LightDecoderSpec,
    ModelSpec,
    Naming,
    PyramidSpec,
    UpsamplingHeadSpec,
    ZipDepthSpec,
)
from midas.models.unfilled import Unfilled
from midas.models.upsampling import UpsamplingHead
from midas.models.weights import load_exactly, read_safetensors_metadata, read_weights, without_prefixes
from midas.models.zoo import MODELS, find_model, find_weights_file

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
        return _filled(spec, weights)


def _filled(spec: ModelSpec, weights: str | Path | Mapping[str, Any]) -> DepthNetwork:
    """The network of a spec, in evaluation mode, with weights."""
    state = _read_state(spec, weights)
    spec = form_of(spec, state)
    translation = translate(state, spec)
    if isinstance(weights, Mapping):  # the caller's own, which training must not write into
        network = build(spec)
        load_exactly(network, translation.state, published=translation.published)
    else:
        with Unfilled():
            network = build(spec)
        load_exactly(network, translation.state, published=translation.published, assign=True)
    return network.eval()


def form_of(spec: ModelSpec, state: Mapping[str, Tensor]) -> ModelSpec:
    """The form of a model that weights were made for: Hugging Face's computes some details in another way.

    Raises:
        WeightsError: nobody's names that we know.
    """
    return find_model(spec.huggingface) if spec.huggingface and naming_of(state) == "huggingface" else spec


def build(spec: ModelSpec, *, pretrained_encoder: bool = False) -> DepthNetwork:
    """An untrained network from a spec, in the form that is trained; its encoder pretrained where that is asked for."""
    reassemble, decoder = _build_decoder(spec)
    return DepthNetwork(
        _build_encoder(spec.encoder, pretrained=pretrained_encoder),
        reassemble,
        decoder,
        _build_head(spec.head, spec.decoder.features[0]),
        input_spec=spec.input,
    )


def _build_decoder(spec: ModelSpec) -> tuple[nn.Module, nn.Module]:
    """What stands between encoder and head."""
    if isinstance(spec.decoder, LightDecoderSpec):
        return PlainTaps(), LightDecoder(spec.encoder.channels, spec.decoder)
    widths, batch_norm = spec.decoder.features, spec.decoder.batch_norm
    reassemble = Reassemble(spec.encoder.channels, widths, levels=spec.reassemble, batch_norm=batch_norm)
    return reassemble, Decoder(spec.decoder)


def _build_head(spec: HeadSpec | UpsamplingHeadSpec, features: int) -> Head:
    return DisparityHead(features, spec) if isinstance(spec, HeadSpec) else UpsamplingHead(features, spec)


def _build_encoder(spec: EncoderSpec, *, pretrained: bool) -> nn.Module:
    if isinstance(spec, PyramidSpec):
        return PyramidEncoder(spec, pretrained=pretrained)
    if isinstance(spec, FeatureSpec):
        return IntermediateEncoder(spec, pretrained=pretrained)
    if isinstance(spec, LevitSpec):
        return LevitEncoder(spec)
    if isinstance(spec, ZipDepthSpec):
        return ZipDepthEncoder(spec)
    return BeitEncoder(spec) if spec.positions == "relative" else VitEncoder(spec)


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
    with net(f"{path} can't be loaded into the encoder", WeightsError, "get the file again"):
        state = encoder_state(read_weights(path), own)
        behind = tuple(f"network.{prefix}" for prefix in CLASSIFIER_PREFIXES)
        dropped = tuple(key for key in state if key.startswith(behind) and key not in own)
        load_exactly(network.encoder, state, dropped=dropped)


def identify(path: str | Path) -> str:
    """The model of the table to which a weight file belongs.

    Its metadata say so in files that this package wrote; else its name, where it is a published one; else the names
    and shapes of its tensors.

    Raises:
        WeightsError: the file can't be read, or fits no model, or several.
    """
    path = Path(path)
    with net(f"{path} can't be told for the weights of a model", WeightsError, "name their model"):
        return _identified(path)


def _identified(path: Path) -> str:
    state = read_weights(path)
    naming = naming_of(state)
    named = read_safetensors_metadata(path).get(NAME_KEY)
    published = find_weights_file(path.name)
    if named in MODELS:
        return named
    if published is not None:
        return published[0].name
    fitting = [spec.name for spec in MODELS.values() if _reads(spec, naming) and _fits(spec, state)]
    if len(fitting) == 1:
        return fitting[0]
    found = f"fits {' and '.join(fitting)}" if fitting else "fits no model of the table"
    raise WeightsError(f"{path} {found}; name the model to which its weights belong")


def _reads(spec: ModelSpec, naming: Naming) -> bool:
    # Under our own names, a network and its Hugging Face form look the same; only metadata could tell the second.
    published = {file.naming for file in spec.weights.files}
    return naming in published or (naming == "own" and "official" in published)


def _fits(spec: ModelSpec, state: Mapping[str, Tensor]) -> bool:
    """Whether names and shapes are the model's; the decoder alone tells most models apart, without building them."""
    shapes = {name: tuple(tensor.shape) for name, tensor in translate(state, spec).state.items()}
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
    return read_weights(Path(weights))
