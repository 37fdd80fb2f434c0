"""Panoramas and fisheye pictures: views see what is there, maps join without seams, and better than in one piece."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import midas
from midas.alignment import Alignment, align_least_squares
from midas.errors import ConfigError
from midas.geometry import Anchor, Camera, assumed_anchor, surface_mesh
from midas.geometry.sphere import Equirectangular, Fisheye, WideLens, in_picture, pixel_rays
from midas.lenses import Distortion, WidePredictor, join_views, views_of
from midas.lenses.choice import looks_panoramic, predictor_for
from midas.lenses.views import covered
from midas.maps.depth_map import DepthMap

from .wide_scenes import wide_scene

PANORAMA = Equirectangular((128, 256))
FISHEYE = Fisheye((200, 200), 180.0)
LENSES = [PANORAMA, FISHEYE, Fisheye((150, 200), 120.0), Fisheye((100, 150), 60.0)]


@pytest.mark.parametrize("lens", LENSES, ids=str)
def test_rays_and_pixels_are_inverse_to_each_other(lens: WideLens) -> None:
    height, width = lens.size
    y, x = np.mgrid[:height, :width].astype(float)
    if isinstance(lens, Fisheye):  # beyond the rim nothing has a place of its own
        seen = np.hypot(x - (width - 1) / 2, y - (height - 1) / 2) < np.radians(lens.farthest_deg) * lens.focal_px
    else:
        seen = np.ones(lens.size, bool)
    column, row = lens.pixels(lens.rays(x, y))
    np.testing.assert_allclose(column[seen], x[seen], atol=1e-6)
    np.testing.assert_allclose(row[seen], y[seen], atol=1e-6)
    assert in_picture(lens, column[seen], row[seen]).all()


@pytest.mark.parametrize("lens", LENSES, ids=str)
def test_the_views_leave_nothing_out(lens: WideLens) -> None:
    assert covered(views_of(lens), pixel_rays(lens, lens.size)).all()


def test_the_middle_of_a_panorama_is_forward_its_top_is_up() -> None:
    middle, top, right = PANORAMA.rays(np.array([127.5, 127.5, 191.5]), np.array([63.5, -0.5, 63.5]))
    np.testing.assert_allclose(middle, [0, 0, 1], atol=1e-9)
    np.testing.assert_allclose(top, [0, -1, 0], atol=1e-9)
    np.testing.assert_allclose(right, [1, 0, 0], atol=1e-9)


def exact_maps(lens: WideLens, seed: int = 0) -> tuple[list[np.ndarray], np.ndarray]:
    """Each view's exact disparity, of a hidden scale and shift of its own, and the truth."""
    rng = np.random.default_rng(seed)
    rays = pixel_rays(lens, lens.size)
    maps = []
    for view in views_of(lens):
        steps = (np.arange(view.side_px) - (view.side_px - 1) / 2) / view.focal_px
        x, y = np.meshgrid(steps, steps)
        towards = np.stack([x, y, np.ones_like(x)], -1) @ view.to_view
        # 1 / depth along the view's axis: rays have length 1 along it.
        inverse_depth = box_inverse_distance(towards)
        maps.append((rng.uniform(1, 5) * inverse_depth + rng.uniform(-0.3, 0.3)).astype(np.float32))
    return maps, box_inverse_distance(rays.astype(float)).astype(np.float32)


def box_inverse_distance(rays: np.ndarray) -> np.ndarray:
    """1 / t at which t * ray meets a room of 4 x 3 x 6 m around the camera, which stands out of its middle."""
    low, high = np.array([-1.5, -1.2, -2.0]), np.array([2.5, 1.8, 4.0])
    return np.maximum(rays / high, rays / low).max(axis=-1)


@pytest.mark.parametrize("lens", LENSES[:3], ids=str)
def test_exact_maps_of_any_scale_and_shift_join_to_the_exact_inverse_distance(lens: WideLens) -> None:
    """Axis depth is converted to distance along the ray before; else a fifth of the range would be wrong."""
    maps, true = exact_maps(lens)
    joined = join_views(views_of(lens), maps, pixel_rays(lens, lens.size))
    fit = align_least_squares(joined, true)
    assert np.abs(fit.apply(joined) - true).max() < 0.02 * np.ptp(true)


def test_the_sides_of_a_panorama_meet() -> None:
    maps, _ = exact_maps(PANORAMA, 3)
    joined = join_views(views_of(PANORAMA), maps, pixel_rays(PANORAMA, PANORAMA.size))
    assert np.abs(joined[:, 0] - joined[:, -1]).max() < 0.02 * np.ptp(joined)


