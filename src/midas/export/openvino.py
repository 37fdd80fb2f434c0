"""Export to OpenVINO's own format: a graph in XML and its weights beside it."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from midas.backends.runtimes import import_runtime
from midas.errors import MissingExtraError, ModelError
from midas.export.verify import Run

FEATURE = "OpenVINO"
EXTRA = "openvino"


def require_openvino() -> None:
    """Make sure that OpenVINO is installed.

    Raises:
        MissingExtraError: it isn't.
    """
    if find_spec("openvino") is None:
        raise MissingExtraError(FEATURE, EXTRA)


def read_graph(onnx_path: Path) -> Any:
    """An ONNX file as OpenVINO's graph.

    Raises:
        ModelError: OpenVINO doesn't know a part of it.
    """
    require_openvino()
    openvino = import_runtime("openvino")
    try:
        return openvino.Core().read_model(str(onnx_path))
    except RuntimeError as error:
        raise ModelError(f"OpenVINO can't read the graph: {error}") from error


def write_openvino(graph: Any, path: Path, metadata: Mapping[str, str], *, half: bool) -> None:
    """Write a graph: ``path`` in XML, the weights beside it under the same name with the suffix ``.bin``.

    Args:
        graph: OpenVINO's graph.
        path: the XML file.
        metadata: kept as runtime information, the dots of a key as levels: ``midas.name`` is ``["midas", "name"]``.
        half: whether the weights are stored as float16.
    """
    openvino = import_runtime("openvino")
    for key, value in metadata.items():
        graph.set_rt_info(value, key.split("."))
    openvino.save_model(graph, str(path), compress_to_fp16=half)


def open_openvino(path: Path, *, precision: str = "f32", threads: int = 0) -> Run:
    """A file of OpenVINO, or an ONNX file that OpenVINO runs, as a function of arrays on the CPU.

    Args:
        path: the XML or ONNX file.
        precision: OpenVINO's name of the format to compute in; else it takes bfloat16 where the CPU is fast in it.
        threads: 0 leaves the choice to OpenVINO.

    Raises:
        ModelError: the file can't be loaded; so does the function, where it can't be run.
    """
    require_openvino()
    openvino = import_runtime("openvino")
    settings: dict[str, Any] = {"INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "LATENCY"}
    if threads:
        settings["INFERENCE_NUM_THREADS"] = threads
    try:
        compiled = openvino.Core().compile_model(str(path), "CPU", settings)
    except RuntimeError as error:
        raise ModelError(f"OpenVINO can't load the exported file: {error}") from error

    def run(values: np.ndarray) -> np.ndarray:
        try:
            return np.array(compiled(values)[0])
        except RuntimeError as error:
            raise ModelError(f"the exported file doesn't run on an input of {values.shape}: {error}") from error

    return run
