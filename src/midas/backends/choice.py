"""Which file of a model is run, and by which backend, before any of it is loaded.

What ``"auto"`` takes was measured; the reasons stand beside the rules:

* OpenVINO in bfloat16 runs the embedded model in half the time of ONNX Runtime, for which it takes 0.6 s longer to
  start. So it is taken for more than a few pictures, on a processor that is faster in bfloat16, for a network of which
  is known that its maps hardly change (``exactness.FACTS``).
* OpenVINO in float32 is a quarter faster than ONNX Runtime at best, where all pictures have one size, and slower at
  worst: not worth the slower start.
* Torch takes seconds to import and is slower than both: for what has no ONNX file, and for what only it can do.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from midas.backends import AUTO, QUICK, TORCH_BACKENDS, check_backend, openvino_is_installed
from midas.backends.exactness import bfloat16_is_faster, is_exact
from midas.backends.options import check_precision
from midas.backends.providers import ONLY_HERE
from midas.errors import MissingExtraError, ModelError
from midas.models.specs import Format, ModelSpec
from midas.models.weight_files import find_weights, warn_of_licence
from midas.models.zoo import MODELS, find_model, find_weights_file
from midas.pictures.preprocess import InputSpec

_WEIGHTS: tuple[Format, ...] = ("safetensors", "pytorch")
_FORMATS: dict[str, tuple[Format, ...]] = {
    "onnxruntime": ("onnx",),
    "openvino": ("onnx",),
    **dict.fromkeys(TORCH_BACKENDS, _WEIGHTS),
}

FEW_PICTURES = 48
"""Up to so many pictures the backend that starts sooner is done sooner, at 0.012 s per picture and 0.6 s per start."""

FEW_CORES = 4
"""Up to so many cores a film's stages are in each other's way; with more each has its own."""

OPENVINO_SUFFIX = ".xml"
GRAPH_SUFFIXES = (".onnx",)
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


def for_pictures(backend: str, count: int) -> str:
    """The backend to ask for where so many pictures are to be predicted: ``"auto"`` becomes ``"quick"`` for a few."""
    return QUICK if backend == AUTO and count <= FEW_PICTURES else backend


def for_films(backend: str, model: str, device: str = AUTO, precision: str = AUTO) -> str:
    """The backend to ask for where a film is to be predicted: ``"auto"`` becomes OpenVINO where that can run the model.

    All frames have one size, for which it is faster than ONNX Runtime, and its start counts for little.
    """
    wishes_nothing_else = backend == AUTO and device in (AUTO, "cpu") and precision in (AUTO, "float32", "bfloat16")
    if not wishes_nothing_else or not openvino_is_installed():
        return backend
    if Path(model).suffix.lower() in (*GRAPH_SUFFIXES, OPENVINO_SUFFIX):
        return "openvino"
    onnx = MODELS[model].weights.file(*_FORMATS["openvino"]) if model in MODELS else None
    return "openvino" if onnx is not None and onnx.url is None else backend


def threads_for_films(backend: str, threads: int | None, cores: int) -> int | None:
    """With how many threads a film's network runs: as many as are asked for, or such that the other stages have room.

    Reading, steadying and writing take as long together as the network. On two cores, network on both, all of them wait
    for each other: 35 frames of 640 x 480 a second, against 41 with the network on one. Where there are many cores, one
    thread per physical one leaves room by itself.

    Args:
        backend: what runs it, as ``for_films`` gives it.
        threads: what is asked for; None for nothing.
        cores: that this process may use.
    """
    few = 2 <= cores <= FEW_CORES
    return cores - 1 if threads is None and backend == "openvino" and few else threads


def choose_for_name(
    name: str, *, backend: str = AUTO, device: str = AUTO, precision: str = AUTO, offline: bool | None = None
) -> Choice:
    """The preferred file of a model of the table, downloaded if it has to be.

    What is part of the package comes first: it needs neither network nor lab. Then torch, where it is installed, for it
    takes all sizes that a model knows; published ONNX files take one.

    Args:
        name: of the model.
        backend: one of ``midas.backends.BACKENDS``, ``"auto"``, or ``"quick"``, to which the start counts more than the
            run.
        device: where it is to run; what only torch has decides for torch.
        precision: in which number format; so does one that only torch has.
        offline: whether nothing may be downloaded; None lets the environment say.

    Raises:
        ModelError: no such model, backend or precision, or the model has no file for that backend.
        MissingExtraError: the model needs the lab's packages.
        WeightsError: the file can't be had.
    """
    check_backend(backend)
    check_precision(precision)
    spec = find_model(name)
    if backend in (AUTO, QUICK):
        runs_on = _backend_of(spec, backend, device, precision)
    else:
        runs_on = _checked_backend(spec, backend)
    found = find_weights(spec, *_FORMATS[runs_on], offline=offline)
    return Choice(found.path, runs_on, spec, found.file.input or spec.input)


def choose_for_file(
    path: Path, *, name: str | None = None, backend: str = AUTO, device: str = AUTO, precision: str = AUTO
) -> Choice:
    """What runs a file, and to which model of the table it belongs.

    Args:
        path: an ONNX file, one of OpenVINO's (.xml), or weights.
        name: of its model, if that is known.
        backend: as for ``choose_for_name``.
        device: as for ``choose_for_name``.
        precision: as for ``choose_for_name``.

    Raises:
        ModelError: no such file, model, backend or precision, or a backend that doesn't run this kind of file.
        MissingExtraError: the file needs the lab's packages.
        WeightsError: weights of no model of the table.
    """
    check_backend(backend)
    check_precision(precision)
    spec = None if name is None else find_model(name)
    if not path.is_file():
        raise ModelError(
            f"there is no model file {path}; expected an ONNX file, weights ({', '.join(WEIGHTS_SUFFIXES)}), or a name "
            "that `midas models` lists"
        )
    able = _backends_for(path)
    if backend not in (AUTO, QUICK, *able):
        raise ModelError(f"backend {backend!r} doesn't run {path}, {' or '.join(map(repr, able))} does; {_EXPORT_HINT}")
    if able[0] in TORCH_BACKENDS:
        choice = _choose_weights(path, spec, able[0] if backend in (AUTO, QUICK) else backend)
    else:
        choice = _choose_graph(path, spec)
        if backend in (AUTO, QUICK):
            model = choice.spec.name if choice.spec else None
            runs_on = _graph_backend(model, backend, device, precision)
            backend = runs_on if runs_on in able else able[0]
        choice = replace(choice, backend=backend)
    if choice.spec:
        warn_of_licence(choice.spec)
    return choice


def _backend_of(spec: ModelSpec, wish: str, device: str, precision: str) -> str:
    onnx = spec.weights.file(*_FORMATS["onnxruntime"])
    runs_on = _graph_backend(spec.name, wish, device, precision)
    if onnx and onnx.url is None and runs_on is not None:
        return runs_on
    if _torch_is_installed() and spec.weights.file(*_FORMATS["torch"]):
        return "torch"
    if onnx is None:
        raise MissingExtraError(spec.name, "lab")
    return runs_on or "onnxruntime"


def _graph_backend(model: str | None, wish: str, device: str, precision: str) -> str | None:
    """What runs a graph file of that model as it is wished; None where only torch does."""
    if device.partition(":")[0] in ONLY_HERE:
        return "onnxruntime"
    if device not in (AUTO, "cpu"):
        return None
    if precision in (AUTO, "float32"):
        faster = wish == AUTO and precision == AUTO and is_exact(model) and bfloat16_is_faster()
        return "openvino" if faster and openvino_is_installed() else "onnxruntime"
    return "openvino" if precision == "bfloat16" and openvino_is_installed() else None


def _backends_for(path: Path) -> tuple[str, ...]:
    """The backends that run a file of this kind, the usual one first."""
    suffix = path.suffix.lower()
    if suffix in WEIGHTS_SUFFIXES:
        return TORCH_BACKENDS
    return ("openvino",) if suffix == OPENVINO_SUFFIX else ("onnxruntime", "openvino")


def _checked_backend(spec: ModelSpec, backend: str) -> str:
    if spec.weights.file(*_FORMATS[backend]) is None:
        names = ", ".join(file.name for file in spec.weights.files)
        raise ModelError(f"backend {backend!r} runs none of the files of {spec.name}: {names}; {_EXPORT_HINT}")
    if backend in TORCH_BACKENDS:
        _require_torch(f"{spec.name} with backend {backend!r}")
    return backend


def _choose_weights(path: Path, spec: ModelSpec | None, backend: str) -> Choice:
    _require_torch(str(path))
    if spec is None:
        from midas.models.identification import identify

        spec = find_model(identify(path))
    published = find_weights_file(path.name)
    own_rule = published[1].input if published and published[0] is spec else None
    return Choice(path, backend, spec, own_rule or spec.input)


def _choose_graph(path: Path, spec: ModelSpec | None) -> Choice:
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
