"""Slow transcriptions of the equations of losses, one picture and one pixel at a time, and maps to try them on."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch

Map = np.ndarray


def random_maps(seed: int, *, valid: float = 0.6, size: tuple[int, int] = (17, 23)) -> tuple[torch.Tensor, ...]:
    """Three pictures in float64: prediction, target and mask, with values from 0.1 to 1.1."""
    generator = torch.Generator().manual_seed(seed)
    prediction, target = (0.1 + torch.rand(3, *size, generator=generator, dtype=torch.float64) for _ in range(2))
    return prediction, target, torch.rand(3, *size, generator=generator) < valid


def random_pairs(seed: int, size: tuple[int, int]) -> tuple[torch.Tensor, ...]:
    """For three pictures 40 pairs each, of which some don't count."""
    generator = torch.Generator().manual_seed(seed)
    points = [
        torch.stack([torch.randint(0, length, (3, 40), generator=generator) for length in size], dim=2)
        for _ in range(2)
    ]
    relation = torch.randint(-1, 2, (3, 40), generator=generator)
    return *points, relation, torch.rand(3, 40, generator=generator) < 0.8


def averaged(slowly: Callable[..., float], *batch: torch.Tensor) -> float:
    """Mean over pictures."""
    return float(np.mean([slowly(*(values.numpy() for values in one)) for one in zip(*batch, strict=True)]))


def normalize_slowly(values: Map, mask: Map) -> Map:
    """Equations 5 and 6; the median is the lower of the two middle values."""
    valid = sorted(float(value) for value in values[mask])
    shift = valid[(len(valid) - 1) // 2]
    return (values - shift) * len(valid) / sum(abs(value - shift) for value in valid)


def mae_slowly(prediction: Map, target: Map, mask: Map) -> float:
    """Equation 1 on maps normalised by equations 5 and 6."""
    residual = normalize_slowly(prediction, mask) - normalize_slowly(target, mask)
    return float(np.abs(residual[mask]).sum() / (2 * mask.sum()))


def trimmed_slowly(prediction: Map, target: Map, mask: Map) -> float:
    """Equation 7."""
    residual = np.abs(normalize_slowly(prediction, mask) - normalize_slowly(target, mask))[mask]
    kept = sorted(residual)[: math.floor(0.8 * len(residual) + 1e-9)]
    return sum(kept) / (2 * len(residual))


def mse_slowly(prediction: Map, target: Map, mask: Map) -> float:
    """Equations 1 to 4, by a general solver."""
    columns = np.stack([prediction[mask], np.ones(mask.sum())], axis=1)
    h = np.linalg.lstsq(columns, target[mask], rcond=None)[0]
    return float(((columns @ h - target[mask]) ** 2).sum() / (2 * mask.sum()))


def relative_slowly(prediction: Map, target: Map, mask: Map) -> float:
    """Aligned by equations 2 to 4, relative to the target and a tenth of its mean, trimmed as in equation 7."""
    columns = np.stack([prediction[mask], np.ones(mask.sum())], axis=1)
    h = np.linalg.lstsq(columns, target[mask], rcond=None)[0]
    residual = np.abs(columns @ h - target[mask]) / (target[mask] + 0.1 * target[mask].mean())
    return sum(sorted(residual)[: math.floor(0.8 * len(residual) + 1e-9)]) / (2 * len(residual))


def log_slowly(prediction: Map, target: Map, mask: Map) -> float:
    """Eigen et al., equation 4, in its first form: over all pairs of pixels."""
    g = [math.log(d / d_star) for d, d_star in zip(prediction[mask], target[mask], strict=True)]
    pairs = sum(one * other for one in g for other in g)
    return sum(x * x for x in g) / len(g) - 0.5 * pairs / len(g) ** 2


def differences_slowly(values: Map, mask: Map, k: int) -> list[tuple[float, bool]]:
    """All differences of pixels k apart, and whether they count."""
    height, width = values.shape
    cells = [(row, column) for row in range(height) for column in range(width)]
    along_x = [(cell, (cell[0], cell[1] + k)) for cell in cells if cell[1] + k < width]
    along_y = [(cell, (cell[0] + k, cell[1])) for cell in cells if cell[0] + k < height]
    return [(values[far] - values[near], bool(mask[far] and mask[near])) for near, far in along_x + along_y]


def gradient_slowly(residual: Map, mask: Map) -> float:
    """Equation 11."""
    total = 0.0
    for step in (1, 2, 4, 8):
        coarse = differences_slowly(residual[::step, ::step], mask[::step, ::step], 1)
        total += sum(abs(difference) for difference, counts in coarse if counts)
    return total / float(mask.sum())


def nmg_slowly(prediction: Map, target: Map, mask: Map) -> float:
    """Equation 10 with spacings 2 and 8, over M."""
    pairs = []
    for k in (2, 8):
        ours, theirs = differences_slowly(prediction, mask, k), differences_slowly(target, mask, k)
        pairs += [(d, d_star) for (d, counts), (d_star, _) in zip(ours, theirs, strict=True) if counts]
    s = sum(abs(d_star) for _, d_star in pairs) / sum(abs(d) for d, _ in pairs)
    return sum(abs(s * d - d_star) for d, d_star in pairs) / float(mask.sum())


def hierarchical_slowly(residual: Map, target: Map, mask: Map) -> float:
    """Errors within two and four ranges of disparity, two by two and four by four windows, at every second pixel."""
    height, width = mask[::2, ::2].shape
    cells = [(row, column) for row in range(height) for column in range(width) if mask[2 * row, 2 * column]]
    error = {cell: float(residual[2 * cell[0], 2 * cell[1]]) for cell in cells}
    d_star = {cell: float(target[2 * cell[0], 2 * cell[1]]) for cell in cells}

    def mean_deviation(part: list[tuple[int, int]]) -> float:
        return float(np.mean(np.abs([d_star[cell] - np.mean([d_star[c] for c in part]) for cell in part])))

    farthest, nearest = min(d_star.values()), max(d_star.values())
    total = 0.0
    for level in (2, 4):
        ranges, windows = {}, {}
        for row, column in cells:
            place = int(level * (d_star[row, column] - farthest) / (nearest - farthest))
            ranges.setdefault(min(place, level - 1), []).append((row, column))
            windows.setdefault((level * row // height, level * column // width), []).append((row, column))
        for part in [*ranges.values(), *windows.values()]:
            shift = np.mean([error[cell] for cell in part])
            unit = max(mean_deviation(part) / mean_deviation(cells), 0.2)
            total += sum(abs(error[cell] - shift) for cell in part) / unit
    return total / (4 * len(cells))


def ranking_slowly(prediction: Map, first: Map, second: Map, relation: Map, mask: Map) -> float:
    """Equation 9."""
    total = 0.0
    for one, other, r, counts in zip(first, second, relation, mask, strict=True):
        if counts:
            lead = prediction[tuple(one)] - prediction[tuple(other)]
            total += lead**2 if r == 0 else math.log(1 + math.exp(-r * lead))
    return total / mask.sum()
