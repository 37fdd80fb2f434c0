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
from midas.models.padding import constant_padding
from midas.pictures.preprocess import InputSpec


def write_torchscript(network: nn.Module, spec: InputSpec, path: Path, metadata: Mapping[str, str]) -> None:
    """Trace a network: any batch, and any legal size unless the input's is fixed.

    ``torch.jit.load(path, _extra_files={"midas.input": ""})`` reads the metadata back.
    """
    with warnings.catch_warnings(), constant_padding():
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


def write_torch_export(
    network: nn.Module, spec: InputSpec, path: Path, metadata: Mapping[str, str], *, dynamic: bool = False
) -> None:
    """Capture a network by torch.export: for single pictures of one size, or for any batch of any legal size.

    Args:
        network: in evaluation mode, on the CPU.
        spec: the size, and of what its sides are multiples.
        path: where to write.
        metadata: kept as extra files.
        dynamic: whether batch, height and width are symbols.
    """
    pixels, symbols = torch.zeros(1, 3, *spec.size), None
    if dynamic:
        height, width, step = *spec.size, spec.multiple
        # No two of batch, height and width alike, and none of them one: torch.export takes such numbers for laws.
        pixels = torch.zeros(2, 3, height, width + step)
        batch, rows, columns = torch.export.Dim("B", min=1), torch.export.Dim("rows"), torch.export.Dim("columns")
        symbols = ({0: batch, 2: step * rows, 3: step * columns},)
    with warnings.catch_warnings(), torch.no_grad(), constant_padding():
        warnings.simplefilter("ignore")
        program = torch.export.export(network, (pixels,), dynamic_shapes=symbols)
        torch.export.save(program, str(path), extra_files=dict(metadata))


def open_torch_export(path: Path) -> Run:
    """A file of torch.export as a function of arrays; one for single pictures runs a batch picture by picture."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.export.load(str(path))
    run = _on_arrays(program.module())
    if program.range_constraints:
        return run
    return lambda pixels: np.concatenate([run(pixels[index : index + 1]) for index in range(len(pixels))])


def _on_arrays(module: Callable[[torch.Tensor], Any]) -> Run:
    def run(pixels: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return np.asarray(module(torch.from_numpy(pixels)).numpy())

    return run
