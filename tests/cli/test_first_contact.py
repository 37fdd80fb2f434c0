"""What somebody types in the first minutes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.tiny_model import write_tiny_model
from typer.testing import CliRunner

from midas import DepthMap
from midas.cli import app


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    picture = np.linspace(0, 255, 48 * 64).reshape(48, 64).astype(np.uint8)
    Image.fromarray(np.repeat(picture[..., None], 3, axis=2)).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def predict(photo: Path, *arguments: object) -> tuple[int, str]:
    model = write_tiny_model(photo.parent / "tiny.onnx")
    result = CliRunner().invoke(app, ["predict", str(photo), "--model", str(model), *map(str, arguments)])
    return result.exit_code, result.output


@pytest.mark.parametrize("name", ["deep/one.png", "one.exr", "one.npy", "one.TIFF"])
def test_the_output_of_one_picture_may_be_a_file(photo: Path, name: str) -> None:
    status, output = predict(photo, "-o", photo.parent / name)
    assert status == 0, output
    assert DepthMap.load(photo.parent / name).size == (48, 64)


def test_metres_are_written_and_the_line_of_json_says_how_they_were_found(photo: Path) -> None:
    status, output = predict(photo, "-o", photo.parent / "m.npy", "--near", 0.5, "--far", 4, "--json")
    assert status == 0, output
    line = json.loads(output.splitlines()[0])
    assert line["found"] == "from the range 0.5 m to 4 m"
    depth = DepthMap.load(photo.parent / "m.npy")
    assert depth.kind == "metric"
    assert (depth.values.min(), depth.values.max()) == pytest.approx((0.5, 4.0), rel=1e-4)
    np.testing.assert_allclose(line["scale"] > 0, True)


def test_known_points_that_are_none_are_wrong_usage(photo: Path) -> None:
    status, output = predict(photo, "--known", "1,2")
    assert status == 2
    assert "ROW,COL,METRES" in output


def test_an_address_gets_a_sentence() -> None:
    result = CliRunner().invoke(app, ["predict", "https://example.com/photo.jpg"])
    assert "download it first" in result.output


def test_a_mistyped_command_is_told_which_was_meant_and_h_helps() -> None:
    result = CliRunner().invoke(app, ["predcit", "photo.jpg"])
    assert result.exit_code == 2
    assert "did you mean 'predict'" in result.output
    for command in ([], ["predict"], ["data", "stereo"], ["train"]):
        assert CliRunner().invoke(app, [*command, "-h"]).exit_code == 0


def test_the_shell_completes_commands() -> None:
    result = CliRunner().invoke(app, ["--help"])
    assert "--show-completion" in result.output