def test_a_predicted_panorama_has_no_seam_and_says_what_its_values_are(tmp_path: Path) -> None:
    lens = Equirectangular((192, 384))
    image, _ = wide_scene("rooms", 0, lens, 192)
    depth_map = predictor_for(midas.load(), projection="equirectangular")(image)
    step = np.abs(depth_map.values[:, 0] - depth_map.values[:, -1]).max()
    assert step <= 0.02 * np.ptp(depth_map.values)
    depth_map.save(tmp_path / "panorama.png")
    assert DepthMap.load(tmp_path / "panorama.png").lens["values_along"] == "ray"
    depth_map.aligned(1.0, 5.0).save(tmp_path / "metres.npz")
    assert DepthMap.load(tmp_path / "metres.npz").lens["values_along"] == "ray"
    cloud = depth_map.cloud(lens, image, anchor=assumed_anchor(depth_map.values))
    assert cloud.points[:, 2].min() < -1 < 1 < cloud.points[:, 2].max()  # all around


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lens", "seeds"), [(Equirectangular((384, 768)), 8), (Fisheye((512, 512), 180.0), 8)], ids=str
)
def test_the_error_is_at_most_seven_tenths_of_the_plain_predictions(lens: WideLens, seeds: int) -> None:
    plain = midas.load()
    wide = WidePredictor(plain, lambda size: lens)
    height, width = lens.size
    y, x = np.mgrid[:height, :width]
    if isinstance(lens, Fisheye):
        weight = (np.hypot(x - (width - 1) / 2, y - (height - 1) / 2) < width / 2).astype(np.float32)
    else:  # by solid angle
        weight = np.cos((y + 0.5) / height * np.pi - np.pi / 2).astype(np.float32)
    errors = []
    for seed in range(seeds):
        image, true = wide_scene(["rooms", "streets"][seed % 2], seed, lens)
        for predictor in (plain, wide):
            values = predictor(image).values
            fit = align_least_squares(values, true, weights=weight)
            errors.append(float(np.average(np.abs(fit.apply(values) - true), weights=weight) / np.ptp(true)))
    assert np.mean(errors[1::2]) <= 0.7 * np.mean(errors[::2])


@pytest.mark.parametrize("coefficients", [(-0.25, 0.05), (0.1, -0.02, 0.002, -0.001)])
def test_distortion_is_redone_where_it_was_undone(coefficients: tuple[float, ...]) -> None:
    """A map that follows the straight picture, redone, follows the distorted one."""
    distortion, camera = Distortion(*coefficients), Camera(150.0, (120, 160))
    ramp = np.broadcast_to(np.linspace(0, 255, 160, dtype=np.float32), (120, 160)).astype(np.uint8)
    image = np.repeat(ramp[..., None], 3, axis=2)
    straight = distortion.undone(image, camera)[..., 0].astype(np.float32)
    redone = distortion.redone(straight, camera)
    middle = (slice(20, 100), slice(25, 135))
    assert np.abs(redone[middle] - image[..., 0][middle]).max() < 2.5
    assert np.abs(straight[middle] - image[..., 0][middle]).max() > 1.5


def test_panoramas_are_offered_by_shape_and_by_their_file(tmp_path: Path) -> None:
    Image.new("RGB", (1200, 600)).save(tmp_path / "wide.jpg")
    Image.new("RGB", (1200, 601)).save(tmp_path / "odd.jpg")
    xmp = b'<x><rdf:Description GPano:ProjectionType="equirectangular"/></x>'
    Image.new("RGB", (80, 60)).save(tmp_path / "said.jpg", xmp=xmp)
    assert "twice" in str(looks_panoramic(tmp_path / "wide.jpg"))
    assert looks_panoramic(tmp_path / "odd.jpg") is None
    assert "file says" in str(looks_panoramic(tmp_path / "said.jpg"))


def test_contradicting_lenses_are_refused() -> None:
    plain = midas.load()
    with pytest.raises(ConfigError, match="leave it out"):
        predictor_for(plain, projection="fisheye", distortion=Distortion(0.1))
    with pytest.raises(ConfigError, match="360"):
        predictor_for(plain, projection="equirectangular", fov_deg=90.0)
    with pytest.raises(ConfigError, match="means something"):
        predictor_for(plain, fov_deg=90.0)


def test_the_mesh_of_a_panorama_is_closed_all_around() -> None:
    """Edges of one triangle alone: none but the small rings about the poles."""
    anchor = Anchor(Alignment(1.0, 0.0), "stated", metric=True)
    mesh = surface_mesh(np.full(PANORAMA.size, 0.5, np.float32), PANORAMA, anchor)
    _, places = np.unique(mesh.vertices.round(4), axis=0, return_inverse=True)
    corners = places.reshape(-1)[mesh.faces]
    edges = np.sort(np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [2, 0]]]), axis=1)
    found, uses = np.unique(edges, axis=0, return_counts=True)
    heights = {place: abs(float(y)) for place, y in zip(places.reshape(-1), mesh.vertices[:, 1], strict=True)}
    assert all(heights[place] > 1.99 for place in found[uses == 1].ravel())
