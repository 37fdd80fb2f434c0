"""The mean of several runs' weights, or of a run's and those that it started from: what ships of the embedded model.

    python benchmarks/average_weights.py A.safetensors:0.34 B.safetensors:0.33 C.safetensors:0.33 -o MEAN.safetensors

Weights that a fine-tuning ends with lie in the same valley as those it began with, and a point between them keeps what
the start was good at and much of what was learnt (Wortsman et al., "Robust fine-tuning of zero-shot models", 2022, and
"Model soups", 2022). Running statistics of batch normalisations are averaged like weights. Shares must sum to one.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from midas.models.weights import write_safetensors
from midas.models.zoo import DEFAULT_MODEL


def main() -> None:
    """Average and save in half precision, as what ships is stored."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", nargs="+", help="FILE:SHARE")
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    parts = [entry.rpartition(":") for entry in options.weights]
    shares = {Path(file): float(share) for file, _, share in parts}
    if len(shares) < len(parts) or abs(sum(shares.values()) - 1) > 1e-6:
        parser.error(f"each file once, and shares that sum to one, not to {sum(shares.values()):g}")
    mean = average({file: load_file(file) for file in shares}, shares)
    state = {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in mean.items()}
    write_safetensors(state, options.output, {"midas.name": DEFAULT_MODEL})


def average(files: dict[Path, dict[str, Tensor]], shares: dict[Path, float]) -> dict[str, Tensor]:
    """The weighted mean of every tensor; whole numbers, which count batches, are the first file's."""
    first = next(iter(files.values()))
    mean = {}
    for name, tensor in first.items():
        if tensor.is_floating_point():
            tensor = torch.stack([share * files[file][name].double() for file, share in shares.items()]).sum(dim=0)
        mean[name] = tensor
    return mean


if __name__ == "__main__":
    main()
