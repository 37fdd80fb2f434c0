"""Points, meshes and their files: what is read back is what was made, outlines are cut, colours are right."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from midas.alignment import Alignment
from midas.errors import AlignmentError, MissingExtraError, OutputError
from midas.geometry import Anchor, Camera, point_cloud, surface_mesh
from midas.geometry.glb import points_glb
from midas.geometry.mesh import FULL_DETAIL, MeshDetail
from midas.geometry.view import page_of
from midas.maps.depth_map import DepthMap
from midas.maps.resize import resize_map

from .box_rooms import box_room

PLAIN = Anchor(Alignment(1.0, 0.0), "stated", metric=True)
SIZE = (96, 128)
CAMERA = Camera(120.0, SIZE)
TO_GLTF = np.array([1, -1, -1])


def step(size: tuple[int, int] = SIZE, near: float = 1.0, far: float = 2.0) -> np.ndarray:
    """Inverse depth of a near board before a far wall."""
    inverse = np.full(size, 1 / far, np.float32)
    inverse[size[0] // 4 : -size[0] // 4, size[1] // 4 : -size[1] // 4] = 1 / near
    return inverse


def picture(size: tuple[int, int] = SIZE) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)


@pytest.mark.parametrize("suffix", [".ply", ".glb"])
def test_points_are_read_back_equal(tmp_path: Path, suffix: str) -> None:
    cloud = point_cloud(box_room(0).disparity, box_room(0).camera, PLAIN, picture((240, 320)))
    cloud.save(tmp_path / f"points{suffix}")
    read = trimesh.load(tmp_path / f"points{suffix}")
    if suffix == ".glb":
        (read,) = read.geometry.values()
    points = read.vertices * (TO_GLTF if suffix == ".glb" else 1)
    np.testing.assert_allclose(points, cloud.points, rtol=1e-6, atol=1e-7)
    if suffix == ".ply":
        np.testing.assert_array_equal(read.visual.vertex_colors[:, :3], cloud.colors)


@pytest.mark.parametrize("suffix", [".ply", ".glb"])
def test_meshes_are_read_back_equal(tmp_path: Path, suffix: str) -> None:
    mesh = surface_mesh(step(), CAMERA, PLAIN, picture(), detail=FULL_DETAIL)
    mesh.save(tmp_path / f"mesh{suffix}")
    read = trimesh.load(tmp_path / f"mesh{suffix}", process=False)
    if suffix == ".glb":
        (read,) = read.geometry.values()
        np.testing.assert_allclose(read.visual.uv * [1, -1] + [0, 1], mesh.uv, atol=1e-6)
        assert read.visual.material.baseColorTexture.size == (128, 96)
    np.testing.assert_allclose(read.vertices * (TO_GLTF if suffix == ".glb" else 1), mesh.vertices, rtol=1e-6)
    np.testing.assert_array_equal(read.faces, mesh.faces)


def test_files_say_how_camera_scale_and_shift_were_found(tmp_path: Path) -> None:
    depth_map = DepthMap(box_room(0).disparity)
    cloud = depth_map.cloud(Camera.from_fov(60.0, depth_map.size, "assumed"))
    for name in ("points.ply", "points.glb"):
        cloud.save(tmp_path / name)
        data = (tmp_path / name).read_bytes()
        assert data.count(b"alignment_found") == 1
        assert data.count(b"focal_found") == 1
        assert data.count(b"assumed") == 2


@pytest.mark.parametrize("blur", [1, 4])
def test_next_to_no_point_floats_between_two_surfaces(blur: int) -> None:
    """At a step, sharp or as wide as a small network's output leaves it: at most one point in a thousand."""
    size = (384, 512)
    small = step((size[0] // blur, size[1] // blur))
    inverse = np.clip(resize_map(small, size, "linear"), 0.5, 1)
    cloud = point_cloud(inverse, Camera(500.0, size), PLAIN)
    between = (cloud.points[:, 2] > 1.05) & (cloud.points[:, 2] < 1.9)
    assert between.mean() <= 0.001


def test_no_triangle_reaches_from_one_surface_to_another() -> None:
    mesh = surface_mesh(step(), CAMERA, PLAIN, detail=FULL_DETAIL)
    depths = mesh.vertices[mesh.faces][..., 2]
    assert np.ptp(depths, axis=1).max() < 1e-6
    filled = surface_mesh(step(), CAMERA, PLAIN, detail=FULL_DETAIL, max_jump=None)
    assert len(filled.faces) == 2 * 95 * 127


def test_triangles_face_the_camera() -> None:
    mesh = surface_mesh(box_room(0).disparity, box_room(0).camera, PLAIN, detail=MeshDetail(64))
    corners = mesh.vertices[mesh.faces] * TO_GLTF
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert ((normals * corners.mean(axis=1)).sum(axis=1) < 0).mean() > 0.999


def test_fewer_faces_are_still_the_same_walls() -> None:
    room = box_room(2, (480, 640))
    fine = surface_mesh(room.inverse_depth, room.camera, PLAIN, detail=MeshDetail(max_faces=None))
    coarse = surface_mesh(room.inverse_depth, room.camera, PLAIN, detail=MeshDetail(max_faces=5_000))
    assert len(coarse.faces) <= 5_000 < len(fine.faces)
    at = np.clip(coarse.uv * (640, 480), 0, (639, 479)).astype(int)
    true = 1 / room.inverse_depth[at[:, 1], at[:, 0]]
    assert np.median(np.abs(coarse.vertices[:, 2] / true - 1)) < 0.002


def test_more_faces_than_allowed_need_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fast_simplification", None)
    with pytest.raises(MissingExtraError, match=r"midas-depth\[3d\]"):
        surface_mesh(step(), CAMERA, PLAIN, detail=MeshDetail(max_faces=100))


def test_a_cloud_is_no_larger_than_allowed_and_whole_if_asked_for() -> None:
    room = box_room(0)
    assert len(point_cloud(room.disparity, room.camera, PLAIN, max_points=10_000, max_jump=None)) <= 10_000
    assert len(point_cloud(room.disparity, room.camera, PLAIN, max_points=None, max_jump=None)) == 240 * 320


def test_the_sky_is_clamped_or_dropped_as_asked() -> None:
    inverse = box_room(0).inverse_depth.copy()
    inverse[:100] = -0.01
    camera = box_room(0).camera
    kept = point_cloud(inverse, camera, PLAIN, max_jump=None)
    dropped = point_cloud(inverse, camera, PLAIN, max_jump=None, far="drop")
    assert len(kept) == inverse.size
    assert np.isfinite(kept.points).all()
    assert len(dropped) <= 140 * 320
    assert dropped.facts["far"] == "drop"


def test_an_empty_cloud_is_refused() -> None:
    with pytest.raises(AlignmentError, match="no point"):
        point_cloud(np.full(SIZE, -1, np.float32), CAMERA, PLAIN)


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"\.obj"):
        point_cloud(step(), CAMERA, PLAIN).save(tmp_path / "points.obj")


def test_colours_of_points_are_linear_in_glb() -> None:
    """188 on the screen is half of the light."""
    data = points_glb(np.ones((3, 3), np.float32), np.full((3, 3), 188, np.uint8), {})
    length = struct.unpack_from("<I", data, 12)[0]
    view = json.loads(data[20 : 20 + length])["bufferViews"][1]
    codes = np.frombuffer(data, "<u2", 4, 20 + length + 8 + view["byteOffset"])
    np.testing.assert_allclose(codes / 65535, [0.5029, 0.5029, 0.5029, 1], atol=1e-4)


def test_the_page_asks_for_nothing_from_outside() -> None:
    mesh = surface_mesh(step(), CAMERA, PLAIN, picture())
    page = page_of(mesh.to_glb(), "<b>&.jpg")
    assert b"<script src" not in page
    assert b"connect-src blob: data:" in page
    assert b"&lt;b&gt;&amp;.jpg" in page
    assert b"{{" not in page.replace(page_of.__doc__.encode(), b"")[:2000]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["mesh", "points"])
def test_a_grey_card_is_grey_in_a_browser(tmp_path: Path, kind: str) -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("needs chromium")
    image = np.full((*SIZE, 3), 188, np.uint8)
    flat = np.ones(SIZE, np.float32)
    if kind == "mesh":
        scene: object = surface_mesh(flat, CAMERA, PLAIN, image)
    else:
        flat, image = (np.repeat(np.repeat(array, 6, 0), 6, 1) for array in (flat, image))
        scene = point_cloud(flat, CAMERA, PLAIN, image)
    scene.save(tmp_path / "card.glb")  # type: ignore[attr-defined]
    (tmp_path / "card.html").write_bytes(page_of((tmp_path / "card.glb").read_bytes(), "card"))
    options = ["--headless=new", "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
    options += [f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=8000", "--window-size=300,300"]
    shot = tmp_path / "shot.png"
    command = [chromium, *options, f"--screenshot={shot}", (tmp_path / "card.html").as_uri()]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    middle = np.asarray(Image.open(shot).convert("RGB"))[100:140, 100:200].reshape(-1, 3)
    assert np.abs(np.median(middle, axis=0) - 188).max() <= 3
