"""The default backend: ONNX Runtime, on the processor unless another device is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from midas.arrays import Array, Float32, UInt8
from midas.backends.image_graph import FLOAT32, UINT8, ImageGraph, Port
from midas.backends.options import check_option, check_threads
from midas.backends.processes import FileBackend
from midas.backends.providers import device_of_provider, providers_for
from midas.backends.runtimes import WHOLE_PRODUCTS, import_runtime
from midas.errors import ModelError

if TYPE_CHECKING:
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as runtime_state
else:
    onnxruntime = import_runtime("onnxruntime")
    runtime_state = import_runtime("onnxruntime.capi.onnxruntime_pybind11_state")

PRECISIONS = ("auto", "float32")

_QUIET = 4  # only fatal messages; what is wrong with a model comes as an exception
_LOAD_ERRORS = (
    runtime_state.Fail,
    runtime_state.InvalidArgument,
    runtime_state.InvalidGraph,
    runtime_state.InvalidProtobuf,
    runtime_state.NoModel,
    runtime_state.NoSuchFile,
    runtime_state.NotImplemented,
    runtime_state.RuntimeException,
)
_RUN_ERRORS = (runtime_state.Fail, runtime_state.InvalidArgument, runtime_state.RuntimeException)


class OnnxRuntimeBackend(FileBackend):
    """A network in an ONNX file: one input (B, 3, H, W), one output (B, H, W) or (B, 1, H, W), of whatever names.

    Height and width may be fixed in the file. One that takes single pictures runs a batch picture by picture.

    Args:
        model_path: the file.
        device: a key of ``providers.PROVIDERS`` as far as the installed build has it; ``"auto"`` is the processor.
        precision: ``"float32"`` or ``"auto"``.
        threads: number of threads for one picture; None is one per physical core.

    Raises:
        ModelError: another device or precision, fewer threads than one, or a file that is no such network.
    """

    def __init__(
        self, model_path: Path, *, device: str = "auto", precision: str = "auto", threads: int | None = None
    ) -> None:
        providers = providers_for(device, onnxruntime.get_available_providers())
        check_option("ONNX Runtime", "precision", precision, PRECISIONS)
        check_threads(threads)
        try:
            # Where loading fails it would print lines of its own, and try the same once more.
            self._session = onnxruntime.InferenceSession(
                str(model_path), _session_options(threads), providers=providers, enable_fallback=0
            )
        except _LOAD_ERRORS as error:
            raise ModelError(f"ONNX Runtime can't load {model_path}: {error}") from error
        self._note_opening(model_path, device=device, precision=precision, threads=threads)
        inputs, outputs = map(_ports, (self._session.get_inputs(), self._session.get_outputs()))
        self._graph = ImageGraph(model_path, inputs, outputs)

    @property
    def metadata(self) -> Mapping[str, str]:
        """The file's custom metadata."""
        entries: dict[str, str] = self._session.get_modelmeta().custom_metadata_map
        return entries

    @property
    def device(self) -> str:
        """A key of ``providers.PROVIDERS``: of the first provider that could really be loaded."""
        return device_of_provider(self._session.get_providers()[0])

    @property
    def precision(self) -> str:
        """Always ``"float32"``; a file may hold integers of its own."""
        return "float32"

    @property
    def takes_pictures(self) -> bool:
        """Whether the file resizes pictures itself, so that ``on_picture`` runs it."""
        return self._graph.takes_pictures

    def on_picture(self, image: UInt8[Array, "H W 3"]) -> Float32[Array, "H W"]:
        """Run a file that takes pictures as they are.

        Raises:
            ModelError: it doesn't run on this one.
        """
        self._open_here()
        return self._infer(image)

    def __call__(self, pixels: Float32[Array, "B 3 H W"]) -> Float32[Array, "B H W"]:
        """Run the network: normalised RGB in, relative disparity at the same resolution out.

        Raises:
            ModelError: the network doesn't take an input of this size.
        """
        self._open_here()
        return self._graph.run(self._infer, pixels)

    def _infer(self, pixels: Array) -> Float32[Array, "*axes"]:
        try:
            (maps,) = self._session.run([self._graph.output.name], {self._graph.input.name: pixels})
        except _RUN_ERRORS as error:
            raise ModelError(f"the network doesn't run on an input of shape {pixels.shape}: {error}") from error
        return maps  # type: ignore[no-any-return]


def _ports(values: list[onnxruntime.NodeArg]) -> list[Port]:
    kinds = {"tensor(float)": FLOAT32, "tensor(uint8)": UINT8}
    return [Port(value.name, kinds.get(value.type, value.type), tuple(value.shape)) for value in values]


def _session_options(threads: int | None) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = _QUIET
    # Threads that wait for work in a loop double the processor time of a picture and win nothing.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry(*WHOLE_PRODUCTS)
    # A memory plan is kept for each input size that ever came. Without plans the arena stays as large as the largest
    # input needs, which is less, and steadier, than what the C library's heap grows to without an arena.
    options.enable_mem_pattern = False
    options.enable_cpu_mem_arena = True
    return options
