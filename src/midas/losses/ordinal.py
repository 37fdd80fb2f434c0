"""Losses on the order of pairs of points.

Points are (row, column) pairs of integers. A relation is +1 where the first point is nearer, -1 where the second is, 0
where they are equally far.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import softplus

from midas.errors import MidasError
from midas.losses.masks import at_least_float32


def ordinal_ranking(
    prediction: Float[Tensor, "B H W"],
    first: Int[Tensor, "B N 2"],
    second: Int[Tensor, "B N 2"],
    relation: Int[Tensor, "B N"],
    mask: Bool[Tensor, "B N"],
) -> Float[Tensor, ""]:
    """Ranking loss of pairs (eq. 9), averaged over each picture's pairs, then over pictures.

    ``log(1 + exp(-relation * (first - second)))`` for pairs in an order, ``(first - second)²`` for equal ones. Chen et
    al., "Single-Image Depth Perception in the Wild" (2016), there in depth; Xian et al., "Monocular Relative Depth
    Perception with Web Stereo Data Supervision" (2018). No shift of the prediction changes it; its scale does.

    Args:
        prediction: disparity, larger is nearer.
        first, second: the pairs' points. Pictures with fewer pairs are filled up to N with anything.
        relation: +1, -1 or 0 for each pair.
        mask: True where there is a pair.

    Raises:
        MidasError: a point of a pair lies outside the map, or a relation is unknown.
    """
    size = torch.tensor(prediction.shape[1:], device=first.device)
    outside = ((first < 0) | (first >= size) | (second < 0) | (second >= size)).any(dim=2)
    if bool((outside & mask).any()):
        raise MidasError(f"a point lies outside the map of {prediction.shape[1]} rows, {prediction.shape[2]} columns")
    if bool(((relation.abs() > 1) & mask).any()):
        raise MidasError("a relation is neither 1 (the first is nearer), -1 (the second is nearer) nor 0 (equal)")
    flat = at_least_float32(prediction).flatten(1)
    lead = flat.gather(1, _position(first, mask, prediction)) - flat.gather(1, _position(second, mask, prediction))
    lead = torch.where(mask, lead, 0.0)
    loss = torch.where(relation == 0, lead.square(), softplus(-relation * lead)) * mask
    return (loss.sum(dim=1) / mask.sum(dim=1).clamp(min=1)).mean()


def _position(
    points: Int[Tensor, "B N 2"], mask: Bool[Tensor, "B N"], prediction: Float[Tensor, "B H W"]
) -> Int[Tensor, "B N"]:
    """Where in its flattened picture a point stands; 0 for those that don't count."""
    return torch.where(mask, points[..., 0] * prediction.shape[2] + points[..., 1], 0).long()
