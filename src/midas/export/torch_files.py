"""Files for PyTorch without this package: TorchScript and torch.export."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from midas.export.verify import Run
from midas.preprocess import InputSpec


def write_torchscript(network: nn.Module, spec: InputSpec, path: Path, metadata: Mapping[str, str]) -> None:
    """Trace a network: any batch, and any legal size unless the input's is fixed.

    ``torch.jit.load(path, _extra_files={"midas.input": ""})`` reads the metadata back.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a check that is meant to be left out, and of the format's old age
        traced = torch.jit.trace(  # type: ignore[no-untyped-call]
            network, torch.zeros(1, 3, *spec.size), check_trace=False
        )
        torch.jit.save(traced, str(path), _extra_files=dict(metadata))


def open_torchscript(path: Path) -> Run:
    """A TorchScript file as a function of arrays."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _on_arrays(torch.jit.load(str(path), map_location="cpu"))  # type: ignore[no-untyped-call]


def write_torch_export(network: nn.Module, spec: InputSpec, path: Path, metadata: Mapping[str, str]) -> None:
    """Capture a network by torch.export, for single pictures of one size.

    Sizes as symbols are not tried: for some networks of the table torch.export then takes longer than anyone waits.
    """
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        program = torch.export.export(network, (torch.zeros(1, 3, *spec.size),))
        torch.export.save(program, str(path), extra_files=dict(metadata))


def open_torch_export(path: Path) -> Run:
    """A file of torch.export as a function of arrays, which runs a batch picture by picture."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = torch.export.load(str(path)).module()
    run = _on_arrays(module)
    return lambda pixels: np.concatenate([run(pixels[index : index + 1]) for index in range(len(pixels))])


def _on_arrays(module: Callable[[torch.Tensor], Any]) -> Run:
    def run(pixels: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return np.asarray(module(torch.from_numpy(pixels)).numpy())

    return run
