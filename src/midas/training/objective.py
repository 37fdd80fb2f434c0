"""What a step minimises: the paper's loss on pictures with maps, a ranking loss on pictures with pairs of points."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from midas.datasets.mixture import Item
from midas.losses import DATA_TERMS, hierarchical_mae, ordinal_ranking, total_loss
from midas.training.config import LossSettings


class Terms(NamedTuple):
    """The terms of the loss, each a scalar.

    Attributes:
        total: what is minimised.
        data: the scale-and-shift-invariant term.
        gradient: the gradient matching term, unweighted.
        hierarchical: errors within parts of a picture, unweighted; 0 where they have no weight.
        ordinal: the ranking term, unweighted.
    """

    total: Tensor
    data: Tensor
    gradient: Tensor
    hierarchical: Tensor
    ordinal: Tensor


def loss_terms(prediction: Tensor, item: Item, settings: LossSettings) -> Terms:
    """The loss of a batch, averaged over its pictures (MiDaS paper, eq. 12).

    Of a picture put together from two, each part counts as a picture of its own: nothing says how the scales of the two
    go together, so each is aligned by itself.

    Args:
        prediction: relative disparity (B, H, W), float32.
        item: the batch.
        settings: weights of the terms.
    """
    maps, target, mask, own_weight = _parts(prediction, item)
    gradient_weight = own_weight.where(own_weight >= 0, settings.gradient_weight)
    same = bool((gradient_weight == gradient_weight[0]).all())
    dense = total_loss(
        maps,
        target,
        mask,
        data=settings.data,
        variant=settings.variant,
        trim=settings.trim,
        gradient_weight=float(gradient_weight[0]) if same else gradient_weight,
        scales=settings.gradient_scales,
    )
    hierarchical, ordinal = torch.zeros_like(dense.total), torch.zeros_like(dense.total)
    if settings.hierarchical_weight:
        hierarchical = hierarchical_mae(DATA_TERMS[settings.data].residual(maps, target, mask), target, mask)
    if bool(item.pair_mask.any()):
        first, second = item.points[..., :2], item.points[..., 2:]
        ordinal = ordinal_ranking(prediction, first, second, item.relation.long(), item.pair_mask)
    total = dense.total + settings.hierarchical_weight * hierarchical + settings.ordinal_weight * ordinal
    return Terms(total, dense.data, dense.gradient, hierarchical, ordinal)


def _parts(prediction: Tensor, item: Item) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Prediction, target, mask and gradient weight of all parts: the pictures, then the second parts of mixed ones."""
    mixed = item.second_part.any(dim=(1, 2)).nonzero()[:, 0]
    if not len(mixed):
        return prediction, item.target, item.mask, item.gradient_weight
    first, second = item.mask & ~item.second_part, (item.mask & item.second_part)[mixed]
    return (
        torch.cat([prediction, prediction[mixed]]),
        torch.cat([item.target, item.target[mixed]]),
        torch.cat([first, second]),
        torch.cat([item.gradient_weight, item.gradient_weight[mixed]]),
    )


def terms_by_source(prediction: Tensor, item: Item, settings: LossSettings, sources: int) -> list[Terms]:
    """The loss of each data set's pictures in a batch, in order; zero for a set that is not in it.

    Args:
        prediction: relative disparity (B, H, W), float32.
        item: the batch.
        settings: weights of the terms.
        sources: number of sets.
    """
    terms = []
    nothing = torch.zeros((), device=prediction.device)
    for source in range(sources):
        chosen = item.source == source
        if not bool(chosen.any()):
            terms.append(Terms(*[nothing] * len(Terms._fields)))
            continue
        part: dict[str, Any] = {
            name: value[chosen] for name, value in item._asdict().items() if isinstance(value, Tensor)
        }
        terms.append(loss_terms(prediction[chosen], item._replace(**part), settings))
    return terms
