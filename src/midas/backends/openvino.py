"""The fast backend of Intel processors: OpenVINO, for ONNX files and OpenVINO's own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from midas.arrays import Array, Float32, UInt8
from midas.backends.exactness import bfloat16_is_faster, how_to_run, is_exact
from midas.backends.image_graph import FLOAT32, UINT8, ImageGraph, Port
from midas.backends.openvino_exact import is_kept, keep_exact
from midas.backends.options import check_option, check_threads
from midas.backends.processes import FileBackend, Fork
from midas.backends.runtimes import import_runtime
from midas.errors import ModelError
from midas.models.onnx_names import NAME_KEY

if TYPE_CHECKING:
    import openvino
else:
    openvino = import_runtime("openvino")

_FORK = Fork()

# By the names of OpenVINO's capabilities.
_PRECISIONS = {"FP32": "float32", "BF16": "bfloat16", "FP16": "float16"}
_HINTS = {"float32": openvino.Type.f32, "bfloat16": openvino.Type.bf16, "float16": openvino.Type.f16}

# Metadata of an ONNX file end up below the first of these; the second is where OpenVINO's own files keep theirs.
_METADATA_SECTIONS = ("framework", "model_info")

# For each size of input that ever came OpenVINO keeps some hundred compiled parts, 7 MB for the embedded network. By
# its own bound, of 5000 parts, a hundred sizes grow the memory by 700 MB; by this one, by less than half of it.
_BOUNDED = {"CPU_RUNTIME_CACHE_CAPACITY": 1000}


class OpenVinoBackend(FileBackend):
    """A network in an ONNX file or in OpenVINO's own format (.xml, with its .bin beside it).

    One input (B, 3, H, W), one output (B, H, W) or (B, 1, H, W), of whatever names; height and width may be fixed in
    the file. It is compiled at the first run, for inputs of that shape alone: so it takes a tenth to a fifth less time
    than a network for all shapes. When an input of another shape comes it is compiled once more, for all of them, since
    compiling for each would cost 200 to 500 ms, while a size that is new to the common one costs 35 ms.

    Args:
        model_path: the file.
        model: its name in the model table; what the file says itself comes first.
        device: ``"cpu"``, ``"gpu"``, ``"npu"``, as far as OpenVINO finds them, or ``"auto"``: the processor.
        precision: ``"float32"``; ``"bfloat16"`` or ``"float16"`` where the device has it; or ``"auto"``: bfloat16 on a
            processor that is faster in it, for a network of which is known that its maps hardly change
            (``midas.backends.exactness``), else float32.
        threads: number of threads for one picture; None is one per physical core.

    Raises:
        ModelError: another device or precision, fewer threads than one, a file that is no such network, or a process
            that was forked from one that had used OpenVINO.
    """

    def __init__(
        self,
        model_path: Path,
        *,
        model: str | None = None,
        device: str = "auto",
        precision: str = "auto",
        threads: int | None = None,
    ) -> None:
        check_threads(threads)
        _check_fork()
        self._core = openvino.Core()
        self._device = _find_device(self._core, device)
        precisions = [_PRECISIONS[name] for name in _capabilities(self._core, self._device) if name in _PRECISIONS]
        check_option("OpenVINO", "precision", precision, ("auto", *precisions))
        try:
            graph = self._core.read_model(model_path)
        except RuntimeError as error:
            raise ModelError(f"OpenVINO can't load {model_path}: {error}") from error
        self._note_opening(model_path, model=model, device=device, precision=precision, threads=threads)
        self._graph = ImageGraph(model_path, _ports(graph.inputs), _ports(graph.outputs))
        self.metadata: Mapping[str, str] = _metadata_of(graph)
        self._automatic = precision == "auto"
        self._precision, self._scope = _plan(graph, self.metadata.get(NAME_KEY, model), precision, self._device)
        self._network = graph if self._scope is None else keep_exact(self._core, graph, self._scope)
        self._options: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY"}
        if self._device == "CPU":
            self._options |= _BOUNDED
        if threads is not None:
            self._options["INFERENCE_NUM_THREADS"] = threads
        self._request: Any = None
        self._only_shape: tuple[int, ...] | None = None
        self._lock = Lock()

    @property
    def device(self) -> str:
        """``"cpu"``, ``"gpu"``, ``"npu"``, or one of several, such as ``"gpu.1"``."""
        return self._device.lower()

    @property
    def precision(self) -> str:
        """``"float32"``, ``"bfloat16"`` or ``"float16"``."""
        return self._precision

    @property
    def takes_pictures(self) -> bool:
        """Whether the file resizes pictures itself, so that ``on_picture`` runs it."""
        return self._graph.takes_pictures

    def on_picture(self, image: UInt8[Array, "H W 3"]) -> Float32[Array, "H W"]:
        """Run a file that takes pictures as they are.

        Raises:
            ModelError: it doesn't run on this one.
        """
        _check_fork()
        return self._infer(image)

    def __call__(self, pixels: Float32[Array, "B 3 H W"]) -> Float32[Array, "B H W"]:
        """Run the network: normalised RGB in, relative disparity at the same resolution out.

        Raises:
            ModelError: the network doesn't take an input of this size, or can't be compiled for the device.
        """
        _check_fork()
        return self._graph.run(self._infer, pixels)

    def _infer(self, pixels: Array) -> Float32[Array, "*axes"]:
        # A request serves one caller at a time. More of them would win nothing: a single run takes all threads.
        with self._lock:
            try:
                if self._request is None:
                    self._request = self._compile(pixels.shape)
                    self._only_shape = pixels.shape
                elif self._only_shape not in (None, pixels.shape):
                    self._request = self._only_shape = None  # memory for one of them only
                    self._request = self._compile(None)
                # Named, so that the memory of a copy is there until the run is over.
                tensor = openvino.Tensor(np.ascontiguousarray(pixels), shared_memory=True)
                self._request.set_input_tensor(tensor)
                self._request.infer()
            except RuntimeError as error:
                raise ModelError(f"the network doesn't run on an input of shape {pixels.shape}: {error}") from error
            maps: Float32[Array, "*axes"] = self._request.get_output_tensor(0).data.copy()
        return maps

    def _compile(self, shape: tuple[int, ...] | None) -> Any:
        """A request for inputs of one shape, or of all."""
        graph = self._network
        if shape is not None:
            graph = graph.clone()
            graph.reshape(shape)
        options = self._options | {"INFERENCE_PRECISION_HINT": _HINTS[self._precision]}
        compiled = self._core.compile_model(graph, self._device, options)
        if self._scope is not None and not is_kept(compiled, self._scope):
            # Some other version of OpenVINO. Who asked for bfloat16 gets it as it is there.
            self._scope = None
            if self._automatic:
                self._precision = "float32"
                return self._compile(shape)
        return compiled.create_infer_request()


def _check_fork() -> None:
    if _FORK.crossed:
        raise ModelError(
            "this process was forked from one that had used OpenVINO, which doesn't go through a fork; start processes "
            "by `spawn`, or use backend 'onnxruntime'"
        )
    _FORK.note_use()


def _find_device(core: openvino.Core, name: str) -> str:
    """OpenVINO's name of a device."""
    there = {device.lower(): device for device in core.available_devices}
    check_option("OpenVINO", "device", name, ("auto", *there))
    return str(there["cpu" if name == "auto" else name])


