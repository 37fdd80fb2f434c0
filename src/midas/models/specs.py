"""Frozen records that say what a network is made of. Free of torch: the core reads them too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from midas.maps.kinds import METRIC, RELATIVE_DISPARITY, Kind
from midas.pictures.preprocess import InputSpec

Positions = Literal["bilinear", "bicubic_offset", "bicubic", "relative"]
Readout = Literal["project", "ignore"]
Upsampling = Literal["convex", "blended"]
Format = Literal["onnx", "safetensors", "pytorch"]
Naming = Literal["own", "official", "huggingface"]


@dataclass(frozen=True)
class PyramidSpec:
    """An encoder that gives a pyramid of feature maps by itself: a timm network with ``features_only``.

    Attributes:
        timm_name: name of the network in timm's registry.
        channels: channels of each tapped feature map, finest first.
        strides: input pixels per feature pixel of each tapped map, finest first.
    """

    timm_name: str
    channels: tuple[int, ...]
    strides: tuple[int, ...]


@dataclass(frozen=True)
class TransformerSpec:
    """A vision transformer whose tokens are tapped after some of its blocks.

    Attributes:
        timm_name: name of the network in timm's registry.
        channels: channels of each tap, earliest first.
        blocks: index of the block behind which each tap of tokens sits.
        stages: number of stages of a convolutional stem that are tapped before the blocks (the hybrid network).
        patch: input pixels per token, along each side.
        positions: how the network knows where a token is, at sizes other than that of its training:
            ``"bilinear"`` and ``"bicubic"`` resize a table of embeddings to the grid of tokens, without antialiasing;
            ``"bicubic_offset"`` does so by the factor ``(side + 0.1) / side of the table``, as DINOv2 did;
            ``"relative"`` resizes each block's table of relative position biases bilinearly.
        norm_eps: epsilon of the layer normalisations.
        final_norm: whether the network's last normalisation is applied to every tap.
    """

    timm_name: str
    channels: tuple[int, ...]
    blocks: tuple[int, ...]
    stages: int = 0
    patch: int = 16
    positions: Positions = "bilinear"
    norm_eps: float = 1e-6
    final_norm: bool = False


@dataclass(frozen=True)
class FeatureSpec:
    """Any other timm network that can hand out its intermediate maps: for encoders that no published network has.

    Attributes:
        timm_name: name of the network in timm's registry.
        channels: channels of each tap, earliest first.
        blocks: index of each tap among those that timm offers.
        patch: input pixels per pixel of every tapped map.
        has_class_token: whether tokens in front of those of the picture are handed out as well.
        dynamic_size_option: whether timm must be asked for a network that takes pictures of any size.
    """

    timm_name: str
    channels: tuple[int, ...]
    blocks: tuple[int, ...]
    patch: int
    has_class_token: bool
    dynamic_size_option: bool


@dataclass(frozen=True)
class LevitSpec:
    """LeViT, tapped within its stages.

    Attributes:
        timm_name: name of the network in timm's registry.
        channels: channels of each tap, finest first.
        blocks: number of blocks of each stage behind which the stage is tapped.
    """

    timm_name: str
    channels: tuple[int, ...]
    blocks: tuple[int, ...]


@dataclass(frozen=True)
class ZipDepthSpec:
    """ZipDepth's encoder: convolutions with branches that become one after training; built here, not by timm.

    Attributes:
        channels: channels of each tap, finest first: of the stem at stride 2, then of the stages at strides 4 to 32.
        blocks: number of blocks of each stage, without the one that reduces.
        groups: of the 1x1 convolutions through which the two coarsest levels inform each other.
    """

    channels: tuple[int, ...]
    blocks: tuple[int, ...]
    groups: int = 4


EncoderSpec = PyramidSpec | LevitSpec | TransformerSpec | FeatureSpec | ZipDepthSpec


@dataclass(frozen=True)
class LevelSpec:
    """How one tap of a transformer becomes a level of the pyramid (DPT paper, section 3.1, "Reassemble").

    Attributes:
        channels: width after the 1x1 convolution.
        scale: by how much the map is then enlarged: 4, 2, 1 or 0.5.
        readout: what becomes of the class token: ``"project"`` joins it to every token and projects the pair back,
            ``"ignore"`` drops it.
    """

    channels: int
    scale: float
    readout: Readout


@dataclass(frozen=True)
class DecoderSpec:
    """The fusion decoder: one width per pyramid level, and how the maps are joined.

    Attributes:
        features: width of the decoder at each level, finest first (the DPT paper's "features").
        batch_norm: a batch normalisation after each convolution.
        align_corners: the convention of the bilinear upsampling between levels.
        projection: whether each block ends in a 1x1 convolution.
        rectified_skip: whether a residual unit adds its *rectified* input to its result, as MiDaS 2.1 does.
        match_skip: enlarge to the size of the next finer map, which may be odd, instead of by two.
        strip_pooling: channels of the strip pooling on the coarsest map; 0 for none.
    """

    features: tuple[int, ...]
    batch_norm: bool = False
    align_corners: bool = True
    projection: bool = True
    rectified_skip: bool = False
    match_skip: bool = False
    strip_pooling: int = 0


@dataclass(frozen=True)
class LightDecoderSpec:
    """A decoder of 1x1 convolutions.

    Attributes:
        features: width of the decoder at each level, finest first.
        groups: of the convolutions.
    """

    features: tuple[int, ...]
    groups: int = 4


@dataclass(frozen=True)
class HeadSpec:
    """The output head: convolutions, upsampling, one channel, and ReLU, or a sigmoid for depth in metres.

    Attributes:
        features: widths of the hidden convolutions, in order.
        upsample_before: index of the hidden convolution that the upsampling precedes; equal to their number where the
            one-channel map itself is enlarged.
        align_corners: the convention of that upsampling.
        linear_first: whether the first hidden convolution goes without ReLU.
        transposed: widths of transposed convolutions in front, each of which doubles height and width.
        scale: by how much that upsampling enlarges.
        max_depth_m: what a sigmoid at the end is multiplied by, so that the result is depth in metres; None for a ReLU
            and relative disparity.
    """

    features: tuple[int, ...]
    upsample_before: int = 1
    align_corners: bool = True
    linear_first: bool = True
    transposed: tuple[int, ...] = ()
    scale: float = 2.0
    max_depth_m: float | None = None


@dataclass(frozen=True)
class UpsamplingHeadSpec:
    """A head that makes a map of half the input's size and enlarges it along what the features show.

    Attributes:
        upsampling: ``"convex"`` takes a weighted mean of 3x3 coarse pixels for each fine one; ``"blended"`` blends the
            nearest one with bilinear interpolation, which needs no operation that runtimes for phones do badly.
        features: width of the layer that says how.
    """

    upsampling: Upsampling
    features: int


@dataclass(frozen=True)
class WeightsFile:
    """One published file of weights.

    Attributes:
        name: its name in the cache and on a mirror.
        format: ``"onnx"`` is what the core runs; the lab loads the others.
        naming: whose names its tensors bear.
        url: where it is published; None where it is part of this package.
        sha256_prefix: the first hexadecimal digits of its SHA-256, where they are known.
        input: the input rule of this file, where it isn't that of the model.
    """

    name: str
    format: Format
    naming: Naming
    url: str | None = None
    sha256_prefix: str = ""
    input: InputSpec | None = None


@dataclass(frozen=True)
class WeightsSpec:
    """Where a model's weights are and on what terms.

    Attributes:
        files: the files, preferred ones first.
        licence: licence of the weights, as its authors state it.
        non_commercial: whether that licence forbids commercial use.
        note: what else is to be known about the terms.
        card: file name of the model card in this package, or None.
    """

    files: tuple[WeightsFile, ...]
    licence: str
    non_commercial: bool = False
    note: str = ""
    card: str | None = None

    def file(self, *formats: Format) -> WeightsFile | None:
        """The preferred file in one of these formats, or None."""
        return next((file for file in self.files if file.format in formats), None)


@dataclass(frozen=True)
class ModelSpec:
    """One row of the model table: everything that is known of a network before it is built.

    Attributes:
        name: the public name.
        summary: one line for the table.
        encoder, decoder, head: what the network is made of.
        reassemble: one entry per tap of a transformer, None for a tap that is a pyramid level as it is; empty where
            all are.
        input: how a picture becomes its input.
        weights: where its weights come from.
        parameters: number of parameters of the network that predicts.
        gmacs: multiply-adds at ``input.size``, in thousand millions.
        huggingface: name of the row for the same weights in their Hugging Face form, where there is one.
        parameters_in_training: number of parameters before branches are merged, where there are branches; it is what
            the files hold.
        float_parts: what int8 leaves in float32, since most of its error comes from there: how the names of these nodes
            of the exported graph begin.
    """

    name: str
    summary: str
    encoder: EncoderSpec
    decoder: DecoderSpec | LightDecoderSpec
    head: HeadSpec | UpsamplingHeadSpec
    input: InputSpec
    weights: WeightsSpec
    parameters: int
    gmacs: float
    reassemble: tuple[LevelSpec | None, ...] = ()
    huggingface: str | None = None
    parameters_in_training: int | None = None
    float_parts: tuple[str, ...] = ()

    @property
    def max_depth_m(self) -> float | None:
        """The largest depth that it can give, in metres; None where it gives relative disparity."""
        return self.head.max_depth_m if isinstance(self.head, HeadSpec) else None

    @property
    def kind(self) -> Kind:
        """What its values are."""
        return RELATIVE_DISPARITY if self.max_depth_m is None else METRIC
