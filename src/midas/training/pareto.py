"""Pareto mixing: each data set is a task, and a step goes where no task's loss rises (MiDaS paper, its second mixing).

The method is the multiple-gradient descent algorithm (MGDA: Désidéri 2012; Sener and Koltun 2018, "Multi-Task Learning
as Multi-Objective Optimization", eq. 3). With g_t the gradient of task t's loss with respect to the shared parameters,
it looks for the point of smallest norm in their convex hull,

    minimise |sum_t w_t g_t|^2   with   w_t >= 0,   sum_t w_t = 1,

whose inner product with every g_t is at least its own squared norm: to first order a step along it lowers all losses
that have weight alike and the others no less, and where it is zero no step lowers all. Both solvers see the gradients'
inner products only, a T x T matrix.

Where this differs from the code published with the paper of 2018, and why:

- That code keeps the weights of a pair, and every line search, within [0.001, 0.999]. A point that is right already is
  then still moved, its test for standing still can fail to the end, and it returns nothing. Here weights may be 0 and
  1, the test is the property above, and the best point so far is returned however few iterations there were.
- Its Frank-Wolfe steps only ever move weight towards one task, taken from all others, which converges slowly at the
  border of the simplex. Here weight moves from the worst task to the best (pairwise steps, Lacoste-Julien and Jaggi
  2015). Its projected gradient has no rate; here it is that of Barzilai and Borwein. With either, a linear system
  gives the exact answer as soon as it is known which tasks have weight.
- It finds the weights from normalised gradients and applies them to losses that are not, so that with a normalisation a
  loss may rise. Here the normalisation goes into the weights, and no loss rises under any. Without one, which is the
  default, there is no difference; the MiDaS paper doesn't say which was used.

The cheaper upper bound of that paper (MGDA-UB, gradients with respect to a shared representation) is left out: it takes
all tasks to share their inputs, and data sets don't share their pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor
from torch.nn import Parameter

from midas.arrays import Array
from midas.errors import TrainingError

Solver = Literal["frank_wolfe", "projected_gradient"]
Normalization = Literal["none", "l2", "loss", "loss+"]

# Inner products are taken over so many numbers of each task at once, so that their copies in float64 stay in the cache.
_BLOCK = 2**18
# A hull that comes so near to zero, in squared norms of the shortest gradient, is taken to hold zero.
_ZERO = 1e-12


@dataclass(frozen=True)
class ParetoStep:
    """What a step did, one value per task where there are several.

    Attributes:
        losses: the tasks' losses.
        gradient_norms: norms of their gradients with respect to the shared parameters.
        weights: what each loss was weighted with; not negative, sum 1.
        descent: smallest inner product of the combined gradient with a task's own: how fast at least every loss falls
            along the step. Zero at a Pareto stationary point, never negative but for rounding and the solver's
            tolerance. Tasks without a gradient don't count.
    """

    losses: tuple[float, ...]
    gradient_norms: tuple[float, ...]
    weights: tuple[float, ...]
    descent: float


def pareto_backward(
    losses: Iterable[Tensor],
    parameters: Sequence[Parameter],
    *,
    shared: Sequence[Parameter] | None = None,
    normalization: Normalization = "none",
    method: Solver = "frank_wolfe",
    reduce: Callable[[Tensor], Tensor] | None = None,
    retain_graph: bool = False,
) -> ParetoStep:
    """Differentiate each task's loss and leave the Pareto combination of their gradients in ``.grad``.

    It takes the place of ``backward`` and replaces what ``.grad`` held. The cost is one backward pass per task, each
    through its own graph alone, and one flat copy of all gradients per task: T + 1 times the memory of ``.grad``.

    Args:
        losses: a scalar per task. A generator is asked for the next loss when the one before has been differentiated,
            so that one task's activations are held at a time.
        parameters: all that are trained.
        shared: those that all tasks act on, which decide the weights; None stands for all. The others get the
            combination by the same weights.
        normalization: what a task's gradient is divided by before the weights are sought, see `gradient_divisors`.
        method: see `min_norm_weights`.
        reduce: averages a tensor over processes, so that all find the same weights; called in order with the flat
            gradient of each task and with the losses. Compute the losses by the network itself then, not by its
            ``DistributedDataParallel`` wrapper, which would wait for gradients that never come.
        retain_graph: keep each graph, for losses that come from one forward pass.

    Returns:
        Losses, norms and weights. A task without a gradient, for instance a batch without a valid pixel, gets weight
        zero: it has no say, where the smallest norm would be its own and stop the others. Gradients that are not finite
        are handed on with equal weights, as ``backward`` does, for the caller or a gradient scaler to find.

    Raises:
        TrainingError: there is no loss, or no parameter that is trained.
    """
    first = [each for each in (parameters if shared is None else shared) if each.requires_grad]
    known = {id(each) for each in first}
    trained = first + [each for each in parameters if each.requires_grad and id(each) not in known]
    if not first:
        raise TrainingError("no shared parameter is trained; Pareto steps need one that requires a gradient")
    # What this process doesn't use another may, and all must leave the same gradients.
    rows, values, used = [], [], [reduce is not None] * len(trained)
    for loss in losses:
        row, touched = _flat_gradient(loss, trained, retain_graph)
        rows.append(row if reduce is None else reduce(row))
        values.append(loss.detach().double())
        used = [before or now for before, now in zip(used, touched, strict=True)]
    if not rows:
        raise TrainingError("there is no loss to differentiate; give one for each task")
    stacked = torch.stack(values) if reduce is None else reduce(torch.stack(values))
    count = sum(each.numel() for each in first)
    gram = _inner_products([row[:count] for row in rows]).cpu()
    weights = task_weights(gram, stacked.cpu(), normalization=normalization, method=method)
    _leave_gradient(_combined(rows, weights), trained, used)
    norms = gram.diagonal().sqrt()
    inner = (gram @ weights)[norms > 0]
    return ParetoStep(
        losses=tuple(stacked.tolist()),
        gradient_norms=tuple(norms.tolist()),
        weights=tuple(weights.tolist()),
        descent=float(inner.min()) if len(inner) else 0.0,
    )


def task_weights(
    gram: Float[Tensor, "T T"],
    losses: Float[Tensor, " T"],
    *,
    normalization: Normalization = "none",
    method: Solver = "frank_wolfe",
) -> Float64[Tensor, " T"]:
    """What each loss is weighted with, from inner products of the tasks' gradients; not negative, sum 1.

    With n_t the divisor of task t and v the weights of smallest norm of the gradients g_t / n_t, they are v_t / n_t
    brought to sum 1: the combination points where that of the normalised gradients does. Tasks without a gradient get
    zero; where no task has one, or anything is not finite, all get the same.
    """
    gram, norms = gram.double(), gram.double().diagonal().sqrt()
    heard = norms > 0
    if not heard.any() or not (gram.isfinite().all() and losses.isfinite().all()):
        return torch.full_like(norms, 1.0 / len(norms))
    divisors = gradient_divisors(normalization, losses[heard], norms[heard])
    found = min_norm_weights(gram[heard][:, heard] / torch.outer(divisors, divisors), method=method)
    weights = torch.zeros_like(norms)
    weights[heard] = found / divisors
    return weights / weights.sum()


def gradient_divisors(
    normalization: Normalization, losses: Float[Tensor, " T"], norms: Float[Tensor, " T"]
) -> Float64[Tensor, " T"]:
    """What each task's gradient is divided by: nothing, its norm, the loss, or the product of both, in that order.

    A divisor of zero is replaced by one.
    """
    choices = {"none": torch.ones_like(norms), "l2": norms, "loss": losses, "loss+": losses * norms}
    divisors = choices[normalization].double()
    return torch.where(divisors == 0, 1.0, divisors)


def min_norm_weights(
    gram: Float[Tensor, "T T"], *, method: Solver = "frank_wolfe", iterations: int = 1000, tolerance: float = 1e-5
) -> Float64[Tensor, " T"]:
    """Weights of the point of smallest norm in the convex hull of T vectors.

    Two vectors have a closed form. More start from the best pair; each iteration searches a line exactly, then solves
    for the vectors that have weight by then. The norm never rises. Where equal weights do, they are the answer, so
    equal vectors get equal weights; else, where several weightings give the smallest norm, it is one of them. A zero
    vector gets all the weight.

    Args:
        gram: inner products of the vectors, a symmetric positive semidefinite matrix of any rank.
        method: ``frank_wolfe`` moves weight from one vector to another; ``projected_gradient`` moves all at once, which
            takes fewer iterations, but many where norms differ by orders of magnitude.
        iterations: after so many the point reached is returned, whether or not it is within the tolerance.
        tolerance: share of its squared norm by which the point's inner product with a vector may fall short of it.

    Returns:
        Not negative, sum 1, in float64.

    Raises:
        TrainingError: there is no vector, or an inner product is not finite.
    """
    products = gram.detach().cpu().double().numpy()
    if not len(products) or not np.isfinite(products).all():
        raise TrainingError("weights need the inner products of at least one gradient, all of them finite numbers")
    equal = np.full(len(products), 1.0 / len(products))
    found = equal if _is_shortest(products, equal, tolerance) else _best_pair(products)
    if len(products) > 2:
        found = _descend(products, found, _PROPOSALS[method], iterations, tolerance)
    return torch.from_numpy(found).to(gram.device)


def min_norm_two(first: float, between: float, second: float) -> float:
    """Weight of the first of two vectors in the shortest combination of both.

    Args:
        first, second: squared norms.
        between: their inner product.

    Returns:
        ``(second - between) / |first vector - second vector|^2``, cut to [0, 1]; one half where the vectors are equal.
    """
    squared_distance = first + second - 2.0 * between
    if squared_distance <= 0.0:
        return 0.5
    return min(max((second - between) / squared_distance, 0.0), 1.0)


def _flat_gradient(loss: Tensor, parameters: Sequence[Parameter], retain_graph: bool) -> tuple[Tensor, list[bool]]:
    """A loss's gradient as one vector, zero where it doesn't depend on a parameter, and on which it depends."""
    gradients: Sequence[Tensor | None] = [None] * len(parameters)
    if loss.requires_grad:
        gradients = torch.autograd.grad(loss, parameters, retain_graph=retain_graph, allow_unused=True)
    parts = [
        (torch.zeros_like(parameter) if gradient is None else gradient).reshape(-1)
        for gradient, parameter in zip(gradients, parameters, strict=True)
    ]
    return torch.cat(parts).detach(), [gradient is not None for gradient in gradients]


def _inner_products(rows: Sequence[Tensor]) -> Float64[Tensor, "T T"]:
    total = torch.zeros(len(rows), len(rows), dtype=torch.float64, device=rows[0].device)
    for blocks in zip(*(torch.split(row, _BLOCK) for row in rows), strict=True):
        block = torch.stack(blocks).double()
        total += block @ block.T
    return total


def _combined(rows: Sequence[Tensor], weights: Tensor) -> Tensor:
    """The weighted sum, made in the first row's memory."""
    first, *others = (float(weight) for weight in weights)
    combined = rows[0].mul_(first)
    for row, weight in zip(rows[1:], others, strict=True):
        combined.add_(row, alpha=weight)
    return combined


