"""Which lens took a picture: as stated, or as its file or its shape hints at."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Literal

from midas.errors import ConfigError
from midas.geometry.camera import Camera
from midas.geometry.sphere import Equirectangular, Fisheye, WideLens
from midas.lenses.distortion import Distortion
from midas.lenses.predictor import DistortedPredictor, WidePredictor
from midas.pictures.lens import Lens, read_lens
from midas.predictor import Predictor
from midas.storage.regular_files import open_regular

Projection = Literal["equirectangular", "fisheye"]
PROJECTIONS: tuple[Projection, ...] = ("equirectangular", "fisheye")
FISHEYE_FOV_DEG = 180.0

_PANORAMA = re.compile(rb"""GPano:ProjectionType(?:\s*=\s*["']|>)\s*equirectangular""")
_HEAD_BYTES = 1 << 17
# A smaller picture of this shape is a banner rather than a panorama.
_LEAST_WIDTH_PX = 1000


def wide_lens(projection: Projection, size: tuple[int, int], fov_deg: float | None = None) -> WideLens:
    """The lens of a picture of (height, width).

    Raises:
        ConfigError: an unknown projection, or an angle for a panorama, which has all of them.
    """
    if projection == "fisheye":
        return Fisheye(size, fov_deg or FISHEYE_FOV_DEG)
    if projection != "equirectangular":
        raise ConfigError(f"unknown projection {projection!r}: expected one of {', '.join(PROJECTIONS)}")
    if fov_deg is not None:
        raise ConfigError("an equirectangular panorama shows 360 degrees: leave its angle of view out")
    return Equirectangular(size)


def predictor_for(
    plain: Predictor,
    *,
    projection: Projection | None = None,
    fov_deg: float | None = None,
    distortion: Distortion | None = None,
) -> Predictor:
    """The predictor of pictures by a lens.

    Args:
        plain: for ordinary pictures; given back where nothing is stated.
        projection: of a wide lens.
        fov_deg: horizontal angle of view; of distortion too, for which 30 mm are assumed otherwise.
        distortion: of an ordinary lens.

    Raises:
        ConfigError: a lens can't be of both kinds, or a setting is out of range.
    """
    if projection is not None and distortion is not None:
        raise ConfigError("distortion is of ordinary lenses: leave it out for panoramas and fisheye pictures")
    if projection is not None:
        wide_lens(projection, (1, 2), fov_deg)  # refuses now what it would refuse at the first picture
        return WidePredictor(plain, lambda size: wide_lens(projection, size, fov_deg))
    if distortion is not None:
        return DistortedPredictor(plain, distortion, lambda size: _camera(size, fov_deg))
    if fov_deg is not None:
        raise ConfigError("an angle of view means something with a projection or a distortion only")
    return plain


def looks_panoramic(path: str | os.PathLike[str]) -> str | None:
    """Why a picture may be a panorama, in a few words; None if nothing says so.

    Raises:
        ImageError: it can't be read.
    """
    lens = read_lens(path)
    with open_regular(Path(path)) as file:
        if _PANORAMA.search(file.read(_HEAD_BYTES)):
            return "its file says so"
    height, width = lens.size
    return "it is twice as wide as high" if width == 2 * height and width >= _LEAST_WIDTH_PX else None


def _camera(size: tuple[int, int], fov_deg: float | None) -> Camera:
    return Camera.of_lens(Lens(size)) if fov_deg is None else Camera.from_fov(fov_deg, size)
