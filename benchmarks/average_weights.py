"""The mean of several runs' weights, or of a run's and those that it started from: what ships of the embedded model.

    python benchmarks/average_weights.py A.safetensors:0.34 B.safetensors:0.33 C.safetensors:0.33 -o MEAN.safetensors \
        [--config configs/midas_nano_256_wild.toml]

Weights that a fine-tuning ends with lie in the same valley as those it began with, and a point between them keeps what
the start was good at and much of what was learnt (Wortsman et al., "Robust fine-tuning of zero-shot models", 2022, and
"Model soups", 2022). Running statistics of batch normalisations are averaged like weights. Shares must sum to one.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from midas.models import create_model
from midas.models.weights import write_safetensors
from midas.models.zoo import DEFAULT_MODEL, find_model
from midas.training.config import read_config
from midas.training.sources import open_sets
from midas.training.validation import validate, validation_figure


def main() -> None:
    """Average and save in half precision, as what ships is stored."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", nargs="+", help="FILE:SHARE")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--config", type=Path, help="print the validation figures that its runs are judged by")
    options = parser.parse_args()
    parts = [entry.rpartition(":") for entry in options.weights]
    shares = {Path(file): float(share) for file, _, share in parts}
    if len(shares) < len(parts) or abs(sum(shares.values()) - 1) > 1e-6:
        parser.error(f"each file once, and shares that sum to one, not to {sum(shares.values()):g}")
    mean = average({file: load_file(file) for file in shares}, shares)
    state = {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in mean.items()}
    write_safetensors(state, options.output, {"midas.name": DEFAULT_MODEL})
    if options.config is not None:
        print(figures_of(options.output, options.config))


def figures_of(weights: Path, config: Path) -> str:
    """The validation figure of weights and those of each set, in one line."""
    data = read_config(config).data
    # Nothing is trained: only what is held out needs to be read.
    held_out = [
        replace(entry, least_unexplained=0.0)
        for entry in data.sets
        if entry.validation_scenes or entry.validation_share
    ]
    _, sets = open_sets(replace(data, in_memory=False, sets=tuple(held_out)))
    network = create_model(DEFAULT_MODEL, weights=weights)
    measured = validate(network, sets, find_model(DEFAULT_MODEL).input)
    each = ", ".join(f"{name} {figure:.2f}" for name, figure in measured.figures.items())
    return f"{validation_figure(measured.figures, sets):.2f} %: {each}"


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
