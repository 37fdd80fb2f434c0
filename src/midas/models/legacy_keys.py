"""Published names of tensors become ours: the only place that knows "scratch" and "refinenet".

A name passes through ordered rules, each a regular expression and what it becomes. Hugging Face's names become the
official ones first. Every published name ends as one of ours or is dropped for a stated reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from midas.errors import WeightsError
from midas.models import zipdepth_keys
from midas.models.specs import ModelSpec, Naming, ZipDepthSpec
from midas.models.zipdepth_keys import Rule

# A tensor that every file of that naming holds. Depth Anything keeps its decoder one level deeper than MiDaS.
_MARKERS: dict[str, Naming] = {
    "reassemble.projections.0.0.weight": "own",
    "decoder.fusions.0.first.weight": "own",
    "encoder.stem_half.conv.weight": "official",
    "scratch.layer1_rn.weight": "official",
    "depth_head.scratch.layer1_rn.weight": "official",
    "neck.convs.0.weight": "huggingface",
}


@dataclass(frozen=True)
class Translation:
    """Weights under our names.

    Attributes:
        state: tensors by our names.
        published: the published name of each; of query, key and value that of the query.
        dropped: published names that no parameter of ours takes, with the reason.
    """

    state: dict[str, Tensor]
    published: dict[str, str]
    dropped: dict[str, str]


def naming_of(names: Collection[str]) -> Naming:
    """Whose names these are.

    Raises:
        WeightsError: nobody's that we know.
    """
    for marker, naming in _MARKERS.items():
        if marker in names:
            return naming
    first = ", ".join(sorted(names)[:3]) or "none at all"
    raise WeightsError(
        f"these are not the weights of a depth network that is known here; the first tensors are: {first}; "
        f"expected one of {', '.join(_MARKERS)}"
    )


def translate(state: Mapping[str, Tensor], spec: ModelSpec) -> Translation:
    """Rename published weights of a model, join what we keep in one, and leave out what we have no use for.

    Args:
        state: tensors by our, the official, or Hugging Face's names.
        spec: the model that they belong to.

    Raises:
        WeightsError: nobody's names that we know.
    """
    naming = naming_of(state)
    if naming == "own":
        return Translation(dict(state), {name: name for name in state}, {})
    published = {name: name for name in state}
    if naming == "huggingface":
        published = {_rename(name, _HUGGINGFACE_RULES): name for name in state}
        state = {official: state[name] for official, name in published.items()}
        state = _join_attention(state)
        published |= {name: published[name.replace(".qkv.", ".query.")] for name in state if name not in published}
    rules, reasons = _rules_of(spec)
    result = Translation({}, {}, {})
    for name, tensor in state.items():
        reason = next((reason for pattern, reason in reasons if re.search(pattern, name)), None)
        if reason is None:
            ours = _rename(name, rules)
            result.state[ours], result.published[ours] = tensor, published[name]
        else:
            result.dropped[published[name]] = reason
    return result


def _rules_of(spec: ModelSpec) -> tuple[Collection[Rule], Collection[tuple[str, str]]]:
    """How the official names of a model become ours, and which tensors are left out for which reason."""
    if isinstance(spec.encoder, ZipDepthSpec):
        return zipdepth_keys.RULES, zipdepth_keys.DROPPED
    rules = (*_OFFICIAL_RULES, *_ENCODER_RULES.get(spec.encoder.timm_name, ()))
    return rules, (*_DROPPED, (rf"scratch\.refinenet{len(spec.decoder.features)}\.resConfUnit1\.", _NO_SKIP))


def encoder_state(state: Mapping[str, Tensor], own: Collection[str]) -> dict[str, Tensor]:
    """A classifier's weights under timm's names, or an EfficientNet's under EfficientNet-PyTorch's, as ours are named.

    Args:
        state: tensors by their published names.
        own: the names of the encoder's tensors.
    """
    if "_conv_stem.weight" in state:
        state = _from_efficientnet_pytorch(state, own)
    return {
        re.sub(*_TABLE_OF_BEIT, f"network.{name}"): tensor
        for name, tensor in state.items()
        if not name.endswith(".relative_position_index")
    }


def _from_efficientnet_pytorch(state: Mapping[str, Tensor], own: Collection[str]) -> dict[str, Tensor]:
    """Names of timm for those of the EfficientNet-PyTorch family, which counts blocks through all stages."""
    found = (re.match(r"network\.blocks\.(\d+)\.(\d+)\.", name) for name in own)
    places = sorted({(int(match[1]), int(match[2])) for match in found if match})
    renamed: dict[str, Tensor] = {}
    for name, tensor in state.items():
        for pattern, replacement in _EFFICIENTNET_PYTORCH:
            name = re.sub(pattern, replacement, name)
        block = re.match(r"blocks\.(\d+)\.(.*)", name)
        if block:
            number, rest = int(block[1]), block[2]
            if f"_blocks.{number}._expand_conv.weight" not in state:  # the first stage's blocks don't widen
                rest = re.sub("^(conv_pwl|bn2|bn3)", lambda part: _WITHOUT_EXPANSION[part[0]], rest)
            stage, place = places[number]
            name = f"blocks.{stage}.{place}.{rest}"
        # The variance that is divided by is the stored one plus 1e-3 there, plus 1e-5 in timm's network.
        renamed[name] = tensor + (1e-3 - 1e-5) if name.endswith("running_var") else tensor
    return renamed


def _rename(name: str, rules: Collection[Rule]) -> str:
    for pattern, replacement in rules:
        name = re.sub(pattern, replacement, name)
    return name


def _join_attention(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Query, key and value, which Hugging Face keeps apart, as the rows of one matrix."""
    joined: dict[str, Tensor] = {}
    for name, tensor in state.items():
        if ".attn.query." in name:
            parts = [name.replace(".query.", f".{part}.") for part in ("query", "key", "value")]
            missing = [part for part in parts if part not in state]
            if missing:
                raise WeightsError(f"{name} is there, {missing[0]} is missing")
            joined[name.replace(".query.", ".qkv.")] = torch.cat([state[part] for part in parts])
        elif not re.search(r"\.attn\.(key|value)\.", name):
            joined[name] = tensor
    return joined


