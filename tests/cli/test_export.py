"""``midas export``: what it says of a file, what it calls one, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from midas.cli import app
from midas.export.onnx import open_onnx
from midas.pictures.reading import read_image


def test_it_names_the_file_after_the_model_and_says_how_near_it_is(
    examples_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "cat.jpg").symlink_to(examples_dir / "cat.jpg")
    result = CliRunner().invoke(app, ["export", "--with-pre-post", "--pictures", "pictures"])
    assert result.exit_code == 0, result.output
    assert result.output.startswith("midas_nano_256.onnx: ")
    assert "on 1 pictures at 300x451" in result.output
    assert open_onnx(tmp_path / "midas_nano_256.onnx")(read_image(examples_dir / "cat.jpg")).shape == (300, 451)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("--model exported.onnx", "exported already"),
        ("--model midas_nana_256", "did you mean"),
        ("--model a.pt --weights b.pt", "is a file, as is"),
        ("--format torchscript --with-pre-post", "no pre- and postprocessing"),
        ("--precision int8", "--calibration"),
        ("--size 250 256", "nearest is 256x256"),
        ("-o nano.xml", "ends in .onnx"),
    ],
)
def test_what_can_not_be_is_refused_as_wrong_usage(
    arguments: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["export", *arguments.split()])
    assert result.exit_code == 2
    assert words in result.output
    assert list(tmp_path.iterdir()) == []
