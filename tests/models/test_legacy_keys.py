"""Published names become ours, or are left out for a reason."""

from __future__ import annotations

import pytest
import torch

from midas.errors import WeightsError
from midas.models.factory import create_model
from midas.models.legacy_keys import encoder_state, naming_of, translate
from midas.models.zoo import find_model


def rename(model: str, name: str, marker: str = "scratch.layer1_rn.weight") -> str:
    """Our name for one published tensor."""
    translation = translate({marker: torch.zeros(1), name: torch.ones(1)}, find_model(model))
    (ours,) = (key for key, origin in translation.published.items() if origin == name)
    return ours


@pytest.mark.parametrize(
    ("model", "published", "ours"),
    [
        ("dpt_large_384", "pretrained.act_postprocess4.4.bias", "reassemble.levels.3.resample.bias"),
        ("dpt_large_384", "scratch.refinenet1.out_conv.bias", "decoder.blocks.0.project.0.bias"),
        ("dpt_large_384", "scratch.refinenet2.resConfUnit1.conv2.bias", "decoder.blocks.1.refine_skip.layers.3.bias"),
        ("dpt_large_384", "pretrained.model.blocks.7.mlp.fc1.bias", "encoder.network.blocks.7.mlp.fc1.bias"),
        (
            "dpt_beit_base_384",
            "pretrained.model.blocks.11.attn.relative_position_bias_table",
            "encoder.bias_tables.11",
        ),
        (
            "dpt_swin2_tiny_256",
            "pretrained.model.layers.0.downsample.norm.bias",
            "encoder.network.layers_1.downsample.norm.bias",
        ),
        (
            "dpt_next_vit_large_384",
            "pretrained.model.features.37.mlp.conv1.bias",
            "encoder.network.stages_3.blocks.0.mlp.fc1.bias",
        ),
        (
            "dpt_levit_224",
            "pretrained.model.blocks.13.m.2.c.weight",
            "encoder.network.stages.1.blocks.1.mlp.ln2.linear.weight",
        ),
        (
            "dpt_levit_224",
            "pretrained.model.blocks.18.q.1.bn.bias",
            "encoder.network.stages.2.downsample.attn_downsample.q.ln.bn.bias",
        ),
        ("dpt_levit_224", "scratch.stem_transpose.2.bn.bias", "head.stem.4.bias"),
        ("midas_v21_384", "pretrained.layer1.4.2.bn3.bias", "encoder.network.layer1.2.bn3.bias"),
        ("midas_v21_small_256", "pretrained.layer3.1.0.bn2.bias", "encoder.network.blocks.4.0.bn2.bias"),
    ],
)
def test_an_official_name_becomes_ours(model: str, published: str, ours: str) -> None:
    assert rename(model, published) == ours


def test_depth_anything_keeps_its_decoder_one_level_deeper() -> None:
    marker = "depth_head.scratch.layer1_rn.weight"
    ours = rename("depth_anything_v2_vits", "depth_head.scratch.output_conv2.2.bias", marker)
    assert ours == "head.layers.4.bias"


@pytest.mark.parametrize(
    ("published", "ours"),
    [
        ("encoder.stem_quarter.conv.weight", "encoder.stem.1.0.weight"),
        ("encoder.stage1.1.branch_3x3.1.bias", "encoder.stages.0.1.wide.1.bias"),
        ("encoder.down3.branch_1x1.0.weight", "encoder.stages.2.0.narrow.0.weight"),
        ("encoder.stage2.2.branch2.weight", "encoder.stages.1.3.around.second.weight"),
        ("encoder.stage2.2.bn.running_var", "encoder.stages.1.3.around.norm.running_var"),
        ("encoder.stage3.6.fc.2.weight", "encoder.stages.2.7.gate.2.weight"),
        ("encoder.spp.cv2.bn.bias", "encoder.pooling.after.1.bias"),
        ("decoder.fuse_half.proj_low.weight", "decoder.fusions.0.second.weight"),
        ("decoder.convex_up.where_conv.4.bias", "head.upsampling.weights.4.bias"),
    ],
)
def test_a_name_of_zipdepth_s_becomes_ours(published: str, ours: str) -> None:
    assert rename("zipdepth_base", published, "encoder.stem_half.conv.weight") == ours


