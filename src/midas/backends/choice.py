"""Which file of a model is run, and by which backend, before any of it is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from midas.backends import AUTO, check_backend
from midas.errors import MissingExtraError, ModelError
from midas.models.specs import Format, ModelSpec
from midas.models.weight_files import find_weights, warn_of_licence
from midas.models.zoo import find_model, find_weights_file
from midas.preprocess import InputSpec

_FORMATS: dict[str, tuple[Format, ...]] = {"onnxruntime": ("onnx",), "torch": ("safetensors", "pytorch")}
WEIGHTS_SUFFIXES = (".safetensors", ".pt", ".pth", ".ckpt", ".bin")

# What the torch backend imports, directly or not.
_TORCH_PACKAGES = ("torch", "timm", "safetensors", "jaxtyping")

_EXPORT_HINT = "`midas export` makes an ONNX file from weights"


@dataclass(frozen=True)
class Choice:
    """A file, what runs it, and what the model table says about it.

    Attributes:
        path: the file.
        backend: a name of ``midas.backends.BACKENDS``.
        spec: the model's row; None for a file that the table doesn't know.
        input: how a picture becomes the input of the network in this file; None where only the file can say.
    """

    path: Path
    backend: str
    spec: ModelSpec | None
    input: InputSpec | None


def choose_for_name(
    name: str, *, backend: str = AUTO, needs_torch: bool = False, offline: bool | None = None
) -> Choice:
    """The preferred file of a model of the table, downloaded if it has to be.

    What is part of the package comes first: it needs neither network nor lab. Then torch, where it is installed, for it
    takes all sizes that a model knows; published ONNX files take one.

    Args:
        name: of the model.
        backend: one of ``midas.backends.BACKENDS``, or ``"auto"``.
        needs_torch: whether something was asked for that only torch has.
        offline: whether nothing may be downloaded; None lets the environment say.

    Raises:
        ModelError: no such model or backend, or the model has no file for that backend.
        MissingExtraError: the model needs the lab's packages.
        WeightsError: the file can't be had.
    """
    check_backend(backend)
    spec = find_model(name)
    runs_on = _backend_of(spec, needs_torch) if backend == AUTO else _checked_backend(spec, backend)
    found = find_weights(spec, *_FORMATS[runs_on], offline=offline)
    return Choice(found.path, runs_on, spec, found.file.input or spec.input)


def choose_for_file(path: Path, *, name: str | None = None, backend: str = AUTO) -> Choice:
    """What runs a file, and to which model of the table it belongs.

    Args:
        path: an ONNX file or weights.
        name: of its model, if that is known.
        backend: one of ``midas.backends.BACKENDS``, or ``"auto"``.

    Raises:
        ModelError: no such file, model or backend, or a backend that doesn't run this kind of file.
        MissingExtraError: the file needs the lab's packages.
        WeightsError: weights of no model of the table.
    """
    check_backend(backend)
    spec = None if name is None else find_model(name)
    if not path.is_file():
        raise ModelError(
            f"there is no model file {path}; expected an ONNX file, weights ({', '.join(WEIGHTS_SUFFIXES)}), or a name "
            "that `midas models` lists"
        )
    runs_on = "torch" if path.suffix.lower() in WEIGHTS_SUFFIXES else "onnxruntime"
    if backend not in (AUTO, runs_on):
        raise ModelError(f"backend {backend!r} doesn't run {path}, {runs_on!r} does; {_EXPORT_HINT}")
    choice = _choose_weights(path, spec) if runs_on == "torch" else _choose_onnx(path, spec)
    if choice.spec:
        warn_of_licence(choice.spec)
    return choice


def _backend_of(spec: ModelSpec, needs_torch: bool) -> str:
    onnx = spec.weights.file(*_FORMATS["onnxruntime"])
    if onnx and onnx.url is None and not needs_torch:
        return "onnxruntime"
    if _torch_is_installed() and spec.weights.file(*_FORMATS["torch"]):
        return "torch"
    if onnx is None:
        raise MissingExtraError(spec.name, "lab")
    return "onnxruntime"


def _checked_backend(spec: ModelSpec, backend: str) -> str:
    if spec.weights.file(*_FORMATS[backend]) is None:
        names = ", ".join(file.name for file in spec.weights.files)
        raise ModelError(f"backend {backend!r} runs none of the files of {spec.name}: {names}; {_EXPORT_HINT}")
    if backend == "torch":
        _require_torch(f"{spec.name} with backend 'torch'")
    return backend


def _choose_weights(path: Path, spec: ModelSpec | None) -> Choice:
    _require_torch(str(path))
    if spec is None:
        from midas.models.factory import identify

        spec = find_model(identify(path))
    published = find_weights_file(path.name)
    own_rule = published[1].input if published and published[0] is spec else None
    return Choice(path, "torch", spec, own_rule or spec.input)


def _choose_onnx(path: Path, spec: ModelSpec | None) -> Choice:
    published = find_weights_file(path.name)
    if published and spec not in (None, published[0]):
        raise ModelError(
            f"{path} bears the name of a file of {published[0].name}; expected one of {spec and spec.name}"
        )
    spec = published[0] if published else spec
    file = published[1] if published else spec and spec.weights.file("onnx")
    return Choice(path, "onnxruntime", spec, (file.input or spec.input) if spec and file else None)


def _require_torch(feature: str) -> None:
    if not _torch_is_installed():
        raise MissingExtraError(feature, "lab")


def _torch_is_installed() -> bool:
    return all(find_spec(package) is not None for package in _TORCH_PACKAGES)
