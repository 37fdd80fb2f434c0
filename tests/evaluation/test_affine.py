"""Sets whose disparity has an unknown shift: measured in disparity, never in ratios of depth, beside a plane."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.corpus_miniature import write_miniature
from tests.tiny_model import write_tiny_model
from typer.testing import CliRunner, Result

from midas.alignment import align_least_squares
from midas.cli import app
from midas.datasets.sample import Sample
from midas.errors import ConfigError, DatasetError
from midas.evaluation.candidates import FunctionCandidate
from midas.evaluation.evaluator import EvaluationResult, evaluate
from midas.evaluation.protocols import PROTOCOLS, protocol_for
from midas.evaluation.runs import Benchmark, open_benchmark, run
from midas.metrics import EDGE_METRICS, METRICS

AFFINE = PROTOCOLS["affine"]
UNKNOWN = {"depth_kind": "relative-disparity", "depth_scale": None, "shift_known": False}


@pytest.fixture
def wild(tmp_path: Path) -> Benchmark:
    return open_benchmark("corpus", write_miniature(tmp_path / "wild", name="wild", split="eval", **UNKNOWN))


def noisy(sample: Sample) -> np.ndarray:
    noise = np.random.default_rng(len(sample.name)).normal(0, 0.01, sample.disparity.shape)
    return (3 * sample.disparity + 2 + noise).astype(np.float32)


def command(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["evaluate", *map(str, arguments)])


def test_the_shift_decides_before_unit_and_domain() -> None:
    assert protocol_for("driving", metric=False, shift_known=False) is AFFINE
    assert protocol_for("driving", metric=False).name == "relative"
    assert protocol_for("driving", metric=True).name == "outdoor"


def test_such_a_set_is_measured_in_disparity_as_by_hand(wild: Benchmark) -> None:
    assert wild.protocol is AFFINE
    errors, right = [], []
    for index in range(len(wild.reader)):
        sample = wild.reader[index]
        assert isinstance(sample, Sample)
        aligned = align_least_squares(noisy(sample), sample.disparity, sample.mask).apply(noisy(sample))
        low, high = np.percentile(sample.disparity[sample.mask], [5, 95])
        errors.append(100 * np.abs(aligned - sample.disparity)[sample.mask].mean() / (high - low))
        ahead = np.subtract.outer(*[sample.disparity[sample.mask][::53]] * 2)
        said = np.subtract.outer(*[noisy(sample)[sample.mask][::53]] * 2)
        told = np.abs(ahead) > 0.1 * (high - low)
        right.append(100 * (np.sign(ahead) == np.sign(said))[told].mean())
    result = run(FunctionCandidate(noisy), wild)
    assert result.mean("range_error") == pytest.approx(np.mean(errors), rel=1e-4)
    assert result.mean("order_accuracy") == pytest.approx(np.mean(right), abs=1.0)  # every 53rd pixel, not random ones


def test_a_prediction_that_runs_against_the_target_is_out_of_order(wild: Benchmark) -> None:
    result = run(FunctionCandidate(lambda sample: -noisy(sample)), wild)
    assert result.mean("order_accuracy") < 5


def test_what_is_infinitely_far_counts_too(wild: Benchmark) -> None:
    sample = wild.reader[0]
    assert isinstance(sample, Sample)
    far = replace(sample, disparity=np.where(sample.disparity < 0.05, 0, sample.disparity).astype(np.float32))
    result = evaluate(noisy, [far], AFFINE)
    assert result.scores[0].pixels == np.count_nonzero(far.mask)


def test_a_target_without_any_range_is_left_out(wild: Benchmark) -> None:
    sample = wild.reader[0]
    assert isinstance(sample, Sample)
    with pytest.raises(DatasetError, match="nothing to evaluate"):
        evaluate(noisy, [replace(sample, disparity=np.ones_like(sample.disparity))], AFFINE)


@pytest.mark.parametrize("protocol", ["relative", "indoor", "nyu_marigold"])
def test_rules_that_need_a_zero_are_refused(wild: Benchmark, protocol: str) -> None:
    with pytest.raises(ConfigError, match=f"wild.*unknown shift.*by the protocol affine, not by {protocol}"):
        evaluate(noisy, [wild.reader[0]], PROTOCOLS[protocol])  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        (("--protocol", "indoor"), "measure it by the protocol affine, not by indoor"),
        (("--metric", "delta1_accuracy"), "delta1_accuracy is a figure of depth, which affine never has"),
        (("--metric", "abs_rel"), "there are range_error, order_accuracy"),
    ],
)
def test_who_asks_for_a_ratio_there_is_told_why_not(wild: Benchmark, asked: tuple[str, str], answer: str) -> None:
    result = command("--root", wild.reader.root, *asked)  # type: ignore[attr-defined]
    assert result.exit_code == 2
    assert answer in result.stderr


def test_the_plane_and_the_constant_stand_beside_the_model(wild: Benchmark, tmp_path: Path) -> None:
    tiny = write_tiny_model(tmp_path / "tiny.onnx")
    rows = json.loads(command("--root", wild.reader.root, "--model", tiny, "--json").stdout)  # type: ignore[attr-defined]
    assert [row["model"] for row in rows] == ["tiny", "plane", "constant"]
    assert rows[2]["figures"]["order_accuracy"]["mean"] == 50
    alone = command("--root", wild.reader.root, "--baseline", "plane", "--json")  # type: ignore[attr-defined]
    assert [row["model"] for row in json.loads(alone.stdout)] == ["plane"]


def test_sets_by_different_rules_stand_in_tables_of_their_own(wild: Benchmark, tmp_path: Path) -> None:
    write_miniature(tmp_path / "rooms", name="rooms", split="eval")
    for form, between in (("markdown", "\n\n| model"), ("latex", "\\end{tabular}\n\n\\begin{tabular}")):
        result = command("--corpus", tmp_path, "--model", write_tiny_model(tmp_path / "tiny.onnx"), "--format", form)
        first, second = result.stdout.split(between)
        assert ("delta1" in first, "range" in first) == (True, False), result.output
        assert ("delta1" in second, "range" in second) == (False, True)


def test_no_form_of_the_result_has_a_ratio_of_depths_there(wild: Benchmark, tmp_path: Path) -> None:
    asked: list[object] = ["--root", wild.reader.root, "--model", write_tiny_model(tmp_path / "tiny.onnx")]  # type: ignore[attr-defined]
    scores = tmp_path / "scores.csv"
    printed = [
        command(*asked, *more).stdout
        for more in (
            (),
            ("--json",),
            ("--format", "latex"),
            ("--metric", "all"),
            ("--corruptions", "--limit", 1),
            ("--corruptions", "--limit", 1, "--json"),
            ("--corruptions", "--limit", 1, "--format", "latex"),
        )
    ]
    assert command(*asked, "--csv", scores).exit_code == 0
    ratios = {*METRICS, *EDGE_METRICS}
    for text in (*printed, scores.read_text(encoding="utf-8")):
        assert "range" in text
        assert [name for name in ratios if name in text.replace("\\_", "_")] == []


@pytest.mark.parametrize("asked", [("--metric", "boundary_f1"), ("--corruptions", "--metric", "abs_rel")])
def test_nor_can_one_be_asked_for(asked: tuple[str, ...], wild: Benchmark) -> None:
    result = command("--root", wild.reader.root, *asked)  # type: ignore[attr-defined]
    assert result.exit_code == 2
    assert "is a figure of depth, which affine never has" in result.stderr


def test_of_a_whole_corpus_the_sets_that_have_a_figure_are_measured(wild: Benchmark, tmp_path: Path) -> None:
    write_miniature(tmp_path / "rooms", name="rooms", split="eval")
    write_miniature(tmp_path / "things", name="things", split="eval", depth_kind="relative-disparity")
    asked = ("--corpus", tmp_path, "--baseline", "plane", "--json")
    result = command(*asked, "--metric", "rmse")
    assert [row["set"] for row in json.loads(result.stdout)] == ["rooms"]
    assert "wild is left out: rmse is a figure of depth" in result.stderr
    assert "things is left out: no metric for relative is called 'rmse'" in result.stderr
    misspelt = command(*asked, "--metric", "rsme")
    assert (misspelt.exit_code, "is called 'rsme'" in misspelt.stderr) == (2, True)


def test_metres_are_measured_in_metres_alone(tmp_path: Path) -> None:
    root = write_miniature(tmp_path / "things", name="things", depth_kind="relative-disparity")
    everything = json.loads(command("--root", root, "--baseline", "plane", "--metric", "all", "--json").stdout)
    assert {"abs_rel", "delta1_outliers"} < set(everything[0]["figures"])
    assert not {"rmse", "sq_rel"} & set(everything[0]["figures"])
    capped = command("--root", root, "--protocol", "indoor")
    assert "things is not in metres, which indoor needs for its range of depths" in capped.stderr


def test_the_worst_pictures_are_drawn_by_their_error_in_disparity(wild: Benchmark, tmp_path: Path) -> None:
    tiny = write_tiny_model(tmp_path / "tiny.onnx")
    asked = ("--worst", 2, "--save-maps", tmp_path / "worst")
    result = command("--root", wild.reader.root, "--model", tiny, *asked)  # type: ignore[attr-defined]
    assert result.stderr.count("worst_wild_tiny.png") == 1, "the baselines beside the model have no sheet"
    assert np.asarray(Image.open(tmp_path / "worst" / "worst_wild_tiny.png")).shape[0] > 2 * 200


def test_the_plane_in_the_wild_has_the_figures_that_were_published(repository: Path) -> None:
    root = repository.parent / "shared" / "corpus" / "wild-stereo-eval"
    if not root.is_dir():
        pytest.skip("the stereo photographs are not beside this checkout")
    rows = json.loads(command("--root", root, "--baseline", "plane", "--json").stdout)
    figures = {name: figure["mean"] for name, figure in rows[0]["figures"].items()}
    assert figures["range_error"] == pytest.approx(16.4, abs=0.05)
    assert figures["order_accuracy"] == pytest.approx(83.3, abs=0.3)  # other pairs were drawn for it


def test_results_know_which_direction_is_worse(wild: Benchmark) -> None:
    result = run(FunctionCandidate(noisy), wild, metrics=("order_accuracy",))
    assert isinstance(result, EvaluationResult)
    assert result.worst(1)[0].figures[0] == min(result.values("order_accuracy"))
