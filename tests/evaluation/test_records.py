"""Figures of single pictures in a file that can be continued."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from midas.errors import ConfigError, OutputError
from midas.evaluation.records import RunKey, ScoreFile
from midas.evaluation.scoring import PictureScore

KEY = RunKey("nano", "nyu", "indoor")
METRICS = ("delta1_outliers", "abs_rel")
SCORE = PictureScore("nyu/kitchen/1", 1000, (12.5, 0.1))


def write(path: Path, **options: bool) -> None:
    with ScoreFile(path, METRICS, **options) as file:
        file.write(KEY, 7, SCORE, METRICS)


def test_a_line_holds_what_was_measured_by_which_rules(tmp_path: Path) -> None:
    write(tmp_path / "scores.csv")
    (row,) = csv.DictReader((tmp_path / "scores.csv").read_text().splitlines())
    assert (row["model"], row["set"], row["protocol"], row["index"]) == ("nano", "nyu", "indoor", "7")
    assert float(row["delta1_outliers"]) == 12.5


def test_a_continued_file_knows_its_pictures(tmp_path: Path) -> None:
    write(tmp_path / "scores.csv")
    with ScoreFile(tmp_path / "scores.csv", METRICS, resume=True) as file:
        assert file.known(KEY, 7, METRICS) == SCORE
        assert file.known(KEY, 8, METRICS) is None
        assert file.known(RunKey("nano", "nyu", "relative"), 7, METRICS) is None


def test_half_a_line_of_a_killed_run_is_dropped(tmp_path: Path) -> None:
    write(tmp_path / "scores.csv")
    with (tmp_path / "scores.csv").open("a") as file:
        file.write("nano,nyu,indoor,8,nyu/kitchen/2,1000,1")
    with ScoreFile(tmp_path / "scores.csv", METRICS, resume=True) as continued:
        assert continued.known(KEY, 8, METRICS) is None
        continued.write(KEY, 8, SCORE, METRICS)
    assert len(list(csv.DictReader((tmp_path / "scores.csv").read_text().splitlines()))) == 2


def test_figures_come_back_in_the_order_that_is_asked_for(tmp_path: Path) -> None:
    write(tmp_path / "scores.csv")
    with ScoreFile(tmp_path / "scores.csv", METRICS, resume=True) as file:
        assert file.known(KEY, 7, ("abs_rel",)) == PictureScore(SCORE.name, 1000, (0.1,))


def test_a_run_may_lack_some_of_the_columns(tmp_path: Path) -> None:
    with ScoreFile(tmp_path / "scores.csv", METRICS) as file:
        file.write(KEY, 0, PictureScore("a", 5, (0.2,)), ("abs_rel",))
    with ScoreFile(tmp_path / "scores.csv", METRICS, resume=True) as file:
        assert file.known(KEY, 0, ("abs_rel",)) is not None
        assert file.known(KEY, 0, METRICS) is None


def test_a_file_that_is_there_is_kept_unless_something_else_is_asked_for(tmp_path: Path) -> None:
    write(tmp_path / "scores.csv")
    with pytest.raises(OutputError, match="--resume"):
        ScoreFile(tmp_path / "scores.csv", METRICS)
    write(tmp_path / "scores.csv", overwrite=True)
    assert len((tmp_path / "scores.csv").read_text().splitlines()) == 2


def test_a_file_with_other_columns_is_not_continued(tmp_path: Path) -> None:
    write(tmp_path / "scores.csv")
    with pytest.raises(ConfigError, match="has the columns"):
        ScoreFile(tmp_path / "scores.csv", ("rmse",), resume=True)
