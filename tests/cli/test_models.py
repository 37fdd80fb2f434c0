"""``midas models``, its sub-commands, and what every command shares: version, unknown commands, errors."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.file_server import file_server

import midas
from midas.assets import asset_path
from midas.cli import main
from midas.cli.models import ADVICE, ModelRow, text_table
from midas.models.weights import read_safetensors
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


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and no way to fill it."""
    monkeypatch.setenv("MIDAS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("MIDAS_OFFLINE", "1")
    monkeypatch.delenv("MIDAS_MIRROR", raising=False)
    (tmp_path / "cache").mkdir()
    return tmp_path / "cache"


def test_every_model_has_a_line_with_its_facts(run: Run) -> None:
    status, out, _ = run("models")
    heading, *lines = out.split("\n\n")[0].splitlines()
    assert status == 0
    assert heading.split() == [
        "model", "parameters", "input", "licence", "commercial", "values", "weights", "notes",
    ]  # fmt: skip
    for line, spec in zip(lines, MODELS.values(), strict=True):
        assert line.startswith(f"{spec.name} ")
        assert f"{spec.parameters / 1e6:.1f} M" in line
        assert line.endswith(spec.summary)


def test_terms_that_forbid_commercial_use_are_marked(run: Run) -> None:
    _, out, _ = run("models")
    table, advice = out.split("\n\n")
    for line, spec in zip(table.splitlines()[1:], MODELS.values(), strict=True):
        after = line.split(spec.weights.licence, 1)[1].split()
        assert after[0] == ("no" if spec.weights.non_commercial else "yes")
        assert after[1] == ("relative" if spec.max_depth_m is None else "metres")
    assert "to begin, or without a connection: midas_nano_256" in advice.splitlines()


def test_advice_names_models_that_there_are() -> None:
    assert {name for names in ADVICE.values() for name in names} <= set(MODELS)


def test_the_table_says_what_is_here_and_what_is_not(run: Run, cache: Path) -> None:
    (cache / "dpt_swin2_tiny_256.pt").touch()
    places = {"midas_nano_256": "built in", "dpt_swin2_tiny_256": "in the cache", "dpt_levit_224": "on first use"}
    lines = {line.split()[0]: line for line in run("models")[1].splitlines() if line}
    for name, place in places.items():
        assert f"  {place}  " in lines[name]


def test_on_a_terminal_the_table_is_as_wide_as_the_terminal() -> None:
    rows = [ModelRow(spec) for spec in MODELS.values()]
    for line, whole in zip(text_table(rows, 100).splitlines(), text_table(rows).splitlines(), strict=True):
        assert line == (whole if len(whole) <= 100 else f"{whole[:99]}…")
    assert text_table(rows).index("notes") < 115


def test_json_gives_one_object_per_model_with_all_facts(run: Run) -> None:
    _, out, _ = run("models", "--json")
    rows = [json.loads(line) for line in out.splitlines()]
    assert [row["name"] for row in rows] == list(MODELS)
    for row, spec in zip(rows, MODELS.values(), strict=True):
        assert (row["parameters"], row["gmacs"]) == (spec.parameters, spec.gmacs)
        assert (row["input_height_px"], row["input_width_px"]) == spec.input.size
        assert (row["licence_note"], row["non_commercial"]) == (spec.weights.note, spec.weights.non_commercial)
        assert [file["url"] for file in row["files"]] == [file.url for file in spec.weights.files]


def test_markdown_gives_a_table_of_as_many_cells_in_each_row(run: Run) -> None:
    _, out, _ = run("models", "--markdown")
    lines = out.splitlines()
    assert len(lines) == 2 + len(MODELS)
    assert len({line.count("|") for line in lines}) == 1
    assert lines[1].startswith("| --- |")


def test_the_markdown_table_is_the_same_on_every_machine(run: Run, cache: Path) -> None:
    _, expected, _ = run("models", "--markdown")
    (cache / "dpt_swin2_tiny_256.pt").touch()
    assert run("models", "--markdown")[1] == expected


@pytest.mark.parametrize("name", [name for name, spec in MODELS.items() if spec.weights.card])
def test_the_card_of_a_model_is_printed(name: str, run: Run) -> None:
    status, out, _ = run("models", "--card", name)
    assert status == 0
    assert name in out


def test_a_model_of_others_has_no_card(run: Run) -> None:
    status, _, err = run("models", "--card", "dpt_large_384")
    assert (status, err) == (2, "midas: error: dpt_large_384 has no model card: this project did not train it\n")


def test_the_card_of_an_unknown_model_is_wrong_usage(run: Run) -> None:
    status, out, err = run("models", "--card", "nobody")
    assert (status, out) == (2, "")
    assert err.startswith("midas: error: no model is called 'nobody'")
    assert err.count("\n") == 1


def test_debug_shows_where_an_error_comes_from(run: Run) -> None:
    _, _, err = run("models", "--card", "nobody", "--debug")
    assert err.startswith("Traceback")
    assert err.splitlines()[-1].startswith("midas: error: ")


# ── models download, models convert ─────────────────────────────────────────


def test_download_prints_where_the_files_are(run: Run, cache: Path) -> None:
    path = cache / "dpt_swin2_tiny_256.pt"
    path.touch()
    expected = (0, f"{path}\n{asset_path('midas_nano_256.onnx')}\n", "")
    assert run("models", "download", "dpt_swin2_tiny_256", "midas_nano_256") == expected


def test_download_names_each_model_that_fails_and_fetches_the_others(run: Run, cache: Path) -> None:
    (cache / "dpt_swin2_tiny_256.pt").touch()
    names = ("midas_nano_256", "dpt_swin2_tiny_256", "hf_dpt_large")
    status, out, err = run("models", "download", *names, "--format", "pytorch")
    assert (status, out) == (1, f"{cache / 'dpt_swin2_tiny_256.pt'}\n")
    first, second = err.splitlines()
    assert first == "midas: error: midas_nano_256 has no weights as pytorch; expected one of: onnx, safetensors"
    assert second == "midas: error: hf_dpt_large has no weights as pytorch; expected one of: safetensors"


def test_download_fetches_what_is_missing(run: Run, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with file_server() as server:
        server.files["dpt_swin2_tiny_256.pt"] = b"weights"
        monkeypatch.setenv("MIDAS_MIRROR", server.url)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        monkeypatch.delenv("MIDAS_OFFLINE")
        assert run("models", "download", "--offline", "dpt_swin2_tiny_256")[0] == 1
        status, out, err = run("models", "download", "dpt_swin2_tiny_256")
    assert (status, out, err) == (0, f"{cache / 'dpt_swin2_tiny_256.pt'}\n", "")
    assert (cache / "dpt_swin2_tiny_256.pt").read_bytes() == b"weights"


def test_download_without_a_network_says_which_file_to_put_where(run: Run, cache: Path) -> None:
    status, out, err = run("models", "download", "dpt_swin2_tiny_256")
    assert (status, out) == (1, "")
    assert f"v3_1/dpt_swin2_tiny_256.pt at {cache / 'dpt_swin2_tiny_256.pt'}\n" in err


@pytest.mark.parametrize(
    "arguments", [["nobody"], ["midas_nano_256", "nobody"], ["midas_nano_256", "--format", "caffe"], []]
)
def test_what_cannot_be_downloaded_is_wrong_usage(arguments: list[str], run: Run) -> None:
    status, out, err = run("models", "download", *arguments)
    assert (status, out) == (2, "")
    assert err


def test_convert_writes_safetensors_and_says_what(run: Run, tmp_path: Path) -> None:
    source, target = asset_path("midas_nano_256.safetensors"), tmp_path / "nano.safetensors"
    status, out, _ = run("models", "convert", str(source), str(target))
    assert (status, out) == (0, f"{target}: {len(read_safetensors(target))} tensors of midas_nano_256\n")
    status, _, err = run("models", "convert", str(source), str(target), "--model", "midas_nano_256")
    assert (status, err) == (
        1,
        f"midas: error: {target} exists already: choose another name, or allow overwriting\n",
    )
    assert run("models", "convert", str(source), str(target), "--overwrite")[0] == 0


def test_convert_refuses_what_is_no_weight_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "net.pt").write_bytes(b"<html>")
    status, out, err = run("models", "convert", str(tmp_path / "net.pt"), str(tmp_path / "net.safetensors"))
    assert (status, out) == (1, "")
    assert "is a web page" in err


@pytest.mark.parametrize("arguments", [["--debug", "download", "nobody"], ["download", "--debug", "nobody"]])
def test_debug_may_stand_before_or_behind_a_sub_command(arguments: list[str], run: Run) -> None:
    _, _, err = run("models", *arguments)
    assert err.startswith("Traceback")


# ── midas ───────────────────────────────────────────────────────────────────


def test_the_version_is_that_of_the_package(run: Run) -> None:
    assert run("--version") == (0, f"midas {midas.__version__}\n", "")


def test_an_unknown_command_is_wrong_usage(run: Run) -> None:
    status, out, err = run("predikt")
    assert (status, out) == (2, "")
    assert "predikt" in err
