"""What somebody types in the first minutes."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.tiny_model import write_tiny_model
from typer.testing import CliRunner

import midas
from midas import DepthMap
from midas.cli import app
from midas.cli.picture_reporter import Reporter
from midas.cli.progress import stages
from midas.maps.depth_map import AlignedDepth
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


@pytest.mark.parametrize("name", ["deep/one.png", "one.exr", "one.npy", "one.TIFF", "one.tif"])
def test_the_output_of_one_picture_may_be_a_file(photo: Path, name: str) -> None:
    status, output = predict(photo, "-o", photo.parent / name)
    assert status == 0, output
    assert DepthMap.load(photo.parent / name).size == (48, 64)
    # NPY has room for numbers alone.
    assert DepthMap.load(photo.parent / name).model == (None if name.endswith(".npy") else "tiny")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-o", "out.jpg"), "files that end in .exr, .npy"),
        (("-o", "out.png", "--format", "npy"), "files that end in .npy"),
        (("-o", "out.png", "--format", "npy,color"), "several for the formats npy, color; name a folder"),
        (("-o", "out.png", "tiny.png"), "several for 2 pictures; name a folder"),
    ],
)
def test_an_output_called_like_a_file_that_cannot_be_one_is_no_folder(
    photo: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(photo.parent)
    (photo.parent / "tiny.png").write_bytes(photo.read_bytes())
    status, output = predict(photo, *arguments)
    assert status == 2
    assert said in output
    assert not Path(arguments[1]).exists()


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


@pytest.mark.parametrize("name", ["m.png", "m.npy", "m.exr"])
@pytest.mark.parametrize("known", ["points", "range", "depth"])
def test_each_way_to_know_distances_makes_files_of_metres(photo: Path, name: str, known: str) -> None:
    relative = photo.parent / "relative.npy"
    assert predict(photo, "-o", relative)[0] == 0
    values = DepthMap.load(relative).values
    scale, shift = 0.5, 0.25 - 0.5 * float(values.min())  # the farthest is at 4 m
    depth = DepthMap(values).aligned(scale, shift)
    depth.save(photo.parent / "measured.npy")
    near, far = (float(each) for each in (depth.depth_m.min(), depth.depth_m.max()))
    places = [np.unravel_index(find(depth.depth_m), depth.size) for find in (np.argmin, np.argmax)]
    points = [f"{row},{column},{metres}" for (row, column), metres in zip(places, (near, far), strict=True)]
    told = {
        "points": [word for point in points for word in ("--known", point)],
        "range": ["--near", near, "--far", far],
        "depth": ["--depth", photo.parent / "measured.npy"],
    }[known]
    status, output = predict(photo, "-o", photo.parent / name, *told, "--json")
    assert status == 0, output
    line = json.loads(output.splitlines()[0])
    assert (line["scale"], line["shift"]) == pytest.approx((scale, shift), rel=2e-3, abs=1e-3)
    written = AlignedDepth.load(photo.parent / name)
    np.testing.assert_allclose(written.depth_m, depth.depth_m, rtol=1e-3, atol=6e-4)  # of whole millimetres


def test_metres_beside_what_nobody_knows_are_wrong_usage(photo: Path) -> None:
    assert predict(photo, "--beside")[0] == 2


@pytest.mark.parametrize(
    ("wanted", "size"), [("full", (96, 128)), ("half", (48, 64)), ("net", (64, 85)), ("20x10", (10, 20))]
)
def test_maps_are_as_large_as_asked_for(photo: Path, wanted: str, size: tuple[int, int]) -> None:
    Image.open(photo).resize((128, 96)).save(photo)
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
    assert result.output.count("example.com") == 1


def test_a_mistyped_command_is_told_which_was_meant_and_h_helps() -> None:
    result = CliRunner().invoke(app, ["predcit", "photo.jpg"])
    assert result.exit_code == 2
    assert "did you mean 'predict'" in result.output
    for command in ([], ["predict"], ["data", "stereo"], ["train"]):
        assert CliRunner().invoke(app, [*command, "-h"]).exit_code == 0


def test_the_shell_completes_commands() -> None:
    asked = {"_MIDAS_COMPLETE": "complete_bash", "COMP_WORDS": "midas pre", "COMP_CWORD": "1"}
    program = "import sys; sys.argv = ['midas']; from midas.__main__ import main; main()"
    command = [sys.executable, "-c", program]
    finished = subprocess.run(command, env={**os.environ, **asked}, capture_output=True, text=True, check=False)
    assert finished.stdout.split() == ["predict"]


def test_a_picture_in_tiles_tells_how_far_it_is(photo: Path) -> None:
    Image.open(photo).resize((300, 200)).save(photo)
    seen: list[tuple[int, int]] = []
    tiled = midas.load(write_tiny_model(photo.parent / "tiny.onnx")).tiled(3)
    tiled.show_tiles = lambda done, total: seen.append((done, total))
    tiled(photo)
    assert seen == [(number, 16) for number in range(seen[0][0], 17)]
    assert seen[0][0] <= 1


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo terminal")
def test_a_terminal_sees_the_tiles_of_a_lone_picture_and_the_stages_of_long_work(
    monkeypatch: pytest.MonkeyPatch, photo: Path
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    with Reporter(1, photo.parent, as_json=False, quiet=False, debug=False) as reporter:
        reporter.show_tiles(3, 16)
    assert "3/16" in sys.stderr.getvalue()  # type: ignore[attr-defined]
    with stages() as show:
        show("comparing with the network")
    assert "comparing with the network" in sys.stderr.getvalue()  # type: ignore[attr-defined]
