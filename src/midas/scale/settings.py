"""What is done with the pictures of a job, and what a worker may use to do it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from midas.backends import AUTO, QUICK, TORCH_BACKENDS
from midas.backends.choice import WEIGHTS_SUFFIXES, choose_for_file, choose_for_name
from midas.errors import ConfigError
from midas.maps.formats import format_by_name
from midas.maps.map_size import NET, MapSize
from midas.models.zoo import DEFAULT_MODEL, MODELS
from midas.pictures.reading import DEFAULT_MAX_PIXELS
from midas.storage.partial_files import sha256_of
from midas.version import __version__

PACKINGS = ("files", "tar", "parquet")

_OPTIONAL: dict[str, type] = {"size": int, "column": str}
_WORDS = {str: "a text", int: "a whole number", bool: "True or False", tuple: "a tuple of names"}


@dataclass(frozen=True)
class Recipe:
    """All that the outputs of a job depend on, beside its pictures.

    Attributes:
        model: a name of the table, or a file, by a path that all workers have.
        model_sha256: of the model's file.
        packing: how outputs lie at the destination: ``files`` in the sources' tree, or shards as ``tar`` or
            ``parquet``.
        formats: names of formats; one for ``parquet``.
        backend, device, precision: as ``midas.load`` takes them; ``auto`` leaves them to each worker.
        size: shorter side of the network's input; None for the model's own.
        map_size: of the maps, as ``midas.maps.map_size`` has it.
        colormap: of formats with colours.
        max_pixels: pictures with more are refused.
        full_decode: whether large JPEG files are decoded at their full size.
        strict: whether JPEG files that lack the last of their data are refused.
        column: of Parquet sources, where it was named.
        version: of this package, which stands in the outputs.

    Raises:
        ConfigError: a value of a wrong type, or options that don't go together.
        OutputError: there is no such format.
    """

    model: str = DEFAULT_MODEL
    model_sha256: str = ""
    packing: str = "files"
    formats: tuple[str, ...] = ("png16",)
    backend: str = AUTO
    device: str = AUTO
    precision: str = AUTO
    size: int | None = None
    map_size: str = NET
    colormap: str = "inferno"
    max_pixels: int = DEFAULT_MAX_PIXELS
    full_decode: bool = False
    strict: bool = False
    column: str | None = None
    version: str = __version__

    def __post_init__(self) -> None:
        for each in fields(self):
            value, kind = getattr(self, each.name), _OPTIONAL.get(each.name, type(each.default))
            if type(value) is not kind and not (value is None and each.name in _OPTIONAL):
                raise ConfigError(f"{each.name} is {value!r}; expected {_WORDS[kind]}")
        MapSize(self.map_size)
        if self.packing not in PACKINGS:
            raise ConfigError(f"{self.packing!r} is no way to pack outputs; expected {', '.join(PACKINGS)}")
        for name in self.formats:
            if format_by_name(name).shows_image and self.map_size != "full":
                raise ConfigError(f"format {name} shows the picture at its own size; it goes with --map-size full")
        if self.packing == "parquet" and self.formats != ("png16",):
            raise ConfigError("shards of Parquet hold 16-bit PNG; other formats go into files or tars")

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> Recipe:
        """The inverse of ``as_json``.

        Raises:
            TypeError, KeyError: another version's, or none.
            MidasError: one that can't be.
        """
        return cls(**{**facts, "formats": tuple(facts["formats"])})

    def as_json(self) -> dict[str, Any]:
        """For a file."""
        return {**asdict(self), "formats": list(self.formats)}

    def digest(self) -> str:
        """A name for this recipe: the same text for the same outputs."""
        return hashlib.sha256(json.dumps(self.as_json(), sort_keys=True).encode()).hexdigest()

    def differences(self, other: Recipe) -> list[str]:
        """The names and values that another recipe has otherwise: ``size 256, not 384``."""
        mine, theirs = self.as_json(), other.as_json()
        return [f"{name} {mine[name]!r}, not {theirs[name]!r}" for name in mine if mine[name] != theirs[name]]


def device_of(recipe: Recipe) -> str:
    """What the workers of a recipe run on: ``auto`` for what each has there, else a device.

    Of itself only PyTorch takes a graphics card: what runs by ONNX Runtime or OpenVINO stays on processors, unless a
    device is named.
    """
    if recipe.device != AUTO:
        return recipe.device
    if recipe.backend not in (AUTO, QUICK):
        by_torch = recipe.backend in TORCH_BACKENDS
    elif recipe.model in MODELS:
        by_torch = MODELS[recipe.model].weights.file("safetensors", "pytorch") is not None
    else:
        by_torch = Path(recipe.model).suffix.lower() in WEIGHTS_SUFFIXES
    return AUTO if by_torch else "cpu"


def model_file(recipe: Recipe, *, offline: bool | None = None) -> Path:
    """The file that the recipe's model is opened from on this machine.

    Raises:
        ModelError: no such model, or none for that backend.
        WeightsError: it can't be had.
    """
    how = {"backend": recipe.backend, "device": recipe.device, "precision": recipe.precision}
    if recipe.model in MODELS:
        return choose_for_name(recipe.model, **how, offline=offline).path
    return choose_for_file(Path(recipe.model), **how).path


def model_digest(recipe: Recipe, *, offline: bool | None = None) -> str:
    """The SHA-256 of that file."""
    return sha256_of(model_file(recipe, offline=offline))
