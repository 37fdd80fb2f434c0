"""Laws that hold for every loss: masks, degenerate pictures, batches, invariances."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from tests.loss_references import random_maps, random_pairs
from torch import Tensor

from midas import losses
from midas.errors import MidasError

Loss = Callable[[Tensor, Tensor, Tensor], Tensor]
LOSSES: dict[str, Loss] = {
    "ssi_trimmed_mae": losses.ssi_trimmed_mae,
    "ssi_mae": losses.ssi_mae,
    "ssi_mse": losses.ssi_mse,
    "ssi_relative_mae": losses.ssi_relative_mae,
    "scale_invariant_log": losses.scale_invariant_log,
    "scale_invariant_log, root": lambda *maps: losses.scale_invariant_log(*maps, root=True),
    "gradient_matching": lambda d, d_star, mask: losses.gradient_matching(d - d_star, mask),
    "hierarchical_mae": lambda d, d_star, mask: losses.hierarchical_mae(d - d_star, d_star, mask),
    "normalized_multiscale_gradient": losses.normalized_multiscale_gradient,
    **{f"total, {data}": lambda *m, data=data: losses.total_loss(*m, data=data).total for data in losses.DATA_TERMS},
    "total, gist": lambda *maps: losses.total_loss(*maps, variant="gist").total,
}
every_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
PER_PICTURE = {name: loss for name, loss in LOSSES.items() if "gist" not in name}


def with_gradient(loss: Loss, prediction: Tensor, target: Tensor, mask: Tensor) -> tuple[float, Tensor]:
    prediction = prediction.clone().requires_grad_()
    value = loss(prediction, target, mask)
    value.backward()  # type: ignore[no-untyped-call]
    assert prediction.grad is not None
    return float(value.detach()), prediction.grad


@every_loss
@pytest.mark.parametrize("anything", [1e6, -3.0, float("nan"), float("inf"), -float("inf")])
def test_what_stands_at_invalid_pixels_has_no_influence(loss: Loss, anything: float) -> None:
    prediction, target, mask = random_maps(1)
    expected, gradient = with_gradient(loss, prediction, target, mask)
    spoiled = [values.masked_fill(~mask, anything) for values in (prediction, target)]
    value, spoiled_gradient = with_gradient(loss, *spoiled, mask)
    assert value == expected
    assert torch.equal(spoiled_gradient, gradient)


@every_loss
def test_invalid_pixels_receive_no_gradient(loss: Loss) -> None:
    prediction, target, mask = random_maps(2)
    gradient = with_gradient(loss, prediction, target, mask)[1]
    assert (gradient[~mask] == 0).all()
    assert (gradient[mask] != 0).any()


@every_loss
def test_no_valid_pixel_means_no_loss_and_no_gradient(loss: Loss) -> None:
    prediction, target, mask = random_maps(3)
    value, gradient = with_gradient(loss, prediction, target, torch.zeros_like(mask))
    assert value == 0
    assert (gradient == 0).all()


@every_loss
def test_an_empty_picture_leaves_the_gradient_of_the_others_finite(loss: Loss) -> None:
    prediction, target, mask = random_maps(4)
    mask[1] = False
    gradient = with_gradient(loss, prediction, target, mask)[1]
    assert torch.isfinite(gradient).all()
    assert (gradient[1] == 0).all()


@every_loss
@pytest.mark.parametrize("constant", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("which", ["prediction", "target", "both"])
def test_constant_pictures_give_a_finite_loss_and_gradient(loss: Loss, which: str, constant: float) -> None:
    prediction, target, mask = (values.float() if values.is_floating_point() else values for values in random_maps(5))
    flat = torch.full_like(prediction, constant)
    maps = (target if which == "target" else flat, prediction if which == "prediction" else flat)
    value, gradient = with_gradient(loss, *maps, mask)
    assert 0 <= value < float("inf")
    assert torch.isfinite(gradient).all()


@every_loss
def test_one_valid_pixel_is_enough(loss: Loss) -> None:
    prediction, target, _ = random_maps(6)
    mask = torch.zeros(prediction.shape, dtype=torch.bool)
    mask[:, 3, 4] = True
    value, gradient = with_gradient(loss, prediction, target, mask)
    assert 0 <= value < float("inf")
    assert torch.isfinite(gradient).all()


@pytest.mark.parametrize("loss", PER_PICTURE.values(), ids=PER_PICTURE)
def test_the_loss_of_a_batch_is_the_mean_of_its_pictures(loss: Loss) -> None:
    prediction, target, mask = random_maps(7)
    mask[0, ::2] = False
    single = [float(loss(prediction[i : i + 1], target[i : i + 1], mask[i : i + 1])) for i in range(3)]
    assert float(loss(prediction, target, mask)) == pytest.approx(sum(single) / 3, rel=1e-12)


@every_loss
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_arithmetic_is_in_float32_and_the_gradient_in_the_type_of_the_prediction(
    loss: Loss, dtype: torch.dtype
) -> None:
    prediction, target, mask = random_maps(8)
    halved = (0.5 + prediction).to(dtype)
    value, gradient = with_gradient(loss, halved, target.to(dtype), mask)
    assert gradient.dtype == dtype
    # Their residual is subtracted before they see it, in half precision.
    if loss not in (LOSSES["gradient_matching"], LOSSES["hierarchical_mae"]):
        assert value == pytest.approx(float(loss(halved.double(), target.to(dtype), mask)), rel=1e-4)


@every_loss
def test_a_prediction_that_is_not_a_number_is_not_hidden(loss: Loss) -> None:
    prediction, target, mask = random_maps(9)
    prediction[0, 2, 2], mask[0, 2, :4] = float("nan"), True
    assert math.isnan(float(loss(prediction, target, mask)))


@pytest.mark.parametrize("name", ["ssi_trimmed_mae", "ssi_mae", "ssi_mse", "normalized_multiscale_gradient"])
@pytest.mark.parametrize(("scale", "shift"), [(3.0, 0.0), (0.01, 5.0), (40.0, -7.0)])
def test_scale_and_shift_of_the_prediction_cost_nothing(name: str, scale: float, shift: float) -> None:
    prediction, target, mask = random_maps(10)
    moved = LOSSES[name](scale * prediction + shift, target, mask)
    assert float(moved) == pytest.approx(float(LOSSES[name](prediction, target, mask)), rel=1e-9)


@pytest.mark.parametrize(("balance", "expected"), [(0.0, 4.0), (0.5, 2.0), (1.0, 0.0)])
def test_a_factor_costs_its_squared_logarithm_less_the_balanced_share(balance: float, expected: float) -> None:
    _, target, mask = random_maps(11)
    factor = torch.e**2
    loss = losses.scale_invariant_log(factor * target, target, mask, balance)
    assert float(loss) == pytest.approx(expected, abs=1e-12)


def test_the_root_is_that_of_each_picture() -> None:
    maps = [values[:1] for values in random_maps(12)]
    assert float(losses.scale_invariant_log(*maps, root=True)) ** 2 == pytest.approx(
        float(losses.scale_invariant_log(*maps)), rel=1e-12
    )


def test_depth_and_disparity_have_the_same_logarithmic_loss() -> None:
    prediction, target, mask = random_maps(13)
    inverse = losses.scale_invariant_log(1 / prediction, 1 / target, mask)
    assert float(inverse) == pytest.approx(float(losses.scale_invariant_log(prediction, target, mask)), rel=1e-12)


def test_residuals_that_tie_for_the_last_place_share_the_gradient() -> None:
    mask = torch.ones(1, 2, 5, dtype=torch.bool)
    gradient = with_gradient(lambda d, _, m: losses.trimmed_mae(d, m), mask.double(), mask.double(), mask)[1]
    assert gradient.flatten().tolist() == pytest.approx([0.8 / 20] * 10)


def test_a_constant_prediction_is_aligned_to_the_mean_of_the_target() -> None:
    _, target, mask = random_maps(14)
    scale, shift = losses.align_least_squares_batched(torch.full_like(target, 0.1), target, mask)
    assert scale.tolist() == [0, 0, 0]
    assert shift.tolist() == pytest.approx([float(t[m].mean()) for t, m in zip(target, mask, strict=True)])


def test_least_squares_lose_no_digits_to_a_large_shift() -> None:
    prediction, target, mask = random_maps(15)
    shifted = (prediction + 1000).float()
    expected = losses.ssi_mse(shifted.double(), target, mask)
    assert float(losses.ssi_mse(shifted, target, mask)) == pytest.approx(float(expected), rel=1e-4)


def test_pairs_that_do_not_count_have_no_influence() -> None:
    prediction = random_maps(16)[0]
    first, second, relation, mask = random_pairs(16, (17, 23))
    expected = losses.ordinal_ranking(prediction, first, second, relation, mask)
    spoiled = [points.masked_fill(~mask[..., None], 99) for points in (first, second)]
    assert torch.equal(losses.ordinal_ranking(prediction, *spoiled, relation.masked_fill(~mask, 7), mask), expected)


def test_no_pair_means_no_loss_and_no_gradient() -> None:
    prediction = torch.full((3, 17, 23), float("nan"), requires_grad=True)
    *pairs, mask = random_pairs(17, (17, 23))
    loss = losses.ordinal_ranking(prediction, *pairs, torch.zeros_like(mask))
    loss.backward()  # type: ignore[no-untyped-call]
    assert float(loss.detach()) == 0
    assert prediction.grad is not None
    assert (prediction.grad == 0).all()


def test_the_ranking_loss_falls_as_the_right_point_comes_nearer() -> None:
    points = torch.tensor([[[0, 0]]]), torch.tensor([[[0, 1]]])
    pair = *points, torch.tensor([[1]]), torch.tensor([[True]])
    found = [float(losses.ordinal_ranking(torch.tensor([[[lead, 0.0]]]), *pair)) for lead in (-100.0, 0.0, 100.0)]
    assert found == pytest.approx([100.0, 0.6931472, 0.0])


@pytest.mark.parametrize(
    ("point", "relation", "message"), [((17, 0), 1, "outside"), ((0, -1), 1, "outside"), ((0, 0), 2, "relation")]
)
def test_a_pair_that_makes_no_sense_is_an_error(point: tuple[int, int], relation: int, message: str) -> None:
    points = torch.tensor([[point]])
    with pytest.raises(MidasError, match=message):
        losses.ordinal_ranking(
            torch.zeros(1, 17, 23), points, torch.zeros_like(points), torch.tensor([[relation]]), torch.tensor([[True]])
        )


@pytest.mark.parametrize("data", losses.DATA_TERMS)
def test_the_data_term_of_the_total_is_the_loss_of_that_name(data: str) -> None:
    maps = random_maps(18)
    assert torch.equal(losses.total_loss(*maps, data=data).data, LOSSES[data](*maps))


@pytest.mark.parametrize(("data", "variant"), [("mse", "paper"), ("ssi_mae", "repaired"), ("ssi_mae", "gist")])
def test_an_unknown_data_term_or_variant_is_an_error(data: str, variant: str) -> None:
    with pytest.raises(MidasError, match=variant if variant == "repaired" else data):
        losses.total_loss(*random_maps(19), data=data, variant=variant)
