"""Drawn scenes: their depth is exact, and a picture shows what the depth says."""

from __future__ import annotations

import numpy as np
import pytest

from midas.arrays import Array
from midas.scenes import render
from midas.scenes.camera import Camera
from midas.scenes.cutouts import CUTOUTS, cutout
from midas.scenes.patterns import PATTERNS, read_patterns
from midas.scenes.photo import _defocus
from midas.scenes.raster import draw_scene
from midas.scenes.scene import Light, Material, Scene, Sky, any_frame
from midas.scenes.terrain import Terrain

SIZE = (48, 64)
GREY = Material((0.4, 0.4, 0.4), (0.4, 0.4, 0.4))


def scene_before(camera: Camera) -> Scene:
    scene = Scene(camera, lights=[Light((0.3, -1.0, 1.0), (1.0, 1.0, 1.0))])
    scene.sky = Sky((0.2, 0.3, 0.6), (0.6, 0.7, 0.8), (1.0, 1.0, 1.0), 0.3)
    return scene


def depth_of(scene: Scene, size: tuple[int, int] = SIZE) -> Array:
    with np.errstate(divide="ignore"):
        return 1 / draw_scene(scene, size).inverse_depth.astype(np.float64)


def rays_of(camera: Camera, size: tuple[int, int] = SIZE) -> Array:
    """Directions with 1 along the optical axis, in the world's axes, by a plain loop over no array tricks."""
    height, width = size
    focal_px = camera.focal_px(size)
    rays = [
        [((x + 0.5 - width / 2) / focal_px, (y + 0.5 - height / 2) / focal_px, 1) for x in range(width)]
        for y in range(height)
    ]
    return np.array(rays) @ camera.to_camera()[:3, :3]


def test_a_wall_across_the_view_has_one_depth_at_all_pixels_so_depth_is_not_the_length_of_the_ray() -> None:
    scene = scene_before(Camera((0, 0, 1.5), fov_deg=80.0))
    scene.quad((-50, 3.0, -50), (100, 0, 0), (0, 0, 100), GREY)
    np.testing.assert_allclose(depth_of(scene), 3.0, rtol=1e-5)


def test_the_depth_of_the_ground_is_eye_height_over_the_slope_of_the_ray() -> None:
    camera = Camera((1, 2, 1.7), yaw_deg=25.0, pitch_deg=-8.0, roll_deg=5.0)
    scene = scene_before(camera)
    scene.quad((-9e3, -9e3, 0), (18e3, 0, 0), (0, 18e3, 0), GREY)
    depth, fall = depth_of(scene), -rays_of(camera)[..., 2]
    near = fall > 0.01
    np.testing.assert_allclose(depth[near], 1.7 / fall[near], rtol=1e-3)
    assert np.isinf(depth[fall < 0]).all()


def test_the_depth_of_a_sphere_is_the_nearer_root_of_its_quadratic_equation() -> None:
    camera, centre, radius = Camera.looking_at((0, 0, 1), (0.2, 3.0, 0.7), 10.0, 50.0), np.array([0.3, 3.0, 0.9]), 0.8
    scene = scene_before(camera)
    scene.ball((0.3, 3.0, 0.9), radius, GREY)
    rays, to_centre = rays_of(camera), centre - np.array(camera.position)
    a, b, c = (rays**2).sum(-1), rays @ to_centre, to_centre @ to_centre - radius**2
    expected = np.where(b * b > a * c, (b - np.sqrt(np.maximum(b * b - a * c, 0))) / a, np.inf)
    np.testing.assert_allclose(depth_of(scene), expected, rtol=1e-5)


@pytest.mark.parametrize("kind", ["ellipsoid", "cylinder", "cone"])
def test_a_solid_starts_where_a_ray_first_comes_inside_it(kind: str) -> None:
    camera, size = Camera.looking_at((0.3, -2.0, 1.4), (0.0, 0.0, 0.0), 0.0, 40.0), (24, 32)
    scene, frame = scene_before(camera), any_frame(np.random.default_rng(3))
    scene.solid(kind, (0.0, 0.0, 0.0), (0.5, 0.4, 0.7), GREY, frame)
    steps = np.linspace(1.0, 4.0, 3000)
    points = (np.array(camera.position) + steps[:, None, None, None] * rays_of(camera, size)) @ np.array(frame).T
    x, y, z = np.moveaxis(points / (0.5, 0.4, 0.7), -1, 0)
    widths = {"ellipsoid": 1 - z * z, "cylinder": 1 - 0 * z, "cone": ((1 - z) / 2) ** 2}
    inside = (x * x + y * y <= widths[kind]) & (np.abs(z) <= 1)
    expected, depth = np.where(inside.any(0), steps[inside.argmax(0)], np.inf), depth_of(scene, size)
    assert (np.isfinite(expected) != np.isfinite(depth)).mean() < 0.01
    both = np.isfinite(expected) & np.isfinite(depth)
    np.testing.assert_allclose(depth[both], expected[both], atol=0.005)


def test_rays_meet_hills_at_the_height_of_the_ground() -> None:
    camera, hills = Camera((0, 0, 260.0), pitch_deg=-20.0), Terrain(0, 2.0, 250.0, 1.2, (11.0, 300.0), 0.0)
    scene = scene_before(camera)
    scene.terrain = hills
    depth = depth_of(scene)
    hit = np.isfinite(depth)
    points = np.array(camera.position) + depth[hit][:, None] * rays_of(camera)[hit]
    error_m = np.abs(points[:, 2] - hills.heights(points[:, 0], points[:, 1]))
    assert hit.mean() > 0.5
    assert np.quantile(error_m / depth[hit], 0.99) < 0.002


