"""The authors' gist: its four departures from the paper, and the whole of it against a transcription."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.loss_references import differences_slowly, random_maps

from midas import losses


def gist_slowly(prediction: np.ndarray, target: np.ndarray, mask: np.ndarray) -> tuple[float, float]:
    """Data and gradient term of a batch, as the gist's behaviour is described."""
    residuals = []
    for one, other, valid in zip(prediction, target, mask, strict=True):
        aligned = []
        for values in (one, other):
            ordered = sorted((values * valid).ravel())
            centred = values - ordered[(len(ordered) - 1) // 2]
            aligned.append(centred / max(np.abs(centred)[valid].sum() / valid.sum(), 1e-6))
        residuals.append(aligned[0] - aligned[1])
    data = np.abs(np.stack(residuals))[mask].sum() / (2 * mask.sum())
    gradient = 0.0
    for step in (1, 2, 4, 8):
        coarse = [(r[::step, ::step], m[::step, ::step]) for r, m in zip(residuals, mask, strict=True)]
        total = sum(abs(d) for one in coarse for d, counts in differences_slowly(*one, 1) if counts)
        gradient += total / sum(valid.sum() for _, valid in coarse)
    return float(data), float(gradient)


def test_the_gist_is_as_described() -> None:
    maps = random_maps(1)
    terms = losses.total_loss(*maps, variant="gist")
    data, gradient = gist_slowly(*(values.numpy() for values in maps))
    assert [float(terms.data), float(terms.gradient)] == pytest.approx([data, gradient], rel=1e-12)
    assert float(terms.total) == pytest.approx(data + 0.5 * gradient, rel=1e-12)


def test_trimming_has_no_effect_in_the_gist() -> None:
    maps = random_maps(2)
    trimmed, untrimmed = (losses.total_loss(*maps, variant="gist", trim=trim).data for trim in (0.9, 0.0))
    assert torch.equal(trimmed, untrimmed)


def test_the_gist_pools_the_pixels_of_a_batch() -> None:
    residual = torch.tensor([[[1.0, 1.0, 1.0, 1.0]], [[6.0, 0.0, 0.0, 0.0]]])
    mask = torch.tensor([[[True, True, True, True]], [[True, False, False, False]]])
    assert float(losses.gist_mae(residual, mask)) == pytest.approx((4 + 6) / (2 * 5))
    assert float(losses.trimmed_mae(residual, mask, trim=0.0)) == pytest.approx((4 / 8 + 6 / 2) / 2)


def test_the_shift_of_the_gist_is_0_where_fewer_than_half_of_the_pixels_are_valid() -> None:
    values = 1 + torch.rand(1, 10, 10, generator=torch.Generator().manual_seed(0))
    mask = torch.arange(100).view(1, 10, 10) < 40
    assert (losses.gist_normalize(values, mask)[mask] > 0).all()
    assert float(losses.masked_median(losses.normalize_robust(values, mask), mask)) == 0


def test_paper_and_gist_normalise_alike_where_all_pixels_are_valid() -> None:
    values = random_maps(3)[0]
    everywhere = torch.ones(values.shape, dtype=torch.bool)
    assert torch.equal(losses.gist_normalize(values, everywhere), losses.normalize_robust(values, everywhere))


def test_a_coarse_scale_weighs_more_in_the_gist() -> None:
    ramp = torch.arange(64.0).view(1, 8, 8)
    mask = torch.ones(1, 8, 8, dtype=torch.bool)
    paper, gist = (
        float(term(ramp, mask, 2) - term(ramp, mask, 1))
        for term in (losses.gradient_matching, losses.gist_gradient_matching)
    )
    assert gist == pytest.approx(4 * paper)
