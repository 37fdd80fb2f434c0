"""MODELS, the single table of facts about every network. Free of torch: the core reads it too."""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches

from midas.errors import ModelError
from midas.models.families.conventions import IMAGENET_INPUT, huggingface_form, token_levels
from midas.models.families.depth_anything import DEPTH_ANYTHING
from midas.models.families.zipdepth import ZIPDEPTH
from midas.models.specs import (
    DecoderSpec,
    HeadSpec,
    LevelSpec,
    LevitSpec,
    ModelSpec,
    PyramidSpec,
    TransformerSpec,
    WeightsFile,
    WeightsSpec,
)
from midas.pictures.preprocess import InputSpec

DEFAULT_MODEL = "midas_nano_256"

_STRIDES = (4, 8, 16, 32)
_DPT_DECODER = DecoderSpec(features=(256, 256, 256, 256))
_DPT_HEAD = HeadSpec(features=(128, 32))
# The networks of the released ONNX files normalise by themselves and know one size only.
_RELEASED_ONNX = replace(IMAGENET_INPUT, keep_aspect=False, fixed=True, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))


def _square(side: int) -> InputSpec:
    """Windowed encoders and LeViT take one size only."""
    return InputSpec(size=(side, side), keep_aspect=False, fixed=True)


def _vit(timm_name: str, width: int, blocks: tuple[int, ...], *, beit: bool = False) -> TransformerSpec:
    return TransformerSpec(timm_name, (width,) * len(blocks), blocks, positions="relative" if beit else "bilinear")


def _swin(timm_name: str, width: int) -> PyramidSpec:
    return PyramidSpec(timm_name, (width, 2 * width, 4 * width, 8 * width), _STRIDES)


def _release(tag: str, name: str, sha256_prefix: str = "") -> WeightsFile:
    url = f"https://github.com/isl-org/MiDaS/releases/download/{tag}/{name}"
    return WeightsFile(name, "pytorch", "official", url, sha256_prefix)


def _released_onnx(name: str, side: int) -> WeightsFile:
    # The digits in model-f6b98070.onnx are the digest of the .pt file that it was made from, not of itself.
    file = _release("v2_1", name)
    return replace(file, format="onnx", input=replace(_RELEASED_ONNX, size=(side, side)))


def _mit(*files: WeightsFile, note: str = "") -> WeightsSpec:
    return WeightsSpec(files, licence="MIT", note=note)


_MIDAS_NANO_256 = ModelSpec(
    name="midas_nano_256",
    summary="EfficientNet-Lite0 with a narrow fusion decoder; built in, trained by this project",
    encoder=PyramidSpec("efficientnet_lite0", channels=(24, 40, 112, 320), strides=_STRIDES),
    decoder=DecoderSpec(features=(32, 64, 96, 80), batch_norm=True, align_corners=False),
    head=HeadSpec(features=(16, 16), align_corners=False, linear_first=False),
    input=InputSpec(size=(256, 256), resize="lower_bound", interpolation="area", restore="guided"),
    weights=WeightsSpec(
        (
            WeightsFile("midas_nano_256.onnx", "onnx", "own"),
            WeightsFile("midas_nano_256.safetensors", "safetensors", "own"),
        ),
        licence="MIT",
        note="part of its training data was published for research use: read its card before commercial use",
        card="midas_nano_256.md",
    ),
    parameters=3_973_969,
    gmacs=1.2,
    float_parts=tuple(f"/encoder/network/{part}" for part in ("conv_stem", "bn1", "blocks.0/", "blocks.1/blocks.1.0/")),
)

