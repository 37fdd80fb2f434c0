"""Pareto steps: the solver against the closed form and a general one, and the laws that a combined gradient keeps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from torch import Tensor, nn

from midas.errors import TrainingError
from midas.training.pareto import (
    Normalization,
    Solver,
    gradient_divisors,
    min_norm_two,
    min_norm_weights,
    pareto_backward,
    task_weights,
)

SOLVERS = get_args(Solver)
NORMALIZATIONS = get_args(Normalization)

tasks = st.integers(1, 8)
seeds = st.integers(0, 10_000)
solvers = st.sampled_from(SOLVERS)


def random_gradients(count: int, seed: int, *, numbers: int = 20) -> Tensor:
    """Gradients with something in common or nothing, norms up to ten times each other's."""
    rng = np.random.default_rng(seed)
    gradients = rng.standard_normal((count, numbers)) + rng.integers(3) * rng.standard_normal(numbers)
    return torch.from_numpy(gradients * 10 ** rng.uniform(-0.5, 0.5, (count, 1)))


def smallest_norm_slowly(gram: np.ndarray) -> float:
    """The problem as it stands in the paper, by a solver for any function and any constraint, from several starts."""
    count = len(gram)
    starts = [np.full(count, 1 / count), *np.random.default_rng(0).dirichlet(np.ones(count), 4)]
    results = [
        minimize(
            lambda weights: weights @ gram @ weights,
            start,
            jac=lambda weights: 2 * gram @ weights,
            method="SLSQP",
            bounds=[(0, 1)] * count,
            constraints={"type": "eq", "fun": lambda weights: weights.sum() - 1},
            options={"ftol": 1e-14, "maxiter": 500},
        ).fun
        for start in starts
    ]
    return float(np.sqrt(max(min(results), 0)))


def combined_norm(gradients: Tensor, method: Solver) -> float:
    return float((min_norm_weights(gradients @ gradients.T, method=method) @ gradients).norm())


def small_network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 1)).double()


