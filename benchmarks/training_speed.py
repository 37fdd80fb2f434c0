"""A training step of the embedded model on a processor, by PyTorch's layers and by ours, in turns in one process.

    python benchmarks/training_speed.py [--batch 16] [--size 256 352] [--turns 5] [--threads N] [--curve 40]

Prints for each way the median seconds of a step and pictures per second, and their ratio to PyTorch's layers; then,
with --curve, the loss of both over so many first steps on the same samples, drawn scenes, from the same weights:
rounding aside, one curve.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import torch
from torch import Tensor

from midas.datasets.mixture import Item, collate
from midas.datasets.readers.synthetic import SyntheticDataset
from midas.datasets.transforms import normalize_pixels, normalize_target, random_crop
from midas.models.factory import create_model
from midas.models.network import DepthNetwork
from midas.training.config import LossSettings, ModelSettings, OptimizerSettings
from midas.training.fast_layers import accelerate
from midas.training.objective import loss_terms
from midas.training.optimizer import build_optimizer
from midas.training.start import training_mode

LOSS = LossSettings(data="ssi_mse", gradient_weight=0.1)
OPTIMIZER = OptimizerSettings(decoder_rate=6e-4, encoder_rate=3e-4, weight_decay=0.02)
STEM = tuple(f"encoder.network.{part}" for part in ("conv_stem", "bn1", "blocks.0", "blocks.1"))


@dataclass(frozen=True)
class Way:
    """One way of training: what it is called, and how the network is set up for it."""

    name: str
    bfloat16: bool
    fast: bool
    frozen: tuple[str, ...] = ()


WAYS = (
    Way("PyTorch's layers, bfloat16", bfloat16=True, fast=False),
    Way("PyTorch's layers, float32", bfloat16=False, fast=False),
    Way("layers in C++, bfloat16", bfloat16=True, fast=True),
    Way("layers in C++, bfloat16, stem frozen", bfloat16=True, fast=True, frozen=STEM),
    Way("layers in C++, float32, stem frozen", bfloat16=False, fast=True, frozen=STEM),
)


def main() -> None:
    """Time all ways in turns, then print the curves of the first and the third."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--size", type=int, nargs=2, default=(256, 352), metavar=("HEIGHT", "WIDTH"))
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--curve", type=int, default=0, help="steps of the two loss curves")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    batch = drawn_batch(0, options.batch, tuple(options.size))
    steps = [stepper(way) for way in WAYS]
    for step in steps:
        step(batch)
    turns = [[timed(step, batch) for step in steps] for _ in range(options.turns)]
    seconds = [median(turn) for turn in zip(*turns, strict=True)]
    print(f"{processor()}, {options.threads} threads, batch {options.batch}, {options.size[0]}x{options.size[1]}\n")
    print("| way | step, s | pictures/s | to the first |\n|---|---|---|---|")
    for way, value in zip(WAYS, seconds, strict=True):
        print(f"| {way.name} | {value:.2f} | {options.batch / value:.1f} | {seconds[0] / value:.1f}x |")
    if options.curve:
        print_curves(options.curve, options.batch)


def drawn_batch(first: int, count: int, size: tuple[int, int]) -> Item:
    """Drawn scenes as a batch."""
    dataset = SyntheticDataset(count=first + count, size=(264, 352), seed=5)
    spec = create_model("midas_nano_256", weights=None).input_spec
    items = []
    for index in range(first, first + count):
        sample = random_crop(dataset[index], size, 1.0, np.random.default_rng(index))
        mask = torch.from_numpy(sample.mask.copy())
        items.append(
            Item(
                torch.from_numpy(normalize_pixels(sample.image, spec)),
                torch.from_numpy(normalize_target(sample)),
                mask,
                torch.zeros_like(mask),
                torch.tensor(-1.0),
                torch.zeros(1, 4, dtype=torch.long),
                torch.zeros(1),
                torch.zeros(1, dtype=torch.bool),
                torch.tensor(0),
                (),
            )
        )
    return collate(items)


def stepper(way: Way) -> Callable[[Item], float]:
    """A function that takes a step and gives its loss."""
    network: DepthNetwork = create_model("midas_nano_256").to(memory_format=torch.channels_last)
    training_mode(network, ModelSettings(name="midas_nano_256", frozen=way.frozen))
    if way.fast:
        accelerate(network)
    optimizer = build_optimizer(network, OPTIMIZER)

    def step(item: Item) -> float:
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=way.bfloat16):
            prediction: Tensor = network(item.pixels.contiguous(memory_format=torch.channels_last))
        total = loss_terms(prediction.float(), item, LOSS).total
        total.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), OPTIMIZER.clip_norm)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return float(total.detach())

    return step


def timed(step: Callable[[Item], float], item: Item) -> float:
    """Seconds of one step."""
    start = time.perf_counter()
    step(item)
    return time.perf_counter() - start


def print_curves(steps: int, batch: int) -> None:
    """The loss step by step, of PyTorch's layers and of ours."""
    ways = (WAYS[0], WAYS[2])
    functions = [stepper(way) for way in ways]
    print("\n| step | " + " | ".join(way.name for way in ways) + " |\n|---|---|---|")
    for number in range(steps):
        item = drawn_batch(number * batch, batch, (192, 256))
        losses = [function(item) for function in functions]
        if number % 5 == 0 or number == steps - 1:
            print(f"| {number} | " + " | ".join(f"{loss:.4f}" for loss in losses) + " |", flush=True)


def processor() -> str:
    """The processor's name, where the system tells it."""
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text().splitlines() if facts.exists() else []
    name = next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor()
    )
    return f"{name}{', AMX' if any('amx_bf16' in line for line in lines) else ''}"


if __name__ == "__main__":
    main()
