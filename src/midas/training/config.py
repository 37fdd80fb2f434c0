"""The settings of a training run: a TOML file becomes frozen dataclasses, and anything unknown in it is an error."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from midas.datasets.mixing import MixingRule
from midas.errors import ConfigError
from midas.pipeline import MAX_THREADS
from midas.training.config_files import read_tables
from midas.training.pareto import Normalization, Solver

CLOSED = ConfigDict(extra="forbid", allow_inf_nan=False)


@dataclass(frozen=True, config=CLOSED)
class ModelSettings:
    """What is trained.

    Attributes:
        name: a name from the model table; empty where ``encoder`` is given.
        encoder: any network of timm, under the DPT decoder, in place of a name.
        features: width of that decoder.
        encoder_weights: safetensors file that the encoder starts from, or ``"imagenet"`` for timm's own with
            ``encoder``; None starts from random weights.
        weights: file of the whole network to start from, or ``"pretrained"`` for those of the model table, in place of
            ``encoder_weights``.
        freeze_batch_norm: keep the statistics of batch normalisations as they are, for small batches.
        frozen: parts of the network that stay as they are, such as ``encoder.network.blocks.0``: what a pretrained
            encoder's first layers see is the same everywhere, and their gradients are the dearest.
        strip_pooling: channels of a strip pooling that is put on the fusion decoder's coarsest map, if it has none yet:
            what stands in a place's whole row and column, for some hundred parameters a channel.
        output_shift: added to the disparity that the run starts from. What the head's ReLU has closed off, the farthest
            part of many pictures, gets no gradient any more; the losses see no shift, so that lifting it costs nothing.
    """

    name: str = ""
    encoder: str | None = None
    features: int = Field(default=256, gt=0)
    encoder_weights: Path | None = None
    weights: Path | None = None
    freeze_batch_norm: bool = False
    frozen: tuple[str, ...] = ()
    strip_pooling: int = Field(default=0, ge=0)
    output_shift: float = Field(default=0.0, ge=0)


@dataclass(frozen=True, config=CLOSED)
class SetSettings:
    """One data set in the mixture.

    Attributes:
        name: folder below the root; of a set that needs none, any name.
        root: folder that this set lies in, in place of the data's root.
        reader: what reads it, a name from ``midas evaluate --list``, or ``"synthetic"``.
        options: choices that the reader offers.
        weight: relative share of training samples.
        late_weight: the same from ``run.late_from`` on; None keeps ``weight``.
        domain: sets of one domain are mixed by their weights into one; rules of mixing and Pareto steps see
            domains. A set without one stands for itself.
        sky: find the sky and count it as valid at disparity 0.
        gradient_weight: of the gradient term for this set's pictures; None for the loss's own. High where edges are
            exact, as in drawn and rendered scenes; low where a sensor or stereo matching has smeared them.
        least_unexplained: pictures whose disparity a tilted plane or the mean of each row explains but for less than
            this share are left out of training: they teach that low is near and nothing else.
        validation_scenes: of a set whose frames lie in scenes, those that are never trained on and that the validation
            figure is taken from.
        validation_share: in place of scenes, this share of the frames: frames in a row, at a place that ``run.seed``
            draws.
        validation_weight: their share in the validation figure.
        validation_protocol: name of the rules for them; empty for those that the set's kind calls for.
    """

    name: str
    root: Path | None = None
    weight: float = Field(default=1.0, gt=0)
    reader: str = "corpus"
    options: dict[str, Any] = Field(default_factory=dict)
    late_weight: float | None = Field(default=None, gt=0)
    domain: str = ""
    sky: bool = False
    gradient_weight: float | None = Field(default=None, ge=0)
    least_unexplained: float = Field(default=0.0, ge=0, lt=1)
    validation_scenes: tuple[str, ...] = ()
    validation_share: float = Field(default=0.0, ge=0, lt=1)
    validation_weight: float = Field(default=1.0, gt=0)
    validation_protocol: str = ""


@dataclass(frozen=True, config=CLOSED)
class ValidationSettings:
    """A set that the validation figure is taken from, beside the validation scenes of training sets.

    Attributes:
        name: folder below the root; of a set that needs none, any name.
        root: folder that this set lies in, in place of the data's root.
        reader: what reads it.
        options: choices that the reader offers.
        protocol: name of the rules, from ``midas evaluate --list``.
        limit: only so many pictures, the first ones.
        weight: its share in the validation figure.
    """

    name: str
    root: Path | None = None
    reader: str = "corpus"
    options: dict[str, Any] = Field(default_factory=dict)
    protocol: str = "relative"
    limit: int | None = Field(default=None, gt=0)
    weight: float = Field(default=1.0, gt=0)


@dataclass(frozen=True, config=CLOSED)
class DataSettings:
    """Where samples come from and how they are varied.

    Attributes:
        root: folder that holds the sets, where a set names no other.
        sets: the mixture.
        validation: sets that are validated on.
        sizes: (height, width) of training pictures; each batch has one of them.
        min_crop_share: smallest crop, as a share of the largest that fits.
        rotation_deg: samples are turned by up to so much.
        colour_strength: factor of all colour changes; 0 leaves colours as they are.
        graft_share: share of samples that are put together from strips of two pictures, each moved up or down.
        cut_mix_share: share of samples on which a rectangle of another picture lies.
        upside_down_share: share of samples that stand on their heads.
        overlay_share: share of samples over which a near thing of another picture lies, nearer than all it hides.
        overlay_from: the domain, or set without one, that such things are cut from: its depth is dense and exact.
        mixing: how a batch is shared: ``weighted`` by the sets' weights, ``naive`` in equal parts (MiDaS),
            ``dataset_uniform`` by drawing the set first (DPT), ``by_size``.
        pairs: pairs of points that a sample of an ordinal set gives.
        in_memory: decode the pictures of all sets once, at the start, and keep them: 0.9 MB for one of 384 x 288. Drawn
            scenes have ``options.folder`` instead.
        unreadable_limit: samples of a run that may be unreadable before it is given up.
    """

    sets: tuple[SetSettings, ...] = Field(min_length=1)
    sizes: tuple[tuple[int, int], ...] = Field(min_length=1)
    root: Path = Path()
    validation: tuple[ValidationSettings, ...] = ()
    min_crop_share: float = Field(default=0.7, gt=0, le=1)
    rotation_deg: float = Field(default=0.0, ge=0, le=45)
    colour_strength: float = Field(default=1.0, ge=0)
    graft_share: float = Field(default=0.0, ge=0, le=0.5)
    cut_mix_share: float = Field(default=0.0, ge=0, le=0.5)
    upside_down_share: float = Field(default=0.0, ge=0, le=1)
    overlay_share: float = Field(default=0.0, ge=0, le=1)
    overlay_from: str = ""
    mixing: MixingRule = "weighted"
    pairs: int = Field(default=1, ge=1)
    in_memory: bool = False
    unreadable_limit: int = Field(default=20, ge=0)


@dataclass(frozen=True, config=CLOSED)
class LossSettings:
    """A data term plus gradient matching (MiDaS paper, eq. 12).

    Attributes:
        data: the data term, a name in `midas.losses.DATA_TERMS`; the paper's choice is the trimmed one (eq. 7).
        variant: ``gist`` for the authors' published program with its departures from the paper.
        trim: share of a picture's largest residuals that is left out.
        gradient_weight: of the gradient term.
        gradient_scales: its number of resolutions.
        hierarchical_weight: of errors within ranges of depth and windows, where each is measured by its own spread
            (`midas.losses.hierarchical_mae`): against networks that know little but that low is near. 0 leaves it out.
        ordinal_weight: of the ranking loss, where ordinal sets are in the mixture.
    """

    data: Literal["ssi_trimmed_mae", "ssi_mae", "ssi_mse", "ssi_relative_mae", "scale_invariant_log"] = (
        "ssi_trimmed_mae"
    )
    variant: Literal["paper", "gist"] = "paper"
    trim: float = Field(default=0.2, ge=0, lt=1)
    gradient_weight: float = Field(default=0.5, ge=0)
    gradient_scales: int = Field(default=4, ge=1)
    hierarchical_weight: float = Field(default=0.0, ge=0)
    ordinal_weight: float = Field(default=1.0, ge=0)


@dataclass(frozen=True, config=CLOSED)
class ParetoSettings:
    """Each data set is a task, and every step goes where all of their losses fall (`midas.training.pareto`).

    Attributes:
        normalization: what each task's gradient is divided by.
        method: how the weights are found.
    """

    normalization: Normalization = "none"
    method: Solver = "frank_wolfe"


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
        start_share: share of the weights that the run starts from in those that are validated and shipped; the rest is
            the running average. What is learnt from few pictures costs others less that way.
        accumulate: a batch is computed in so many parts.
        devices, nodes: processes per machine, and machines; ``torchrun`` says how many there are where it starts them.
        strategy: how processes share the work: ``ddp``, or ``fsdp`` for networks that don't fit one device.
        sync_batch_norm: batch normalisations see the pictures of all processes, as those of one process would; each
            layer then waits for the others twice.
        precision: ``bfloat16`` and ``float16`` run the network in autocast; the loss is in float32 always. ``auto`` is
            bfloat16 on graphics cards that have instructions for it and processors that are faster in it, else float32.
        compile: let PyTorch compile the network.
        fast_layers: on a processor, train by layers in C++ (`midas.training.kernels`), which take a minute to compile
            once: ``auto`` for runs that are longer than that, where there is a compiler.
        checkpoint_steps: also write a checkpoint after so many steps of an epoch; 0 only after each epoch.
        measure_start: validate the weights that the run starts from, which are kept unless an epoch is better; without
            it nothing is known of what was gained. Off for many runs from one start.
        patience: stop after so many epochs without a better figure; 0 never does.
        keep_best: how many of the best epochs' weights are kept beside ``best.safetensors``.
        tensorboard: write scalars and strips of pictures for TensorBoard.
        threads: CPU threads of the network; 0 leaves it to PyTorch.
        workers: processes that read and vary samples; 0 reads between steps.
    """

    epochs: int = Field(gt=0)
    pictures_per_epoch: int = Field(gt=0)
    batch_size: int = Field(gt=0)
    seed: int = 0
    late_from: float = Field(default=0.5, ge=0, le=1)
    ema_decay: float = Field(default=0.999, ge=0, lt=1)
    start_share: float = Field(default=0.0, ge=0, lt=1)
    accumulate: int = Field(default=1, ge=1)
    devices: int = Field(default=1, ge=1)
    nodes: int = Field(default=1, ge=1)
    strategy: Literal["auto", "ddp", "fsdp"] = "auto"
    sync_batch_norm: bool = False
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    compile: bool = False
    fast_layers: Literal["auto", "on", "off"] = "auto"
    checkpoint_steps: int = Field(default=0, ge=0)
    measure_start: bool = True
    patience: int = Field(default=0, ge=0)
    keep_best: int = Field(default=0, ge=0)
    tensorboard: bool = False
    threads: int = Field(default=0, ge=0, le=MAX_THREADS)
    workers: int = Field(default=1, ge=0, le=MAX_THREADS)


