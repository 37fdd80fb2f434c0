"""Forward and backward pass of each loss against a plain transcription of its equation, picture by picture.

    python benchmarks/losses.py [--batch 24] [--size 384] [--valid 0.7] [--runs 5] [--device cpu] [--only NAME]

Both run in turns in one process; medians and their ratio, above 1 where ours is faster.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median

import torch
from torch import Tensor
from torch.nn.functional import softplus

from midas import losses

PAIRS = 5000
Loss = Callable[[Tensor, Tensor, Tensor], Tensor]


def main() -> None:
    """Print a line for each loss: milliseconds of both, their ratio, and by how much the gradients differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=24)
    parser.add_argument("--size", type=int, default=384)
    parser.add_argument("--valid", type=float, default=0.7, help="share of valid pixels")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--only", choices=list(COMPETITORS))
    arguments = parser.parse_args()
    maps = random_maps(arguments.batch, arguments.size, arguments.valid, arguments.device)
    print(f"{'':32}{'ours':>12}{'plain':>12}{'plain/ours':>12}{'difference':>12}")
    for name in [arguments.only] if arguments.only else COMPETITORS:
        ours_s, plain_s, difference = compare(*COMPETITORS[name], maps, arguments.runs)
        print(f"{name:32}{1e3 * ours_s:9.1f} ms{1e3 * plain_s:9.1f} ms{plain_s / ours_s:12.2f}{difference:12.1e}")


def compare(ours: Loss, plain: Loss, maps: tuple[Tensor, Tensor, Tensor], runs: int) -> tuple[float, float, float]:
    """Median seconds of both, run in turns, and the norm of the gradients' difference over that of the gradient.

    Where rounding turns the sign of a residual near 0, a few pixels differ; in float64 they don't.
    """
    gradient, expected = (timed(loss, maps)[1] for loss in (ours, plain))  # This turn's time doesn't count.
    turns = [(timed(ours, maps)[0], timed(plain, maps)[0]) for _ in range(runs)]
    ours_s, plain_s = (median(seconds) for seconds in zip(*turns, strict=True))
    return ours_s, plain_s, float((gradient - expected).norm() / expected.norm())


def timed(loss: Loss, maps: tuple[Tensor, Tensor, Tensor]) -> tuple[float, Tensor]:
    """Seconds of a forward and a backward pass, and the gradient."""
    prediction = maps[0].clone().requires_grad_()
    if prediction.is_cuda:
        torch.cuda.synchronize()
    start = time.perf_counter()
    loss(prediction, maps[1], maps[2]).backward()  # type: ignore[no-untyped-call]
    if prediction.is_cuda:
        torch.cuda.synchronize()
    seconds = time.perf_counter() - start
    assert prediction.grad is not None
    return seconds, prediction.grad


def random_maps(batch: int, size: int, valid: float, device: str) -> tuple[Tensor, Tensor, Tensor]:
    """Positive prediction and target that have something to do with each other, and a mask."""
    torch.manual_seed(0)
    target = 0.05 + torch.rand(batch, size, size)
    prediction = 2.0 * target + 0.3 * torch.rand(batch, size, size)
    return prediction.to(device), target.to(device), (torch.rand(batch, size, size) < valid).to(device)


def plain_normalize(values: Tensor, valid: Tensor) -> Tensor:
    """Equations 5 and 6."""
    shift = values[valid].median()
    return (values - shift) / (values[valid] - shift).abs().mean()


