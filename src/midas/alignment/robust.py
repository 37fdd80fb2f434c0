"""Scale and shift from a map that is partly wrong."""

from __future__ import annotations

import math

import numpy as np

from midas.alignment.line import Alignment, Map, dot, fit_line, valid_pixels
from midas.arrays import Array, Bool, Float, Float64

# Trimmed least squares: the share of the pixels that it fits; up to the other 40 % may be wrong by any amount.
KEPT_SHARE = 0.6
# The starts are tried on so many pixels drawn at random, each for so many steps; the best goes on with all pixels until
# a step lowers the loss by less than this share.
_STARTS, _START_PIXELS, _START_STEPS = 64, 1000, 3
_MAX_STEPS, _SMALLEST_GAIN = 50, 1e-6
_SEED = 0
# A pixel further off than 2.5 standard deviations is an outlier; the factor makes the median of the absolute residuals
# one standard deviation for normal errors (Rousseeuw & Leroy, 1987).
_OUTLIER_DEVIATIONS = 2.5 * 1.4826


def align_robust(
    prediction: Float[Array, "*shape"] | Map, target: Float[Array, "*shape"], mask: Bool[Array, "*shape"] | None = None
) -> Alignment:
    """Find the scale and shift that fit most pixels well, whatever the others say: for targets with gross errors.

    Least trimmed squares: the line whose h smallest squared residuals have the least sum, h being 60 % of the pixels,
    by the FAST-LTS algorithm of Rousseeuw & Van Driessen, "Computing LTS Regression for Large Data Sets" (1999; 2006).
    From lines through two random pixels each, it fits the h pixels nearest to the line again and again, which never
    makes that sum larger. Then all pixels within 2.5 standard deviations are fitted by least squares. In contrast to
    RANSAC there is no tolerance to choose, which a target of unknown unit couldn't have; in contrast to the L1 and the
    Huber norm, a pixel that is far off has no say at all. The seed is fixed: the same maps give the same numbers.

    A negative scale is given as it is. Where the pixels kept have all the same prediction they say nothing of the
    scale, and all pixels are fitted; so a constant prediction has scale 0 and the mean of the target as shift.

    Args:
        prediction: d, relative disparity.
        target: d*, inverse depth or another disparity, of the same shape; up to 40 % of it may be wrong.
        mask: True where the target is valid; None for everywhere.

    Raises:
        AlignmentError: if shapes differ, fewer than two pixels are valid, or a valid one is not finite.
    """
    d, d_star = valid_pixels(prediction, target, mask, at_least=2)
    kept = _near_trimmed_line(d, d_star)
    if np.ptp(d[kept]) == 0:
        return fit_line(d, d_star)
    return fit_line(d[kept], d_star[kept])


def _near_trimmed_line(d: Float64[Array, " N"], d_star: Float64[Array, " N"]) -> Bool[Array, " N"]:
    """The pixels within 2.5 standard deviations of the least trimmed squares line, and at least those it fits."""
    line = _best_start(d, d_star)
    kept_count = _kept_count(d.size)
    least = math.inf
    for _ in range(_MAX_STEPS):
        residual = np.abs(d_star - line.scale * d - line.shift)
        smallest = np.partition(residual, kept_count - 1)[:kept_count]
        loss = dot(smallest, smallest)
        if loss >= least * (1 - _SMALLEST_GAIN):
            break
        least = loss
        nearest = residual <= smallest[-1]
        line = fit_line(d[nearest], d_star[nearest])
    return residual <= max(_OUTLIER_DEVIATIONS * float(np.median(residual)), float(smallest[-1]))


def _best_start(d: Float64[Array, " N"], d_star: Float64[Array, " N"]) -> Alignment:
    """Of lines through two random pixels each, the best after a few steps on a random part of the pixels."""
    generator = np.random.default_rng(_SEED)
    if d.size > _START_PIXELS:
        drawn = generator.integers(0, d.size, _START_PIXELS)
        d, d_star = d[drawn], d_star[drawn]
    kept_count = _kept_count(d.size)
    nearest = generator.integers(0, d.size, (_STARTS, 2))
    for _ in range(_START_STEPS):
        scale, shift = _fit_lines(d[nearest], d_star[nearest])
        residual = np.abs(d_star - scale * d - shift)
        nearest = np.argpartition(residual, kept_count - 1, axis=1)[:, :kept_count]
    loss = (np.take_along_axis(residual, nearest, axis=1) ** 2).sum(axis=1)
    best = int(loss.argmin())
    return Alignment(float(scale[best, 0]), float(shift[best, 0]))


def _fit_lines(
    d: Float64[Array, "lines N"], d_star: Float64[Array, "lines N"]
) -> tuple[Float64[Array, "lines 1"], Float64[Array, "lines 1"]]:
    """Scales and shifts of many least squares lines at once; scale 0 where all d of a line are the same."""
    d_mean, d_star_mean = d.mean(axis=1, keepdims=True), d_star.mean(axis=1, keepdims=True)
    variance = ((d - d_mean) ** 2).sum(axis=1, keepdims=True)
    covariance = ((d - d_mean) * (d_star - d_star_mean)).sum(axis=1, keepdims=True)
    scale = np.divide(covariance, variance, out=np.zeros_like(covariance), where=variance > 0)
    return scale, d_star_mean - scale * d_mean


def _kept_count(count: int) -> int:
    """How many of so many pixels the trimmed line fits: enough for it to be the only one."""
    return max(int(KEPT_SHARE * count), min(count, (count + 3) // 2))