_MIDAS_V21_SMALL_256 = ModelSpec(
    name="midas_v21_small_256",
    summary="MiDaS 2.1 small: EfficientNet-Lite3, for slow machines",
    encoder=PyramidSpec("tf_efficientnet_lite3", channels=(32, 48, 136, 384), strides=_STRIDES),
    decoder=DecoderSpec(features=(64, 128, 256, 512)),
    head=HeadSpec(features=(32, 32), align_corners=False),
    input=replace(IMAGENET_INPUT, size=(256, 256)),
    weights=_mit(
        _release("v2_1", "model-small-70d6b9c8.pt", "70d6b9c8"),
        _release("v2_1", "midas_v21_small_256.pt"),
        _released_onnx("model-small.onnx", 256),
        _release("v2_1", "midas_v21_small-70d6b9c8.pt", "70d6b9c8"),
    ),
    parameters=16_600_929,
    gmacs=4.47,
)

_MIDAS_V21_384 = ModelSpec(
    name="midas_v21_384",
    summary="MiDaS 2.1: ResNeXt-101 pretrained on WSL-Images",
    encoder=PyramidSpec("resnext101_32x8d", channels=(256, 512, 1024, 2048), strides=_STRIDES),
    decoder=replace(_DPT_DECODER, projection=False, rectified_skip=True),
    head=replace(_DPT_HEAD, align_corners=False),
    input=IMAGENET_INPUT,
    weights=_mit(
        _release("v2_1", "model-f6b98070.pt", "f6b98070"),
        _release("v2_1", "midas_v21_384.pt"),
        _released_onnx("model-f6b98070.onnx", 384),
        _release("v2_1", "midas_v21-f6b98070.pt", "f6b98070"),
        note="the encoder's pretraining (ResNeXt-101 WSL) was published under CC-BY-NC-4.0",
    ),
    parameters=104_182_785,
    gmacs=103.44,
)

_VIT_L = _vit("vit_large_patch16_384", 1024, (5, 11, 17, 23))
_VIT_B_RESNET = TransformerSpec("vit_base_r50_s16_384", (256, 512, 768, 768), blocks=(8, 11), stages=2)

_DPT_LARGE_384 = ModelSpec(
    name="dpt_large_384",
    summary="MiDaS 3.0: ViT-L",
    encoder=_VIT_L,
    reassemble=token_levels(1024, "project"),
    decoder=_DPT_DECODER,
    head=_DPT_HEAD,
    input=InputSpec(size=(384, 384)),
    weights=_mit(_release("v3", "dpt_large-midas-2f21e586.pt", "2f21e586"), _release("v3", "dpt_large_384.pt")),
    parameters=341_848_257,
    gmacs=253.39,
    huggingface="hf_dpt_large",
)

_DPT_HYBRID_384 = replace(
    _DPT_LARGE_384,
    name="dpt_hybrid_384",
    summary="MiDaS 3.0: a ResNet-50 in front of ViT-B",
    encoder=_VIT_B_RESNET,
    reassemble=(None, None, LevelSpec(768, 1.0, "project"), LevelSpec(768, 0.5, "project")),
    weights=_mit(_release("v3", "dpt_hybrid-midas-501f0c75.pt", "501f0c75"), _release("v3", "dpt_hybrid_384.pt")),
    parameters=121_196_289,
    gmacs=124.53,
    huggingface="hf_dpt_hybrid_midas",
)


# As the image processor of transformers makes it: one size, resized by Pillow.
_HF_DPT_INPUT = InputSpec(size=(384, 384), keep_aspect=False, interpolation="pillow_cubic")
_HF_DPT = (
    huggingface_form(
        _DPT_LARGE_384, "Intel/dpt-large", replace(_VIT_L, norm_eps=1e-12), _HF_DPT_INPUT, "Apache-2.0"
    ),
    huggingface_form(
        _DPT_HYBRID_384, "Intel/dpt-hybrid-midas", replace(_VIT_B_RESNET, norm_eps=1e-12), _HF_DPT_INPUT, "Apache-2.0"
    ),
)  # fmt: skip


