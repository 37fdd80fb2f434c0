"""``midas cloud`` and ``midas effect``: pictures in, scenes and pictures out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image
from typer.testing import CliRunner

import midas
from midas.cli import app
from midas.effects.files import SUFFIXES

RUNNER = CliRunner()


@pytest.fixture
def photo(here: Path, examples_dir: Path) -> Path:
    Image.open(examples_dir / "coffee.jpg").resize((150, 100)).save(here / "photo.jpg")
    return here / "photo.jpg"


def run(*arguments: str) -> str:
    result = RUNNER.invoke(app, list(arguments))
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_picture_becomes_a_mesh_and_points(photo: Path) -> None:
    run("cloud", "photo.jpg")
    (mesh,) = trimesh.load("clouds/photo.glb").geometry.values()
    points = trimesh.load("clouds/photo.ply")
    assert len(mesh.faces) > 10_000
    assert len(points.vertices) > 10_000
    assert b"midas:focal_found assumed" in Path("clouds/photo.ply").read_bytes()[:1000]


def test_two_distances_give_metres(photo: Path) -> None:
    run("cloud", "photo.jpg", "--near", "0.4", "--far", "1.6", "--format", "points", "--fill")
    depth = trimesh.load("clouds/photo.ply").vertices[:, 2]
    np.testing.assert_allclose(np.percentile(depth, (1, 99)), (0.4, 1.6), rtol=0.02)
    assert b"midas:unit metre" in Path("clouds/photo.ply").read_bytes()[:1000]


def test_measured_points_give_metres_though_some_are_wrong(photo: Path) -> None:
    depth_map = midas.load()("photo.jpg")
    rng = np.random.default_rng(0)
    rows, columns = rng.integers(0, 100, 60), rng.integers(0, 150, 60)
    metres = 1 / (0.3 * depth_map.values[rows, columns] + 1)
    metres[:12] *= 3
    np.save("points.npy", np.stack([rows, columns, metres], 1))
    run("cloud", "photo.jpg", "--points", "points.npy", "--format", "points", "--fill", "--full")
    depth = trimesh.load("clouds/photo.ply").vertices[:, 2].reshape(100, 150)
    np.testing.assert_allclose(depth[rows[12:], columns[12:]], metres[12:], rtol=0.01)


def test_a_small_lidar_map_gives_metres(photo: Path) -> None:
    depth_map = midas.load()("photo.jpg").resized((20, 30), "nearest")
    Image.fromarray(np.rint(1000 / (0.3 * depth_map.values + 1)).astype(np.uint16)).save("lidar.png")
    run("cloud", "photo.jpg", "--lidar", "lidar.png", "--format", "points", "--fill", "--full")
    header = Path("clouds/photo.ply").read_bytes()[:1000]
    assert b"midas:alignment_found 600 points" in header
    assert b"midas:unit metre" in header


def test_view_writes_a_page_and_opens_it(photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda address: opened.append(address) or True)
    run("cloud", "photo.jpg", "--view")
    assert opened == [(photo.parent / "clouds" / "photo.html").as_uri()]
    assert b"GLTFLoader" in Path("clouds/photo.html").read_bytes()


def test_a_panorama_gives_points_all_around(photo: Path) -> None:
    Image.open(photo).resize((200, 100)).save("wide.png")
    run("cloud", "wide.png", "--projection", "equirectangular", "--format", "points", "--fill")
    points = trimesh.load("clouds/wide.ply").vertices
    assert (points.min(axis=0) < 0).all()
    assert (points.max(axis=0) > 0).all()


@pytest.mark.parametrize("name", SUFFIXES)
def test_every_effect_writes_its_file(photo: Path, name: str) -> None:
    line = json.loads(run("effect", name, "photo.jpg", "--json", "--frames", "4"))
    (output,) = line["outputs"]
    assert output == f"effects/photo{SUFFIXES[name]}"
    with Image.open(output) as made:
        width = made.size[0]
    assert width == (300 if name in ("stereo", "rgbd") else 150)


@pytest.mark.parametrize(
    "arguments",
    [
        ["cloud", "photo.jpg", "--near", "1"],
        ["cloud", "photo.jpg", "--fov", "60", "--focal", "28"],
        ["cloud", "photo.jpg", "--known", "1,2"],
        ["cloud", "photo.jpg", "--format", "stl"],
        ["effect", "blur", "photo.jpg"],
        ["effect", "bokeh", "photo.jpg", "--focus", "a,b"],
        ["predict", "photo.jpg", "--projection", "cubic"],
        ["predict", "photo.jpg", "--distortion", "x"],
    ],
)
def test_what_has_no_sense_is_refused(photo: Path, arguments: list[str]) -> None:
    assert RUNNER.invoke(app, arguments).exit_code in (1, 2)
    assert not list(photo.parent.glob("*/*"))


def test_a_folder_without_a_reconstruction_is_named(here: Path) -> None:
    result = RUNNER.invoke(app, ["colmap", str(here)])
    assert result.exit_code == 1
    assert "no reconstruction" in result.output


def test_parallax_may_be_a_film_of_several_rounds(photo: Path) -> None:
    av = pytest.importorskip("av")
    run("effect", "parallax", "photo.jpg", "--moving", "mp4", "--frames", "6")
    with av.open("effects/photo_parallax.mp4") as film:
        frames = [frame.to_ndarray(format="rgb24").astype(int) for frame in film.decode(video=0)]
    assert (len(frames), frames[0].shape) == (24, (100, 150, 3))
    assert np.abs(frames[6] - frames[0]).mean() < 2 < np.abs(frames[3] - frames[0]).mean()