@dataclass(frozen=True, config=CLOSED)
class TrainingConfig:
    """Everything that a training run depends on."""

    model: ModelSettings
    data: DataSettings
    optimizer: OptimizerSettings
    run: RunSettings
    loss: LossSettings = Field(default_factory=LossSettings)
    pareto: ParetoSettings | None = None


def read_config(path: str | Path, changes: Sequence[str] = ()) -> TrainingConfig:
    """Read a TOML file. Relative paths in it are taken from the current folder.

    A file may begin with ``extends = "other.toml"``, a path beside its own: tables of both are joined, and what stands
    in this file holds. Tables in arrays are joined with those of the same name, such as ``[[data.sets]]``, and new ones
    follow; any other array is replaced.

    Args:
        path: the file.
        changes: settings in place of the file's, each ``key.key=value`` with a TOML value; ``run.epochs=2``.

    Raises:
        ConfigError: a file is missing, isn't TOML, extends itself, or holds an unknown, missing or ill-typed setting.
    """
    return parse_config(read_tables(Path(path), changes), origin=str(path))


def parse_config(settings: dict[str, Any], origin: str = "settings") -> TrainingConfig:
    """Check settings and give them types.

    Raises:
        ConfigError: names the first setting that is unknown, missing or of the wrong type.
    """
    try:
        config = TypeAdapter(TrainingConfig).validate_python(settings)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        unknown = first["type"] == "unexpected_keyword_argument"
        reason = _like(str(first["loc"][-1])) if unknown else first["msg"]
        raise ConfigError(f"{origin}: {place}: {reason}") from error
    run = config.run
    if run.pictures_per_epoch < run.batch_size:
        raise ConfigError(
            f"{origin}: run.pictures_per_epoch is {run.pictures_per_epoch}, and run.batch_size {run.batch_size}: an "
            "epoch has one batch at least"
        )
    return config


def _like(name: str) -> str:
    """That a setting doesn't exist, and which one may have been meant."""
    parts: tuple[type[Any], ...] = (
        ModelSettings, SetSettings, ValidationSettings, DataSettings, LossSettings, ParetoSettings, OptimizerSettings,
        RunSettings, TrainingConfig,
    )  # fmt: skip
    near = get_close_matches(name, {setting for part in parts for setting in part.__dataclass_fields__}, n=1)
    return f"there is no such setting{f'; did you mean {near[0]!r}?' if near else ''}"
