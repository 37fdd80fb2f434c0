"""What runs a network: one small class each behind one protocol, chosen by ``open_backend``."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from midas.backends.protocol import Backend
from midas.errors import MissingExtraError, ModelError

AUTO = "auto"
QUICK = "quick"
TORCH_BACKENDS = ("torch", "torch-compile")
BACKENDS = ("onnxruntime", "openvino", *TORCH_BACKENDS)

__all__ = [
    "AUTO", "BACKENDS", "QUICK", "TORCH_BACKENDS", "Backend", "check_backend", "open_backend", "openvino_is_installed",
]  # fmt: skip


def open_backend(
    model_path: Path,
    *,
    model: str | None = None,
    backend: str = AUTO,
    device: str = AUTO,
    precision: str = AUTO,
    threads: int | None = None,
) -> Backend:
    """Load a model file into the backend that runs it.

    Args:
        model_path: an ONNX file, for OpenVINO also one of its own, or weights that PyTorch fills a network with.
        model: name of that network in the model table; a graph file needs none.
        backend: one of ``BACKENDS``; ``"auto"`` and ``"quick"``, if nobody has chosen, are ONNX Runtime.
        device: where it runs, in the backend's words, or ``"auto"``.
        precision: number format of the computation, in the backend's words, or ``"auto"``.
        threads: number of threads for one picture; None lets the backend choose.

    Raises:
        ModelError: there is no such backend, or it has not that device or precision, or can't read the file.
        WeightsError: the weights are damaged, or don't fit the network.
        MissingExtraError: OpenVINO is not installed.
    """
    check_backend(backend)
    # Each is imported when it is asked for: neither has the time, nor perhaps the packages, to load the others.
    if backend in TORCH_BACKENDS:
        if model is None:
            raise ModelError(f"{model_path} holds weights only; expected the name of their network as `model` too")
        from midas.backends.torch_devices import find_device

        find_device(device)  # before the networks' libraries are imported in vain
        from midas.backends.torch import TorchBackend

        return TorchBackend.load(
            model, model_path, device=device, precision=precision, threads=threads, compiled=backend == "torch-compile"
        )
    if backend == "openvino":
        if not openvino_is_installed():
            raise MissingExtraError("backend 'openvino'", "openvino")
        from midas.backends.openvino import OpenVinoBackend

        return OpenVinoBackend(model_path, model=model, device=device, precision=precision, threads=threads)

    from midas.backends.onnxruntime import OnnxRuntimeBackend

    return OnnxRuntimeBackend(model_path, device=device, precision=precision, threads=threads)


def openvino_is_installed() -> bool:
    """Whether the packages of the extra are there; nothing is imported."""
    return find_spec("openvino") is not None


def check_backend(name: str) -> None:
    """Make sure that there is a backend of that name.

    Raises:
        ModelError: there is none; the message lists those there are.
    """
    if name not in (AUTO, QUICK, *BACKENDS):
        raise ModelError(f"no backend is called {name!r}; there are: {', '.join((AUTO, QUICK, *BACKENDS))}")