def test_what_zipdepth_s_training_keeps_beside_its_network_is_left_out() -> None:
    names = ("mean", "criterion.scale", "decoder.head_direct.bias", "encoder.stage4.2.tokens")
    state = {"encoder.stem_half.conv.weight": torch.zeros(1)} | {name: torch.zeros(1) for name in names}
    assert list(translate(state, find_model("zipdepth_base")).dropped) == list(names[:3])


def test_hugging_face_counts_fusion_layers_from_the_coarsest() -> None:
    published = "neck.fusion_stage.layers.0.residual_layer2.convolution1.bias"
    assert rename("dpt_large_384", published, "neck.convs.0.weight") == "decoder.blocks.3.refine.layers.1.bias"


def test_hugging_face_s_query_key_and_value_are_the_thirds_of_one_matrix() -> None:
    prefix = "dpt.encoder.layer.3.attention.attention"
    parts = {
        f"{prefix}.{part}.bias": torch.full((2,), float(index)) for index, part in enumerate(("query", "key", "value"))
    }
    joined = translate({"neck.convs.0.weight": torch.zeros(1)} | parts, find_model("dpt_large_384")).state
    assert joined["encoder.network.blocks.3.attn.qkv.bias"].tolist() == [0, 0, 1, 1, 2, 2]


def test_a_query_without_its_key_is_an_error() -> None:
    state = {
        "neck.convs.0.weight": torch.zeros(1),
        "dpt.encoder.layer.3.attention.attention.query.bias": torch.zeros(2),
    }
    with pytest.raises(WeightsError, match=r"attn\.key\.bias is missing"):
        translate(state, find_model("dpt_large_384"))


def test_the_skip_of_the_coarsest_block_is_left_out_for_a_reason() -> None:
    state = {"scratch.layer1_rn.weight": torch.zeros(1), "scratch.refinenet3.resConfUnit1.conv1.bias": torch.zeros(1)}
    assert translate(state, find_model("dpt_large_384")).dropped == {}
    assert translate(state, find_model("dpt_levit_224")).dropped == {
        "scratch.refinenet3.resConfUnit1.conv1.bias": "the coarsest block has no finer map to join"
    }


def test_tensors_of_something_else_are_refused() -> None:
    with pytest.raises(WeightsError, match="not the weights of a depth network"):
        naming_of(["features.0.weight", "classifier.bias"])


def test_an_efficientnet_under_efficientnet_pytorch_s_names_starts_the_encoder() -> None:
    names = {"conv_pw": "_expand_conv", "bn1": "_bn0", "conv_dw": "_depthwise_conv", "bn2": "_bn1", "bn3": "_bn2"}
    narrow = {"conv_dw": "_depthwise_conv", "bn1": "_bn1", "conv_pw": "_project_conv", "bn2": "_bn2"}
    own = create_model("midas_nano_256", weights=None).encoder.state_dict()
    blocks = sorted({tuple(map(int, key.split(".")[2:4])) for key in own if ".blocks." in key})
    published = {}
    for key in own:
        parts = key.split(".")[1:]
        if parts[0] == "blocks":
            number = blocks.index((int(parts[1]), int(parts[2])))
            rules = narrow if number == 0 else names | {"conv_pwl": "_project_conv"}
            published[f"_blocks.{number}.{rules[parts[3]]}.{'.'.join(parts[4:])}"] = key
        else:
            published[".".join([{"bn1": "_bn0", "conv_stem": "_conv_stem"}[parts[0]], *parts[1:]])] = key
    state = encoder_state({name: own[key] for name, key in published.items()}, own)
    assert set(state) == set(own)
    for key, tensor in own.items():
        # Its batch normalisations add 1e-3 to the variance where timm's add 1e-5.
        torch.testing.assert_close(state[key], tensor + (1e-3 - 1e-5) if key.endswith("running_var") else tensor)
