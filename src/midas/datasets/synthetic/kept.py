"""Drawn scenes kept in files: drawing one takes twenty times as long as reading it back."""

from __future__ import annotations

from pathlib import Path
from zipfile import BadZipFile

import cv2
import numpy as np

from midas.atomic import atomic_file
from midas.datasets.sample import Sample
from midas.errors import DatasetError

# Half precision tells inverse depths apart that differ by a thousandth, and 0, the sky, stays 0.
_JPEG_QUALITY = 95
_DAMAGED = (BadZipFile, EOFError, KeyError, OSError, ValueError)


def write_drawn(path: Path, sample: Sample) -> None:
    """Store a drawn scene, the picture as JPEG and its inverse depth in half precision.

    Raises:
        OutputError: it can't be written.
    """
    code = cv2.imencode(".jpg", sample.image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1]
    with atomic_file(path, overwrite=True) as file:
        np.savez(file, picture=code, inverse_depth=sample.disparity.astype(np.float16), name=np.array(sample.name))


def read_drawn(path: Path) -> Sample:
    """A drawn scene that `write_drawn` has stored.

    Raises:
        DatasetError: the file is damaged.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            picture = cv2.imdecode(stored["picture"], cv2.IMREAD_COLOR)
            inverse_depth, name = stored["inverse_depth"].astype(np.float32), str(stored["name"])
    except _DAMAGED as error:
        raise DatasetError(f"{path} is no drawn scene: {error}; delete it, and it will be drawn again") from error
    if picture is None:
        raise DatasetError(f"the picture in {path} can't be decoded; delete it, and it will be drawn again")
    image = np.ascontiguousarray(picture[..., ::-1])
    return Sample(image, inverse_depth, np.ones(inverse_depth.shape, np.bool_), name, metric=True, sparse=False)
