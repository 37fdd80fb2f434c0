"""The generator leaves the same views as training would leave pictures."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest

from midas.datasets.relief import unexplained
from midas.scenes.rendered.environment import GENERATOR


@pytest.mark.parametrize("seed", range(5))
def test_rays_and_pictures_are_judged_alike(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    monkeypatch.syspath_prepend(str(GENERATOR.parent))
    of_rays = import_module("generator.relief").unexplained
    rng = np.random.default_rng(seed)
    # Ground to the horizon, sky above it, and a thing of any size before both.
    row = np.mgrid[:33, :33][0]
    depth_m = np.where(row > 14, 30 / np.maximum(row - 14, 1), np.inf)
    top, left, size = *rng.integers(0, 20, 2), rng.integers(2, 14)
    depth_m[top : top + size, left : left + size] = rng.uniform(1, 4)
    disparity = np.where(np.isfinite(depth_m), 1 / depth_m, 0).astype(np.float32)
    assert of_rays(depth_m) == pytest.approx(unexplained(disparity, np.ones(disparity.shape, np.bool_)), abs=1e-5)
