"""One task in a process of its own: ``python -m midas.bench.worker TASK.json RESULT.json``.

A fresh process for each case makes memory and first-call times honest: nothing is imported, cached or compiled by
another case.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from midas.arrays import Array, UInt8
from midas.bench.cases import Case
from midas.bench.files import fitting_file
from midas.bench.memory import peak_memory_mb
from midas.bench.peak import measure_peaks
from midas.bench.timing import Effort, times_ms
from midas.errors import MidasError, MissingExtraError, ModelError, net
from midas.loading import load
from midas.predictor import Predictor

_Task = dict[str, Any]


def main(task_path: str, result_path: str) -> None:
    """Do one task and write what came of it, an error too."""
    task: _Task = json.loads(Path(task_path).read_text(encoding="utf-8"))
    try:
        with net("it can't be measured", MidasError):
            result = TASKS[task["kind"]](task)
    except MidasError as error:
        result = {"error": str(error), "unavailable": isinstance(error, ModelError | MissingExtraError)}
    Path(result_path).write_text(json.dumps(result), encoding="utf-8")


def run_case(task: _Task) -> _Task:
    """Load, predict once, then time the network and the whole prediction, a run of each in turn.

    The task: ``case``, ``files``, ``picture`` (a NumPy file), ``effort``, and where the map goes, ``map``.
    """
    case, effort = Case(**task["case"]), Effort(**task["effort"])
    picture = np.load(task["picture"])
    start = time.perf_counter()
    predictor = open_case(case, task["files"])
    loaded = time.perf_counter()
    predict = whole_prediction(predictor, picture, case.batch)
    predict()
    done = time.perf_counter()
    pixels = np.repeat(predictor.prepare(picture).pixels, case.batch, axis=0)
    np.save(task["map"], predictor.backend(pixels)[0])
    timed = task["timed"]
    return {
        "name": predictor.spec.name if predictor.spec else None,
        # All backends of the package have it; the protocol doesn't ask others for what only a benchmark wants to know.
        "precision": getattr(predictor.backend, "precision", None),
        "input_size": list(pixels.shape[2:]),
        "load_ms": (loaded - start) * 1e3,
        "first_ms": (done - loaded) * 1e3,
        "network_ms": times_ms(lambda: predictor.backend(pixels), effort) if timed else [],
        "whole_ms": times_ms(predict, effort) if timed else [],
        "memory_mb": peak_memory_mb(),
        "device_memory_mb": _device_memory_mb(),
    }


def open_case(case: Case, files: Sequence[str]) -> Predictor:
    """The model of a case: from the first of its files that its back end runs, or by its name.

    Raises:
        MidasError: as ``midas.load`` does.
    """
    options: dict[str, Any] = {
        "backend": case.backend, "device": case.device, "precision": case.precision, "size": case.size,
        "threads": case.threads,
    }  # fmt: skip
    return load(case.model, weights=fitting_file(case, files), **options)


def whole_prediction(predictor: Predictor, picture: UInt8[Array, "H W 3"], batch: int) -> Callable[[], object]:
    """Array in, map of its size out, for each picture of a batch."""
    if batch == 1:
        return lambda: predictor(picture)

    def predict() -> object:
        outcomes = predictor.infer_batch([predictor.prepare(picture) for _ in range(batch)])
        for outcome in outcomes:
            if isinstance(outcome, MidasError):
                raise outcome
        return outcomes

    return predict


def contestant(case: dict[str, Any], files: Sequence[str]) -> Callable[[UInt8[Array, "H W 3"]], object]:
    """A whole prediction of one picture, for a duel."""
    return open_case(Case(**case), files)


def _device_memory_mb() -> float | None:
    if "torch" not in sys.modules:
        return None
    from midas.bench.torch_side import device_peak_mb

    return device_peak_mb()


def _peaks(task: _Task) -> _Task:
    return {"peaks": measure_peaks(task["device"], task["formats"])}


def _gmacs(task: _Task) -> _Task:
    from midas.bench.torch_side import count_gmacs

    height, width = task["size"]
    return {"gmacs": count_gmacs(task["model"], (height, width))}


def _random(task: _Task) -> _Task:
    from midas.bench.torch_side import write_random_weights

    return {"files": [str(path) for path in write_random_weights(task["model"], Path(task["folder"]))]}


TASKS: dict[str, Callable[[_Task], _Task]] = {
    "case": run_case,
    "peaks": _peaks,
    "gmacs": _gmacs,
    "random": _random,
}

if __name__ == "__main__":
    main(*sys.argv[1:])
