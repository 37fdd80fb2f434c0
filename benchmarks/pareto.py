"""What a Pareto step costs beside a naive one: milliseconds and memory of a training step on pictures of several sets.

    python benchmarks/pareto.py [--model NAME] [--sets 3] [--pictures 4] [--size 128] [--runs 15] [--threads N]

A naive step is one forward and one backward pass over the pictures of all sets; a Pareto step is one of each per set,
and the search for the weights. Both see the same pictures, random ones, and end with the optimizer. Times are taken in
turns; memory is what a process of its own for each kind takes at most beyond what it had before its first step, on
Linux.
"""

from __future__ import annotations

import argparse
import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import torch
from torch import Tensor

from midas.losses import total_loss
from midas.models import create_model
from midas.models.zoo import MODELS
from midas.training.pareto import min_norm_weights, pareto_backward

KINDS = ("naive", "pareto")


def main() -> None:
    """Print medians, their ratio, and what the weights alone take."""
    options = read_options()
    steps = {kind: training_step(kind, options) for kind in KINDS}
    times_ms: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for _ in range(options.runs + 1):
        for kind, step in steps.items():
            times_ms[kind].append(milliseconds(step))
    # The first of each kind made the optimizer's state and warmed the allocator.
    naive, pareto = (median(times_ms[kind][1:]) for kind in KINDS)
    memory = {kind: peak_memory_mb(kind, options) for kind in KINDS}
    print(
        f"{options.model}, {options.sets} sets x {options.pictures} pictures of {options.size} x {options.size}, ",
        end="",
    )
    print(f"{torch.get_num_threads()} threads, PyTorch {torch.__version__}")
    print("\n| step | milliseconds | peak memory, MB |\n|---|---|---|")
    for kind, value in zip(KINDS, (naive, pareto), strict=True):
        print(f"| {kind} | {value:.0f} | {memory[kind]:.0f} |")
    gradient_mb = 4 * MODELS[options.model].parameters / 1e6
    print(f"\npareto / naive: time {pareto / naive:.2f}; one gradient: {gradient_mb:.0f} MB")
    rows = torch.randn(options.sets, 100)
    print(
        f"the weights alone: {median(milliseconds(lambda: min_norm_weights(rows @ rows.T)) for _ in range(50)):.2f} ms"
    )


def read_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="midas_nano_256", choices=MODELS, metavar="NAME")
    parser.add_argument("--sets", type=int, default=3, help="data sets, each a task")
    parser.add_argument("--pictures", type=int, default=4, help="of each set in a step")
    parser.add_argument("--size", type=int, default=128, help="height and width of the pictures")
    parser.add_argument("--runs", type=int, default=15, help="timed steps of each kind, after one that isn't")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="of PyTorch, on the CPU")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    return options


def training_step(kind: str, options: argparse.Namespace) -> Callable[[], None]:
    """A step of one kind, with a network and an optimizer of its own."""
    torch.manual_seed(0)
    network = create_model(options.model, weights=None).train().to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-5, fused=True)
    shape = (options.sets * options.pictures, options.size, options.size)
    pixels, target = torch.randn(shape[0], 3, *shape[1:]), torch.rand(shape)
    mask = torch.ones(shape, dtype=torch.bool)

    def loss(first: int, end: int) -> Tensor:
        prediction = network(pixels[first:end].contiguous(memory_format=torch.channels_last))
        return total_loss(prediction, target[first:end], mask[first:end]).total

    def naive() -> None:
        optimizer.zero_grad(set_to_none=True)
        loss(0, shape[0]).backward()
        optimizer.step()

    def pareto() -> None:
        starts = range(0, shape[0], options.pictures)
        pareto_backward((loss(start, start + options.pictures) for start in starts), list(network.parameters()))
        optimizer.step()

    return {"naive": naive, "pareto": pareto}[kind]


def milliseconds(call: Callable[[], object]) -> float:
    """How long a call takes."""
    start = time.perf_counter()
    call()
    return (time.perf_counter() - start) * 1e3


def peak_memory_mb(kind: str, options: argparse.Namespace) -> float:
    """Megabytes that three steps of a fresh process take at most, beyond what it had before."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(steps_memory_mb, (kind, options))


def steps_memory_mb(kind: str, options: argparse.Namespace) -> float:
    """The same of this process; NaN where there is no /proc."""
    torch.set_num_threads(options.threads)
    step = training_step(kind, options)
    reset = Path("/proc/self/clear_refs")
    if not reset.exists():
        return float("nan")
    reset.write_text("5", encoding="ascii")  # The peak so far, from loading libraries, is forgotten.
    before_mb = resident_peak_mb()
    for _ in range(3):
        step()
    return resident_peak_mb() - before_mb


def resident_peak_mb() -> float:
    """Largest resident memory of this process so far."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1e3


if __name__ == "__main__":
    main()