def _shift(prefix: str, suffix: str = "") -> Callable[[re.Match[str]], str]:
    """Published levels count from one, ours from nought."""
    return lambda match: f"{prefix}{int(match[1]) - 1}{suffix}"


def _unit(name: str) -> Callable[[re.Match[str]], str]:
    """A convolution of a residual unit: ours stand behind a ReLU each."""
    return lambda match: f"decoder.blocks.{int(match[1]) - 1}.{name}.layers.{2 * int(match[2]) - 1}."


_OFFICIAL_RULES: tuple[Rule, ...] = (
    (r"^depth_head\.", ""),
    (r"^projects\.(\d)\.", r"reassemble.levels.\1.projection."),
    (r"^resize_layers\.(\d)\.", r"reassemble.levels.\1.resample."),
    (r"^pretrained\.act_postprocess(\d)\.0\.project\.0\.", _shift("reassemble.levels.", ".readout.projection.")),
    (r"^pretrained\.act_postprocess(\d)\.3\.", _shift("reassemble.levels.", ".projection.")),
    (r"^pretrained\.act_postprocess(\d)\.4\.", _shift("reassemble.levels.", ".resample.")),
    (r"^pretrained\.(?:model\.)?", "encoder.network."),
    (r"^scratch\.layer(\d)_rn\.", _shift("reassemble.projections.", ".0.")),
    (r"^scratch\.refinenet(\d)\.resConfUnit1\.conv(\d)\.", _unit("refine_skip")),
    (r"^scratch\.refinenet(\d)\.resConfUnit2\.conv(\d)\.", _unit("refine")),
    (r"^scratch\.refinenet(\d)\.out_conv\.", _shift("decoder.blocks.", ".project.0.")),
    (r"^scratch\.output_conv\.", "head.layers."),
    (r"^scratch\.output_conv1\.", "head.layers.0."),
    (r"^scratch\.output_conv2\.0\.", "head.layers.2."),
    (r"^scratch\.output_conv2\.2\.", "head.layers.4."),
    (r"^scratch\.stem_transpose\.0\.c\.", "head.stem.0."),
    (r"^scratch\.stem_transpose\.0\.bn\.", "head.stem.1."),
    (r"^scratch\.stem_transpose\.2\.c\.", "head.stem.3."),
    (r"^scratch\.stem_transpose\.2\.bn\.", "head.stem.4."),
)

_NO_SKIP = "the coarsest block has no finer map to join"
_DROPPED = (
    (r"^pretrained\.model\.(head|head_dist|proj_head|fc_norm)\.", "the ImageNet classifier, behind the last tap"),
    (r"^pretrained\.model\.norm\.", "a normalisation behind the last tap"),
    (r"^pretrained\.model\.blocks\.2[2-7]\.m\.(0|2|qkv|proj|attention_bias)", "a block of LeViT behind the last tap"),
    (r"\.relative_position_index$|\.attn_mask$|attention_bias_idxs$", "follows from the size of the window"),
    (r"mask_token$", "used in pretraining only"),
)

