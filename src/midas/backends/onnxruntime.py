"""The default backend: ONNX Runtime on the CPU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as runtime_state

from midas.arrays import Array, Float32
from midas.errors import ModelError

DEVICES = ("auto", "cpu")
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

# None stands for any number; no shape at all for one that is known only when the network runs.
_Shape = tuple[int | None, ...]
_IMAGES: _Shape = (None, 3, None, None)
_MAPS: tuple[_Shape, ...] = ((None, None, None), (None, 1, None, None), ())


class OnnxRuntimeBackend:
    """A network in an ONNX file: one input (B, 3, H, W), one output (B, H, W) or (B, 1, H, W), of whatever names.

    Height and width may be fixed in the file. One that takes single pictures runs a batch picture by picture.

    Args:
        model_path: the file.
        device: ``"cpu"`` or ``"auto"``.
        precision: ``"float32"`` or ``"auto"``.
        threads: number of threads for one picture; None is one per physical core.

    Raises:
        ModelError: another device or precision, fewer threads than one, or a file that is no such network.
    """

    def __init__(
        self, model_path: Path, *, device: str = "auto", precision: str = "auto", threads: int | None = None
    ) -> None:
        _check_choice("device", device, DEVICES)
        _check_choice("precision", precision, PRECISIONS)
        if threads is not None and threads < 1:
            raise ModelError(f"threads is {threads}; expected a whole number >= 1")
        try:
            self._session = onnxruntime.InferenceSession(
                str(model_path), _session_options(threads), providers=["CPUExecutionProvider"]
            )
        except _LOAD_ERRORS as error:
            raise ModelError(f"ONNX Runtime can't load {model_path}: {error}") from error
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if not (_fit(inputs, _IMAGES) and any(_fit(outputs, shape) for shape in _MAPS)):
            raise ModelError(
                f"{model_path} takes {_described(inputs)} and gives {_described(outputs)}; expected one input "
                "B x 3 x H x W and one output B x H x W or B x 1 x H x W, both float32, as `midas export` writes them"
            )
        self._input_name, self._output_name = inputs[0].name, outputs[0].name
        self._one_by_one = inputs[0].shape[0] == 1
        self._height, self._width = inputs[0].shape[2:]

    @property
    def metadata(self) -> Mapping[str, str]:
        """The file's custom metadata."""
        entries: dict[str, str] = self._session.get_modelmeta().custom_metadata_map
        return entries

    def __call__(self, pixels: Float32[Array, "B 3 H W"]) -> Float32[Array, "B H W"]:
        """Run the network: normalised RGB in, relative disparity at the same resolution out.

        Raises:
            ModelError: the network doesn't take an input of this size.
        """
        self._check_size(pixels)
        if self._one_by_one and len(pixels) > 1:
            return np.concatenate([self._run(pixels[index : index + 1]) for index in range(len(pixels))])
        return self._run(pixels)

    def _check_size(self, pixels: Float32[Array, "B 3 H W"]) -> None:
        height, width = pixels.shape[2:]
        fits = [
            own if isinstance(own, int) else side
            for own, side in zip((self._height, self._width), (height, width), strict=True)
        ]
        if [height, width] != fits:
            raise ModelError(f"an input of {height}x{width} doesn't fit: this model file takes {fits[0]}x{fits[1]}")

    def _run(self, pixels: Float32[Array, "B 3 H W"]) -> Float32[Array, "B H W"]:
        try:
            (maps,) = self._session.run([self._output_name], {self._input_name: pixels})
        except _RUN_ERRORS as error:
            raise ModelError(f"the network doesn't run on an input of shape {pixels.shape}: {error}") from error
        batch, _, height, width = pixels.shape
        if maps.shape not in ((batch, height, width), (batch, 1, height, width)):
            raise ModelError(
                f"the network gives an output of shape {maps.shape} for an input of shape {pixels.shape}; expected a "
                "map of the input's height and width"
            )
        disparity: Float32[Array, "B H W"] = maps.reshape(batch, height, width)
        return disparity


def _fit(values: Sequence[onnxruntime.NodeArg], shape: _Shape) -> bool:
    """Whether there is one value, of float32, that may have this shape."""
    if len(values) != 1 or values[0].type != "tensor(float)" or len(values[0].shape) != len(shape):
        return False
    # An open dimension of the file has a name, or is None.
    return all(
        expected is None or not isinstance(own, int) or own == expected
        for own, expected in zip(values[0].shape, shape, strict=True)
    )


def _described(values: Sequence[onnxruntime.NodeArg]) -> str:
    return ", ".join(f"{value.name} ({value.type}, {' x '.join(map(str, value.shape))})" for value in values)


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ModelError(
            f"ONNX Runtime has no {name} {value!r} here; there are: {', '.join(choices)}. Backend 'torch' of "
            "midas-depth[lab] may have it"
        )


def _session_options(threads: int | None) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = _QUIET
    # Threads that wait for work in a loop double the processor time of a picture and win nothing.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # A memory plan is kept for each input size that ever came. Without plans the arena stays as large as the largest
    # input needs, which is less, and steadier, than what the C library's heap grows to without an arena.
    options.enable_mem_pattern = False
    options.enable_cpu_mem_arena = True
    return options