def _leave_gradient(flat: Tensor, parameters: Sequence[Parameter], used: Sequence[bool]) -> None:
    parts = torch.split(flat, [parameter.numel() for parameter in parameters])
    for part, parameter, has_gradient in zip(parts, parameters, used, strict=True):
        # A copy and no view: fused optimizers need a gradient laid out in memory as its parameter is.
        gradient = torch.empty_like(parameter).copy_(part.view(parameter.shape)) if has_gradient else None
        parameter.grad = None if gradient is None else gradient.detach()


def _best_pair(products: Float64[Array, "T T"]) -> Float64[Array, " T"]:
    """The shortest of all combinations of two vectors."""
    candidates = []
    for one in range(len(products)):
        for other in range(one):
            weights = np.zeros(len(products))
            weights[one] = min_norm_two(products[one, one], products[one, other], products[other, other])
            weights[other] = 1.0 - weights[one]
            candidates.append(weights)
    return min(candidates, key=lambda weights: float(weights @ products @ weights))


def _is_shortest(products: Float64[Array, "T T"], weights: Float64[Array, " T"], tolerance: float) -> bool:
    """Whether no vector's inner product with the combination falls short of the combination's squared norm."""
    inner = products @ weights
    squared_norm = weights @ inner
    at_zero = squared_norm <= _ZERO * products.diagonal().min()
    return bool(at_zero or squared_norm - inner.min() <= tolerance * squared_norm)


