"""Fewer triangles, by quadric error (Garland & Heckbert, 1997), as fast-simplification computes it."""

from __future__ import annotations

import numpy as np

from midas.arrays import Array, Float32, Shaped
from midas.errors import MissingExtraError

_SEED = 3
_UNEVENNESS = 1e-5


def simplified(
    vertices: Float32[Array, "N 3"], faces: Shaped[Array, "M 3"], max_faces: int | None
) -> tuple[Float32[Array, "n 3"], Shaped[Array, "m 3"]]:
    """A mesh of no more faces than allowed, without vertices that none of them uses.

    Args:
        vertices: places, coordinates about 1. The third ones are made uneven by a hundred-thousandth.
        faces: three vertices each.
        max_faces: None allows all.

    Raises:
        MissingExtraError: there are too many, and fast-simplification isn't installed.
    """
    vertices, faces = _used(vertices, faces)
    if max_faces is None or len(faces) <= max_faces:
        return vertices, faces
    try:
        import fast_simplification
    except ImportError as error:
        raise MissingExtraError(f"a mesh of at most {max_faces} faces", "3d") from error
    # On planes that are exact the search finds no best place and gives up after a long time.
    uneven = np.random.default_rng(_SEED).normal(0, _UNEVENNESS, vertices.shape).astype(np.float32)
    uneven[:, :2] = 0
    fewer, of_fewer = fast_simplification.simplify(vertices + uneven, faces, target_count=max_faces)
    return _used(np.asarray(fewer, np.float32), np.asarray(of_fewer, np.int32))


def _used(
    vertices: Float32[Array, "N 3"], faces: Shaped[Array, "M 3"]
) -> tuple[Float32[Array, "n 3"], Shaped[Array, "m 3"]]:
    used = np.zeros(len(vertices), np.bool_)
    used[faces.reshape(-1)] = True
    numbers = np.cumsum(used, dtype=np.int32) - np.int32(1)
    return vertices[used], numbers[faces]
