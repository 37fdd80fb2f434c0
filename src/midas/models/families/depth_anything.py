"""The rows of Depth Anything, versions 1 and 2."""

from __future__ import annotations

from dataclasses import replace

from midas.models.families.conventions import IMAGENET_INPUT, huggingface_form, token_levels
from midas.models.specs import DecoderSpec, HeadSpec, ModelSpec, TransformerSpec, WeightsFile, WeightsSpec

_DA_INPUT = replace(IMAGENET_INPUT, size=(518, 518), resize="lower_bound", multiple=14)
_HF_DA_INPUT = replace(_DA_INPUT, resize="minimal", interpolation="pillow_cubic")


def _head(features: int, max_depth_m: float | None = None) -> HeadSpec:
    return HeadSpec(features=(features // 2, 32), scale=1.75, max_depth_m=max_depth_m)


def _depth_anything(
    version: int, size: str, blocks: tuple[int, ...], features: int, width: int, parameters: int, gmacs: float
) -> tuple[ModelSpec, ModelSpec]:
    """A network of Depth Anything, and its Hugging Face form; versions 1 and 2 differ in the blocks they tap."""
    letter = size[0]
    if version == 1:
        name, path = f"depth_anything_vit{letter}14.pth", "spaces/LiheYoung/Depth-Anything/resolve/main/checkpoints"
        twin_repository = f"LiheYoung/depth-anything-{size}-hf"
    else:
        twin_repository = f"depth-anything/Depth-Anything-V2-{size.capitalize()}-hf"
        name, path = f"depth_anything_v2_vit{letter}.pth", f"{twin_repository.removesuffix('-hf')}/resolve/main"
    restricted = version == 2 and size != "small"
    encoder = TransformerSpec(
        f"vit_{size}_patch14_dinov2", (width,) * 4, blocks, patch=14, positions="bicubic_offset", final_norm=True
    )
    spec = ModelSpec(
        name=f"depth_anything_v{version}_vit{letter}",
        summary=f"Depth Anything V{version}: DINOv2 ViT-{letter.upper()}",
        encoder=encoder,
        reassemble=token_levels(width, "ignore"),
        decoder=DecoderSpec(features=(features,) * 4, match_skip=True),
        head=_head(features),
        input=_DA_INPUT,
        weights=WeightsSpec(
            (WeightsFile(name, "pytorch", "official", f"https://huggingface.co/{path}/{name}"),),
            licence="CC-BY-NC-4.0" if restricted else "Apache-2.0",
            non_commercial=restricted,
        ),
        parameters=parameters,
        gmacs=gmacs,
        huggingface=f"hf_depth_anything_v{version}_{size}",
    )
    twin_encoder = replace(encoder, positions="bicubic")
    return spec, huggingface_form(spec, twin_repository, twin_encoder, _HF_DA_INPUT, spec.weights.licence)


def _metric(
    pair: tuple[ModelSpec, ModelSpec], size: str, scenes: str, data: str, max_depth_m: float
) -> tuple[ModelSpec, ModelSpec]:
    """A relative network's metric namesakes: tensors of the same names and shapes behind a sigmoid."""
    relative, relative_twin = pair
    name = f"depth_anything_v2_metric_{data.lower()}_vit{size[0]}"
    repository = f"depth-anything/Depth-Anything-V2-Metric-{data}-{size.capitalize()}"
    file = WeightsFile(
        f"{name}.pth", "pytorch", "official", f"https://huggingface.co/{repository}/resolve/main/{name}.pth"
    )
    spec = replace(
        relative,
        name=name,
        summary=f"{relative.summary}, depth in metres, {scenes}, to {max_depth_m:g} m",
        head=_head(relative.decoder.features[0], max_depth_m),
        input=replace(relative.input, restore="aligned_linear"),
        weights=replace(relative.weights, files=(file,)),
        huggingface=f"hf_depth_anything_v2_metric_{scenes}_{size}",
    )
    twin_repository = f"depth-anything/Depth-Anything-V2-Metric-{scenes.capitalize()}-{size.capitalize()}-hf"
    twin_input, encoder = replace(relative_twin.input, restore="aligned_linear"), relative_twin.encoder
    return spec, huggingface_form(spec, twin_repository, encoder, twin_input, spec.weights.licence)


_V2 = {
    "small": _depth_anything(2, "small", (2, 5, 8, 11), features=64, width=384, parameters=24_710_849, gmacs=57.32),
    "base": _depth_anything(2, "base", (2, 5, 8, 11), features=128, width=768, parameters=97_174_849, gmacs=189.0),
    "large": _depth_anything(
        2, "large", (4, 11, 17, 23), features=256, width=1024, parameters=334_134_465, gmacs=646.49
    ),
}
DEPTH_ANYTHING = (
    *_V2.values(),
    _depth_anything(1, "small", (8, 9, 10, 11), features=64, width=384, parameters=24_710_849, gmacs=57.32),
    _depth_anything(1, "base", (8, 9, 10, 11), features=128, width=768, parameters=97_174_849, gmacs=189.0),
    _depth_anything(1, "large", (20, 21, 22, 23), features=256, width=1024, parameters=334_134_465, gmacs=646.49),
    *(_metric(pair, size, "indoor", "Hypersim", 20.0) for size, pair in _V2.items()),
    *(_metric(pair, size, "outdoor", "VKITTI", 80.0) for size, pair in _V2.items()),
)
