"""The rows of ZipDepth (Tosi et al., ECCV 2026)."""

from __future__ import annotations

from dataclasses import replace

from midas.models.specs import (
    LightDecoderSpec,
    ModelSpec,
    UpsamplingHeadSpec,
    WeightsFile,
    WeightsSpec,
    ZipDepthSpec,
)
from midas.pictures.preprocess import InputSpec

_CHECKPOINTS = "https://github.com/fabiotosi92/ZipDepth/raw/main/checkpoints"


def _weights(file_name: str) -> WeightsSpec:
    # No digits of a hash are known beforehand. What lies at an address of a branch may become another file: the first
    # one that arrives is recorded, and later ones are held to it (``midas.models.weight_files``).
    return WeightsSpec(
        (WeightsFile(file_name, "pytorch", "official", f"{_CHECKPOINTS}/{file_name}"),),
        licence="MIT",
        note="distilled from Depth Anything V2 Large, whose weights are CC-BY-NC-4.0",
        card="zipdepth.md",
    )


_BASE = ModelSpec(
    name="zipdepth_base",
    summary="ZipDepth: the best small network that is public; its teacher is under CC-BY-NC",
    encoder=ZipDepthSpec(channels=(24, 48, 96, 192, 384), blocks=(2, 2, 6, 2)),
    decoder=LightDecoderSpec(features=(32, 96, 144, 192, 288)),
    head=UpsamplingHeadSpec("convex", features=8),
    input=InputSpec(
        size=(384, 384),
        resize="lower_bound",
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
        interpolation="opencv_linear",
        restore="aligned_linear",
    ),
    weights=_weights("zipdepth_base.pth"),
    parameters=6_143_710,
    parameters_in_training=6_788_254,
    gmacs=2.91,
)

_NPU = replace(
    _BASE,
    name="zipdepth_base_npu",
    summary="ZipDepth for phones: zipdepth_base with a last step of plain operations",
    head=UpsamplingHeadSpec("blended", features=16),
    weights=_weights("zipdepth_base_npu.pth"),
    parameters=6_142_058,
    parameters_in_training=6_786_602,
    gmacs=2.85,
)

ZIPDEPTH = (_BASE, _NPU)
