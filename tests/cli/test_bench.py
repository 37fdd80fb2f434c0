"""``midas bench`` as its users meet it; no test says how long anything takes."""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.tiny_model import TinyGraph, write_tiny_model
from typer.testing import CliRunner, Result

from midas.bench.cases import Grid
from midas.bench.picture import draw_picture
from midas.bench.processes import run_task
from midas.bench.runner import Settings, run_benchmark
from midas.bench.timing import Effort
from midas.cli import app
from midas.cli.bench import watching
from midas.models.zoo import find_model

QUICK = ("--warmup", "0", "--runs", "2", "--seconds", "0.1", "--rounds", "2", "--threads", "1")


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return write_tiny_model(tmp_path / "tiny.onnx")


def bench(*arguments: object, whole: bool = False) -> Result:
    quick = QUICK if whole else (*QUICK, "--no-peak", "--no-reference")
    return CliRunner().invoke(app, ["bench", *quick, *map(str, arguments)])


def report_of(path: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return report


def test_a_model_file_gives_times_and_memory(tiny: Path, tmp_path: Path) -> None:
    result = bench("--model", tiny, "--backend", "onnxruntime", "--batch", "1,2", "--json", "run.json")
    assert result.exit_code == 0, result.output
    report = report_of(tmp_path / "run.json")
    assert report["schema"] == "midas.bench/1"
    assert set(report) == {"schema", "machine", "picture", "reference", "peaks", "results", "duels"}
    assert [row["case"]["batch"] for row in report["results"]] == [1, 2]
    for row in report["results"]:
        assert row["error"] is None
        assert row["input_size"] == [64, 64]
        for timing in (row["network"], row["whole"]):
            assert timing["runs"] == 2
            assert 0 < timing["p5_ms"] <= timing["median_ms"] <= timing["p95_ms"]
        assert row["pictures_per_s"] == pytest.approx(1000 * row["case"]["batch"] / row["whole"]["median_ms"])
        assert min(row["load_ms"], row["first_ms"], row["memory_mb"]) > 0
    assert (report["peaks"], report["reference"]) == ([], None)


def test_a_model_of_the_table_has_its_share_of_the_peak_and_its_difference(tiny: Path, tmp_path: Path) -> None:
    options = ("--backend", "onnxruntime", "--json", "run.json", "--markdown", "run.md")
    result = bench(*options, whole=True)
    assert result.exit_code == 0, result.output
    report = report_of(tmp_path / "run.json")
    (row,), (peaks,) = report["results"], report["peaks"]
    assert peaks["threads"] == 1
    assert row["peak_share"] == pytest.approx(row["gflops"] / peaks["gflops"]["float32"])
    assert row["gmacs"] == find_model("midas_nano_256").gmacs
    assert row["gflops"] == pytest.approx(2 * row["gmacs"] * 1000 / row["network"]["median_ms"])
    assert row["difference"] < 1e-4
    text = (tmp_path / "run.md").read_text(encoding="utf-8")
    assert "| midas_nano_256 | onnxruntime | float32 | 256x256 |" in text
    assert "float32 PyTorch on the CPU" in text


def test_without_a_terminal_each_figure_is_a_line_on_standard_error_as_it_comes(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said_before: list[int] = []

    def measured(task: dict[str, Any], **_: object) -> dict[str, Any]:
        said_before.append(sys.stderr.getvalue().count("\n"))  # type: ignore[union-attr]
        return run_task(task)

    stream = io.StringIO()
    monkeypatch.setattr("midas.bench.runner.run_task", measured)
    monkeypatch.setattr(sys, "stderr", stream)
    cases = Grid((str(tiny),), ("onnxruntime",), batches=(1, 2)).cases()
    settings = Settings(draw_picture((64, 64)), "", Effort(0, 1, 0.1), peaks=False, reference=False)
    with watching() as (progress, say_figure):
        run_benchmark(cases, settings, progress, say_figure)
    assert said_before == [0, 1]
    first, second = stream.getvalue().splitlines()
    assert re.fullmatch(r"midas: .*tiny\.onnx, onnxruntime, float32: network [\d.]+ ms, whole [\d.]+ ms", first)
    assert "batch 2" in second


def test_figures_on_the_way_leave_standard_output_as_it_is(tiny: Path, tmp_path: Path) -> None:
    other = TinyGraph(shape=(1, 64, 64), channels=4).write(tmp_path / "four.onnx")
    result = bench("--model", f"{tiny},{other}", "--backend", "onnxruntime", "--against", "cat {picture}")
    done, failed, duel = result.stderr.splitlines()
    assert done.startswith(f"midas: {tiny}, onnxruntime, float32, 1 thread: network ")
    assert failed.startswith(f"midas: {other}, onnxruntime, float32, 1 thread: not measured: ")
    assert " against cat {picture}: rival / ours " in duel
    assert "midas: " not in result.stdout
    assert "pictures/s" in result.stdout


def test_the_first_figure_comes_before_anything_that_explains_it(monkeypatch: pytest.MonkeyPatch, tiny: Path) -> None:
    begun: list[str] = []

    def answered(task: dict[str, Any], **_: object) -> dict[str, Any]:
        begun.append(task["kind"])
        return {"error": "not here"}

    monkeypatch.setattr("midas.bench.runner.run_task", answered)
    cases = Grid((str(tiny),), ("onnxruntime",), batches=(1, 2)).cases()
    run_benchmark(cases, Settings(draw_picture((64, 64)), ""))
    assert begun[:2] == ["case", "peaks"]


def test_a_case_that_fails_is_named_and_does_not_stop_the_others(tiny: Path, tmp_path: Path) -> None:
    other = TinyGraph(shape=(1, 64, 64), channels=4).write(tmp_path / "four.onnx")
    result = bench("--model", f"{other},{tiny}", "--backend", "onnxruntime", "--json", "run.json")
    assert result.exit_code == 1
    assert "not measured" in result.stdout
    failed, measured = report_of(tmp_path / "run.json")["results"]
    assert "B x 3 x H x W" in failed["error"]
    assert measured["error"] is None


def test_under_all_what_this_machine_or_file_does_not_have_is_no_failure(tiny: Path) -> None:
    result = bench("--model", tiny, "--backend", "all")
    assert result.exit_code == 0, result.output
    assert "'torch' doesn't run" in result.stdout
    assert bench("--model", tiny, "--backend", "torch").exit_code == 1


def test_a_picture_of_ones_own_is_what_all_see(tiny: Path, tmp_path: Path) -> None:
    Image.fromarray(np.full((64, 128, 3), 90, np.uint8)).save("photo.png")
    bench("--model", tiny, "--backend", "onnxruntime", "--picture", "photo.png", "--json", "run.json")
    report = report_of(tmp_path / "run.json")
    assert "photo.png of 64x128" in report["picture"]
    assert report["results"][0]["input_size"] == [64, 128]


def test_rivals_run_in_turns_and_one_that_fails_costs_no_figures(tiny: Path, tmp_path: Path) -> None:
    Path("toy.py").write_text("def predict(image): return image.mean(axis=2)\ndef fail(image): raise OSError('lost')")
    rivals = ("--against", "toy:predict", "--against", "toy:fail")
    result = bench("--model", tiny, "--backend", "onnxruntime", *rivals, "--json", "run.json")
    assert result.exit_code == 1
    good, bad = report_of(tmp_path / "run.json")["duels"]
    assert good["ours"]["runs"] == good["theirs"]["runs"] == 2
    assert good["ratio_p5"] <= good["ratio"] <= good["ratio_p95"]
    assert "lost" in bad["error"]


def test_a_command_runs_against_a_cold_prediction(tiny: Path, tmp_path: Path) -> None:
    result = bench("--model", tiny, "--backend", "onnxruntime", "--against", "cat {picture}", "--json", "run.json")
    assert result.exit_code == 0, result.output
    (duel,) = report_of(tmp_path / "run.json")["duels"]
    assert duel["rival"] == "cat {picture}"
    assert duel["ratio"] > 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--backend", "abacus"), "no back end is called 'abacus'"),
        (("--batch", "0"), "'0' is not a whole number"),
        (("--size", "big"), "'big' is not a whole number"),
        (("--json", "there.json"), "exists already"),
        (("--picture", "missing.jpg"), "does not exist"),
    ],
)
def test_what_makes_no_sense_is_refused_before_the_work(tiny: Path, options: tuple[str, str], said: str) -> None:
    Path("there.json").write_text("")
    result = bench("--model", tiny, *options)
    assert result.exit_code != 0
    assert said in result.stderr
