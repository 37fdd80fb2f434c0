"""Whole predictions, array in and map of its size out: ours beside its peers, in turns, in one run.

    python benchmarks/peers/run.py [NAME ...] [--rounds 15] [--threads N] [--picture FILE] [--json FILE]

For each model, back ends and number formats are tried, and the fastest one whose map departs
from float32 PyTorch by at most --exact-enough of its range runs against the peers: float32 PyTorch as the official code
runs it, ONNX Runtime on a plain export, and transformers' pipeline where it has the model. Each peer lives in an
environment of its own, made below build/peers. The embedded model has its own weights, the others random ones, the same
for all but transformers, which makes its own: time doesn't depend on them. Times are of calls after warm-up. For small
models there is a second of ours, their int8 export, calibrated on the photographs in examples/ and run by OpenVINO.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from environments import python_of, version_of

from midas.backends import openvino_is_installed
from midas.bench.cases import Case, Grid
from midas.bench.duel import CallableContestant, Contestant, compare, take_turns
from midas.bench.machine import describe_machine
from midas.bench.picture import draw_picture
from midas.bench.processes import run_task
from midas.bench.results import CaseResult, DuelResult
from midas.bench.runner import Settings, run_benchmark
from midas.bench.tables import DUEL_HEADINGS, duel_cells, markdown_table
from midas.bench.timing import Effort
from midas.models.zoo import DEFAULT_MODEL, find_model
from midas.pictures.reading import read_image

PEERS = Path(__file__).resolve().parent
REPOSITORY = PEERS.parents[1]

MODELS = (DEFAULT_MODEL, "midas_v21_small_256", "depth_anything_v2_vits", "dpt_large_384")
PIPELINES = {"dpt_large_384": "dpt-large", "depth_anything_v2_vits": "depth-anything-v2-small"}

# The embedded model stands in for the official small one, so that it has to be compared with that, too.
STANDS_IN_FOR = {DEFAULT_MODEL: "midas_v21_small_256"}

# Not torch-compile, which takes minutes to start and stays behind OpenVINO: docs/speed.md.
BACKENDS = ("onnxruntime", "openvino", "torch")

# "auto" is float32 where it isn't bfloat16.
PRECISIONS = ("auto", "bfloat16")

# Whose integers are measured too. They depart by more than --exact-enough, so that they are never "ours" by themselves.
INT8 = (DEFAULT_MODEL, "midas_v21_small_256")
CALIBRATION = REPOSITORY / "examples"


@dataclass(frozen=True)
class Run:
    """What all models share.

    Attributes:
        options: the command line.
        picture: RGB.
        picture_path: the same as a NumPy file.
        files: of each model, files with the same weights; none for its own.
    """

    options: argparse.Namespace
    picture: np.ndarray
    picture_path: Path
    files: Mapping[str, tuple[str, ...]]


def main() -> None:
    """Print a table, and write JSON where it is asked for."""
    options = read_options()
    # Found by the peers' processes, whose environments hold no midas.
    os.environ["PYTHONPATH"] = os.pathsep.join([str(PEERS), str(REPOSITORY / "src"), os.environ.get("PYTHONPATH", "")])
    picture = draw_picture() if options.picture is None else read_image(options.picture)
    duels: list[DuelResult] = []
    with tempfile.TemporaryDirectory(prefix="midas-peers-") as folder:
        np.save(Path(folder, "picture.npy"), picture)
        files: dict[str, tuple[str, ...]] = {}
        for model in options.names:
            for name in (model, *filter(None, [STANDS_IN_FOR.get(model)])):
                if name not in files:
                    say(f"{name}: weights")
                    files[name] = () if name == DEFAULT_MODEL else random_files(name, Path(folder))
            duels += duels_of(model, Run(options, picture, Path(folder, "picture.npy"), files))
    print(table(duels, options), flush=True)
    if options.json is not None:
        report = {"machine": dataclasses.asdict(describe_machine()), "duels": [dataclasses.asdict(d) for d in duels]}
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def read_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "names", nargs="*", default=MODELS, metavar="NAME", help=f"models (default: {', '.join(MODELS)})"
    )
    parser.add_argument("--rounds", type=int, default=15, help="turns of each that count")
    parser.add_argument("--runs", type=int, default=10, help="runs of each way of ours, to find the fastest")
    parser.add_argument("--seconds", type=float, default=10.0, help="time for these, of each way")
    parser.add_argument("--threads", type=int, help="of all alike; by default each has its own way")
    parser.add_argument("--exact-enough", type=float, default=0.01, help="mean difference by the range (default: 0.01)")
    parser.add_argument("--picture", type=Path, help="what all see (default: a drawn picture of 1024x1024)")
    parser.add_argument("--environments", type=Path, default=REPOSITORY / "build" / "peers")
    parser.add_argument("--fresh", action="store_true", help="install everything anew from PyPI: several gigabytes")
    parser.add_argument("--json", type=Path, help="write the figures here")
    return parser.parse_args()


def random_files(model: str, folder: Path) -> tuple[str, ...]:
    """Weights and graph of a network that is filled at random."""
    target = folder / model
    target.mkdir()
    answer = run_task({"kind": "random", "model": model, "folder": str(target)})
    if "error" in answer:
        raise SystemExit(f"{model}: {answer['error']}")
    return tuple(answer["files"])


def duels_of(model: str, run: Run) -> list[DuelResult]:
    """The fastest exact enough way of ours against each peer; all of them take part in every round."""
    best = best_way(model, run)
    say(f"{best.label}: {best.difference:.2%} from float32 PyTorch; now in turns with its peers")
    labels = {"ours": f"{best.label} ({best.difference:.2%})"}
    contestants: dict[str, Contestant] = {"ours": ours_of(best.case, run.files[model], run)}
    if model in INT8 and openvino_is_installed():
        case = Case(model, "openvino", "bfloat16", threads=run.options.threads)
        labels["int8"] = f"{model}, openvino, int8"
        contestants["int8"] = ours_of(case, (str(int8_file(model, run)),), run)
    peers = dict(peers_of(model, run))
    times = take_turns(contestants | peers, run.options.rounds)
    return [compare(labels[own], peer, times[own], times[peer]) for own in labels for peer in peers]


def ours_of(case: Case, files: Sequence[str], run: Run) -> Contestant:
    """One of our own, in a process of its own like its peers."""
    settings = {"case": dataclasses.asdict(case), "files": files}
    return CallableContestant(
        "midas.bench.worker:contestant", run.picture_path, settings=settings, threads=run.options.threads
    )


def int8_file(model: str, run: Run) -> Path:
    """The model's int8 export."""
    path = run.picture_path.with_name(f"{model}.int8.onnx")
    weights = [file for file in run.files[model] if file.endswith(".safetensors")]
    say(f"{model}: int8")
    command = [sys.executable, "-m", "midas", "export", "--model", model, "--precision", "int8", "--output", str(path)]
    command += ["--calibration", str(CALIBRATION), *(["--weights", *weights] if weights else [])]
    subprocess.run(command, check=True, stdout=sys.stderr)
    return path


