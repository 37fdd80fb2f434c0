"""The whole benchmark: peaks, references, cases, duels, one process each, one report."""

from __future__ import annotations

import dataclasses
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from midas.arrays import Array, Float32, UInt8
from midas.backends import AUTO
from midas.bench.cases import FLOAT32, Case
from midas.bench.duel import (
    CallableContestant,
    CommandContestant,
    Contestant,
    compare,
    is_callable_name,
    take_turns,
)
from midas.bench.files import fitting_file
from midas.bench.machine import describe_machine
from midas.bench.processes import run_task
from midas.bench.results import CaseResult, DuelResult, Report
from midas.bench.timing import Effort, Timing
from midas.errors import ConfigError, MidasError, MissingExtraError, ModelError, net
from midas.maps.png import write_png
from midas.models.zoo import MODELS

REFERENCE = "float32 PyTorch on the CPU"

# Called before each step: what it is, how many steps are done, how many there are.
Progress = Callable[[str, int, int], None]

# Called with each figure as soon as it is there: what was measured, and the figure.
Tell = Callable[[str], object]


@dataclass(frozen=True)
class Settings:
    """How cases are measured.

    Attributes:
        picture: what all cases see, RGB.
        picture_words: what the report says about it, a sentence.
        effort: how often each case runs.
        random_weights: whether networks get random weights, the same for all back ends, in place of their own.
        files: by model, files of one network with the same numbers, in place of its own or of random ones.
        peaks: whether matrix products are measured too.
        reference: whether maps are compared with those of float32 PyTorch, where that is installed.
        rivals: each a command or ``module:callable``.
        rival_python: interpreter of the environment in which callables live; None is this one.
        rounds: of each duel.
    """

    picture: UInt8[Array, "H W 3"]
    picture_words: str
    effort: Effort = field(default_factory=Effort)
    random_weights: bool = False
    files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    peaks: bool = True
    reference: bool = True
    rivals: tuple[str, ...] = ()
    rival_python: str | None = None
    rounds: int = 20


def run_benchmark(
    cases: Sequence[Case], settings: Settings, progress: Progress = lambda *_: None, tell: Tell = lambda _: None
) -> Report:
    """Measure all cases.

    A case or a duel that fails becomes a result that says why; the others are measured all the same.

    Args:
        cases: what is measured.
        settings: how.
        progress: told of each step as it begins.
        tell: told of each figure as it comes, in one line, for whoever can't wait for the report.

    Raises:
        MissingExtraError: random weights without the lab.
        ModelError: random weights for what isn't a model of the table.
    """
    if settings.random_weights and find_spec("torch") is None:
        raise MissingExtraError("a network with random weights", "lab")
    with tempfile.TemporaryDirectory(prefix="midas-bench-") as folder:
        return _Run(cases, settings, Path(folder), progress, tell).report()


