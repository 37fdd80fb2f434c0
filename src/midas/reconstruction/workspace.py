"""A folder with a reconstruction: every image predicted, aligned to its points, and written for a consumer."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from midas.arrays import Array, Float32
from midas.errors import DatasetError, MidasError
from midas.maps.depth_map import DepthMap
from midas.maps.kinds import INVERSE
from midas.pictures.exif import TRANSPOSED
from midas.pictures.lens import read_lens
from midas.reconstruction.colmap_model import ModelImage, SparseModel, read_sparse_model
from midas.reconstruction.consumers import Consumer
from midas.reconstruction.priors import LEAST_POINTS, Prior, align_prior

_MODEL_FOLDERS = ("sparse/0", "sparse", "colmap/sparse/0", "distorted/sparse/0", ".")
_IMAGE_FOLDERS = ("images", "input", "colmap/images", ".")
# EXIF orientation -> steps along rows and columns that undo its flip; transposition, from 5 on, comes after.
_FLIPS_BACK = {2: (1, -1), 3: (-1, -1), 4: (-1, 1), 6: (1, -1), 7: (-1, -1), 8: (-1, 1)}


@dataclass(frozen=True)
class PriorReport:
    """What became of an image.

    Attributes:
        name: of the image.
        output: its file; None if there is none.
        points: how many points were used.
        inlier_share: of them, how many agree with the map within 10 %.
        scale, shift: disparity → 1 / depth; None without enough points.
        error: why it failed; None if it didn't.
    """

    name: str
    output: Path | None = None
    points: int = 0
    inlier_share: float = 0.0
    scale: float | None = None
    shift: float | None = None
    error: MidasError | None = None


def find_model(workspace: Path) -> SparseModel:
    """The sparse model of a workspace, wherever programs put it.

    Raises:
        DatasetError: there is none, or it is damaged.
    """
    for folder in _MODEL_FOLDERS:
        if any((workspace / folder / f"images{suffix}").exists() for suffix in (".bin", ".txt")):
            return read_sparse_model(workspace / folder)
    raise DatasetError(
        f"{workspace} holds no reconstruction by COLMAP: expected images.bin or images.txt in "
        f"{', '.join(_MODEL_FOLDERS[:-1])}, or in it itself"
    )


def find_images(workspace: Path, model: SparseModel) -> Path:
    """The folder of the images that a model names.

    Raises:
        DatasetError: none of them is there.
    """
    for folder in _IMAGE_FOLDERS:
        if any((workspace / folder / image.name).exists() for image in model.images):
            return workspace / folder
    raise DatasetError(
        f"{workspace} holds none of the {len(model.images)} images of its reconstruction: expected them in "
        f"{', '.join(_IMAGE_FOLDERS[:-1])}; name their folder"
    )


def make_priors(
    predictor: Callable[[Path], DepthMap],
    model: SparseModel,
    images: Path,
    consumer: Consumer,
    *,
    least_points: int = LEAST_POINTS,
) -> Generator[PriorReport, None, None]:
    """Predict, align and write every image of a reconstruction; one that fails doesn't stop the others.

    Args:
        predictor: gives the map of a picture; a ``Predictor``, as a rule.
        model: the reconstruction.
        images: the folder of its images.
        consumer: what writes.
        least_points: images with fewer get no scale and shift.
    """
    for image in model.images:
        try:
            yield _report_of(image, prior_of(predictor, model, image, images, least_points), consumer)
        except MidasError as error:
            yield PriorReport(image.name, error=error)


def prior_of(
    predictor: Callable[[Path], DepthMap], model: SparseModel, image: ModelImage, images: Path, least_points: int
) -> Prior:
    """The aligned map of one image.

    Raises:
        ImageError: it can't be read.
        ModelError: the network fails.
        DatasetError: the network gives no disparity.
    """
    depth_map = predictor(images / image.name)
    if depth_map.kind not in INVERSE:
        raise DatasetError(
            f"priors need a network that gives disparity; this one's maps are of kind {depth_map.kind!r}"
        )
    size = model.cameras[image.camera].size
    values = as_stored(depth_map.values, read_lens(images / image.name).orientation, size)
    return align_prior(image.name, values, size, *model.depths(image), least_points=least_points)


def as_stored(values: Float32[Array, "H W"], orientation: int, size: tuple[int, int]) -> Float32[Array, "h w"]:
    """A map of the upright picture, turned back to how the file stores it, as COLMAP counts.

    Programs that turned the pictures before are known by their camera's shape: it is the upright one's.

    Args:
        values: of the upright picture.
        orientation: that the file asks for, 1 to 8.
        size: (height, width) of the camera.
    """
    standing, camera_standing = values.shape[0] > values.shape[1], size[0] > size[1]
    if orientation >= TRANSPOSED and standing == camera_standing and values.shape[0] != values.shape[1]:
        return values
    rows, columns = _FLIPS_BACK.get(orientation, (1, 1))
    turned: Array = values[::rows, ::columns]
    return np.ascontiguousarray(turned.T if orientation >= TRANSPOSED else turned)


def _report_of(image: ModelImage, prior: Prior, consumer: Consumer) -> PriorReport:
    output = consumer.take(image, prior)
    alignment = prior.alignment
    if alignment is None:
        return PriorReport(image.name, output, prior.points)
    return PriorReport(image.name, output, prior.points, prior.inlier_share, alignment.scale, alignment.shift)
