"""Figures on corrupted pictures: against the truth, and against what the clean picture gave."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.corpus_miniature import write_miniature
from tests.tiny_model import write_tiny_model
from typer.testing import CliRunner, Result

from midas.cli import app
from midas.datasets.corruptions import CORRUPTIONS, corrupt
from midas.datasets.sample import PairSample, Sample
from midas.errors import ConfigError, DatasetError, MidasError
from midas.evaluation import robustness_report as report
from midas.evaluation.candidates import FunctionCandidate, PlaneCandidate
from midas.evaluation.protocols import PROTOCOLS
from midas.evaluation.robustness import RobustnessResult, run_corrupted
from midas.evaluation.runs import Benchmark, open_benchmark, run


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_miniature(tmp_path / "set", scenes=("a",), frames=2)


@pytest.fixture
def benchmark_(root: Path) -> Benchmark:
    return open_benchmark("corpus", root)


def brightness(sample: Sample) -> np.ndarray:
    """In the miniature what is near is bright."""
    return sample.image.mean(axis=2, dtype=np.float32)


def command(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["evaluate", "--corruptions", *map(str, arguments)])


def test_who_does_not_look_at_the_picture_is_moved_by_nothing(benchmark_: Benchmark) -> None:
    result = run_corrupted(PlaneCandidate(tilted=True), benchmark_)
    assert result.truth == pytest.approx(np.full((7, 5), result.clean))
    assert result.change == pytest.approx(np.zeros((7, 5)), abs=1e-4)


def test_the_clean_figure_is_the_one_without_corruptions(benchmark_: Benchmark) -> None:
    candidate = FunctionCandidate(brightness)
    result = run_corrupted(candidate, benchmark_, metric="abs_rel")
    assert result.clean == pytest.approx(run(candidate, benchmark_).abs_rel)
    assert result.pictures == 2


def test_each_cell_is_the_mean_over_pictures_made_worse_in_that_way(benchmark_: Benchmark) -> None:
    result = run_corrupted(FunctionCandidate(brightness), benchmark_, metric="abs_rel")
    snowy = FunctionCandidate(lambda sample: brightness(corrupt(sample, "snow", 4)))
    row = list(CORRUPTIONS).index("snow")
    assert result.truth[row, 3] == pytest.approx(run(snowy, benchmark_).abs_rel)
    assert result.change[row, 3] > result.change[row, 0] > 0


def test_pairs_of_points_and_constant_maps_have_no_such_table(benchmark_: Benchmark) -> None:
    class Pairs:
        name = "pairs"

        def __len__(self) -> int:
            return 1

        def __getitem__(self, index: int) -> PairSample:
            raise IndexError(index)

    with pytest.raises(DatasetError, match="has pairs of points"):
        run_corrupted(PlaneCandidate(tilted=True), Benchmark(Pairs(), PROTOCOLS["diw"]))
    with pytest.raises(DatasetError, match="nothing to evaluate"):
        run_corrupted(PlaneCandidate(tilted=False), benchmark_)
    with pytest.raises(ConfigError, match="no metric for indoor"):
        run_corrupted(PlaneCandidate(tilted=True), benchmark_, metric="whdr")


def test_pairs_of_points_beside_a_set_of_maps_are_refused_before_any_is_measured(root: Path) -> None:
    examples = Path(__file__).parents[2] / "examples"
    result = command("--benchmark", "corpus", "--root", root, "--benchmark", "da2k", "--root", examples)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "has pairs of points, and corruptions are measured on maps; leave it out" in result.stderr


def result_by_hand() -> RobustnessResult:
    truth = np.arange(35, dtype=np.float64).reshape(7, 5)
    return RobustnessResult("rival_1", "rooms", PROTOCOLS["indoor"], "delta1_outliers", 9, 4.5, truth, truth / 10)


def test_two_readable_tables_have_a_row_per_corruption_and_their_means() -> None:
    truth, change = (part.splitlines() for part in report.to_markdown([result_by_hand()]).split("\n\nrival_1 on"))
    assert truth[0] == (
        "rival_1 on rooms, 9 pictures, indoor, cap 10 m: delta1_outliers, %, against the truth; 4.50 without corruption"
    )
    assert truth[4] == "| dark | 0.00 | 1.00 | 2.00 | 3.00 | 4.00 | 2.00 |"
    assert truth[-1] == "| mean | 15.00 | 16.00 | 17.00 | 18.00 | 19.00 | 17.00 |"
    assert "% of that map's range" in change[0]
    assert change[6] == "| snow | 1.00 | 1.10 | 1.20 | 1.30 | 1.40 | 1.20 |"


def test_programs_and_papers_get_the_same_figures() -> None:
    (row,) = json.loads(report.to_json([result_by_hand()]))
    assert row["corruptions"]["motion_blur"]["truth"] == [15, 16, 17, 18, 19]
    assert row["protocol"]["name"] == "indoor"
    assert r"motion blur & 15.00 & 16.00" in report.to_latex([result_by_hand()])


def test_one_command_prints_them_and_draws_the_first_picture(root: Path, tmp_path: Path) -> None:
    tiny = write_tiny_model(tmp_path / "tiny.onnx")
    other = write_tiny_model(tmp_path / "other.onnx")
    asked = ("--root", root, "--model", tiny, "--model", other, "--limit", 1, "--save-maps", tmp_path / "drawn")
    result = command(*asked)
    assert result.exit_code == 0, result.output
    for name in ("tiny", "other"):
        assert f"{name} on miniature, 1 pictures, indoor, cap 10 m: delta1_outliers" in result.stdout
        sheet = np.asarray(Image.open(tmp_path / "drawn" / f"corruptions_miniature_{name}.png"))
        assert sheet.shape[0] > 14 * 200


def test_a_picture_that_cannot_be_read_or_predicted_is_named(benchmark_: Benchmark, root: Path) -> None:
    def fail(sample: Sample) -> np.ndarray:
        raise ZeroDivisionError

    with pytest.raises(DatasetError, match=r"miniature/a/000, made worse, can't be measured with .*ZeroDivisionError"):
        run_corrupted(FunctionCandidate(fail), benchmark_)
    (root / "a" / "001.jpg").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(MidasError, match=r"001\.jpg|miniature\[1\]"):
        run_corrupted(FunctionCandidate(brightness), benchmark_)


def test_sets_of_unknown_shift_have_it_too_without_their_baselines(tmp_path: Path) -> None:
    root = write_miniature(tmp_path / "wild", frames=1, scenes=("a",), depth_kind="disparity", shift_known=False)
    rows = json.loads(command("--root", root, "--model", write_tiny_model(tmp_path / "tiny.onnx"), "--json").stdout)
    assert [(row["model"], row["metric"]) for row in rows] == [("tiny", "range_error")]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (("--csv", "scores.csv"), "leave out --csv, --resume and --worst"),
        (("--resume",), "leave out --csv, --resume and --worst"),
        (("--metric", "abs_rel", "--metric", "rmse"), "room for one --metric"),
        (("--metric", "all"), "room for one --metric"),
    ],
)
def test_what_does_not_go_with_it_is_refused(root: Path, asked: tuple[str, ...], message: str) -> None:
    result = command("--root", root, *asked)
    assert result.exit_code == 2
    assert message in result.stderr