class _Run:
    def __init__(self, cases: Sequence[Case], settings: Settings, folder: Path, progress: Progress, tell: Tell) -> None:
        self._cases = cases
        self._settings = settings
        self._folder = folder
        self._progress = progress
        self._tell = tell
        self._has_torch = find_spec("torch") is not None
        self._picture = folder / "picture.npy"
        np.save(self._picture, settings.picture)
        self._threads = list(dict.fromkeys(case.threads for case in cases))
        self._pairs = list(dict.fromkeys((case.model, case.size) for case in cases))
        self._files = dict(settings.files)
        models = dict.fromkeys(case.model for case in cases if case.model not in self._files)
        self._models = list(models) if settings.random_weights else []
        self._gmacs: dict[tuple[str, tuple[int, int]], float | None] = {}
        self._compares = settings.reference and self._has_torch
        # Peaks are measured at the beginning and at the end: a machine's pace changes within minutes.
        peaks = 2 * len(self._threads) if settings.peaks else 0
        references = len(self._pairs) if self._compares else 0
        self._steps = len(self._models) + peaks + references + len(cases) * (1 + len(settings.rivals))
        self._done = 0
        self._shown = ""

    def report(self) -> Report:
        for model in self._models:
            self._files[model] = self._random_files(model)
        first = self._measure(self._cases[0], "case0.npy")  # a figure to look at, before anything that explains it
        peaks = self._measured_peaks()
        maps = {pair: self._reference(*pair) for pair in self._pairs} if self._compares else {}
        measured = [(self._cases[0], first)]
        measured += [(case, self._measure(case, f"case{i}.npy")) for i, case in enumerate(self._cases) if i]
        for threads, rates in self._measured_peaks().items():
            for precision, gflops in rates.items():
                peaks[threads][precision] = max(gflops, peaks[threads].get(precision, 0.0))
        results = tuple(
            self._result(case, answer, peaks.get(case.threads, {}), maps.get((case.model, case.size)))
            for case, answer in measured
        )
        has_reference = any(reference is not None for reference in maps.values())
        return Report(
            describe_machine(), self._words(), REFERENCE if has_reference else None, peaks, results,
            tuple(self._duels(results)),
        )  # fmt: skip

    def _words(self) -> str:
        weights = " Weights are random, the same for all." if self._settings.random_weights else ""
        return self._settings.picture_words + weights

    def _step(self, label: str) -> None:
        self._progress(label + self._shown, self._done, self._steps)
        self._done += 1

    def _random_files(self, model: str) -> tuple[str, ...]:
        self._step(f"{model}: random weights")
        folder = self._folder / f"weights{len(self._files)}"
        folder.mkdir()
        answer = run_task({"kind": "random", "model": model, "folder": str(folder)})
        if "error" in answer:
            raise ModelError(answer["error"])
        return tuple(answer["files"])

    def _measured_peaks(self) -> dict[int | None, dict[str, float]]:
        peaks: dict[int | None, dict[str, float]] = {}
        if not self._settings.peaks:
            return peaks
        device = self._cases[0].device
        asked = {case.precision for case in self._cases}
        # What `auto` comes to is known later.
        formats = sorted(asked - {AUTO} | ({FLOAT32, "bfloat16"} if AUTO in asked else set()))
        for threads in self._threads:
            self._step("matrix products")
            task = {"kind": "peaks", "device": device, "formats": formats}
            peaks[threads] = run_task(task, threads=threads).get("peaks", {})
            for name, gflops in peaks[threads].items():
                self._tell(f"matrix products, {name}: {gflops:.0f} GFLOP/s")
        return peaks

    def _reference(self, model: str, size: int | None) -> Float32[Array, "h w"] | None:
        self._step(f"{model}: reference")
        case = Case(model, "torch", FLOAT32, "cpu", size)
        return _map_of(self._task(case, "reference.npy", timed=False))

    def _measure(self, case: Case, map_name: str) -> dict[str, Any]:
        self._step(case.label)
        answer = self._task(case, map_name, timed=True)
        if "error" in answer:
            self._tell(f"{case.label}: not measured: {answer['error']}")
            return answer
        network, whole = (statistics.median(answer[name]) for name in ("network_ms", "whole_ms"))
        self._shown = f"  ({case.label}: network {network:.1f} ms)"
        self._tell(f"{case.label}: network {network:.1f} ms, whole {whole:.1f} ms")
        return answer

    def _task(self, case: Case, map_name: str, *, timed: bool) -> dict[str, Any]:
        task = {
            "kind": "case", "case": dataclasses.asdict(case), "files": self._files.get(case.model, ()),
            "picture": str(self._picture), "effort": dataclasses.asdict(self._settings.effort),
            "map": str(self._folder / map_name), "timed": timed,
        }  # fmt: skip
        return {**run_task(task, threads=case.threads), "map": task["map"]}

    def _result(
        self, case: Case, answer: dict[str, Any], peaks: dict[str, float], reference: Float32[Array, "h w"] | None
    ) -> CaseResult:
        if "error" in answer:
            return CaseResult(case, answer["error"], answer.get("unavailable", False))
        height, width = answer["input_size"]
        network = Timing.of(answer["network_ms"])
        gmacs = self._gmacs_of(answer["name"] or case.model, (height, width))
        gflops = None if gmacs is None else 2 * gmacs * network.per_second(case.batch)
        peak = peaks.get(answer["precision"] or case.precision)
        own = _map_of(answer)
        return CaseResult(
            case,
            computed_in=answer["precision"],
            input_size=(height, width),
            network=network,
            whole=Timing.of(answer["whole_ms"]),
            load_ms=answer["load_ms"],
            first_ms=answer["first_ms"],
            memory_mb=answer["memory_mb"],
            device_memory_mb=answer["device_memory_mb"],
            gmacs=gmacs,
            gflops=gflops,
            peak_share=gflops / peak if gflops and peak else None,
            difference=None if own is None or reference is None else relative_difference(own, reference),
        )

    def _gmacs_of(self, model: str, size: tuple[int, int]) -> float | None:
        if model not in MODELS:
            return None
        if MODELS[model].input.size == size:
            return MODELS[model].gmacs
        if (model, size) not in self._gmacs:
            task = {"kind": "gmacs", "model": model, "size": list(size)}
            self._gmacs[model, size] = run_task(task).get("gmacs") if self._has_torch else None
        return self._gmacs[model, size]

    def _duels(self, results: Iterable[CaseResult]) -> list[DuelResult]:
        duels = []
        for result in results:
            for rival in self._settings.rivals:
                self._step(f"{result.case.label} against {rival}")
                if result.error is None:
                    duels.append(self._duel(result.case, rival))
                    self._tell(_duel_line(duels[-1]))
        return duels

    def _duel(self, case: Case, rival: str) -> DuelResult:
        try:
            with net(f"{rival} can't be measured", ConfigError, "expected a command, or MODULE:CALLABLE"):
                contestants = self._warm(case, rival) if is_callable_name(rival) else self._cold(case, rival)
                times = take_turns(contestants, self._settings.rounds)
        except MidasError as error:  # what has been measured already is worth keeping
            return DuelResult(case.label, rival, str(error))
        return compare(case.label, rival, times["ours"], times["theirs"])

    def _warm(self, case: Case, rival: str) -> dict[str, Contestant]:
        ours = {"case": dataclasses.asdict(case), "files": self._files.get(case.model, ())}
        target = "midas.bench.worker:contestant"
        return {
            "ours": CallableContestant(target, self._picture, settings=ours, threads=case.threads),
            "theirs": CallableContestant(
                rival, self._picture, python=self._settings.rival_python, threads=case.threads
            ),
        }

    def _cold(self, case: Case, rival: str) -> dict[str, Contestant]:
        picture = self._folder / "picture.png"
        with picture.open("wb") as file:
            write_png(file, self._settings.picture, {})
        return {
            "ours": CommandContestant(self._predict_command(case, picture), picture),
            "theirs": CommandContestant(rival, picture),
        }

    def _predict_command(self, case: Case, picture: Path) -> list[str]:
        options = {
            "--model": case.model, "--backend": case.backend, "--device": case.device, "--precision": case.precision,
            "--size": case.size, "--threads": case.threads,
            "--weights": fitting_file(case, self._files.get(case.model, ())), "-o": str(self._folder / "maps"),
        }  # fmt: skip
        words = [word for name, value in options.items() if value is not None for word in (name, str(value))]
        return [sys.executable, "-m", "midas", "predict", str(picture), "--overwrite", *words]


def _duel_line(duel: DuelResult) -> str:
    outcome = f"rival / ours {duel.ratio:.2f}" if duel.ratio is not None else f"not measured: {duel.error}"
    return f"{duel.label} against {duel.rival}: {outcome}"


def relative_difference(values: Float32[Array, "h w"], reference: Float32[Array, "h w"]) -> float:
    """Mean absolute difference, by the reference's range; infinite where that is nothing and there is a difference."""
    difference = float(np.abs(values.astype(np.float64) - reference).mean())
    span = float(np.ptp(reference))
    return difference / span if span else (0.0 if difference == 0 else float("inf"))


def _map_of(answer: dict[str, Any]) -> Float32[Array, "h w"] | None:
    if "error" in answer:
        return None
    values: Float32[Array, "h w"] = np.load(answer["map"])
    return values
