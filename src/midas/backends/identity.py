"""Opening a model: which file, run by what; its row in the model table, and how a picture becomes its input."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from pathlib import Path

from midas.alignment.calibration import CALIBRATION_KEY, Calibration
from midas.backends import AUTO, open_backend
from midas.backends.choice import Choice, choose_for_file, choose_for_name
from midas.backends.protocol import Backend
from midas.errors import CostWarning, ModelError, net
from midas.maps.kinds import KINDS, RELATIVE_DISPARITY, Kind
from midas.models.onnx_names import INPUT_KEY, KIND_KEY, NAME_KEY
from midas.models.specs import ModelSpec
from midas.models.zoo import MODELS, find_weights_file
from midas.pictures.preprocess import InputSpec

# Below, detail is worth its time to somebody. Above, a small network takes seconds and gigabytes for a picture.
COSTLY = 16

_NAMES_OF_EVERY_RUN = frozenset(("best", "last", "model", "checkpoint", "weights"))


@dataclass(frozen=True, eq=False)
class OpenedModel:
    """A network ready to run, and what is known of it.

    Attributes:
        name: of the model, as it was asked for; of a file its own, so that two files of one model are told apart.
        network: the network.
        spec: its row in the model table, if it has one.
        input: how a picture becomes its input.
    """

    name: str
    network: Backend
    spec: ModelSpec | None
    input: InputSpec


def open_model(
    name_or_path: str | Path,
    *,
    weights: str | Path | None = None,
    backend: str = AUTO,
    device: str = AUTO,
    precision: str = AUTO,
    threads: int | None = None,
    offline: bool | None = None,
) -> OpenedModel:
    """Open a model of the table, or a file; arguments and errors are those of ``midas.load``."""
    if weights is not None and _is_path(name_or_path):
        raise ModelError(f"{name_or_path} is a file, as is {weights}; expected a model's name beside its weights")
    if weights is not None:
        name = str(name_or_path)
        choice = choose_for_file(Path(weights), name=name, backend=backend, device=device, precision=precision)
    elif _is_path(name_or_path):
        choice = choose_for_file(Path(name_or_path), backend=backend, device=device, precision=precision)
    else:
        name = str(name_or_path)
        choice = choose_for_name(name, backend=backend, device=device, precision=precision, offline=offline)
    network = open_backend(
        choice.path,
        model=choice.spec.name if choice.spec else None,
        backend=choice.backend,
        device=device,
        precision=precision,
        threads=threads,
    )
    with net(f"what {choice.path} says of itself can't be read", ModelError, item=str(choice.path)):
        spec = row_of(network, choice, named=weights is not None)
        kind_of(network, spec)  # asked for later, where nobody knows the file any more
        return OpenedModel(_name(name_or_path, weights, choice.path, spec), network, spec, input_of(network, choice))


def _name(name_or_path: str | Path, weights: str | Path | None, path: Path, spec: ModelSpec | None) -> str:
    if weights is not None or not _is_path(name_or_path):
        return str(name_or_path)
    # The names of published files say little.
    return spec.name if spec is not None and find_weights_file(path.name) else name_of_file(path)


def name_of_file(path: Path) -> str:
    """What a model from a file is called: the file's name, with its folder's where every run has such a file."""
    plain = path.stem in _NAMES_OF_EVERY_RUN or path.stem.startswith("epoch_")
    folder = path.resolve().parent.name
    return f"{folder}-{path.stem}" if plain and folder else path.stem


def row_of(network: Backend, choice: Choice, *, named: bool) -> ModelSpec | None:
    """The model's row: that of the name that was asked for, or of what the file is, which it knows better itself.

    Args:
        network: as it was loaded.
        choice: the file, and what the table says of it.
        named: whether a model's name was given beside the file.

    Raises:
        ModelError: the file is another model's than the one that was named.
    """
    own_name = network.metadata.get(NAME_KEY)
    if choice.spec is None or own_name in (None, choice.spec.name):
        return choice.spec
    if named and own_name in MODELS:
        raise ModelError(f"{choice.path} says that it is {own_name}; expected a file of {choice.spec.name}")
    return choice.spec if named else None


def kind_of(network: Backend, spec: ModelSpec | None) -> Kind:
    """What a network's values are: as its file says, else as the table does; relative disparity if neither does.

    Raises:
        ModelError: the file says something that isn't known.
    """
    said = network.metadata.get(KIND_KEY)
    found = next((kind for kind in KINDS if kind == said), None)
    if said is not None and found is None:
        raise ModelError(f"the model file says that its values are of kind {said!r}; expected {', '.join(KINDS)}")
    return found or (spec.kind if spec else RELATIVE_DISPARITY)


def calibration_of(network: Backend, name: str) -> Calibration | None:
    """The two numbers that make a network's values metres, if its file has them.

    Raises:
        ModelError: what the file has is no calibration.
    """
    text = network.metadata.get(CALIBRATION_KEY)
    try:
        return None if text is None else Calibration.from_metadata(text)
    except ValueError as error:
        raise ModelError(f"{name} has a calibration that can't be read: {error}; calibrate it again") from error


def input_of(network: Backend, choice: Choice) -> InputSpec:
    """The input rule: what the file says of itself comes before what the table says of it.

    Raises:
        ModelError: neither says anything.
    """
    text = network.metadata.get(INPUT_KEY)
    if text is not None:
        return InputSpec.from_metadata(text)
    if choice.input is None:
        raise ModelError(
            f"{choice.path} doesn't say how a picture becomes its input (metadata {INPUT_KEY!r}); expected a file that "
            "`midas export` wrote, or a published one under its own name"
        )
    return choice.input


def resized_rule(rule: InputSpec, size_px: int, name: str) -> InputSpec:
    """A model's rule with another target; a ``CostWarning`` where that is dear.

    Raises:
        ConfigError: the network doesn't take it.
    """
    resized = rule.with_size(size_px)
    times = math.prod(resized.size) / math.prod(rule.size)
    if times >= COSTLY:
        warnings.warn(
            f"at size {size_px} {name} sees {times:.0f} times as many pixels as by its own rule: each picture takes at "
            "least as many times as long, and as much memory",
            CostWarning,
            stacklevel=3,
        )
    return resized


def _is_path(name_or_path: str | Path) -> bool:
    # A name of the table wins over a file that happens to lie around under the same name.
    if isinstance(name_or_path, Path):
        return True
    path = Path(name_or_path)
    return name_or_path not in MODELS and (path.suffix != "" or len(path.parts) > 1 or path.exists())