_Proposal = Callable[[Any, Any, float], tuple[Any, float]]


def _descend(
    products: Float64[Array, "T T"],
    weights: Float64[Array, " T"],
    propose: _Proposal,
    iterations: int,
    tolerance: float,
) -> Float64[Array, " T"]:
    """Search lines, one after the other, until the point is the shortest."""
    rate = 1.0 / max(float(np.trace(products)), np.finfo(np.float64).tiny)
    for _ in range(iterations):
        if _is_shortest(products, weights, tolerance):
            break
        slope = products @ weights
        direction, largest = propose(weights, slope, rate)
        curvature = float(direction @ products @ direction)
        step = min(-float(direction @ slope) / curvature, largest) if curvature > 0.0 else largest
        moved = np.maximum(weights + step * direction, 0.0)
        weights = _settled(products, moved / moved.sum())
        if curvature > 0.0:
            rate = float(direction @ direction) / curvature
    return weights


def _settled(products: Float64[Array, "T T"], weights: Float64[Array, " T"]) -> Float64[Array, " T"]:
    """The shortest combination of the vectors that have weight, where it lies between them; else the weights given."""
    active = np.flatnonzero(weights > 0.0)
    solution = np.linalg.lstsq(products[np.ix_(active, active)], np.ones(len(active)), rcond=None)[0]
    if not (solution >= 0.0).all() or not solution.sum() > 0.0:
        return weights
    settled = np.zeros_like(weights)
    settled[active] = solution / solution.sum()
    return settled if settled @ products @ settled < weights @ products @ weights else weights


def _pairwise(weights: Float64[Array, " T"], slope: Float64[Array, " T"], rate: float) -> tuple[Any, float]:
    """From the vector with weight that lengthens most to the one that shortens most, at most all of its weight."""
    best = int(slope.argmin())
    worst = int(np.where(weights > 0.0, slope, -np.inf).argmax())
    direction = np.zeros_like(weights)
    direction[best] += 1.0
    direction[worst] -= 1.0
    return direction, float(weights[worst])


def _projected(weights: Float64[Array, " T"], slope: Float64[Array, " T"], rate: float) -> tuple[Any, float]:
    """To where a gradient step of the given rate lands when it is brought back to the simplex, at most all the way."""
    target = weights - rate * slope
    descending = np.sort(target)[::-1]
    excess = (np.cumsum(descending) - 1.0) / np.arange(1, len(target) + 1)
    threshold = excess[np.flatnonzero(descending > excess)[-1]]
    return np.maximum(target - threshold, 0.0) - weights, 1.0


_PROPOSALS: dict[str, _Proposal] = {"frank_wolfe": _pairwise, "projected_gradient": _projected}
