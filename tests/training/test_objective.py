"""What is minimised of pictures put together from two, and of sets whose edges are worth more than others'."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from midas.datasets.mixture import Item
from midas.losses import total_loss
from midas.training.config import LossSettings
from midas.training.objective import loss_terms

SETTINGS = LossSettings(data="ssi_mse", gradient_weight=0.1)


def item(target: Tensor, second_part: Tensor, gradient_weight: float = -1.0) -> Item:
    count = len(target)
    return Item(
        pixels=torch.zeros(count, 3, *target.shape[1:]),
        target=target,
        mask=torch.ones_like(target, dtype=torch.bool),
        second_part=second_part,
        gradient_weight=torch.full((count,), gradient_weight),
        points=torch.zeros(count, 1, 4, dtype=torch.long),
        relation=torch.zeros(count, 1),
        pair_mask=torch.zeros(count, 1, dtype=torch.bool),
        source=torch.zeros(count, dtype=torch.long),
        unreadable=(),
    )


def maps(seed: int) -> Tensor:
    return torch.rand(2, 24, 32, generator=torch.Generator().manual_seed(seed))


def test_the_two_parts_of_a_mixed_picture_are_aligned_each_by_itself() -> None:
    target = maps(1)
    second_part = torch.zeros_like(target, dtype=torch.bool)
    second_part[:, 10:] = True
    # Right in either part, by another scale and shift in each.
    prediction = torch.where(second_part, 3 * target + 1, 0.2 * target + 5)
    assert float(loss_terms(prediction, item(target, second_part), SETTINGS).total) == pytest.approx(0, abs=1e-6)
    whole = torch.zeros_like(second_part)
    assert float(loss_terms(prediction, item(target, whole), SETTINGS).total) > 0.01


def test_a_sets_own_gradient_weight_takes_the_place_of_the_loss_s() -> None:
    target, prediction, whole = maps(1), maps(2), torch.zeros(2, 24, 32, dtype=torch.bool)
    given = loss_terms(prediction, item(target, whole, 0.7), SETTINGS)
    mask = torch.ones_like(whole)
    expected = total_loss(prediction, target, mask, data="ssi_mse", gradient_weight=0.7)
    assert torch.allclose(given.total, expected.total)
    left = loss_terms(prediction, item(target, whole), SETTINGS)
    assert torch.allclose(left.total, total_loss(prediction, target, mask, data="ssi_mse", gradient_weight=0.1).total)


def test_pictures_of_one_batch_may_weigh_their_gradients_differently() -> None:
    target, prediction, whole = maps(1), maps(2), torch.zeros(2, 24, 32, dtype=torch.bool)
    both = item(target, whole)._replace(gradient_weight=torch.tensor([0.0, 2.0]))
    given = float(loss_terms(prediction, both, SETTINGS).total)
    single = [
        float(loss_terms(prediction[k : k + 1], item(target[k : k + 1], whole[:1], weight), SETTINGS).total)
        for k, weight in enumerate((0.0, 2.0))
    ]
    assert given == pytest.approx(sum(single) / 2, rel=1e-5)


def test_the_hierarchical_term_is_weighted_as_the_settings_say() -> None:
    target = maps(5)
    prediction, batch = maps(6), item(target, torch.zeros_like(target, dtype=torch.bool))
    plain = loss_terms(prediction, batch, SETTINGS)
    terms = loss_terms(prediction, batch, replace(SETTINGS, hierarchical_weight=0.4))
    assert float(plain.hierarchical) == 0
    assert float(terms.hierarchical) > 0
    assert float(terms.total) == pytest.approx(float(plain.total + 0.4 * terms.hierarchical), rel=1e-6)
