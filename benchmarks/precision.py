"""How far each back end and precision departs from plain float32 PyTorch, and how many times as fast it is.

    python benchmarks/precision.py [NAME ...] [--runs 15] [--picture PATH ...] [--threads N]

A difference is the mean of |a - b| over the range of b, b being the map of the same network in eager float32 PyTorch:
its mean over the pictures, and the largest. A time is that of the whole prediction, from the first picture's array to
the map of its size; back ends take turns, and the median is compared with that of eager float32 PyTorch, which does
nothing but run the network as its authors do. Models whose weights are not at hand get deterministic untrained ones.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import torch

import midas
from midas.arrays import Array
from midas.backends import Backend, open_backend, openvino_is_installed
from midas.errors import MidasError
from midas.export.onnx import export_onnx
from midas.models.factory import create_untrained
from midas.models.network import DepthNetwork
from midas.models.weight_files import find_weights
from midas.models.weights import write_safetensors
from midas.models.zoo import find_model
from midas.pictures.reading import read_image

NAMES = ("midas_nano_256", "midas_v21_small_256", "dpt_levit_224")
EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
WAYS = (
    ("torch", "float32"),
    ("torch", "bfloat16"),
    ("torch", "float16"),
    ("onnxruntime", "float32"),
    ("openvino", "float32"),
    ("openvino", "bfloat16"),
    ("openvino", "float16"),
)
COMPILED = (("torch-compile", "float32"), ("torch-compile", "bfloat16"))


class Eager:
    """The network as its authors run it: nothing folded, nothing laid out anew.

    Args:
        network: in evaluation mode.
    """

    metadata: Mapping[str, str] = {}

    def __init__(self, network: DepthNetwork) -> None:
        self.network = network

    def __call__(self, pixels: Array) -> Array:
        """Run it."""
        with torch.inference_mode():
            return np.asarray(self.network(torch.from_numpy(pixels)).numpy())


@dataclass(frozen=True)
class Files:
    """A network's weights and its graph, and whether they are trained."""

    weights: Path
    graph: Path
    trained: bool


def main() -> None:
    """Print a table per network."""
    options = read_options()
    warnings.simplefilter("ignore")
    threads = options.threads or torch.get_num_threads()
    torch.set_num_threads(threads)
    pictures = [read_image(path) for path in options.pictures]
    ways = (*WAYS, *COMPILED) if options.compiled else WAYS
    for name in options.names:
        with tempfile.TemporaryDirectory(prefix="midas-precision-") as folder:
            files = files_of(name, Path(folder))
            state = "trained" if files.trained else "untrained, deterministic"
            print(f"\n{name}, {state} weights, {len(pictures)} pictures, {threads} threads\n")
            print("| back end | precision | mean difference | largest | times as fast |\n|---|---|---|---|---|")
            print_rows(predictors_of(name, files, ways, threads), pictures, options.runs)


def read_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=NAMES, metavar="NAME", help="names from `midas models`")
    parser.add_argument("--runs", type=int, default=15, help="timed runs of each, after two that aren't")
    parser.add_argument("--threads", type=int, help="threads of each back end; the default is PyTorch's")
    parser.add_argument("--compiled", action="store_true", help="torch-compile too, which takes minutes to start")
    parser.add_argument(
        "--picture", dest="pictures", action="append", type=Path, help="instead of the examples; may be repeated"
    )
    arguments = parser.parse_args()
    arguments.pictures = arguments.pictures or sorted(EXAMPLES.glob("*.jpg"))
    return arguments


def files_of(name: str, folder: Path) -> Files:
    """The files of a model: those at hand, else made from deterministic weights."""
    spec = find_model(name)
    try:
        weights = find_weights(spec, "safetensors", "pytorch", offline=True).path
        trained = True
    except MidasError:
        weights, trained = folder / "weights.safetensors", False
        write_safetensors(create_untrained(name).state_dict(), weights, {})
    graph = folder / "network.onnx"
    export_onnx(midas.models.create_model(name, weights=weights), spec, graph)
    return Files(weights, graph, trained)


def predictors_of(
    name: str, files: Files, ways: Sequence[tuple[str, str]], threads: int
) -> dict[tuple[str, str], midas.Predictor]:
    """Eager PyTorch, and every way that this machine has."""
    spec = find_model(name)
    eager = Eager(midas.models.create_model(name, weights=files.weights))
    found = {("eager PyTorch", "float32"): midas.Predictor(name, spec.input, eager)}
    for backend, precision in ways:
        if backend == "openvino" and not openvino_is_installed():
            continue
        path = files.weights if backend.startswith("torch") else files.graph
        try:
            network: Backend = open_backend(
                path, model=name, backend=backend, device="cpu", precision=precision, threads=threads
            )
        except MidasError as error:
            print(f"{backend} in {precision}: {error}", file=sys.stderr)
            continue
        found[backend, precision] = midas.Predictor(name, spec.input, network)
    return found


def print_rows(predictors: dict[tuple[str, str], midas.Predictor], pictures: list[Array], runs: int) -> None:
    """One row per way; the first is what the others are compared with."""
    reference, *_ = predictors.values()
    expected = [reference(picture).values for picture in pictures]
    seconds: dict[tuple[str, str], list[float]] = {way: [] for way in predictors}
    for _ in range(runs + 2):
        for way, predictor in predictors.items():
            start = time.perf_counter()
            predictor(pictures[0])
            seconds[way].append(time.perf_counter() - start)
    medians = {way: median(times[2:]) for way, times in seconds.items()}
    slowest = next(iter(medians.values()))
    for (backend, precision), predictor in predictors.items():
        differences = [
            float(np.abs(predictor(picture).values - values).mean() / np.ptp(values))
            for picture, values in zip(pictures, expected, strict=True)
        ]
        speed = slowest / medians[backend, precision]
        cells = f"{np.mean(differences):.3%} | {max(differences):.3%} | {speed:.1f}"
        print(f"| {backend} | {precision} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