_TABLE_OF_BEIT = (r"^network\.blocks\.(\d+)\.attn\.relative_position_bias_table$", r"bias_tables.\1")
_BEIT: tuple[Rule, ...] = (
    (r"^encoder\.network\.blocks\.(\d+)\.attn\.relative_position_bias_table$", r"encoder.bias_tables.\1"),
)
# timm now reduces at the start of a stage, not at the end of the one before.
_SWIN: tuple[Rule, ...] = (
    (
        r"^encoder\.network\.layers\.(\d)\.downsample\.",
        lambda match: f"encoder.network.layers_{int(match[1]) + 1}.downsample.",
    ),
    (r"^encoder\.network\.layers\.(\d)\.", r"encoder.network.layers_\1."),
)
_RESNEXT: tuple[Rule, ...] = (
    (r"^encoder\.network\.layer1\.0\.", "encoder.network.conv1."),
    (r"^encoder\.network\.layer1\.1\.", "encoder.network.bn1."),
    (r"^encoder\.network\.layer1\.4\.", "encoder.network.layer1."),
)
_LITE: tuple[Rule, ...] = (
    (r"^encoder\.network\.layer1\.0\.", "encoder.network.conv_stem."),
    (r"^encoder\.network\.layer1\.1\.", "encoder.network.bn1."),
    (r"^encoder\.network\.layer1\.3\.", "encoder.network.blocks.0."),
    (r"^encoder\.network\.layer1\.4\.", "encoder.network.blocks.1."),
    (r"^encoder\.network\.layer2\.0\.", "encoder.network.blocks.2."),
    (r"^encoder\.network\.layer3\.0\.", "encoder.network.blocks.3."),
    (r"^encoder\.network\.layer3\.1\.", "encoder.network.blocks.4."),
    (r"^encoder\.network\.layer4\.0\.", "encoder.network.blocks.5."),
    (r"^encoder\.network\.layer4\.1\.", "encoder.network.blocks.6."),
)

_NEXT_VIT_DEPTHS = (3, 4, 30, 3)


def _next_vit_block(match: re.Match[str]) -> str:
    """A flat list of blocks became four stages."""
    block, stage = int(match[1]), 0
    while block >= _NEXT_VIT_DEPTHS[stage]:
        block -= _NEXT_VIT_DEPTHS[stage]
        stage += 1
    return f"encoder.network.stages_{stage}.blocks.{block}."


_NEXT_VIT: tuple[Rule, ...] = (
    (r"^encoder\.network\.stem\.", "encoder.network.stem_"),
    (r"^encoder\.network\.features\.(\d+)\.", _next_vit_block),
    (r"\.mlp\.conv([12])\.", r".mlp.fc\1."),
)

# First flat block of each of LeViT's stages; the two before it reduce the resolution.
_LEVIT_STARTS = (0, 10, 20)


def _levit_block(match: re.Match[str]) -> str:
    """A flat list, in which attention and perceptron alternate, became three stages of blocks."""
    block = int(match[1])
    for stage, start in enumerate(_LEVIT_STARTS):
        prefix = f"encoder.network.stages.{stage}."
        if start - 2 <= block < start:
            return prefix + ("downsample.attn_downsample." if block == start - 2 else "downsample.mlp.")
        if start <= block < start + 8:
            pair, second = divmod(block - start, 2)
            return f"{prefix}blocks.{pair}." + ("mlp." if second else "attn.")
    raise WeightsError(f"LeViT has no block {block}")


_LEVIT: tuple[Rule, ...] = (
    (
        r"^encoder\.network\.patch_embed\.(\d)\.",
        lambda match: f"encoder.network.stem.conv{int(match[1]) // 2 + 1}.",
    ),
    (r"^encoder\.network\.blocks\.(\d+)\.(?:m\.)?", _levit_block),
    (r"\.(proj|q)\.1\.", r".\1.ln."),
    (r"\.mlp\.0\.", ".mlp.ln1."),
    (r"\.mlp\.2\.", ".mlp.ln2."),
    (r"^(encoder\..*)\.c\.weight$", r"\1.linear.weight"),
)

