"""Choices become cases, runs become percentiles."""

from __future__ import annotations

import itertools
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import pytest

from midas.backends import BACKENDS
from midas.bench.cases import PRECISIONS, Case, Grid
from midas.bench.machine import describe_machine
from midas.bench.peak import best_gflops, measure_peaks
from midas.bench.picture import draw_picture
from midas.bench.runner import relative_difference
from midas.bench.timing import Effort, Timing, times_ms
from midas.errors import ConfigError


def test_every_combination_is_one_case_and_none_comes_twice() -> None:
    grid = Grid(("a", "b"), ("auto",), ("float32",), "cpu", (None, 128), (1, 2, 1), (1,))
    cases = grid.cases()
    assert len(cases) == len(set(cases)) == 2 * 2 * 2
    assert cases[1] == Case("a", "auto", "float32", "cpu", None, 2, 1)


def test_all_stands_for_every_back_end_and_every_precision_that_has_a_name() -> None:
    cases = Grid(("a",), ("all", "torch"), ("all",)).cases()
    assert {case.backend for case in cases} == set(BACKENDS)
    assert {case.precision for case in cases} == set(PRECISIONS)
    assert len(cases) == len(BACKENDS) * len(PRECISIONS)


def test_only_all_asks_for_what_may_not_be_there() -> None:
    assert Grid(("a",), precisions=("all",), backends=("torch",)).tries_all
    assert not Grid(("a",), backends=("torch",)).tries_all


def test_an_unknown_back_end_and_an_empty_choice_are_refused() -> None:
    with pytest.raises(ConfigError, match="no back end is called 'abacus'"):
        Grid(("a",), ("abacus",)).cases()
    with pytest.raises(ConfigError, match="no batch to measure"):
        Grid(("a",), batches=()).cases()


def test_a_label_names_what_is_not_at_its_default() -> None:
    assert Case("a", "torch").label == "a, torch, float32"
    assert Case("a", "torch", "int8", "cuda", 128, 4, 2).label == "a, torch, int8, cuda, size 128, batch 4, 2 threads"


def test_percentiles_lie_between_runs_in_proportion() -> None:
    timing = Timing.of([float(value) for value in range(101)])
    assert (timing.runs, timing.p5_ms, timing.median_ms, timing.p95_ms) == (101, 5.0, 50.0, 95.0)
    assert timing.per_second(batch=4) == pytest.approx(80.0)
    with pytest.raises(ConfigError, match="no run"):
        Timing.of([])


def test_warm_up_runs_are_not_timed() -> None:
    calls: list[int] = []
    ticks = itertools.count()
    times = times_ms(lambda: calls.append(0), Effort(2, 5, 1e6), clock=lambda: float(next(ticks)))
    assert (len(calls), len(times)) == (7, 5)
    assert set(times) == {1000.0}


def test_when_the_time_is_up_three_runs_are_enough() -> None:
    ticks = itertools.count()
    assert len(times_ms(lambda: None, Effort(0, 100, 0.5), clock=lambda: float(next(ticks)))) == 3


@pytest.mark.parametrize("effort", [(-1, 1, 1.0), (0, 0, 1.0), (0, 1, 0.0)])
def test_an_impossible_effort_is_refused(effort: tuple[int, int, float]) -> None:
    with pytest.raises(ConfigError, match="expected"):
        Effort(*effort)


def test_the_difference_is_a_share_of_the_reference_s_range() -> None:
    reference = np.array([[0.0, 4.0]], np.float32)
    assert relative_difference(reference + 1, reference) == pytest.approx(0.25)
    assert relative_difference(reference, reference) == 0
    flat = np.ones((2, 2), np.float32)
    assert relative_difference(flat, flat) == 0
    assert relative_difference(flat + 1, flat) == float("inf")


def test_the_peak_is_the_best_size() -> None:
    calls: list[int] = []
    assert best_gflops(lambda size: lambda: calls.append(size), (1, 8)) > 0
    assert set(calls) == {1, 8}


def test_a_format_that_takes_too_long_is_not_multiplied_in_larger_matrices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("midas.bench.peak._SECONDS_PER_SIZE", 0.001)
    sizes: list[int] = []

    def slow(size: int) -> Callable[[], object]:
        sizes.append(size)
        return lambda: time.sleep(0.005)

    assert best_gflops(slow, (8, 16, 32)) > 0
    assert sizes == [8]


def test_only_the_formats_in_use_are_multiplied() -> None:
    assert list(measure_peaks("cpu", ["float32"])) == ["float32"]


def test_the_drawn_picture_is_the_same_every_time_and_varies_within_itself() -> None:
    first, second = draw_picture((60, 90)), draw_picture((60, 90))
    assert np.array_equal(first, second)
    assert first.shape == (60, 90, 3)
    assert first.std() > 20
    with pytest.raises(ConfigError, match="at least one"):
        draw_picture((0, 1))


def test_the_machine_names_its_processor_and_the_packages_that_compute() -> None:
    machine = describe_machine()
    assert machine.processor
    assert machine.cores >= 1
    assert {"midas-depth", "numpy", "onnxruntime", "torch"} <= set(machine.packages)
    assert machine.packages["numpy"] in machine.sentence


def test_memory_once_taken_stays_in_the_peak() -> None:
    # In a process of its own: this one may have held more before.
    program = (
        "import numpy as np; from midas.bench.memory import peak_memory_mb as peak; "
        "before = peak(); np.ones(25_000_000); print(before, peak())"
    )
    before, after = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    ).stdout.split()
    if before == "None":
        pytest.skip("this system doesn't tell")
    assert float(after) >= float(before) + 100
