"""A spec becomes parts, the parts become a network."""

from __future__ import annotations

from torch import nn

from midas.models.decoder import Decoder
from midas.models.encoders.beit import BeitEncoder
from midas.models.encoders.intermediates import IntermediateEncoder
from midas.models.encoders.levit import LevitEncoder
from midas.models.encoders.pyramid import PyramidEncoder
from midas.models.encoders.vit import VitEncoder
from midas.models.encoders.zipdepth import ZipDepthEncoder
from midas.models.heads import DisparityHead, Head
from midas.models.light_decoder import LightDecoder, PlainTaps
from midas.models.network import DepthNetwork
from midas.models.reassemble import Reassemble
from midas.models.specs import (
    EncoderSpec,
    FeatureSpec,
    HeadSpec,
    LevitSpec,
    LightDecoderSpec,
    ModelSpec,
    PyramidSpec,
    UpsamplingHeadSpec,
    ZipDepthSpec,
)
from midas.models.upsampling import UpsamplingHead


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