def losses_of(network: nn.Module, count: int, seed: int = 0) -> list[Tensor]:
    """One loss per task, each on inputs of its own, in units of its own."""
    batches = torch.randn(count, 6, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return [(t + 1) * (network(batch[:, :4]) - batch[:, 4:]).square().mean() for t, batch in enumerate(batches)]


def network_and_losses(count: int) -> tuple[nn.Sequential, list[Tensor]]:
    network = small_network()
    return network, losses_of(network, count)


def gradients_apart(network: nn.Module, losses: list[Tensor]) -> Tensor:
    """Each task's flat gradient, computed by itself."""
    parameters = list(network.parameters())
    each = [torch.autograd.grad(loss, parameters, retain_graph=True) for loss in losses]
    return torch.stack([torch.cat([part.flatten() for part in parts]) for parts in each])


def left_gradient(network: nn.Module) -> Tensor:
    return torch.cat([parameter.grad.flatten() for parameter in network.parameters() if parameter.grad is not None])


@given(seed=seeds, method=solvers)
def test_two_tasks_have_the_closed_form(seed: int, method: Solver) -> None:
    one, other = gradients = random_gradients(2, seed)
    share = float(((other - one) @ other / (other - one).square().sum()).clamp(0, 1))
    assert min_norm_two(float(one @ one), float(one @ other), float(other @ other)) == pytest.approx(share, abs=1e-9)
    weights = min_norm_weights(gradients @ gradients.T, method=method)
    # Where equal weights are within the tolerance of the shortest, they are the answer.
    assert weights.tolist() == pytest.approx([share, 1 - share], abs=1e-2)
    assert combined_norm(gradients, method) == pytest.approx(
        float((share * one + (1 - share) * other).norm()), rel=1e-5
    )


@given(seed=st.integers(0, 300), count=st.integers(3, 7), method=solvers)
def test_the_norm_is_that_of_a_general_solver(seed: int, count: int, method: Solver) -> None:
    gradients = random_gradients(count, seed)
    slow = smallest_norm_slowly((gradients @ gradients.T).numpy())
    assert combined_norm(gradients, method) == pytest.approx(slow, rel=1e-4, abs=1e-3)


@given(seed=st.integers(0, 300), rank=st.integers(1, 3), method=solvers)
def test_dependent_gradients_are_solved_too(seed: int, rank: int, method: Solver) -> None:
    gradients = random_gradients(6, seed, numbers=rank)
    slow = smallest_norm_slowly((gradients @ gradients.T).numpy())
    shortest = float(gradients.norm(dim=1).min())
    assert combined_norm(gradients, method) == pytest.approx(slow, rel=1e-3, abs=0.02 * shortest)


@given(seed=seeds, count=tasks, method=solvers)
def test_weights_are_shares(seed: int, count: int, method: Solver) -> None:
    gradients = random_gradients(count, seed)
    weights = min_norm_weights(gradients @ gradients.T, method=method)
    assert weights.min() >= 0
    assert float(weights.sum()) == pytest.approx(1, abs=1e-15)


@given(seed=seeds, count=tasks, method=solvers)
def test_the_combination_is_no_longer_than_any_gradient_and_every_task_descends_along_it(
    seed: int, count: int, method: Solver
) -> None:
    gradients = random_gradients(count, seed)
    combined = min_norm_weights(gradients @ gradients.T, method=method) @ gradients
    assert combined.norm() <= gradients.norm(dim=1).min() * (1 + 1e-9)
    assert (gradients @ combined).min() >= combined.square().sum() * (1 - 2e-5)


@given(seed=seeds, count=tasks)
def test_both_solvers_agree(seed: int, count: int) -> None:
    gradients = random_gradients(count, seed)
    norms = [combined_norm(gradients, method) for method in SOLVERS]
    assert norms[0] == pytest.approx(norms[1], rel=1e-5, abs=1e-9)


@given(seed=seeds, count=tasks, method=solvers)
def test_the_order_of_tasks_does_not_matter(seed: int, count: int, method: Solver) -> None:
    gradients = random_gradients(count, seed)
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
    weights, permuted = (min_norm_weights(each @ each.T, method=method) for each in (gradients, gradients[order]))
    torch.testing.assert_close(permuted @ gradients[order], weights @ gradients, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("method", SOLVERS)
@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_equal_gradients_and_no_gradients_get_equal_weights(count: int, method: Solver) -> None:
    for gram in (torch.ones(count, count), torch.zeros(count, count)):
        assert min_norm_weights(gram, method=method).tolist() == pytest.approx([1 / count] * count)


@pytest.mark.parametrize("method", SOLVERS)
def test_a_zero_vector_is_the_shortest_combination(method: Solver) -> None:
    gram = torch.diag(torch.tensor([2.0, 0.0, 3.0]))
    assert min_norm_weights(gram, method=method).tolist() == [0, 1, 0]


@pytest.mark.parametrize("method", SOLVERS)
@pytest.mark.parametrize("iterations", [0, 1, 2])
def test_a_solver_that_runs_out_of_iterations_returns_what_it_has(iterations: int, method: Solver) -> None:
    gradients = random_gradients(8, 5)
    weights = min_norm_weights(gradients @ gradients.T, method=method, iterations=iterations)
    assert float(weights.sum()) == pytest.approx(1)
    assert (weights @ gradients).norm() <= gradients.norm(dim=1).min()


@pytest.mark.parametrize("gram", [torch.zeros(0, 0), torch.tensor([[1.0, 0.0], [0.0, float("nan")]])])
def test_no_gradient_and_gradients_that_are_no_numbers_have_no_weights(gram: Tensor) -> None:
    with pytest.raises(TrainingError, match="finite"):
        min_norm_weights(gram)


def test_divisors_are_those_of_the_published_code() -> None:
    losses, norms = torch.tensor([2.0, 3.0, 0.0]), torch.tensor([5.0, 7.0, 4.0])
    divisors = {name: gradient_divisors(name, losses, norms).tolist() for name in NORMALIZATIONS}
    assert divisors == {"none": [1, 1, 1], "l2": [5, 7, 4], "loss": [2, 3, 1], "loss+": [10, 21, 1]}


@given(seed=seeds, count=tasks, normalization=st.sampled_from(NORMALIZATIONS))
def test_no_loss_rises_under_any_normalization(seed: int, count: int, normalization: Normalization) -> None:
    gradients = random_gradients(count, seed)
    losses = torch.rand(count, generator=torch.Generator().manual_seed(seed)) + 0.1
    weights = task_weights(gradients @ gradients.T, losses, normalization=normalization)
    assert float(weights.sum()) == pytest.approx(1)
    assert (gradients @ (weights @ gradients)).min() > 0


@pytest.mark.parametrize("count", [1, 2, 4])
def test_what_is_left_is_the_weighted_sum_of_the_gradients(count: int) -> None:
    network, losses = network_and_losses(count)
    gradients = gradients_apart(network, losses)
    step = pareto_backward(losses, list(network.parameters()))
    weights = min_norm_weights(gradients @ gradients.T)
    assert step.weights == pytest.approx(weights.tolist())
    assert step.losses == pytest.approx([loss.item() for loss in losses])
    assert step.gradient_norms == pytest.approx(gradients.norm(dim=1).tolist())
    torch.testing.assert_close(left_gradient(network), weights @ gradients)
    assert step.descent == pytest.approx(float((gradients @ (weights @ gradients)).min()))


def test_a_small_step_lowers_every_loss() -> None:
    network, losses = network_and_losses(3)
    step = pareto_backward(losses, list(network.parameters()))
    with torch.no_grad():
        for parameter in network.parameters():
            assert parameter.grad is not None
            parameter.sub_(1e-4 * parameter.grad)
    after = [loss.item() for loss in losses_of(network, 3)]
    fallen = [before - now for before, now in zip(step.losses, after, strict=True)]
    assert min(fallen) == pytest.approx(1e-4 * step.descent, rel=0.05)


def test_parameters_of_one_task_have_no_say_in_the_weights_and_get_their_share() -> None:
    network, _ = network_and_losses(1)
    own = nn.Linear(1, 1).double()
    inputs = torch.randn(2, 6, 4, dtype=torch.float64)
    losses = [network(inputs[0]).square().mean(), own(network(inputs[1])).square().mean()]
    own_gradient = torch.autograd.grad(losses[1], own.weight, retain_graph=True)[0]
    gradients = gradients_apart(network, losses)
    step = pareto_backward(losses, [*own.parameters(), *network.parameters()], shared=list(network.parameters()))
    assert step.weights == pytest.approx(min_norm_weights(gradients @ gradients.T).tolist())
    torch.testing.assert_close(own.weight.grad, step.weights[1] * own_gradient)
    torch.testing.assert_close(left_gradient(network), torch.tensor(step.weights).double() @ gradients)


def test_a_task_without_a_gradient_is_left_out() -> None:
    network, losses = network_and_losses(2)
    silent = [0.0 * network(torch.ones(1, 4, dtype=torch.float64)).sum(), torch.tensor(1.0, dtype=torch.float64)]
    expected = pareto_backward(losses, list(network.parameters()), retain_graph=True)
    step = pareto_backward([silent[0], *losses, silent[1]], list(network.parameters()))
    assert step.weights == pytest.approx((0, *expected.weights, 0))
    assert step.descent == pytest.approx(expected.descent)


def test_where_no_task_has_a_gradient_the_step_is_zero() -> None:
    network, _ = network_and_losses(1)
    step = pareto_backward([0.0 * network(torch.ones(1, 4).double()).sum() for _ in range(2)], [*network.parameters()])
    assert (step.weights, step.descent) == ((0.5, 0.5), 0.0)
    assert not left_gradient(network).any()


def test_a_gradient_that_is_no_number_is_handed_on() -> None:
    network, losses = network_and_losses(2)
    step = pareto_backward([losses[0], losses[1] * float("inf")], list(network.parameters()))
    assert step.weights == (0.5, 0.5)
    assert not left_gradient(network).isfinite().all()


def test_what_the_gradient_held_is_replaced_and_what_no_task_uses_has_none() -> None:
    network, losses = network_and_losses(1)
    unused, frozen = nn.Parameter(torch.ones(2).double()), nn.Parameter(torch.ones(2).double(), requires_grad=False)
    expected = gradients_apart(network, losses)[0]
    for parameter in (*network.parameters(), unused):
        parameter.grad = torch.ones_like(parameter)
    pareto_backward(losses, [*network.parameters(), unused, frozen])
    torch.testing.assert_close(left_gradient(network), expected)
    assert unused.grad is frozen.grad is None


def test_a_gradient_lies_in_memory_as_its_parameter_does() -> None:
    network = nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last)
    pareto_backward([network(torch.ones(1, 3, 5, 5)).sum()], list(network.parameters()))
    assert network.weight.grad is not None
    assert network.weight.grad.stride() == network.weight.stride()


def test_each_loss_is_asked_for_when_the_one_before_has_been_differentiated() -> None:
    network, losses = network_and_losses(2)

    def one_after_the_other() -> Iterator[Tensor]:
        yield losses[0]
        with pytest.raises(RuntimeError, match="second time"):
            losses[0].backward()
        yield losses[1]

    assert len(pareto_backward(one_after_the_other(), list(network.parameters())).weights) == 2


def test_processes_that_average_their_gradients_take_the_step_of_the_average() -> None:
    network = small_network()
    mine, theirs = losses_of(network, 3), losses_of(network, 3, seed=1)
    average = (gradients_apart(network, mine) + gradients_apart(network, theirs)) / 2
    received = iter([*gradients_apart(network, theirs), torch.stack(theirs).detach()])
    step = pareto_backward(mine, list(network.parameters()), reduce=lambda sent: (sent + next(received)) / 2)
    torch.testing.assert_close(left_gradient(network), min_norm_weights(average @ average.T) @ average)
    assert step.losses == pytest.approx([(one + other).item() / 2 for one, other in zip(mine, theirs, strict=True)])


def test_a_process_whose_pictures_say_nothing_takes_the_step_of_the_others() -> None:
    network = small_network()
    theirs = losses_of(network, 2)
    gradients = gradients_apart(network, theirs)
    received = iter([*gradients, torch.stack(theirs).detach()])
    silent = [torch.zeros((), dtype=torch.float64)] * 2
    pareto_backward(silent, list(network.parameters()), reduce=lambda sent: (sent + next(received)) / 2)
    torch.testing.assert_close(left_gradient(network), min_norm_weights(gradients @ gradients.T) @ gradients / 2)


def test_a_step_without_losses_or_parameters_is_refused() -> None:
    network, losses = network_and_losses(1)
    with pytest.raises(TrainingError, match="no loss"):
        pareto_backward([], list(network.parameters()))
    with pytest.raises(TrainingError, match="no shared parameter"):
        pareto_backward(losses, list(network.parameters()), shared=[])
