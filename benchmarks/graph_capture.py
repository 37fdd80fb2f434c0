"""Can every network be traced, exported, written as ONNX and compiled, and does it keep its numbers?

    python benchmarks/graph_capture.py [NAME ...] [--json] [--compiler inductor|eager]

Each network gets random weights and its own size of input; where it takes others, the traced one is tried on another
size too, and the ONNX file on three. A figure is the largest difference from the network itself, in units of the
output's standard deviation (ONNX: of its range).
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from midas.errors import MidasError
from midas.export.onnx import export_onnx
from midas.models import create_model
from midas.models.network import DepthNetwork
from midas.models.zoo import MODELS

WAYS = ("trace", "trace, other size", "torch.export", "ONNX", "torch.compile")
# The other forms of Depth Anything and those of Hugging Face differ in constants only.
NAMES = tuple(name for name in MODELS if not name.startswith(("hf_", "depth_anything_v1")))


def main() -> int:
    """Print one row per network, and return how many captures failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=NAMES, metavar="NAME", help="names from `midas models`")
    parser.add_argument("--json", action="store_true", help="one line of JSON per network")
    parser.add_argument("--compiler", default="inductor", help="what torch.compile hands the graph to")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.ERROR)
    if not arguments.json:
        print(f"| network | {' | '.join(WAYS)} |\n|{'---|' * (len(WAYS) + 1)}")
    failed = 0
    for name in arguments.names:
        figures = capture(name, arguments.compiler)
        failed += sum(isinstance(figure, str) and figure != "-" for figure in figures.values())
        if arguments.json:
            print(json.dumps({"network": name, **figures}), flush=True)
        else:
            cells = (figure if isinstance(figure, str) else f"{figure:.0e}" for figure in figures.values())
            print(f"| `{name}` | {' | '.join(cells)} |", flush=True)
    return failed


@torch.no_grad()
def capture(name: str, compiler: str) -> dict[str, float | str]:
    """The difference that each way of capturing makes, or why it failed; "-" where it doesn't apply."""
    torch.manual_seed(0)
    torch.compiler.reset()
    network = create_model(name, weights=None)
    for parameter_name, parameter in network.named_parameters():
        # With weights as small as training starts from, the output is all but constant and rounding is all one sees;
        # with larger ones than these, the forty residual blocks of Next-ViT blow rounding up to anything.
        if parameter.ndim > 1 and parameter_name.endswith("weight"):
            torch.nn.init.kaiming_normal_(parameter, nonlinearity="linear").mul_(0.8)
    spec = network.input_spec
    pixels = torch.randn(1, 3, *spec.size)
    other = None if spec.fixed else torch.randn(1, 3, spec.size[0] - 2 * spec.multiple, spec.size[1] + spec.multiple)
    traced = torch.jit.trace(network, pixels, check_trace=False)

    def onnx() -> float:
        with tempfile.TemporaryDirectory() as folder:
            return export_onnx(network, MODELS[name], Path(folder) / "network.onnx").largest_difference

    ways: tuple[Callable[[], float] | None, ...] = (
        lambda: difference(network, traced, pixels),
        None if other is None else lambda: difference(network, traced, other),
        lambda: difference(network, torch.export.export(network, (pixels,)).module(), pixels),
        onnx,
        lambda: difference(network, torch.compile(network, backend=compiler, fullgraph=True), pixels),
    )
    return {way: attempt(f"{name}: {way}", run) for way, run in zip(WAYS, ways, strict=True)}


def attempt(label: str, run: Callable[[], float] | None) -> float | str:
    """A figure, or the kind of error."""
    if run is None:
        return "-"
    start = time.perf_counter()
    try:
        return run()
    except (MidasError, RuntimeError) as error:
        print(f"{label}: {error}", file=sys.stderr)
        return type(error).__name__
    finally:
        print(f"{label}: {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)


def difference(network: DepthNetwork, captured: Callable[[Tensor], Tensor], pixels: Tensor) -> float:
    """Largest difference, in units of the output's standard deviation."""
    expected = network(pixels)
    return float((captured(pixels) - expected).abs().max() / expected.std())


if __name__ == "__main__":
    sys.exit(main())