def _midas_31(
    name: str,
    summary: str,
    encoder: PyramidSpec | LevitSpec | TransformerSpec,
    input_spec: InputSpec,
    parameters: int,
    gmacs: float,
) -> ModelSpec:
    """A network of MiDaS 3.1: the decoder of 3.0 under another encoder."""
    tokens = isinstance(encoder, TransformerSpec)
    return ModelSpec(
        name=name,
        summary=f"MiDaS 3.1: {summary}",
        encoder=encoder,
        reassemble=token_levels(encoder.channels[0], "project") if tokens else (),
        decoder=_DPT_DECODER,
        head=_DPT_HEAD,
        input=input_spec,
        weights=_mit(_release("v3_1", f"{name}.pt")),
        parameters=parameters,
        gmacs=gmacs,
    )


_DPT_LEVIT_224 = replace(
    _midas_31(
        "dpt_levit_224", "LeViT-384, the fastest of 3.1",
        LevitSpec("levit_384", channels=(384, 512, 768), blocks=(2, 1, 1)), _square(224), 35_495_077, 3.83,
    ),
    decoder=replace(_DPT_DECODER, features=(256, 256, 256), match_skip=True),
    head=HeadSpec(features=(32, 8), transposed=(128, 64)),
)  # fmt: skip

_MIDAS_31 = (
    _midas_31(
        "dpt_beit_large_512", "BEiT-L at 512, the most accurate",
        _vit("beit_large_patch16_512", 1024, (5, 11, 17, 23), beit=True),
        InputSpec(size=(512, 512)), 342_807_233, 472.78,
    ),
    _midas_31(
        "dpt_beit_large_384", "BEiT-L at 384",
        _vit("beit_large_patch16_384", 1024, (5, 11, 17, 23), beit=True),
        InputSpec(size=(384, 384)), 342_131_393, 253.39,
    ),
    _midas_31(
        "dpt_beit_base_384", "BEiT-B",
        _vit("beit_base_patch16_384", 768, (2, 5, 8, 11), beit=True), InputSpec(size=(384, 384)), 109_580_993, 108.06,
    ),
    _midas_31(
        "dpt_swin2_large_384", "Swin V2-L",
        _swin("swinv2_large_window12to24_192to384", 192), _square(384), 210_691_637, 169.46,
    ),
    _midas_31(
        "dpt_swin2_base_384", "Swin V2-B",
        _swin("swinv2_base_window12to24_192to384", 128),
        _square(384), 100_171_705, 106.07,
    ),
    _midas_31(
        "dpt_swin2_tiny_256", "Swin V2-T", _swin("swinv2_tiny_window16_256", 96), _square(256), 39_750_635, 28.72,
    ),
    _midas_31(
        "dpt_swin_large_384", "Swin-L", _swin("swin_large_patch4_window12_384", 192),
        _square(384), 210_687_221, 157.38,
    ),
    _midas_31(
        "dpt_next_vit_large_384", "Next-ViT-L",
        PyramidSpec("nextvit_large", channels=(96, 256, 512, 1024), strides=_STRIDES),
        InputSpec(size=(384, 384)), 70_053_505, 82.19,
    ),
    _DPT_LEVIT_224,
)  # fmt: skip


MODELS: dict[str, ModelSpec] = {
    spec.name: spec
    for spec in (
        _MIDAS_NANO_256,
        *ZIPDEPTH,
        *_MIDAS_31,
        _DPT_LARGE_384,
        _DPT_HYBRID_384,
        _MIDAS_V21_384,
        _MIDAS_V21_SMALL_256,
        *(spec for spec, _ in DEPTH_ANYTHING),
        *_HF_DPT,
        *(twin for _, twin in DEPTH_ANYTHING),
    )
}


def find_model(name: str) -> ModelSpec:
    """The table's row for a name.

    Raises:
        ModelError: no such model; the message lists those there are.
    """
    try:
        return MODELS[name]
    except KeyError:
        near = get_close_matches(name, MODELS, n=1)
        answer = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(MODELS)}"
        raise ModelError(f"no model is called {name!r}; {answer}") from None


def find_weights_file(file_name: str) -> tuple[ModelSpec, WeightsFile] | None:
    """The model to which a published file of this name belongs, and what is known of the file; None if unknown."""
    for spec in MODELS.values():
        for file in spec.weights.files:
            if file.name == file_name:
                return spec, file
    return None
