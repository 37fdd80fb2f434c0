"""``midas evaluate`` as its users meet it."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from tests.corpus_miniature import write_miniature
from tests.tiny_model import write_tiny_model
from typer.testing import CliRunner, Result

from midas.cli import app


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_miniature(tmp_path / "set")


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return write_tiny_model(tmp_path / "tiny.onnx")


def evaluate(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["evaluate", *map(str, arguments)])


def test_a_table_names_model_set_protocol_and_figures(root: Path, tiny: Path) -> None:
    result = evaluate("--root", root, "--model", tiny)
    assert result.exit_code == 0, result.output
    assert "| tiny | miniature | 6 | indoor, cap 10 m |" in result.stdout


def test_several_models_and_sets_stand_in_one_table(root: Path, tiny: Path, tmp_path: Path) -> None:
    other = write_miniature(tmp_path / "other", name="other", domain="driving")
    result = evaluate("--root", root, "--root", other, "--model", tiny, "--model", "midas_nano_256", "--json")
    rows = json.loads(result.stdout)
    assert [(row["model"], row["set"]) for row in rows] == [
        ("tiny", "miniature"), ("midas_nano_256", "miniature"), ("tiny", "other"), ("midas_nano_256", "other"),
    ]  # fmt: skip
    assert [row["protocol"]["name"] for row in rows] == ["indoor", "indoor", "outdoor", "outdoor"]


def test_tiles_are_named_beside_the_model(root: Path, tiny: Path) -> None:
    result = evaluate("--root", root, "--model", tiny, "--tile", 2, "--json")
    assert [row["model"] for row in json.loads(result.stdout)] == ["tiny, tile 2"], result.output


def test_a_file_gets_a_line_per_picture_and_can_be_continued(root: Path, tiny: Path, tmp_path: Path) -> None:
    scores = tmp_path / "scores.csv"
    assert evaluate("--root", root, "--model", tiny, "--csv", scores, "--limit", 2).exit_code == 0
    again = evaluate("--root", root, "--model", tiny, "--csv", scores)
    assert again.exit_code != 0
    assert "--resume" in again.stderr
    assert evaluate("--root", root, "--model", tiny, "--csv", scores, "--resume").exit_code == 0
    assert [row["index"] for row in csv.DictReader(scores.read_text().splitlines())] == list("012345")


def test_all_metrics_or_chosen_ones(root: Path, tiny: Path) -> None:
    chosen = evaluate("--root", root, "--model", tiny, "--metric", "rmse", "--json")
    assert list(json.loads(chosen.stdout)[0]["figures"]) == ["rmse"]
    everything = evaluate("--root", root, "--model", tiny, "--metric", "all", "--json")
    assert len(json.loads(everything.stdout)[0]["figures"]) >= 12


def test_the_worst_pictures_are_drawn(root: Path, tiny: Path, tmp_path: Path) -> None:
    result = evaluate("--root", root, "--model", tiny, "--worst", 2, "--save-maps", tmp_path / "worst")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "worst" / "worst_miniature_tiny.png").is_file()


def test_the_official_table_is_printed(root: Path, tiny: Path) -> None:
    assert "| `dpt_large_384` | 10.82 |" in evaluate("--published").stdout
    assert "| `dpt_large_384` | 10.82 |" in evaluate("--root", root, "--model", tiny, "--published").stdout


def test_the_list_has_every_benchmark_and_protocol() -> None:
    text = evaluate("--list").stdout
    assert "| `sintel` |" in text
    assert "| `nyu_marigold` | least_squares in depth |" in text


def test_models_baselines_and_ready_maps_stand_in_one_table_under_their_own_names(
    root: Path, tiny: Path, tmp_path: Path
) -> None:
    (tmp_path / "again").mkdir()
    other = write_tiny_model(tmp_path / "again" / tiny.name)
    maps = tmp_path / "maps"
    for name in ("a", "b"):
        for frame in ("000", "001", "002"):
            (maps / name).mkdir(parents=True, exist_ok=True)
            np.save(maps / name / f"{frame}.npy", np.linspace(0, 1, 72 * 96, dtype=np.float32).reshape(72, 96))
    result = evaluate(
        "--root", root, "--model", tiny, "--model", other, "--baseline", "plane", "--prediction-dir", maps, "--json"
    )
    rows = json.loads(result.stdout)
    assert [row["model"] for row in rows] == [str(tiny), str(other), "maps", "plane"]


def test_a_model_from_a_file_has_the_file_s_name_in_every_table_file_and_sheet(root: Path, tmp_path: Path) -> None:
    names = ("first", "second")
    models = [write_tiny_model(tmp_path / f"{name}.onnx") for name in names]
    options = [word for model in models for word in ("--model", model)]
    sheets = tmp_path / "worst"
    drawn = evaluate("--root", root, *options, "--csv", tmp_path / "a.csv", "--worst", 1, "--save-maps", sheets)
    assert drawn.exit_code == 0, drawn.output
    assert [line.split(" | ")[0] for line in drawn.stdout.splitlines()[2:]] == [f"| {name}" for name in names]
    rows = csv.DictReader((tmp_path / "a.csv").read_text().splitlines())
    assert list(dict.fromkeys(row["model"] for row in rows)) == list(names)
    assert sorted(path.name for path in sheets.glob("*.png")) == [f"worst_miniature_{name}.png" for name in names]


def test_the_device_is_chosen_and_one_that_there_is_not_refused(root: Path, tiny: Path) -> None:
    assert evaluate("--root", root, "--model", tiny, "--device", "cpu", "--limit", 1).exit_code == 0
    refused = evaluate("--root", root, "--model", tiny, "--device", "abacus", "--limit", 1)
    assert refused.exit_code == 2
    assert "expected one of auto, cpu, cuda" in refused.stderr


def test_a_folder_that_is_no_set_in_the_corpus_format_is_told_how_it_is_measured_on(tmp_path: Path) -> None:
    result = evaluate("--root", tmp_path)
    assert "--benchmark folder --protocol indoor" in result.stderr


def test_a_corpus_is_the_folder_of_sets_and_not_one_of_them(root: Path) -> None:
    assert "it is one itself: name it with --root" in evaluate("--corpus", root).stderr
    assert "holds no set in the corpus format whose split is eval\n" in evaluate("--corpus", root.parent).stderr


def test_an_option_of_a_reader_is_read_as_the_reader_declares_it(root: Path, tiny: Path) -> None:
    result = evaluate("--root", root, "--model", tiny, "--option", "scenes=a", "--json")
    (row,) = json.loads(result.stdout)
    assert row["pictures"] == 3


def test_the_table_goes_to_a_file(root: Path, tiny: Path, tmp_path: Path) -> None:
    assert evaluate("--root", root, "--model", tiny, "--format", "latex", "-o", tmp_path / "t.tex").exit_code == 0
    assert (tmp_path / "t.tex").read_text().startswith(r"\begin{tabular}")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "name a set with --root"),
        (("--root", "nowhere"), "there is no folder nowhere"),
        (("--root", "nowhere", "--benchmark", "nyu2"), "did you mean 'nyu'"),
        (("--corpus", "nowhere"), "there is no folder nowhere"),
        (("--root", "nowhere", "--worst", "3"), "belong together"),
        (("--root", "nowhere", "--corruptions", "--engine", "ray"), "leave out --engine ray"),
        (("--video", "clip.mp4", "--engine", "ray"), "leave out --engine"),
        (("--root", "nowhere", "--engine", "dask"), "expected local or ray"),
        (("--root", "nowhere", "--address", "auto"), "goes with --engine ray"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(arguments: tuple[str, ...], message: str) -> None:
    result = evaluate(*arguments)
    assert result.exit_code in (1, 2)
    assert message in result.stderr


def test_a_wrong_protocol_metric_or_option_is_answered(root: Path, tiny: Path) -> None:
    for arguments, message in (
        (("--protocol", "nyu_medan"), "did you mean 'nyu_median'"),
        (("--metric", "delta1"), "no metric for indoor is called 'delta1'"),
        (("--option", "depth"), "expected KEY=VALUE"),
        (("--resume",), "name one"),
    ):
        result = evaluate("--root", root, "--model", tiny, *arguments)
        assert result.exit_code == 2, result.output
        assert message in result.stderr
