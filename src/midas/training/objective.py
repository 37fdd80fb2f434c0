"""What a step minimises: the paper's loss on pictures with maps, a ranking loss on pictures with pairs of points."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from midas.datasets.mixture import Item
from midas.losses import total_loss
from midas.training.config import LossSettings


class Terms(NamedTuple):
    """The terms of the loss, each a scalar.

    Attributes:
        total: what is minimised.
        data: the scale-and-shift-invariant term.
        gradient: the gradient matching term, unweighted.
        ordinal: the ranking term, unweighted.
    """

    total: Tensor
    data: Tensor
    gradient: Tensor
    ordinal: Tensor


def loss_terms(prediction: Tensor, item: Item, settings: LossSettings) -> Terms:
    """The loss of a batch, averaged over its pictures (MiDaS paper, eq. 12).

    Args:
        prediction: relative disparity (B, H, W), float32.
        item: the batch.
        settings: weights of the terms.
    """
    dense = total_loss(
        prediction, item.target, item.mask,
        trim=settings.trim, gradient_weight=settings.gradient_weight, scales=settings.gradient_scales,
    )  # fmt: skip
    ordinal = torch.zeros_like(dense.total)
    return Terms(dense.total + settings.ordinal_weight * ordinal, dense.data, dense.gradient, ordinal)