def _capabilities(core: openvino.Core, device: str) -> list[str]:
    capabilities: list[str] = core.get_property(device, "OPTIMIZATION_CAPABILITIES")
    return capabilities


def _ports(values: list[Any]) -> list[Port]:
    return [
        Port(
            value.get_any_name() if value.names else value.node.friendly_name,
            {openvino.Type.f32: FLOAT32, openvino.Type.u8: UINT8}.get(value.element_type, str(value.element_type)),
            _shape(value.partial_shape),
        )
        for value in values
    ]


def _shape(shape: Any) -> tuple[int | str | None, ...]:
    if shape.rank.is_dynamic:
        return ()
    return tuple(side.get_length() if side.is_static else "?" for side in shape)


def _metadata_of(graph: openvino.Model) -> dict[str, str]:
    """What a file says of itself: texts only."""
    information = graph.get_rt_info()
    sections = [information[name] for name in _METADATA_SECTIONS if name in information]
    entries: dict[str, str] = {}
    for section in (information, *map(_unwrapped, sections)):
        for key in section:
            value = _unwrapped(section[key])
            if isinstance(value, str):
                entries[key] = value
    return entries


def _unwrapped(value: Any) -> Any:
    return value.value if isinstance(value, openvino.OVAny) else value


def _plan(graph: openvino.Model, model: str | None, precision: str, device: str) -> tuple[str, str | None]:
    """In which precision a network is computed, and up to the end of which module of it float32 is kept, if any."""
    fact = how_to_run(model) if device == "CPU" else None
    named = fact is not None and any(each.friendly_name.startswith(fact.scope) for each in graph.get_ops())
    if precision == "auto":
        precision = "bfloat16" if named and is_exact(model) and bfloat16_is_faster() else "float32"
    return precision, fact.scope if fact is not None and named and precision == "bfloat16" else None
