"""Predictors for pictures by other lenses: they do all that ``Predictor`` does, picture by picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np

from midas.arrays import Array, Float32, UInt8
from midas.errors import ConfigError, MidasError, ModelError, net
from midas.geometry.camera import Camera
from midas.geometry.sphere import WideLens, pixel_rays
from midas.lenses.distortion import Distortion
from midas.lenses.joining import join_views
from midas.lenses.views import views_of
from midas.maps.depth_map import DepthMap
from midas.maps.kinds import INVERSE
from midas.maps.resize import Interpolation, resize_map
from midas.pictures.reading import ImageSource
from midas.predictor import Predictor
from midas.tiling.prepared import Prepared

# Longer side at which views are joined: finer than the network sees them.
_JOIN_SIDE_PX = 2048


class _LensPredictor(Predictor):
    """A predictor that looks at whole pictures."""

    def __init__(self, plain: Predictor) -> None:
        super().__init__(plain.name, plain.input, plain.backend, plain.spec)  # tiles are of the views
        if plain.kind not in INVERSE:
            raise ConfigError(
                f"other lenses need a network that gives disparity; the maps of {plain.name} are {plain.kind}"
            )
        # A view of nothing but sky, or of the black beside a fisheye's circle, is no wonder.
        self._plain = copy(plain)
        self._plain.warns_of_emptiness = False

    def prepare(self, image: ImageSource, **how: Any) -> Prepared:
        """Read a picture, whole; arguments and errors are those of ``Predictor.prepare``."""
        # Each view is a picture of its own: what guides its enlargement is cut with it.
        return super().prepare(image, **{**how, "keep_image": True, "interpolation": "cubic"})

    def infer_batch(
        self, batch: Sequence[Prepared], *, interpolation: Interpolation | None = None, at_once: int = 1
    ) -> list[DepthMap | MidasError]:
        """As ``Predictor.infer_batch``; pictures go through the network one by one."""
        return [self._outcome(prepared, interpolation) for prepared in batch]

    def _outcome(self, prepared: Prepared, interpolation: Interpolation | None) -> DepthMap | MidasError:
        try:
            with net(f"{prepared.source or 'this picture'} gets no map", ModelError):
                if prepared.image is None:
                    raise ConfigError("a picture for another lens is prepared with keep_image")
                found = self._predicted(prepared.image, prepared.source, interpolation)
                return found if found.size == prepared.size else found.resized(prepared.size)
        except MidasError as error:
            return error

    def _predicted(
        self, image: UInt8[Array, "H W 3"], source: str | None, interpolation: Interpolation | None
    ) -> DepthMap:
        raise NotImplementedError

    def _values(self, image: UInt8[Array, "h w 3"], interpolation: Interpolation | None) -> Float32[Array, "h w"]:
        values: Array = self._plain(image, interpolation=interpolation).values
        return values


class WidePredictor(_LensPredictor):
    """For panoramas and fisheye pictures: overlapping views, each predicted, joined.

    Its maps hold inverse distance along the ray, up to a scale and a shift, and say so.

    Args:
        plain: the predictor of the views.
        lens_of: (height, width) of a picture → its lens.
    """

    def __init__(self, plain: Predictor, lens_of: Callable[[tuple[int, int]], WideLens]) -> None:
        super().__init__(plain)
        self.lens_of = lens_of

    def _predicted(
        self, image: UInt8[Array, "H W 3"], source: str | None, interpolation: Interpolation | None
    ) -> DepthMap:
        height, width = image.shape[:2]
        lens = self.lens_of((height, width))
        views = views_of(lens)
        maps = [self._values(view.cut(image, lens), interpolation) for view in views]
        share = min(1.0, _JOIN_SIDE_PX / max(height, width))
        rays = pixel_rays(lens, (max(1, round(height * share)), max(1, round(width * share))))
        joined = join_views(views, maps, rays)
        values = _grown(joined, (height, width), lens.wraps)
        return DepthMap(values, self.name, source, self.kind, lens.facts())


class DistortedPredictor(_LensPredictor):
    """For pictures by a lens that bends straight lines.

    Args:
        plain: the predictor of straight pictures.
        distortion: of the lens.
        camera_of: (height, width) of a picture → its camera.
    """

    def __init__(
        self, plain: Predictor, distortion: Distortion, camera_of: Callable[[tuple[int, int]], Camera]
    ) -> None:
        super().__init__(plain)
        self.distortion = distortion
        self.camera_of = camera_of

    def _predicted(
        self, image: UInt8[Array, "H W 3"], source: str | None, interpolation: Interpolation | None
    ) -> DepthMap:
        camera = self.camera_of((image.shape[0], image.shape[1]))
        straight = self._values(self.distortion.undone(image, camera), interpolation)
        said = {"distortion": " ".join(f"{each:g}" for each in self.distortion.coefficients)}
        plain = DepthMap(self.distortion.redone(straight, camera), self.name, source, self.kind)
        return replace(plain, lens=said)


def _grown(values: Float32[Array, "h w"], size: tuple[int, int], wraps: bool) -> Float32[Array, "H W"]:
    """A map at the picture's size, whose sides still meet where it wraps."""
    if values.shape == size:
        return values
    if not wraps:
        return resize_map(values, size, "linear")
    margin = 2
    factor = size[1] / values.shape[1]
    wide = np.concatenate([values[:, -margin:], values, values[:, :margin]], axis=1)
    grown = resize_map(wide, (size[0], round(factor * wide.shape[1])), "linear")
    start = round(factor * margin)
    return np.ascontiguousarray(grown[:, start : start + size[1]])
