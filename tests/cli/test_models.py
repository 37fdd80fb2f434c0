"""``midas models`` and what every command shares: version, unknown commands, errors."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

import pytest

import midas
from midas.cli import main
from midas.models.zoo import MODELS

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs ``midas`` in this process: exit status, standard output, standard error."""

    def run_midas(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["midas", *arguments])
        with pytest.raises(SystemExit) as exit_info:
            main()
        return int(exit_info.value.code or 0), *capfd.readouterr()

    return run_midas


def test_every_model_has_a_line_with_its_facts(run: Run) -> None:
    status, out, _ = run("models")
    heading, *lines = out.splitlines()
    assert status == 0
    assert heading.split()[0] == "model"
    for line, spec in zip(lines, MODELS.values(), strict=True):
        assert line.startswith(spec.name)
        assert f"{spec.parameters / 1e6:.1f} M" in line
        assert spec.weights.licence in line
        assert "built in" in line


def test_json_gives_one_object_per_model(run: Run) -> None:
    _, out, _ = run("models", "--json")
    rows = [json.loads(line) for line in out.splitlines()]
    assert [row["name"] for row in rows] == list(MODELS)
    for row, spec in zip(rows, MODELS.values(), strict=True):
        assert row["parameters"] == spec.parameters
        assert (row["input_height_px"], row["input_width_px"]) == spec.input.size


def test_markdown_gives_a_table_of_as_many_cells_in_each_row(run: Run) -> None:
    _, out, _ = run("models", "--markdown")
    lines = out.splitlines()
    assert len(lines) == 2 + len(MODELS)
    assert len({line.count("|") for line in lines}) == 1
    assert lines[1].startswith("| --- |")


@pytest.mark.parametrize("name", MODELS)
def test_the_card_of_a_model_is_printed(name: str, run: Run) -> None:
    status, out, _ = run("models", "--card", name)
    assert status == 0
    assert name in out


def test_the_card_of_an_unknown_model_is_wrong_usage(run: Run) -> None:
    status, out, err = run("models", "--card", "nobody")
    assert (status, out) == (2, "")
    assert err.startswith("midas: error: no model is called 'nobody'")
    assert err.count("\n") == 1


def test_debug_shows_where_an_error_comes_from(run: Run) -> None:
    _, _, err = run("models", "--card", "nobody", "--debug")
    assert err.startswith("Traceback")
    assert err.splitlines()[-1].startswith("midas: error: ")


def test_the_version_is_that_of_the_package(run: Run) -> None:
    assert run("--version") == (0, f"midas {midas.__version__}\n", "")


def test_an_unknown_command_is_wrong_usage(run: Run) -> None:
    status, out, err = run("predikt")
    assert (status, out) == (2, "")
    assert "predikt" in err
