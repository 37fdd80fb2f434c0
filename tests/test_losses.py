"""Each loss against a slow transcription of its equation, and what is particular to the paper's own."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from tests.loss_references import (
    averaged,
    gradient_slowly,
    hierarchical_slowly,
    log_slowly,
    mae_slowly,
    mse_slowly,
    nmg_slowly,
    random_maps,
    random_pairs,
    ranking_slowly,
    relative_slowly,
    trimmed_slowly,
)

from midas import losses
from midas.losses.robust import select_by_partition, select_by_sorting

SLOWLY: dict[str, tuple[Callable[..., torch.Tensor], Callable[..., float]]] = {
    "ssi_trimmed_mae": (losses.ssi_trimmed_mae, trimmed_slowly),
    "ssi_mae": (losses.ssi_mae, mae_slowly),
    "ssi_mse": (losses.ssi_mse, mse_slowly),
    "ssi_relative_mae": (losses.ssi_relative_mae, relative_slowly),
    "scale_invariant_log": (losses.scale_invariant_log, log_slowly),
    "normalized_multiscale_gradient": (
        lambda *maps: losses.normalized_multiscale_gradient(*maps, spacings_px=(2, 8)),
        nmg_slowly,
    ),
}


@pytest.mark.parametrize("name", SLOWLY)
def test_a_loss_is_its_equation_averaged_over_pictures(name: str) -> None:
    loss, slowly = SLOWLY[name]
    maps = random_maps(1)
    assert float(loss(*maps)) == pytest.approx(averaged(slowly, *maps), rel=1e-12)


@pytest.mark.parametrize("name", SLOWLY)
def test_a_loss_in_float32_is_that_in_float64(name: str) -> None:
    prediction, target, mask = random_maps(2)
    loss = SLOWLY[name][0](prediction.float(), target, mask)
    assert loss.dtype == torch.float32
    assert float(loss) == pytest.approx(averaged(SLOWLY[name][1], prediction, target, mask), rel=1e-5)


@pytest.mark.parametrize("name", SLOWLY)
def test_the_gradient_is_that_of_finite_differences(name: str) -> None:
    prediction, target, mask = random_maps(3, size=(5, 12))
    prediction.requires_grad_()
    assert torch.autograd.gradcheck(lambda d: SLOWLY[name][0](d, target, mask), prediction)


def test_the_trimmed_loss_and_its_gradient_term_have_the_gradient_of_finite_differences() -> None:
    prediction, target, mask = random_maps(4, size=(6, 7))
    prediction.requires_grad_()
    assert torch.autograd.gradcheck(lambda d: losses.total_loss(d, target, mask).total, prediction)


def test_the_ranking_loss_is_equation_9_averaged_over_pictures() -> None:
    prediction = random_maps(5)[0]
    pairs = random_pairs(5, (17, 23))
    expected = averaged(ranking_slowly, prediction, *pairs)
    assert float(losses.ordinal_ranking(prediction, *pairs)) == pytest.approx(expected, rel=1e-12)


def test_the_ranking_loss_has_the_gradient_of_finite_differences() -> None:
    prediction = random_maps(6, size=(4, 5))[0].requires_grad_()
    pairs = random_pairs(6, (4, 5))
    assert torch.autograd.gradcheck(lambda d: losses.ordinal_ranking(d, *pairs), prediction)


def test_least_squares_alignment_is_that_of_a_general_solver() -> None:
    prediction, target, mask = random_maps(7)
    scale, shift = losses.align_least_squares_batched(prediction, target, mask)
    for index, one in enumerate(mask.numpy()):
        columns = np.stack([prediction[index].numpy()[one], np.ones(one.sum())], axis=1)
        expected = np.linalg.lstsq(columns, target[index].numpy()[one], rcond=None)[0]
        assert [float(scale[index]), float(shift[index])] == pytest.approx(expected, rel=1e-10)


def test_scale_and_shift_have_the_gradient_of_finite_differences() -> None:
    prediction, target, mask = random_maps(8, size=(3, 4), valid=0.9)
    maps = prediction.requires_grad_(), target.requires_grad_()
    assert torch.autograd.gradcheck(lambda *both: losses.align_least_squares_batched(*both, mask), maps)


def test_selection_on_a_cpu_and_on_a_gpu_finds_the_same_values() -> None:
    values = torch.rand(4, 50, generator=torch.Generator().manual_seed(0)).round(decimals=1)
    rank = torch.tensor([0, 7, 25, 49])
    found = [values.gather(1, select(values, rank)[:, None]) for select in (select_by_partition, select_by_sorting)]
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], values.sort(dim=1).values.gather(1, rank[:, None]))


@pytest.mark.parametrize("count", [1, 2, 7, 8])
def test_the_median_is_the_lower_one(count: int) -> None:
    values = torch.randperm(count, generator=torch.Generator().manual_seed(count)).float()[None, None]
    mask = torch.ones(1, 1, count, dtype=torch.bool)
    assert float(losses.masked_median(values, mask)) == (count - 1) // 2


def test_the_gradient_term_is_equation_11_averaged_over_pictures() -> None:
    residual, _, mask = random_maps(2)
    expected = averaged(gradient_slowly, residual, mask)
    assert float(losses.gradient_matching(residual, mask)) == pytest.approx(expected, rel=1e-12)


def test_the_hierarchical_term_is_its_definition_averaged_over_pictures() -> None:
    prediction, target, mask = random_maps(2)
    expected = averaged(hierarchical_slowly, prediction - target, target, mask)
    assert float(losses.hierarchical_mae(prediction - target, target, mask)) == pytest.approx(expected, rel=1e-12)


def test_the_hierarchical_term_has_the_gradient_of_finite_differences() -> None:
    prediction, target, mask = random_maps(3, size=(8, 12))
    prediction.requires_grad_()
    assert torch.autograd.gradcheck(lambda d: losses.hierarchical_mae(d - target, target, mask), prediction)


@pytest.mark.parametrize(("scale", "shift"), [(1e-6, 0.0), (3.0, 0.0), (40.0, 1e3), (2.0, -7.0)])
def test_the_unit_of_the_target_is_nothing_to_the_hierarchical_term(scale: float, shift: float) -> None:
    residual, target, mask = random_maps(4)
    loss = losses.hierarchical_mae(residual, scale * target + shift, mask)
    assert float(loss) == pytest.approx(float(losses.hierarchical_mae(residual, target, mask)), rel=1e-7)


def test_an_error_counts_more_where_the_target_spreads_little() -> None:
    slope = torch.linspace(0, 1, 64, dtype=torch.float64)[None, :, None].expand(1, 64, 64)
    steps = slope.clone()
    steps[:, 32:48, 32:48] = torch.rand(16, 16, generator=torch.Generator().manual_seed(0)).double()
    mask = torch.ones_like(slope, dtype=torch.bool)
    residual = torch.zeros_like(slope)
    residual[:, 32:48, 32:48] = 0.1 * (torch.arange(16) % 4 - 1.5)
    among_steps, on_the_slope = (float(losses.hierarchical_mae(residual, target, mask)) for target in (steps, slope))
    assert among_steps < 0.8 * on_the_slope
    assert on_the_slope > float(residual.abs().mean())


def test_total_is_equation_12() -> None:
    terms = losses.total_loss(*random_maps(3))
    assert float(terms.total) == pytest.approx(float(terms.data + 0.5 * terms.gradient), rel=1e-6)


@pytest.mark.parametrize(("scale", "shift"), [(3.0, 0.0), (0.01, 5.0), (40.0, -7.0)])
def test_scale_and_shift_of_the_prediction_cost_nothing(scale: float, shift: float) -> None:
    prediction, target, mask = random_maps(4)
    plain = losses.total_loss(prediction, target, mask)
    moved = losses.total_loss(scale * prediction + shift, target, mask)
    assert float(moved.total) == pytest.approx(float(plain.total), rel=2e-3)


def test_an_affine_copy_of_the_target_has_no_loss() -> None:
    _, target, mask = random_maps(5)
    assert float(losses.total_loss(0.3 * target + 0.1, target, mask).total) == pytest.approx(0.0, abs=1e-5)


def test_what_stands_at_invalid_pixels_has_no_influence() -> None:
    prediction, target, mask = random_maps(6)
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


def test_half_precision_predictions_are_measured_in_float32() -> None:
    prediction, target, mask = random_maps(8)
    halved = prediction.bfloat16()
    terms = losses.total_loss(halved, target, mask)
    assert terms.total.dtype == torch.float32
    assert float(terms.total) == pytest.approx(float(losses.total_loss(halved.double(), target, mask).total), rel=1e-5)
