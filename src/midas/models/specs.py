"""Frozen records that say what a network is made of. Free of torch: the core reads them too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from midas.preprocess import InputSpec


@dataclass(frozen=True)
class EncoderSpec:
    """An encoder that gives a pyramid of feature maps.

    Attributes:
        timm_name: name of the network in timm's registry.
        channels: channels of each tapped feature map, finest first.
        strides: input pixels per feature pixel of each tapped map, finest first.
    """

    timm_name: str
    channels: tuple[int, ...]
    strides: tuple[int, ...]


@dataclass(frozen=True)
class DecoderSpec:
    """The fusion decoder: one width per pyramid level, and how the maps are joined.

    Attributes:
        features: width of the decoder at each level, finest first (the DPT paper's "features").
        batch_norm: a batch normalisation after each convolution.
        align_corners: the convention of the bilinear upsampling between levels.
    """

    features: tuple[int, ...]
    batch_norm: bool
    align_corners: bool


@dataclass(frozen=True)
class HeadSpec:
    """The output head: convolutions, upsampling, one channel, ReLU.

    Attributes:
        features: widths of the hidden convolutions, in order.
        upsample_before: index of the hidden convolution that the upsampling by two precedes; equal to their number
            where the one-channel map itself is enlarged.
        align_corners: the convention of that upsampling.
    """

    features: tuple[int, ...]
    upsample_before: int
    align_corners: bool


@dataclass(frozen=True)
class WeightsSpec:
    """Where a model's weights are and on what terms.

    Attributes:
        stem: file name without suffix; ``.onnx`` is what the core runs, ``.safetensors`` what the lab loads.
        source: ``"embedded"`` where the files are part of this package.
        licence: licence of the weights.
        card: file name of the model card, beside the weights.
    """

    stem: str
    source: Literal["embedded"]
    licence: str
    card: str


@dataclass(frozen=True)
class ModelSpec:
    """One row of the model table: everything that is known of a network before it is built.

    Attributes:
        name: the public name.
        summary: one line for the table.
        encoder, decoder, head: what the network is made of.
        input: how a picture becomes its input.
        weights: where its weights come from.
        parameters: number of trainable parameters.
    """

    name: str
    summary: str
    encoder: EncoderSpec
    decoder: DecoderSpec
    head: HeadSpec
    input: InputSpec
    weights: WeightsSpec
    parameters: int
