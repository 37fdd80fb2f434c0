"""The fast backend of Intel processors: OpenVINO, for ONNX files and OpenVINO's own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import openvino

from midas.arrays import Array, Float32
from midas.backends.exactness import cpu_has_bfloat16, how_to_run, is_exact
from midas.backends.image_graph import FLOAT32, ImageGraph, Port
from midas.backends.options import check_option, check_threads
from midas.errors import ModelError
from midas.models.onnx_names import NAME_KEY

# By the names of OpenVINO's capabilities.
_PRECISIONS = {"FP32": "float32", "BF16": "bfloat16", "FP16": "float16"}
_HINTS = {"float32": openvino.Type.f32, "bfloat16": openvino.Type.bf16, "float16": openvino.Type.f16}

# Metadata of an ONNX file end up below the first of these; the second is where OpenVINO's own files keep theirs.
_METADATA_SECTIONS = ("framework", "model_info")
_QUANTIZED = "FakeQuantize"


class OpenVinoBackend:
    """A network in an ONNX file or in OpenVINO's own format (.xml, with its .bin beside it).

    One input (B, 3, H, W), one output (B, H, W) or (B, 1, H, W), of whatever names; height and width may be fixed in
    the file. Where they are not, one compiled network serves every size: a size that is new costs 35 ms more once,
    where compiling anew costs 200 to 500 ms, and from then on each run takes about 4 % longer than one compiled for it.

    Args:
        model_path: the file.
        model: its name in the model table; what the file says itself comes first.
        device: ``"cpu"``, ``"gpu"``, ``"npu"``, as far as OpenVINO finds them, or ``"auto"``: the processor.
        precision: ``"float32"``; ``"bfloat16"`` or ``"float16"`` where the device has it; or ``"auto"``: bfloat16 on a
            processor that multiplies in it, for a network of which is known that its maps hardly change
            (``midas.backends.exactness``), else float32.
        threads: number of threads for one picture; None is one per physical core.

    Raises:
        ModelError: another device or precision, fewer threads than one, or a file that is no such network.
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
        core = openvino.Core()
        self._device = _find_device(core, device)
        precisions = [_PRECISIONS[name] for name in _capabilities(core, self._device) if name in _PRECISIONS]
        check_option("OpenVINO", "precision", precision, ("auto", *precisions))
        try:
            graph = core.read_model(model_path)
        except RuntimeError as error:
            raise ModelError(f"OpenVINO can't load {model_path}: {error}") from error
        self._graph = ImageGraph(model_path, _ports(graph.inputs), _ports(graph.outputs))
        self.metadata: Mapping[str, str] = _metadata_of(graph)
        stages = _stages(graph, self.metadata.get(NAME_KEY, model), precision, self._device)
        self._requests = [self._compile(core, *stage, threads) for stage in stages]
        self._lock = Lock()

    def __call__(self, pixels: Float32[Array, "B 3 H W"]) -> Float32[Array, "B H W"]:
        """Run the network: normalised RGB in, relative disparity at the same resolution out.

        Raises:
            ModelError: the network doesn't take an input of this size.
        """
        return self._graph.run(self._infer, pixels)

    def _compile(self, core: openvino.Core, graph: openvino.Model, precision: str, threads: int | None) -> Any:
        options: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": _HINTS[precision]}
        if threads is not None:
            options["INFERENCE_NUM_THREADS"] = threads
        try:
            return core.compile_model(graph, self._device, options).create_infer_request()
        except RuntimeError as error:
            raise ModelError(f"OpenVINO can't compile {graph.friendly_name} for {self._device}: {error}") from error

    def _infer(self, pixels: Float32[Array, "B 3 H W"]) -> Float32[Array, "*axes"]:
        # A request serves one caller at a time. More of them would win nothing: a single run takes all threads.
        with self._lock:
            tensor = openvino.Tensor(np.ascontiguousarray(pixels), shared_memory=True)
            try:
                for request in self._requests:
                    request.set_input_tensor(tensor)
                    request.infer()
                    tensor = request.get_output_tensor(0)
            except RuntimeError as error:
                raise ModelError(f"the network doesn't run on an input of shape {pixels.shape}: {error}") from error
            maps: Float32[Array, "*axes"] = tensor.data.copy()
        return maps


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
            FLOAT32 if value.element_type == openvino.Type.f32 else str(value.element_type),
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


def _stages(graph: openvino.Model, model: str | None, precision: str, device: str) -> list[tuple[openvino.Model, str]]:
    """The parts of a network in their order, each with the precision in which it runs."""
    quantized = any(operation.get_type_name() == _QUANTIZED for operation in graph.get_ops())
    fact = None if quantized or device != "CPU" else how_to_run(model)
    if fact and (precision == "bfloat16" or (precision == "auto" and is_exact(model) and cpu_has_bfloat16())):
        parts = _cut(graph, fact.scope)
        if parts is not None:
            return [(parts[0], "float32"), (parts[1], "bfloat16")]
    return [(graph, "float32" if precision == "auto" else precision)]


def _cut(graph: openvino.Model, scope: str) -> tuple[openvino.Model, openvino.Model] | None:
    """Two graphs in place of one, cut behind the last operation of a module; None where another way leads around it.

    OpenVINO has no public word for an operation that keeps its precision, so that the part of a graph that does is a
    graph of its own. Handing its result over takes a tenth of a millisecond.
    """
    operations = [node for node in graph.get_ordered_ops() if node.friendly_name.startswith(scope)]
    if not operations:
        return None
    end = operations[-1].output(0)
    handed_over = openvino.opset13.parameter(end.partial_shape, openvino.Type.f32, name=scope)
    readers = end.get_target_inputs()
    for reader in readers:
        reader.replace_source_output(handed_over.output(0))
    try:
        rest = openvino.Model(graph.get_results(), [handed_over], f"{graph.friendly_name}, second part")
    except RuntimeError:  # it still asks for the picture
        for reader in readers:
            reader.replace_source_output(end)
        return None
    return openvino.Model([end], graph.get_parameters(), f"{graph.friendly_name}, first part"), rest
