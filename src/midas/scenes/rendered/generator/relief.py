"""How much of a view isn't simply low and near: the law of ``midas.datasets.relief``, for rays, without its package."""

from __future__ import annotations

import numpy as np


def unexplained(depth_m: np.ndarray) -> float:
    """The share of disparity's variance that neither a tilted plane nor each row's mean explains, 0 to 1.

    Ground that runs to the horizon is explained by both; a network learns nothing from it but that low is near. Real
    photographs of many hands lie at 0.1 to 0.8 (``docs/render.md``).
    """
    disparity = np.where(np.isfinite(depth_m), 1 / np.maximum(depth_m, 1e-3), 0.0)
    disparity = np.minimum(disparity, np.percentile(disparity, 98))
    total = np.square(disparity - disparity.mean()).sum()
    if total <= 1e-12:
        return 0.0
    rows, columns = np.mgrid[: disparity.shape[0], : disparity.shape[1]]
    plane = np.stack([rows.ravel(), columns.ravel(), np.ones(disparity.size)], 1)
    _, beyond_plane, *_ = np.linalg.lstsq(plane, disparity.ravel(), rcond=None)
    beyond_rows = np.square(disparity - disparity.mean(axis=1, keepdims=True)).sum()
    return float(min(beyond_plane[0], beyond_rows) / total)