def best_way(model: str, run: Run) -> CaseResult:
    """The fastest of all back ends and number formats whose map is near enough to float32 PyTorch's."""
    cases = Grid((model,), BACKENDS, PRECISIONS, threads=(run.options.threads,)).cases()
    effort = Effort(warmup=2, runs=run.options.runs, seconds=run.options.seconds)
    files = {name: paths for name, paths in run.files.items() if paths}
    settings = Settings(run.picture, "", effort, files=files, peaks=False)
    report = run_benchmark(cases, settings, lambda label, *_: say(f"  {label}"))
    near = [each for each in report.results if (each.difference or 0) <= run.options.exact_enough and each.whole]
    if not near:
        raise SystemExit(f"{model}: no way of running it is exact enough: {'; '.join(report.problems)}")
    return min(near, key=lambda each: each.whole.median_ms if each.whole else float("inf"))


def peers_of(model: str, run: Run) -> Iterator[tuple[str, Contestant]]:
    """Names and processes of the peers of a model."""
    yield from eager(model, run)
    yield plain_onnxruntime(model, run)
    if model in PIPELINES:
        python = environment("huggingface", run)
        name = f"transformers {version_of(python, 'transformers')} pipeline"
        yield name, contestant("huggingface", python, {"name": PIPELINES[model]}, run)
    if model in STANDS_IN_FOR:
        yield from eager(STANDS_IN_FOR[model], run)


def eager(model: str, run: Run) -> Iterator[tuple[str, Contestant]]:
    """PyTorch as the official code runs it."""
    settings = {"model": model, "weights": next(iter(run.files[model]), "pretrained")}
    yield f"eager float32 PyTorch, {model}", contestant("eager_torch", environment("eager_torch", run), settings, run)


def plain_onnxruntime(model: str, run: Run) -> tuple[str, Contestant]:
    """A session with its defaults."""
    from midas.assets import asset_path

    spec = find_model(model).input
    height, width = run.picture.shape[:2]
    settings = {
        "path": next((path for path in run.files[model] if path.endswith(".onnx")), str(asset_path(f"{model}.onnx"))),
        "size": spec.network_size((height, width)), "mean": spec.mean, "std": spec.std,
        "area": spec.interpolation == "area",
    }  # fmt: skip
    python = environment("plain_onnxruntime", run)
    return "plain ONNX Runtime", contestant("plain_onnxruntime", python, settings, run)


def environment(peer: str, run: Run) -> str:
    """A peer's interpreter."""
    return python_of(peer, run.options.environments, fresh=run.options.fresh)


def contestant(module: str, python: str, settings: dict[str, Any], run: Run) -> Contestant:
    """A peer's process."""
    return CallableContestant(
        f"{module}:make", run.picture_path, settings=settings, python=python, threads=run.options.threads
    )


def table(duels: list[DuelResult], options: argparse.Namespace) -> str:
    """Machine, and one row per peer."""
    threads = "each with its own number of threads" if options.threads is None else f"{options.threads} threads each"
    shared = "" if options.fresh else " Peers share the packages of our environment where the versions fit."
    intro = f"{describe_machine().sentence}; {threads}.{shared}"
    return f"{intro}\n\n{markdown_table(DUEL_HEADINGS, [duel_cells(duel) for duel in duels])}"


def say(text: str) -> None:
    """What happens, on standard error."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
