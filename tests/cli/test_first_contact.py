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
from midas.maps.kinds import RELATIVE_DISPARITY


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


def test_metres_lie_beside_the_relative_maps_where_both_are_wanted(photo: Path) -> None:
    status, output = predict(photo, "-o", photo.parent, "--near", 0.5, "--far", 4, "--beside", "--format", "npy,color")
    assert status == 0, output
    relative, depth = (DepthMap.load(photo.parent / name) for name in ("photo.npy", "photo_metres.npy"))
    assert (relative.kind, depth.kind) == (RELATIVE_DISPARITY, "metric")
    inverse = 1 / depth.values
    np.testing.assert_allclose(np.corrcoef(inverse.ravel(), relative.values.ravel())[0, 1], 1, rtol=1e-5)
    assert (photo.parent / "photo_color.png").is_file()
    status, output = predict(photo, "-o", photo.parent / "one.png", "--near", 0.5, "--far", 4, "--beside")
    assert status == 0, output
    kinds = [DepthMap.load(photo.parent / name).kind for name in ("one.png", "one_metres.png")]
    assert kinds == [RELATIVE_DISPARITY, "metric"]


def test_metres_beside_what_nobody_knows_are_wrong_usage(photo: Path) -> None:
    assert predict(photo, "--beside")[0] == 2


@pytest.mark.parametrize(("wanted", "size"), [("full", (48, 64)), ("half", (24, 32)), ("20x10", (10, 20))])
def test_maps_are_as_large_as_asked_for(photo: Path, wanted: str, size: tuple[int, int]) -> None:
    status, output = predict(photo, "-o", photo.parent / "map.npy", "--map-size", wanted)
    assert status == 0, output
    assert DepthMap.load(photo.parent / "map.npy").size == size


def test_known_points_lie_in_the_picture_whatever_size_the_map_has(photo: Path) -> None:
    known = ("--known", "47,63,1", "--known", "10,5,4")
    for name, size in (("full.npy", "full"), ("half.npy", "half")):
        status, output = predict(photo, "-o", photo.parent / name, "--map-size", size, *known)
        assert status == 0, output
    full, half = (DepthMap.load(photo.parent / name).values for name in ("full.npy", "half.npy"))
    assert (half[23, 31], half[5, 2]) == pytest.approx((1, 4), rel=1e-3)
    assert (full[47, 63], full[10, 5]) == pytest.approx((1, 4), rel=1e-3)


@pytest.mark.parametrize("arguments", [("--map-size", "tiny"), ("--map-size", "half", "--format", "side-by-side")])
def test_sizes_that_cannot_be_are_wrong_usage(photo: Path, arguments: tuple[str, ...]) -> None:
    assert predict(photo, *arguments)[0] == 2


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
