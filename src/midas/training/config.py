"""The settings of a training run: a TOML file becomes frozen dataclasses, and anything unknown in it is an error."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from midas.errors import ConfigError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CLOSED = ConfigDict(extra="forbid")


@dataclass(frozen=True, config=CLOSED)
class ModelSettings:
    """What is trained.

    Attributes:
        name: a name from the model table.
        encoder_weights: safetensors file that the encoder starts from; None starts from random weights.
        weights: safetensors file of the whole network to start from, in place of ``encoder_weights``.
    """

    name: str
    encoder_weights: Path | None = None
    weights: Path | None = None


@dataclass(frozen=True, config=CLOSED)
class SetSettings:
    """One data set in the mixture.

    Attributes:
        name: folder below the data root.
        weight: relative share of training samples.
        late_weight: the same from ``run.late_from`` on; None keeps ``weight``.
        sky: find the sky and count it as valid at disparity 0.
        validation_scenes: scenes that are never trained on and that the validation figure is taken from.
    """

    name: str
    weight: float = Field(gt=0)
    late_weight: float | None = Field(default=None, gt=0)
    sky: bool = False
    validation_scenes: tuple[str, ...] = ()


@dataclass(frozen=True, config=CLOSED)
class DataSettings:
    """Where samples come from and how they are varied.

    Attributes:
        root: folder that holds the sets.
        sets: the mixture.
        sizes: (height, width) of training pictures; each batch has one of them.
        min_crop_share: smallest crop, as a share of the largest that fits.
        colour_strength: factor of all colour changes; 0 leaves colours as they are.
    """

    root: Path
    sets: tuple[SetSettings, ...] = Field(min_length=1)
    sizes: tuple[tuple[int, int], ...] = Field(min_length=1)
    min_crop_share: float = Field(default=0.7, gt=0, le=1)
    colour_strength: float = Field(default=1.0, ge=0)


@dataclass(frozen=True, config=CLOSED)
class LossSettings:
    """Trimmed scale-and-shift-invariant MAE plus gradient matching (MiDaS paper, eq. 7, 11, 12)."""

    trim: float = Field(default=0.2, ge=0, lt=1)
    gradient_weight: float = Field(default=0.5, ge=0)
    gradient_scales: int = Field(default=4, ge=1)


@dataclass(frozen=True, config=CLOSED)
class OptimizerSettings:
    """AdamW with two learning rates, a linear warm-up and a cosine decay to zero.

    Attributes:
        decoder_rate: peak learning rate of all that starts from random weights.
        encoder_rate: that of the pretrained encoder, a tenth as a rule.
        weight_decay: on weights of more than one dimension only.
        warmup_share: share of all steps.
        clip_norm: largest norm of the whole gradient.
    """

    decoder_rate: float = Field(gt=0)
    encoder_rate: float = Field(gt=0)
    weight_decay: float = Field(default=0.01, ge=0)
    warmup_share: float = Field(default=0.03, ge=0, lt=1)
    clip_norm: float = Field(default=1.0, gt=0)


@dataclass(frozen=True, config=CLOSED)
class RunSettings:
    """Length and machinery of a run.

    Attributes:
        epochs, pictures_per_epoch, batch_size: how long.
        seed: draws of samples, augmentation and initial weights depend on it alone.
        late_from: share of the epochs after which the late weights of the sets hold.
        ema_decay: weight of the past in the running average of weights that is validated and shipped.
        precision: ``bfloat16`` runs the network in autocast; the loss is in float32 always.
        threads: CPU threads of the network; 0 leaves it to PyTorch.
        workers: processes that read and vary samples; 0 reads between steps.
    """

    epochs: int = Field(gt=0)
    pictures_per_epoch: int = Field(gt=0)
    batch_size: int = Field(gt=0)
    seed: int = 0
    late_from: float = Field(default=0.5, ge=0, le=1)
    ema_decay: float = Field(default=0.999, ge=0, lt=1)
    precision: Literal["float32", "bfloat16"] = "bfloat16"
    threads: int = Field(default=0, ge=0)
    workers: int = Field(default=1, ge=0)


@dataclass(frozen=True, config=CLOSED)
class TrainingConfig:
    """Everything that a training run depends on."""

    model: ModelSettings
    data: DataSettings
    optimizer: OptimizerSettings
    run: RunSettings
    loss: LossSettings = Field(default_factory=LossSettings)


def read_config(path: str | Path) -> TrainingConfig:
    """Read a TOML file. Relative paths in it are taken from the current folder.

    Raises:
        ConfigError: the file is missing, isn't TOML, or holds an unknown, missing or ill-typed setting.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        return parse_config(tomllib.loads(text), origin=str(path))
    except OSError as error:
        raise ConfigError(f"{path} can't be read: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not TOML: {error}") from error


def parse_config(settings: dict[str, Any], origin: str = "settings") -> TrainingConfig:
    """Check settings and give them types.

    Raises:
        ConfigError: names the first setting that is unknown, missing or of the wrong type.
    """
    try:
        return TypeAdapter(TrainingConfig).validate_python(settings)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{origin}: {place}: {first['msg']}") from error
