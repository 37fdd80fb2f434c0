"""Metrics against a plain loop."""

from __future__ import annotations

import numpy as np
import pytest

from midas.errors import MidasError
from midas.metrics import abs_rel, delta1_outliers


def test_metrics_equal_a_plain_loop() -> None:
    rng = np.random.default_rng(0)
    prediction, target = rng.uniform(0.5, 5, (2, 9, 11))
    mask = rng.random((9, 11)) < 0.5
    errors, outliers = [], []
    for p, t, valid in zip(prediction.flat, target.flat, mask.flat, strict=True):
        if valid:
            errors.append(abs(p - t) / t)
            outliers.append(p / t > 1.25 or t / p > 1.25)
    assert abs_rel(prediction, target, mask) == pytest.approx(sum(errors) / len(errors))
    assert delta1_outliers(prediction, target, mask) == pytest.approx(100 * sum(outliers) / len(outliers))


def test_an_empty_mask_is_an_error() -> None:
    with pytest.raises(MidasError, match="at least one valid pixel"):
        abs_rel(np.ones(3), np.ones(3), np.zeros(3, np.bool_))
