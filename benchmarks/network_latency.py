"""How long each network takes for one picture, alone: PyTorch, float32, eager, at its own size.

    python benchmarks/network_latency.py [NAME ...] [--runs 5]

Weights are random: they don't change the time. Run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import sys
import time
from statistics import median

import torch

from midas.models import create_model
from midas.models.zoo import MODELS

NAMES = tuple(name for name in MODELS if not name.startswith(("hf_", "depth_anything_v1")))


def main() -> None:
    """Print one row per network."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=NAMES, metavar="NAME", help="names from `midas models`")
    parser.add_argument("--runs", type=int, default=5, help="timed runs, after one that isn't")
    arguments = parser.parse_args()
    print(f"{torch.get_num_threads()} threads, PyTorch {torch.__version__}", file=sys.stderr)
    print("| network | input | milliseconds | GFLOP/s |\n|---|---|---|---|")
    for name in arguments.names:
        spec = MODELS[name]
        milliseconds = median(times_ms(name, arguments.runs))
        size = "x".join(map(str, spec.input.size))
        print(f"| `{name}` | {size} | {milliseconds:.0f} | {2 * spec.gmacs / milliseconds * 1e3:.0f} |", flush=True)


@torch.inference_mode()
def times_ms(name: str, runs: int) -> list[float]:
    """Milliseconds of each run but the first."""
    network = create_model(name, weights=None)
    pixels = torch.randn(1, 3, *MODELS[name].input.size)
    times = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        network(pixels)
        times.append((time.perf_counter() - start) * 1e3)
    return times[1:]


if __name__ == "__main__":
    main()
