"""MODELS, the single table of facts about every network. Free of torch: the core reads it too."""

from __future__ import annotations

from difflib import get_close_matches

from midas.errors import ModelError
from midas.models.specs import DecoderSpec, EncoderSpec, HeadSpec, ModelSpec, WeightsSpec
from midas.preprocess import InputSpec

DEFAULT_MODEL = "midas_nano_256"

MODELS: dict[str, ModelSpec] = {
    spec.name: spec
    for spec in (
        ModelSpec(
            name="midas_nano_256",
            summary="MobileNetV2 with a narrow fusion decoder; built in, trained by this project",
            encoder=EncoderSpec("mobilenetv2_100", channels=(24, 32, 96, 320), strides=(4, 8, 16, 32)),
            decoder=DecoderSpec(features=(32, 64, 96, 128), batch_norm=True, align_corners=False),
            head=HeadSpec(features=(16, 16), upsample_before=1, align_corners=False),
            input=InputSpec(
                size=(256, 256),
                resize="lower_bound",
                interpolation="area",
                mean=(0.5, 0.5, 0.5),
                std=(0.5, 0.5, 0.5),
            ),
            weights=WeightsSpec("midas_nano_256", source="embedded", licence="MIT", card="midas_nano_256.md"),
            parameters=3_131_249,
        ),
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
