"""The losses against slow transcriptions of the paper's equations, and the laws they must keep."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from midas import losses


def random_batch(seed: int, *, valid: float = 0.6, size: tuple[int, int] = (17, 23)) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(seed)
    prediction, target = (torch.rand(3, *size, generator=generator, dtype=torch.float64) for _ in range(2))
    mask = torch.rand(3, *size, generator=generator) < valid
    return prediction, target, mask


def normalize_slowly(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Equations 5 and 6 for one picture; the median is the lower of the two middle values."""
    valid = sorted(float(value) for value in values[mask])
    shift = valid[(len(valid) - 1) // 2]
    scale = sum(abs(value - shift) for value in valid) / len(valid)
    return (values - shift) / scale


def trimmed_slowly(prediction: np.ndarray, target: np.ndarray, mask: np.ndarray) -> float:
    """Equation 7 for one picture."""
    residual = np.abs(normalize_slowly(prediction, mask) - normalize_slowly(target, mask))[mask]
    kept = sorted(residual)[: math.floor(0.8 * len(residual) + 1e-9)]
    return sum(kept) / (2 * len(residual))


def gradient_slowly(residual: np.ndarray, mask: np.ndarray) -> float:
    """Equation 11 for one picture, pixel by pixel."""
    total = 0.0
    for scale in range(4):
        step = 2**scale
        coarse, valid = residual[::step, ::step], mask[::step, ::step]
        height, width = coarse.shape
        for row in range(height):
            for column in range(width):
                if column + 1 < width and valid[row, column] and valid[row, column + 1]:
                    total += abs(coarse[row, column + 1] - coarse[row, column])
                if row + 1 < height and valid[row, column] and valid[row + 1, column]:
                    total += abs(coarse[row + 1, column] - coarse[row, column])
    return total / mask.sum()


def test_trimmed_loss_is_equation_7_averaged_over_pictures() -> None:
    prediction, target, mask = random_batch(1)
    expected = np.mean(
        [trimmed_slowly(*(x.numpy() for x in one)) for one in zip(prediction, target, mask, strict=True)]
    )
    assert float(losses.ssi_trimmed_mae(prediction, target, mask)) == pytest.approx(expected, rel=1e-5)


def test_gradient_term_is_equation_11_averaged_over_pictures() -> None:
    residual, _, mask = random_batch(2)
    expected = np.mean([gradient_slowly(r.numpy(), m.numpy()) for r, m in zip(residual, mask, strict=True)])
    assert float(losses.gradient_matching(residual, mask)) == pytest.approx(expected, rel=1e-5)


def test_total_is_equation_12() -> None:
    terms = losses.total_loss(*random_batch(3))
    assert float(terms.total) == pytest.approx(float(terms.data + 0.5 * terms.gradient), rel=1e-6)


@pytest.mark.parametrize(("scale", "shift"), [(3.0, 0.0), (0.01, 5.0), (40.0, -7.0)])
def test_scale_and_shift_of_the_prediction_cost_nothing(scale: float, shift: float) -> None:
    prediction, target, mask = random_batch(4)
    plain = losses.total_loss(prediction, target, mask)
    moved = losses.total_loss(scale * prediction + shift, target, mask)
    assert float(moved.total) == pytest.approx(float(plain.total), rel=2e-3)


def test_an_affine_copy_of_the_target_has_no_loss() -> None:
    _, target, mask = random_batch(5)
    assert float(losses.total_loss(0.3 * target + 0.1, target, mask).total) == pytest.approx(0.0, abs=1e-5)


def test_what_stands_at_invalid_pixels_has_no_influence() -> None:
    prediction, target, mask = random_batch(6)
    spoiled = [torch.where(mask, values, torch.full_like(values, 1e6)) for values in (prediction, target)]
    assert float(losses.total_loss(*spoiled, mask).total) == float(losses.total_loss(prediction, target, mask).total)


def test_the_median_ignores_invalid_pixels() -> None:
    values = torch.tensor([[[5.0, 1.0, 9.0, 2.0]]])
    mask = torch.tensor([[[True, False, True, True]]])
    assert losses.masked_median(values, mask).tolist() == [5.0]


def test_the_largest_fifth_of_residuals_has_no_influence() -> None:
    mask = torch.ones(1, 10, 10, dtype=torch.bool)
    residual = torch.rand(1, 10, 10)
    worse = residual.clone().flatten()
    worse[residual.flatten().argsort()[80:]] += 1e6
    assert float(losses.trimmed_mae(worse.view(1, 10, 10), mask)) == float(losses.trimmed_mae(residual, mask))


def test_trimming_keeps_the_floor_of_80_percent_and_divides_by_twice_all() -> None:
    residual = torch.ones(1, 1, 7)
    assert float(losses.trimmed_mae(residual, torch.ones(1, 1, 7, dtype=torch.bool))) == pytest.approx(5 / 14)


def test_pictures_are_trimmed_one_by_one() -> None:
    mask = torch.ones(2, 5, 5, dtype=torch.bool)
    residual = torch.stack([torch.ones(5, 5), torch.full((5, 5), 100.0)])
    assert float(losses.trimmed_mae(residual, mask)) == pytest.approx((20 / 50 + 2000 / 50) / 2)


@pytest.mark.parametrize("case", ["empty mask", "constant prediction", "constant target"])
def test_degenerate_pictures_give_finite_loss_and_gradient(case: str) -> None:
    prediction, target, mask = random_batch(7)
    if case == "empty mask":
        mask = torch.zeros_like(mask)
    elif case == "constant prediction":
        prediction = torch.ones_like(prediction)
    else:
        target = torch.ones_like(target)
    prediction.requires_grad_()
    loss = losses.total_loss(prediction, target, mask).total
    loss.backward()  # type: ignore[no-untyped-call]
    assert torch.isfinite(loss)
    assert prediction.grad is not None
    assert torch.isfinite(prediction.grad).all()


def test_half_precision_predictions_are_measured_in_float32() -> None:
    prediction, target, mask = random_batch(8)
    halved = prediction.bfloat16()
    terms = losses.total_loss(halved, target, mask)
    assert terms.total.dtype == torch.float32
    assert float(terms.total) == pytest.approx(float(losses.total_loss(halved.double(), target, mask).total), rel=1e-5)


def test_the_gradient_is_that_of_finite_differences() -> None:
    prediction, target, mask = random_batch(9, size=(6, 7))
    prediction = prediction.float().requires_grad_()
    losses.total_loss(prediction, target, mask).total.backward()  # type: ignore[no-untyped-call]
    assert prediction.grad is not None
    direction = torch.randn(prediction.shape, generator=torch.Generator().manual_seed(0)) * mask
    step = 1e-3
    with torch.no_grad():
        ahead, behind = (losses.total_loss(prediction + s * direction, target, mask).total for s in (step, -step))
    slope = float((prediction.grad * direction).sum())
    assert slope == pytest.approx(float(ahead - behind) / (2 * step), rel=0.05, abs=1e-3)
