"""The lab's backend: PyTorch, on whatever device it finds."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from midas.alignment.calibration import CALIBRATION_KEY
from midas.arrays import Array, Float32
from midas.backends.exactness import bfloat16_is_faster, how_to_run, is_exact
from midas.backends.options import check_threads
from midas.backends.processes import Fork
from midas.backends.torch_devices import find_device, find_dtype
from midas.errors import ModelError, PrecisionWarning
from midas.models.factory import create_model
from midas.models.folding import fold_batch_norm
from midas.models.network import DepthNetwork
from midas.models.padding import constant_padding
from midas.models.reduced import keep_exact, round_weights
from midas.models.weights import read_safetensors_metadata

_FORK = Fork()


class TorchBackend:
    """A network of this package, run by PyTorch.

    Args:
        network: moved to the device and into evaluation mode, in place.
        device: ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"mps"``, ``"xpu"``, or ``"auto"``: the first accelerator that is
            there, else the CPU.
        precision: ``"float32"``; ``"bfloat16"`` or ``"float16"`` for all but the head, which stays in float32; or
            ``"auto"``: float32.
        compiled: whether PyTorch compiles the network: at the first picture, for a minute or more, for all sizes.
        threads: number of processor threads for one picture. PyTorch has one pool of them, so that the number holds
            for all of this process; None leaves it as it is.

    Raises:
        ModelError: a device that isn't there, a precision that it hasn't, fewer threads than one, or a network that
            is too large for the device.
    """

    def __init__(
        self,
        network: DepthNetwork,
        *,
        device: str = "auto",
        precision: str = "auto",
        threads: int | None = None,
        compiled: bool = False,
    ) -> None:
        self._device = find_device(device)
        self._dtype = find_dtype(precision, self._device)
        self._metadata: dict[str, str] = {}
        self._again = partial(
            type(self), network, device=device, precision=precision, threads=threads, compiled=compiled
        )
        self._process = os.getpid()
        check_threads(threads)
        if threads is not None:
            _set_threads(threads)
        # What the matrix units of an NVIDIA card want for convolutions in half precision, and a processor in any: there
        # convolutions take a third less time than with channels first.
        last = self._device.type == "cpu" or (self._device.type == "cuda" and self._dtype != torch.float32)
        self._layout = torch.channels_last if last else torch.contiguous_format
        try:
            self._network = network.eval().to(self._device).to(memory_format=self._layout)
        except torch.OutOfMemoryError as error:
            raise ModelError(
                f"the network doesn't fit into the memory of {self._device}; use a smaller one, or device 'cpu'"
            ) from error
        # One graph for all sizes, as far as the network takes several: a graph per size would have no bound.
        self._compiled = torch.compile(self._network, dynamic=not network.input_spec.fixed) if compiled else None

    @classmethod
    def load(
        cls,
        model: str,
        weights: Path,
        *,
        device: str = "auto",
        precision: str = "auto",
        threads: int | None = None,
        compiled: bool = False,
    ) -> TorchBackend:
        """Build a network of the model table, fill it from a file, and make it ready.

        Batch normalisations become part of the convolutions before them. For bfloat16, weights are rounded here and
        not at every picture, and the layers keep float32 of which is known that they must
        (``midas.backends.exactness``).

        Args:
            model: name from the table.
            weights: a file of weights, with the project's key names or with published ones.
            device: as for the class.
            precision: as for the class; ``"auto"`` is bfloat16 on a processor that is faster in it, for a network of
                which is known that its maps hardly change.
            threads: as for the class.
            compiled: as for the class.

        Raises:
            ModelError: as for the class.
            WeightsError: the file is damaged, or doesn't fit the network.
        """
        place = find_device(device)
        if precision == "auto" and place.type == "cpu" and bfloat16_is_faster() and is_exact(model):
            precision = "bfloat16"
        dtype = find_dtype(precision, place)  # a large file is read in vain otherwise
        network = create_model(model, weights=weights)
        fold_batch_norm(network)
        if dtype == torch.bfloat16:
            fact = how_to_run(model)
            if fact:
                keep_exact(network, fact.float32_until)
            round_weights(network, dtype)
        said = read_safetensors_metadata(weights).get(CALIBRATION_KEY)
        backend = cls(network, device=device, precision=precision, threads=threads, compiled=compiled)
        backend._metadata = {} if said is None else {CALIBRATION_KEY: said}
        backend._again = partial(
            cls.load, model, weights.absolute(), device=device, precision=precision, threads=threads, compiled=compiled
        )
        return backend

    def __reduce__(self) -> tuple[Any, ...]:
        return self._again, ()

    @property
    def metadata(self) -> Mapping[str, str]:
        """The calibration, if the file has one: the model table knows the rest."""
        return self._metadata

    @property
    def device(self) -> str:
        """``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"mps"`` or ``"xpu"``."""
        return str(self._device)

    @property
    def precision(self) -> str:
        """``"float32"``, ``"bfloat16"`` or ``"float16"``."""
        return _name(self._dtype)

    def __call__(self, pixels: Float32[Array, "B 3 H W"]) -> Float32[Array, "B H W"]:
        """Run the network: normalised RGB in, relative disparity at the same resolution out.

        Pictures for which float16 gives numbers that are not finite are computed again in float32, with a
        ``PrecisionWarning``; bfloat16 has the range of float32.

        Raises:
            ModelError: the network doesn't take an input of this size, the device has too little memory for it, the
                network can't be compiled, or a fork separates it from where it was loaded.
        """
        self._check_process()
        disparity = self._run(pixels, self._dtype)
        if self._dtype == torch.float16:
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

    def _check_process(self) -> None:
        if self._process == os.getpid():
            _FORK.note_use(lambda: torch.set_num_threads(1))  # it would wait for the others, which stay behind
        elif self._device.type != "cpu" or self._compiled is not None:
            raise ModelError(
                f"this process was forked, and PyTorch on {self._device} doesn't go through a fork; start processes by "
                "`spawn`, or load the model in each of them"
            )

    def _run(self, pixels: Float32[Array, "B 3 H W"], dtype: torch.dtype) -> Float32[Array, "B H W"]:
        reduced = dtype != torch.float32
        # Compiled modules have a length, or fail where the network has none: `if self._compiled` would ask for it.
        network = self._compiled if self._compiled is not None and dtype == self._dtype else self._network
        self._network.check_size((pixels.shape[2], pixels.shape[3]))  # a compiled network wouldn't
        compiling = constant_padding() if network is self._compiled else nullcontext()
        try:
            with compiling, torch.inference_mode(), torch.autocast(self._device.type, dtype=dtype, enabled=reduced):
                # A copy: a view of an array that can't be written to is none that PyTorch likes.
                inputs = torch.tensor(pixels, device=self._device).contiguous(memory_format=self._layout)
                disparity: Float32[Array, "B H W"] = network(inputs).float().cpu().numpy()
        except torch.OutOfMemoryError as error:
            batch, _, height, width = pixels.shape
            raise ModelError(
                f"{self._device} has too little memory for {batch} x {height}x{width} pixels; "
                "use a smaller size, or a smaller batch"
            ) from error
        except RuntimeError as error:
            if network is not self._compiled:
                raise
            raise ModelError(f"PyTorch can't compile this network here ({error}); use backend 'torch'") from error
        return disparity


def _set_threads(count: int) -> None:
    if count > 1 and _FORK.crossed:
        raise ModelError(
            f"threads is {count}, and PyTorch has one only in a process that was forked after it ran; start processes "
            "by `spawn`, or leave the number to us"
        )
    torch.set_num_threads(count)


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
