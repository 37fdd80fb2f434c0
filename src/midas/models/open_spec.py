"""A spec for a network that nobody published: the DPT decoder on any encoder of timm."""

from __future__ import annotations

from typing import Any

import timm
import torch

from midas.errors import ModelError
from midas.models.specs import (
    DecoderSpec,
    EncoderSpec,
    FeatureSpec,
    HeadSpec,
    LevelSpec,
    ModelSpec,
    PyramidSpec,
    WeightsSpec,
)
from midas.pictures.preprocess import InputSpec

_STRIDES = (4, 8, 16, 32)
_SCALES = (4.0, 2.0, 1.0, 0.5)
_DEFAULT_SIDE_PX = 384


def open_spec(encoder: str, *, features: int = 256) -> ModelSpec:
    """What a network on an encoder of timm is made of.

    A pyramid is fused as it is. A transformer is tapped four times, at even distances, and reassembled to strides of a
    quarter to twice its patch, as in the DPT paper.

    Args:
        encoder: a name from timm's registry.
        features: width of the decoder.

    Raises:
        ModelError: timm has no such network, or it gives no feature maps.
    """
    whole = _feature_network(encoder)
    channels, strides = tuple(whole.feature_info.channels()), tuple(whole.feature_info.reduction())
    levels: tuple[LevelSpec | None, ...] = ()
    spec: EncoderSpec
    if len(set(strides)) > 1:
        spec = _pyramid(encoder, channels, strides)
        finest, multiple = spec.strides[0], spec.strides[-1]
    else:
        spec = _transformer(encoder, channels, strides[0])
        levels = tuple(LevelSpec(features, scale, "project" if spec.has_class_token else "ignore") for scale in _SCALES)
        finest, multiple = strides[0] / 4, strides[0]
    return ModelSpec(
        name=f"dpt_{encoder}",
        summary=f"the DPT decoder on {encoder}",
        encoder=spec,
        reassemble=levels,
        decoder=DecoderSpec(features=(features,) * len(spec.channels), match_skip=bool(levels)),
        head=HeadSpec(features=(features // 2, 32), scale=finest / 2),
        input=_input_spec(whole, multiple, fixed=not levels and _is_fixed(whole)),
        weights=WeightsSpec((), licence="none"),
        parameters=0,
        gmacs=0.0,
    )


def _feature_network(encoder: str) -> Any:
    try:
        with torch.device("meta"):
            return timm.create_model(encoder, pretrained=False, features_only=True)
    except (RuntimeError, AttributeError, AssertionError) as error:
        raise ModelError(
            f"timm gives no feature maps of {encoder!r} ({error}); timm.list_models() knows the names"
        ) from error


def _pyramid(encoder: str, channels: tuple[int, ...], strides: tuple[int, ...]) -> PyramidSpec:
    wanted = [strides.index(stride) for stride in _STRIDES if stride in strides]
    if len(wanted) < 2:
        raise ModelError(f"{encoder} has feature maps of strides {strides}; at least two of {_STRIDES} are needed")
    return PyramidSpec(encoder, tuple(channels[index] for index in wanted), tuple(strides[index] for index in wanted))


def _transformer(encoder: str, channels: tuple[int, ...], patch: int) -> FeatureSpec:
    with torch.device("meta"):
        network: Any = timm.create_model(encoder, pretrained=False)
    depth = len(network.feature_info)
    blocks = tuple(depth * quarter // 4 - 1 for quarter in range(1, 5))
    return FeatureSpec(
        encoder,
        (channels[-1],) * 4,
        blocks,
        patch=patch,
        has_class_token=getattr(network, "num_prefix_tokens", 0) > 0,
        dynamic_size_option=hasattr(network, "dynamic_img_size"),
    )


def _is_fixed(network: Any) -> bool:
    return bool(_config(network).get("fixed_input_size", False))


def _config(network: Any) -> dict[str, Any]:
    config: dict[str, Any] = getattr(network, "pretrained_cfg", None) or getattr(network, "default_cfg", None) or {}
    return config


def _input_spec(network: Any, multiple: int, *, fixed: bool) -> InputSpec:
    config = _config(network)
    side = config.get("input_size", (3, _DEFAULT_SIDE_PX, _DEFAULT_SIDE_PX))[-1] if fixed else _DEFAULT_SIDE_PX
    side = max(round(side / multiple), 1) * multiple
    return InputSpec(
        size=(side, side),
        keep_aspect=not fixed,
        multiple=multiple,
        mean=tuple(config.get("mean", (0.5, 0.5, 0.5))),
        std=tuple(config.get("std", (0.5, 0.5, 0.5))),
        fixed=fixed,
    )