_ENCODER_RULES: dict[str, tuple[Rule, ...]] = {
    "beit_large_patch16_512": _BEIT,
    "beit_large_patch16_384": _BEIT,
    "beit_base_patch16_384": _BEIT,
    "swinv2_large_window12to24_192to384": _SWIN,
    "swinv2_base_window12to24_192to384": _SWIN,
    "swinv2_tiny_window16_256": _SWIN,
    "swin_large_patch4_window12_384": _SWIN,
    "nextvit_large": _NEXT_VIT,
    "levit_384": _LEVIT,
    "resnext101_32x8d": _RESNEXT,
    "tf_efficientnet_lite3": _LITE,
}

# Hugging Face's names as official ones. Its fusion layers count from the coarsest, the official ones from the finest.
_HUGGINGFACE_RULES: tuple[Rule, ...] = (
    (r"^dpt\.layernorm\.", "pretrained.model.norm."),
    (r"^backbone\.layernorm\.", "pretrained.norm."),
    (r"^dpt\.embeddings\.backbone\.bit\.embedder\.convolution\.", "pretrained.model.patch_embed.backbone.stem.conv."),
    (r"^dpt\.embeddings\.backbone\.bit\.embedder\.norm\.", "pretrained.model.patch_embed.backbone.stem.norm."),
    (
        r"^dpt\.embeddings\.backbone\.bit\.encoder\.stages\.(\d)\.layers\.",
        r"pretrained.model.patch_embed.backbone.stages.\1.blocks.",
    ),
    (r"^(dpt|backbone)\.embeddings\.(?:patch_embeddings\.)?projection\.", r"\1.patch_embed.proj."),
    (r"^(dpt|backbone)\.embeddings\.position_embeddings$", r"\1.pos_embed"),
    (r"^(dpt|backbone)\.embeddings\.", r"\1."),
    (r"^(dpt|backbone)\.encoder\.layer\.", r"\1.blocks."),
    (r"\.attention\.attention\.", ".attn."),
    (r"\.attention\.output\.dense\.", ".attn.proj."),
    (r"\.intermediate\.dense\.", ".mlp.fc1."),
    (r"\.output\.dense\.", ".mlp.fc2."),
    (r"\.layernorm_before\.", ".norm1."),
    (r"\.layernorm_after\.", ".norm2."),
    (r"\.layer_scale([12])\.lambda1$", r".ls\1.gamma"),
    (r"^dpt\.", "pretrained.model."),
    (r"^backbone\.", "pretrained."),
    (r"^neck\.reassemble_stage\.readout_projects\.(\d)\.0\.", r"reassemble.levels.\1.readout.projection."),
    (r"^neck\.reassemble_stage\.layers\.(\d)\.projection\.", r"reassemble.levels.\1.projection."),
    (r"^neck\.reassemble_stage\.layers\.(\d)\.resize\.", r"reassemble.levels.\1.resample."),
    (r"^neck\.convs\.(\d)\.", r"reassemble.projections.\1.0."),
    (r"^neck\.fusion_stage\.layers\.(\d)\.", lambda match: f"scratch.refinenet{4 - int(match[1])}."),
    (r"\.residual_layer([12])\.convolution([12])\.", r".resConfUnit\1.conv\2."),
    (r"^(scratch\.refinenet\d)\.projection\.", r"\1.out_conv."),
    (r"^head\.head\.", "scratch.output_conv."),
    (r"^head\.conv1\.", "scratch.output_conv1."),
    (r"^head\.conv2\.", "scratch.output_conv2.0."),
    (r"^head\.conv3\.", "scratch.output_conv2.2."),
)

# EfficientNet-PyTorch's names, those of the EfficientNet-Lite files among them, as timm's; blocks keep their number.
_EFFICIENTNET_PYTORCH: tuple[Rule, ...] = (
    (r"^_blocks\.(\d+)\._bn2", r"blocks.\1.bn3"),
    (r"^_blocks\.(\d+)\._bn1", r"blocks.\1.bn2"),
    (r"^_blocks\.(\d+)\._bn0", r"blocks.\1.bn1"),
    (r"^_blocks\.(\d+)\._expand_conv", r"blocks.\1.conv_pw"),
    (r"^_blocks\.(\d+)\._depthwise_conv", r"blocks.\1.conv_dw"),
    (r"^_blocks\.(\d+)\._project_conv", r"blocks.\1.conv_pwl"),
    (r"^_bn1", "bn2"),
    (r"^_bn0", "bn1"),
    (r"^_fc", "classifier"),
    (r"^_conv", "conv"),
)
_WITHOUT_EXPANSION = {"conv_pwl": "conv_pw", "bn2": "bn1", "bn3": "bn2"}
