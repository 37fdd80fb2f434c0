"""The lab's backend: PyTorch, on whatever device it finds."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from midas.arrays import Array, Float32
from midas.errors import ModelError, PrecisionWarning
from midas.models.factory import create_model
from midas.models.network import DepthNetwork

# In the order in which "auto" looks for them.
_DEVICES = {"cuda": torch.cuda, "mps": torch.mps, "xpu": torch.xpu, "cpu": torch.cpu}

# "auto" is float32 everywhere: then a picture has the same depth on every machine. The others change values in the
# second or third digit, and whether they save time depends on the machine, so that they are the user's choice.
_DTYPES = {
    "auto": torch.float32,
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}


class TorchBackend:
    """A network of this package, run by PyTorch.

    Args:
        network: moved to the device and into evaluation mode, in place.
        device: ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"mps"``, ``"xpu"``, or ``"auto"``: the first accelerator that is
            there, else the CPU.
        precision: ``"float32"``; ``"bfloat16"`` or ``"float16"`` for all but the head, which stays in float32; or
            ``"auto"``: float32.
        threads: number of processor threads for one picture. PyTorch has one pool of them, so that the number holds
            for all of this process; None leaves it as it is.

    Raises:
        ModelError: a device that isn't there, a precision that it hasn't, fewer threads than one, or a network that
            is too large for the device.
    """

    def __init__(
        self, network: DepthNetwork, *, device: str = "auto", precision: str = "auto", threads: int | None = None
    ) -> None:
        self._device = find_device(device)
        self._dtype = find_dtype(precision, self._device)
        if threads is not None:
            if threads < 1:
                raise ModelError(f"threads is {threads}; expected a whole number >= 1")
            torch.set_num_threads(threads)
        # What the matrix units of an NVIDIA card want for convolutions in half precision.
        last = self._device.type == "cuda" and self._dtype != torch.float32
        self._layout = torch.channels_last if last else torch.contiguous_format
        try:
            self._network = network.eval().to(self._device).to(memory_format=self._layout)
        except torch.OutOfMemoryError as error:
            raise ModelError(
                f"the network doesn't fit into the memory of {self._device}; use a smaller one, or device 'cpu'"
            ) from error

    @classmethod
    def load(cls, model: str, weights: Path, *, device: str, precision: str, threads: int | None) -> TorchBackend:
        """Build a network of the model table, fill it from a file, and make it ready.

        Args:
            model: name from the table.
            weights: a file of weights, with the project's key names or with published ones.
            device: as for the class.
            precision: as for the class.
            threads: as for the class.

        Raises:
            ModelError: as for the class.
            WeightsError: the file is damaged, or doesn't fit the network.
        """
        find_dtype(precision, find_device(device))  # a large file is read in vain otherwise
        return cls(create_model(model, weights=weights), device=device, precision=precision, threads=threads)

    @property
    def metadata(self) -> Mapping[str, str]:
        """Nothing: the model table knows what there is to know."""
        return {}

    def __call__(self, pixels: Float32[Array, "B 3 H W"]) -> Float32[Array, "B H W"]:
        """Run the network: normalised RGB in, relative disparity at the same resolution out.

        Pictures for which a reduced precision gives numbers that are not finite are computed again in float32, with a
        ``PrecisionWarning``.

        Raises:
            ModelError: the network doesn't take an input of this size, or the device has too little memory for it.
        """
        disparity = self._run(pixels, self._dtype)
        if self._dtype != torch.float32:
            broken = ~np.isfinite(disparity).all(axis=(1, 2))
            if broken.any():
                warnings.warn(
                    f"{_name(self._dtype)} gave numbers that are not finite; "
                    "such pictures are computed again in float32, which precision 'float32' does at once",
                    PrecisionWarning,
                    stacklevel=2,
                )
                disparity[broken] = self._run(pixels[broken], torch.float32)
        return disparity

    def _run(self, pixels: Float32[Array, "B 3 H W"], dtype: torch.dtype) -> Float32[Array, "B H W"]:
        reduced = dtype != torch.float32
        try:
            with torch.inference_mode(), torch.autocast(self._device.type, dtype=dtype, enabled=reduced):
                # A copy: a view of an array that can't be written to is none that PyTorch likes.
                inputs = torch.tensor(pixels, device=self._device).contiguous(memory_format=self._layout)
                disparity: Float32[Array, "B H W"] = self._network(inputs).cpu().numpy()
        except torch.OutOfMemoryError as error:
            batch, _, height, width = pixels.shape
            raise ModelError(
                f"{self._device} has too little memory for {batch} x {height}x{width} pixels; "
                "use a smaller size, or a smaller batch"
            ) from error
        return disparity


def find_device(name: str) -> torch.device:
    """The device of that name, or the best one there is.

    Raises:
        ModelError: there is none; the message lists those there are.
    """
    counts = {kind: module.device_count() for kind, module in _DEVICES.items()}
    if name == "auto":
        return torch.device(next(kind for kind, count in counts.items() if count))
    there = [kind for kind, count in counts.items() if count]
    there += [f"{kind}:{index}" for kind in there if kind != "cpu" for index in range(counts[kind])]
    if name not in there:
        raise ModelError(
            f"PyTorch finds no device {name!r} here; there are: auto, {', '.join(there)}. "
            "Others need their hardware, its driver, and a PyTorch that was built for it"
        )
    return torch.device(name)


def find_dtype(precision: str, device: torch.device) -> torch.dtype:
    """The number format of that name.

    Raises:
        ModelError: there is none, or the device doesn't compute in it.
    """
    if precision not in _DTYPES:
        raise ModelError(f"no precision is called {precision!r}; there are: {', '.join(_DTYPES)}")
    dtype = _DTYPES[precision]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # some devices refuse by going on in float32 with a warning
            torch.autocast(device.type, dtype=dtype, enabled=dtype != torch.float32)
    except (RuntimeError, UserWarning) as error:
        raise ModelError(f"{device} doesn't compute in {precision} ({error}); use 'float32'") from error
    return dtype


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
