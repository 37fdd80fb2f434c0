"""What rows of several families have in common."""

from __future__ import annotations

from dataclasses import replace

from midas.models.specs import EncoderSpec, LevelSpec, ModelSpec, Readout, WeightsFile
from midas.pictures.preprocess import InputSpec

IMAGENET_INPUT = InputSpec(
    size=(384, 384), resize="upper_bound", mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)
)  # fmt: skip

# Widths of the levels after reassembling, by the width of the transformer's tokens.
_LEVELS = {384: (48, 96, 192, 384), 768: (96, 192, 384, 768), 1024: (256, 512, 1024, 1024)}


def token_levels(width: int, readout: Readout) -> tuple[LevelSpec, ...]:
    """The four levels that the DPT decoder fuses, of a transformer of this width and patches of 16 pixels or so."""
    return tuple(
        LevelSpec(channels, scale, readout)
        for channels, scale in zip(_LEVELS[width], (4.0, 2.0, 1.0, 0.5), strict=True)
    )


def huggingface_form(
    spec: ModelSpec, repository: str, encoder: EncoderSpec, input_spec: InputSpec, licence: str
) -> ModelSpec:
    """The same network as transformers computes it: other details of the encoder, other pictures."""
    url = f"https://huggingface.co/{repository}/resolve/main/model.safetensors"
    local_name = repository.lower().replace("/", "-") + ".safetensors"
    return replace(
        spec,
        name=str(spec.huggingface),
        summary=f"{spec.name} as in {repository}",
        encoder=encoder,
        input=input_spec,
        weights=replace(
            spec.weights, files=(WeightsFile(local_name, "safetensors", "huggingface", url),), licence=licence
        ),
        huggingface=None,
    )