def plain_robust(prediction: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    """The residual of equation 6."""
    return plain_normalize(prediction, valid) - plain_normalize(target, valid)


def plain_least_squares(prediction: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    """The residual of equations 2 to 4."""
    d, d_star, count = prediction[valid], target[valid], valid.sum()
    determinant = count * (d * d).sum() - d.sum() ** 2
    scale = (count * (d * d_star).sum() - d.sum() * d_star.sum()) / determinant
    shift = ((d * d).sum() * d_star.sum() - d.sum() * (d * d_star).sum()) / determinant
    return scale * prediction + shift - target


def plain_trimmed(residual: Tensor, valid: Tensor) -> Tensor:
    """Equation 7."""
    ordered = residual[valid].abs().sort().values
    return ordered[: int(0.8 * len(ordered) + 1e-9)].sum() / (2 * len(ordered))


def plain_differences(values: Tensor, valid: Tensor, spacing_px: int = 1) -> Tensor:
    """Sum of absolute differences in both directions."""
    k = spacing_px
    along_x = (values[:, k:] - values[:, :-k])[valid[:, k:] & valid[:, :-k]]
    along_y = (values[k:] - values[:-k])[valid[k:] & valid[:-k]]
    return along_x.abs().sum() + along_y.abs().sum()


def plain_gradient(residual: Tensor, valid: Tensor) -> Tensor:
    """Equation 11."""
    scales = [plain_differences(residual[::step, ::step], valid[::step, ::step]) for step in (1, 2, 4, 8)]
    return torch.stack(scales).sum() / valid.sum()


def plain_nmg(prediction: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    """Equation 10."""
    spacings_px = losses.NMG_SPACINGS_PX
    sizes = [sum(plain_differences(values, valid, k) for k in spacings_px) for values in (target, prediction)]
    residual = sizes[0] / sizes[1] * prediction - target
    return torch.stack([plain_differences(residual, valid, k) for k in spacings_px]).sum() / valid.sum()


def plain_log(prediction: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    """Equation 4 of Eigen et al."""
    g = prediction[valid].log() - target[valid].log()
    return (g**2).mean() - 0.5 * g.sum() ** 2 / len(g) ** 2


def plain_ranking(prediction: Tensor, first: Tensor, second: Tensor, relation: Tensor) -> Tensor:
    """Equation 9."""
    lead = prediction[first[:, 0], first[:, 1]] - prediction[second[:, 0], second[:, 1]]
    ordered = relation != 0
    return torch.cat([softplus(-relation[ordered] * lead[ordered]), lead[~ordered] ** 2]).mean()


def pairs(maps: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Random points and relations, the same at each call."""
    generator = torch.Generator().manual_seed(1)
    points = torch.randint(0, maps.shape[1], (2, maps.shape[0], PAIRS, 2), generator=generator).to(maps.device)
    relation = torch.randint(-1, 2, (maps.shape[0], PAIRS), generator=generator).to(maps.device)
    return points[0], points[1], relation


def ranking(prediction: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Ours, on random pairs."""
    first, second, relation = pairs(prediction)
    return losses.ordinal_ranking(prediction, first, second, relation, torch.ones_like(relation, dtype=torch.bool))


def plain_rankings(prediction: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """The transcription, on the same pairs."""
    return torch.stack([plain_ranking(*one) for one in zip(prediction, *pairs(prediction), strict=True)]).mean()


def over_pictures(loss: Loss) -> Loss:
    """Equation 12: the mean of a loss over the pictures of a batch."""

    def mean(prediction: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        return torch.stack([loss(*one) for one in zip(prediction, target, mask, strict=True)]).mean()

    return mean


def plain_total(prediction: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    """Equations 7, 11 and 12 for one picture."""
    residual = plain_robust(prediction, target, valid)
    return plain_trimmed(residual, valid) + 0.5 * plain_gradient(residual, valid)


COMPETITORS: dict[str, tuple[Loss, Loss]] = {
    "total_loss": (lambda d, t, m: losses.total_loss(d, t, m).total, over_pictures(plain_total)),
    "ssi_trimmed_mae": (
        losses.ssi_trimmed_mae,
        over_pictures(lambda d, t, m: plain_trimmed(plain_robust(d, t, m), m)),
    ),
    "ssi_mae": (losses.ssi_mae, over_pictures(lambda d, t, m: plain_robust(d, t, m)[m].abs().mean() / 2)),
    "ssi_mse": (losses.ssi_mse, over_pictures(lambda d, t, m: (plain_least_squares(d, t, m)[m] ** 2).mean() / 2)),
    "scale_invariant_log": (losses.scale_invariant_log, over_pictures(plain_log)),
    "gradient_matching": (
        lambda d, t, m: losses.gradient_matching(d - t, m),
        over_pictures(lambda d, t, m: plain_gradient(d - t, m)),
    ),
    "normalized_multiscale_gradient": (losses.normalized_multiscale_gradient, over_pictures(plain_nmg)),
    "ordinal_ranking": (ranking, plain_rankings),
}


if __name__ == "__main__":
    main()
