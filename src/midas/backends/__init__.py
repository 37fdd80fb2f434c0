"""What runs a network: one small class each behind one protocol, chosen by ``open_backend``."""

from __future__ import annotations

from pathlib import Path

from midas.backends.protocol import Backend
from midas.errors import ModelError

AUTO = "auto"
BACKENDS = ("onnxruntime",)

__all__ = ["AUTO", "BACKENDS", "Backend", "open_backend"]


def open_backend(
    model_path: Path, *, backend: str = AUTO, device: str = AUTO, precision: str = AUTO, threads: int | None = None
) -> Backend:
    """Load a model file into the backend that runs it.

    Args:
        model_path: an ONNX file.
        backend: one of ``BACKENDS``, or ``"auto"``.
        device: where it runs, in the backend's words, or ``"auto"``.
        precision: number format of the computation, in the backend's words, or ``"auto"``.
        threads: number of threads for one picture; None lets the backend choose.

    Raises:
        ModelError: there is no such backend, or it has not that device or precision, or can't read the file.
    """
    if backend == "torch":
        raise ModelError(
            "the torch backend is not part of this version; use backend 'auto', or, with midas-depth[lab], call the "
            "network that midas.models.create_model returns"
        )
    if backend not in (AUTO, *BACKENDS):
        raise ModelError(f"no backend is called {backend!r}; there are: {', '.join((AUTO, *BACKENDS))}")

    from midas.backends.onnxruntime import OnnxRuntimeBackend

    return OnnxRuntimeBackend(model_path, device=device, precision=precision, threads=threads)
