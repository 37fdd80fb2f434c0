"""What a run starts from: the network, its weights, and which of its parts stay as they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch

from midas.errors import ConfigError
from midas.maps.kinds import RELATIVE_DISPARITY
from midas.models.decoder import Decoder
from midas.models.factory import create_model, create_untrained, load_encoder
from midas.models.heads import Head
from midas.models.network import DepthNetwork
from midas.models.strip_pooling import StripPooling
from midas.models.zoo import find_model
from midas.training.config import ModelSettings


def start_network(settings: ModelSettings, seed: int) -> DepthNetwork:
    """The network with the weights that the run starts from.

    Raises:
        ConfigError: neither a name nor an encoder, or both, a network that doesn't give relative disparity, or a strip
            pooling that it can't have.
    """
    if bool(settings.name) == (settings.encoder is not None):
        raise ConfigError("model: give name or encoder, one of them")
    if settings.name and find_model(settings.name).kind != RELATIVE_DISPARITY:
        raise ConfigError(f"model: {settings.name} gives depth in metres; training here is for relative disparity")
    network = _open_network(settings, seed) if settings.encoder is not None else _named_network(settings, seed)
    if settings.strip_pooling:
        _add_strip_pooling(network, settings.strip_pooling, seed)
    if settings.output_shift:
        with torch.no_grad():
            cast(Head, network.head).last_bias().add_(settings.output_shift)
    return network


def _add_strip_pooling(network: DepthNetwork, width: int, seed: int) -> None:
    decoder = network.decoder
    if not isinstance(decoder, Decoder):
        raise ConfigError("model.strip_pooling: this network has no fusion decoder; leave it out")
    if decoder.strips is not None:
        if decoder.strips.width != width:
            raise ConfigError(f"model.strip_pooling: the weights have one of {decoder.strips.width} channels; say so")
        return
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        decoder.strips = StripPooling(decoder.widths[-1], width)


def _named_network(settings: ModelSettings, seed: int) -> DepthNetwork:
    if settings.weights is not None:
        return create_model(settings.name, weights=str(settings.weights))
    return create_untrained(settings.name, settings.encoder_weights, seed=seed)


def _open_network(settings: ModelSettings, seed: int) -> DepthNetwork:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        imagenet = str(settings.encoder_weights) == "imagenet"
        network = create_model(
            encoder=settings.encoder,
            weights=settings.weights,
            encoder_weights=imagenet,
            features=settings.features,
        )
    if settings.encoder_weights is not None and not imagenet:
        load_encoder(network, settings.encoder_weights)
    return network


def training_mode(network: DepthNetwork, settings: ModelSettings) -> None:
    """Put a network into training mode, but for what the settings leave as it is.

    Frozen parts get no gradient and keep the statistics of their batch normalisations; with ``freeze_batch_norm``
    all batch normalisations keep them, and their scale and shift go on learning.

    Raises:
        ConfigError: the network has no part of a frozen name.
    """
    network.train()
    for part in _parts(network, settings.frozen):
        part.eval().requires_grad_(False)
    if settings.freeze_batch_norm:
        for module in network.modules():
            if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
                module.eval()


def _parts(network: DepthNetwork, names: Sequence[str]) -> list[torch.nn.Module]:
    modules = dict(network.named_modules())
    for name in names:
        if name not in modules:
            near = [known for known in modules if known.count(".") <= 2 and known]
            raise ConfigError(f"model.frozen: the network has no part {name!r}; it has {', '.join(near)} and theirs")
    return [modules[name] for name in names]
