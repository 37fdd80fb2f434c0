"""What ONNX Runtime runs a network on: its execution providers, by the device that one asks for.

Which of them there are depends on the package that is installed: ``onnxruntime-gpu`` has CUDA and TensorRT,
``onnxruntime-directml`` DirectML, ``onnxruntime-rocm`` ROCm, and the one for macOS Core ML. What a provider
can't compute the processor does, which stands last everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from midas.errors import ModelError

Provider = tuple[str, dict[str, Any]]

_CPU: Provider = ("CPUExecutionProvider", {})
# The search for the fastest algorithm takes seconds for each size of the input, and pictures come in many.
_CUDA: Provider = ("CUDAExecutionProvider", {"cudnn_conv_algo_search": "HEURISTIC"})

PROVIDERS: dict[str, tuple[Provider, ...]] = {
    "cpu": (_CPU,),
    "cuda": (_CUDA, _CPU),
    # An engine is built for minutes at the first picture of a size; float32 as everywhere.
    "tensorrt": (("TensorrtExecutionProvider", {"trt_fp16_enable": False}), _CUDA, _CPU),
    "coreml": (("CoreMLExecutionProvider", {}), _CPU),
    "directml": (("DmlExecutionProvider", {}), _CPU),
    "rocm": (("ROCMExecutionProvider", {}), _CPU),
}
"""In the order in which they are tried, with their options."""

ONLY_HERE = frozenset(("tensorrt", "coreml", "directml", "rocm"))
"""Devices that no other backend has."""


def providers_for(device: str, available: Sequence[str]) -> list[Provider]:
    """The execution providers for a device.

    Args:
        device: a key of ``PROVIDERS``, one with a number such as ``cuda:1``, or ``auto``, which is the processor.
        available: the names of those that the installed build has.

    Raises:
        ModelError: no such device, or the build doesn't have it; says which there are.
    """
    name, _, number = device.partition(":")
    name = "cpu" if name == "auto" else name
    there = [known for known, wanted in PROVIDERS.items() if wanted[0][0] in available]
    if name not in PROVIDERS or (number and not number.isdecimal()):
        raise ModelError(f"ONNX Runtime has no device {device!r}; expected one of {', '.join(('auto', *PROVIDERS))}")
    if name not in there:
        raise ModelError(
            f"this build of ONNX Runtime has no device {name!r} ({PROVIDERS[name][0][0]}); it has {', '.join(there)}. "
            "onnxruntime-gpu brings cuda and tensorrt, onnxruntime-directml directml, onnxruntime-rocm rocm. "
            "Backend 'torch' of midas-depth[lab] may have it"
        )
    wanted = [provider for provider in PROVIDERS[name] if provider[0] in available]
    chosen = {"device_id": int(number)} if number else {}
    return [(each, options if each == _CPU[0] else options | chosen) for each, options in wanted]


def device_of_provider(name: str) -> str:
    """The device whose first provider has this name; the name itself where it is none of them."""
    return next((device for device, wanted in PROVIDERS.items() if wanted[0][0] == name), name)
