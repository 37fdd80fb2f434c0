"""What runs a network: one small class each behind one protocol, chosen by ``open_backend``."""

from __future__ import annotations

from pathlib import Path

from midas.backends.protocol import Backend
from midas.errors import ModelError

AUTO = "auto"
BACKENDS = ("onnxruntime", "torch")

__all__ = ["AUTO", "BACKENDS", "Backend", "check_backend", "open_backend"]


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
        model_path: an ONNX file, or weights that the torch backend fills a network with.
        model: name of that network in the model table; an ONNX file needs none.
        backend: one of ``BACKENDS``, or ``"auto"``: ONNX Runtime.
        device: where it runs, in the backend's words, or ``"auto"``.
        precision: number format of the computation, in the backend's words, or ``"auto"``.
        threads: number of threads for one picture; None lets the backend choose.

    Raises:
        ModelError: there is no such backend, or it has not that device or precision, or can't read the file.
        WeightsError: the weights are damaged, or don't fit the network.
    """
    check_backend(backend)
    # Each is imported when it is asked for: neither has the time, nor perhaps the packages, to load the other.
    if backend == "torch":
        if model is None:
            raise ModelError(f"{model_path} holds weights only; expected the name of their network as `model` too")
        from midas.backends.torch import TorchBackend

        return TorchBackend.load(model, model_path, device=device, precision=precision, threads=threads)

    from midas.backends.onnxruntime import OnnxRuntimeBackend

    return OnnxRuntimeBackend(model_path, device=device, precision=precision, threads=threads)


def check_backend(name: str) -> None:
    """Make sure that there is a backend of that name.

    Raises:
        ModelError: there is none; the message lists those there are.
    """
    if name not in (AUTO, *BACKENDS):
        raise ModelError(f"no backend is called {name!r}; there are: {', '.join((AUTO, *BACKENDS))}")