def test_the_sky_never_shows_through_hills() -> None:
    hills = Terrain(1, 3.0, 350.0, 1.4, (200.0, 40.0), 0.0)
    eye_m = 20.0 + float(hills.heights(np.zeros(1), np.zeros(1))[0])
    scene = scene_before(Camera((0, 0, eye_m), yaw_deg=70.0))
    scene.terrain = hills
    hit = np.isfinite(depth_of(scene, (120, 160)))
    below_hills = np.logical_or.accumulate(hit, axis=0)
    assert 0.2 < hit.mean() < 0.98
    assert (below_hills & ~hit).mean() < 0.002


def test_near_things_hide_far_ones_in_whatever_order_they_are_added() -> None:
    camera = Camera((0, -3, 1), fov_deg=50.0)
    first, second = scene_before(camera), scene_before(camera)
    steps = [
        lambda scene: scene.box((0, 1, 1), (2, 2, 2), GREY, 30.0),
        lambda scene: scene.ball((0.4, -0.8, 1), 0.4, GREY),
    ]
    for step, reverse in zip(steps, reversed(steps), strict=True):
        step(first)
        reverse(second)
    np.testing.assert_array_equal(depth_of(first), depth_of(second))


def test_a_closed_box_around_the_camera_leaves_no_crack() -> None:
    scene = scene_before(Camera((2, 2, 1), yaw_deg=33.0, pitch_deg=-11.0, roll_deg=4.0, fov_deg=90.0))
    scene.box((2.0, 7.0, 1.0), (40, 3, 40), GREY, 33.0)
    scene.quad((-50, -50, 0), (100, 0, 0), (0, 100, 0), GREY)
    assert np.isfinite(depth_of(scene, (240, 320))[120:]).all()


def test_the_outline_of_a_box_is_at_the_same_pixels_in_picture_and_depth() -> None:
    scene = Scene(Camera((0, -3, 1), fov_deg=60.0), ambient=(1.0, 1.0, 1.0))
    scene.quad((-50, 2, -50), (100, 0, 0), (0, 0, 100), Material((0.9, 0.9, 0.9), (0.9, 0.9, 0.9)))
    scene.box((0.2, 0, 1), (1, 0.5, 0.8), Material((0.1, 0.1, 0.1), (0.1, 0.1, 0.1)))
    drawn = render(scene, (96, 128), np.random.default_rng(8))
    near, dark = drawn.inverse_depth > 0.25, drawn.image.mean(-1) < 0.6 * drawn.image.mean(-1).max()
    assert near.any()
    assert (near != dark).mean() < 0.01


def test_a_cutout_shows_what_is_behind_its_holes() -> None:
    scene = scene_before(Camera((0, 0, 1), fov_deg=50.0))
    scene.quad((-50, 9, -50), (100, 0, 0), (0, 0, 100), GREY)
    scene.quad((-1, 2, 0), (2, 0, 0), (0, 0, 2), GREY, cutout="railing")
    depths = np.unique(np.round(depth_of(scene), 3))
    np.testing.assert_allclose(depths, [2, 9])


@pytest.mark.parametrize("name", CUTOUTS)
def test_a_cutout_has_holes_and_is_not_all_hole(name: str) -> None:
    assert 0.02 < (cutout(name) > 127).mean() < 0.9


@pytest.mark.parametrize("number", range(len(PATTERNS)), ids=PATTERNS)
def test_a_pattern_goes_on_over_its_seams(number: int) -> None:
    u, v = np.meshgrid(np.linspace(0, 1, 32, dtype=np.float32), np.linspace(0, 1, 32, dtype=np.float32))
    which, per_px = np.full_like(u, number), np.full_like(u, 1 / 256)
    here, shifted = read_patterns(which, u, v, per_px), read_patterns(which, u - 3, v + 2, per_px)
    assert np.abs(here - shifted).mean() < 0.02
    assert 0 <= here.min() < here.max() <= 1


def test_the_sky_has_inverse_depth_0() -> None:
    drawn = render(scene_before(Camera(pitch_deg=40.0)), SIZE, np.random.default_rng(0))
    assert (drawn.inverse_depth == 0).all()


def test_a_lens_blurs_what_is_out_of_focus_and_leaves_the_subject_and_its_outline_sharp() -> None:
    rng = np.random.default_rng(0)
    inverse_depth = np.full((96, 128), 0.1, np.float32)
    inverse_depth[24:72, 32:96] = 2.0
    light = rng.random((96, 128, 3), np.float32)
    light[24:72, 32:96] += 5.0
    blurred = _defocus(light.copy(), inverse_depth, np.random.default_rng(4))
    subject, behind = np.s_[30:66, 38:90], np.s_[:20, :]
    assert np.allclose(blurred[subject], light[subject], atol=1e-4)
    assert blurred[behind].std() < 0.7 * light[behind].std()
    # The bright subject doesn't shine into what is blurred.
    assert blurred[22, 40:88].max() < 2.0


def test_the_ground_has_a_height_at_more_places_than_opencv_takes_at_once() -> None:
    terrain = Terrain(0, 10.0, 1.0, 1.0, (0.0, 0.0), 0.0)
    x = np.linspace(0, 50, 3_000_000, dtype=np.float32)
    np.testing.assert_array_equal(terrain.heights(x, x)[:2000], terrain.heights(x[:2000], x[:2000]))
