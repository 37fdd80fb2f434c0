"""One picture: align the prediction to the target, turn it into depth, measure."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from midas.alignment import ALIGNMENTS, Alignment
from midas.arrays import Array, Bool, Float, Float32
from midas.datasets.sample import PairSample, Sample
from midas.errors import UnsuitableProtocolError
from midas.evaluation.crops import find_crop
from midas.evaluation.predictions import Comparable
from midas.evaluation.protocols import Protocol
from midas.metrics import disparity_range, find_metric, has_edge

MIN_VALID_PIXELS = 10

# A prediction has no zero of its own, and its inverse has a pole there. Aligning in depth, as some papers do, needs an
# inverse all the same: the far end is put at this share of the prediction's range.
_INVERSION_FLOOR = 0.01

# Where an alignment in depth goes below nought, and the protocol says nothing of a minimum.
_NEAREST_M = 1e-3


@dataclass(frozen=True)
class PictureScore:
    """One picture's figures.

    Attributes:
        name: the sample's name.
        pixels: how many valid pixels, or pairs, they are over.
        figures: one per metric, in the order that the result states.
        correlation: of the prediction with the truth in its space, before any alignment; None where it isn't known.
            Below 0 the prediction takes near for far, as depth does that is handed over as disparity.
    """

    name: str
    pixels: int
    figures: tuple[float, ...]
    correlation: float | None = field(default=None, compare=False)


def usable(sample: Sample, protocol: Protocol) -> Bool[Array, "H W"]:
    """Pixels that count: valid, inside the crop, nearer than the cap and farther than the minimum.

    By rules that need no zero of disparity, what is infinitely far counts too.

    Raises:
        UnsuitableProtocolError: the rules need one, and the sample's shift is unknown.
    """
    check_zero(protocol, sample.shift_known, sample.name)
    mask = sample.mask
    if protocol.needs_zero:
        nearer_than = 0.0 if protocol.cap_m is None else 1.0 / protocol.cap_m
        mask = mask & (sample.disparity > np.float32(nearer_than))
    if protocol.minimum_m > 0:
        mask = mask & (sample.disparity < np.float32(1.0 / protocol.minimum_m))
    if protocol.crop != "none":
        mask = mask & find_crop(protocol.crop).mask(sample.mask.shape)
    return mask


def measurable(sample: Sample, mask: Bool[Array, "H W"], protocol: Protocol, metrics: tuple[str, ...]) -> bool:
    """Whether a sample has figures by these rules.

    Enough pixels must count; where the unit is the target's own range it must have one; for figures of edges it must
    have an edge.
    """
    if np.count_nonzero(mask) < MIN_VALID_PIXELS:
        return False
    if not protocol.needs_zero:
        return disparity_range(sample.disparity, mask) > 0
    steepest = max(find_metric(name).edge_ratio or 0.0 for name in metrics)
    if not steepest:
        return True
    floor = np.float32(_floor(sample.disparity[mask], protocol))
    return has_edge(np.maximum(sample.disparity, floor), sample.mask, steepest)


def score(
    prediction: Comparable,
    sample: Sample,
    mask: Bool[Array, "H W"],
    protocol: Protocol,
    metrics: tuple[str, ...],
) -> PictureScore:
    """Align one prediction to its sample and measure it: in depth, or in disparity where its zero is unknown.

    Args:
        prediction: at the sample's size.
        sample: the target.
        mask: pixels that count, as ``usable`` gives them.
        protocol: the rules.
        metrics: names in the protocol's ``known_metrics``.

    Raises:
        DatasetError: the prediction says nothing at some of these pixels.
    """
    of_edges = any(find_metric(name).edge_ratio for name in metrics)
    values = prediction.checked(mask | sample.mask if of_edges else mask, sample.name).values
    if protocol.needs_zero:
        figures = _in_depth(values, sample, mask, protocol, metrics, is_depth=prediction.is_depth)
    else:
        figures = _in_disparity(values, sample, mask, protocol, metrics)
    sign = -1.0 if prediction.is_depth else 1.0
    return PictureScore(
        sample.name, int(np.count_nonzero(mask)), figures, sign * _correlation(values[mask], sample.disparity[mask])
    )


def _correlation(prediction: Float32[Array, " N"], truth: Float32[Array, " N"]) -> float:
    one, other = (values.astype(np.float64) - values.mean(dtype=np.float64) for values in (prediction, truth))
    norm = float(np.sqrt((one @ one) * (other @ other)))
    return float(one @ other) / norm if norm > 0 else 0.0


def check_zero(protocol: Protocol, shift_known: bool, name: str) -> None:
    """Nothing, where these rules can be used.

    Args:
        protocol: the rules.
        shift_known: of the target.
        name: of the set or the sample, for the message.

    Raises:
        UnsuitableProtocolError: they measure ratios or differences of depth, and the target's shift is unknown.
    """
    if protocol.needs_zero and not shift_known:
        raise UnsuitableProtocolError(
            f"{name} has disparities of unknown shift, so that depth and its ratios ({', '.join(protocol.metrics)}) "
            f"mean nothing there: measure it by the protocol affine, not by {protocol.name}"
        )


def _in_disparity(
    prediction: Float32[Array, "H W"],
    sample: Sample,
    mask: Bool[Array, "H W"],
    protocol: Protocol,
    metrics: tuple[str, ...],
) -> tuple[float, ...]:
    aligned = ALIGNMENTS[protocol.alignment](prediction, sample.disparity, mask).apply(prediction)
    chosen = [find_metric(name) for name in metrics]
    return tuple(
        float(metric.function(aligned if metric.aligned else prediction, sample.disparity, mask)) for metric in chosen
    )


def _in_depth(
    prediction: Float32[Array, "H W"],
    sample: Sample,
    mask: Bool[Array, "H W"],
    protocol: Protocol,
    metrics: tuple[str, ...],
    *,
    is_depth: bool,
) -> tuple[float, ...]:
    valid, inverse_depth = prediction[mask], sample.disparity[mask]
    pixels = aligned_depth(valid, inverse_depth, protocol, is_depth=is_depth), 1.0 / inverse_depth, None
    chosen = [find_metric(name) for name in metrics]
    if any(metric.edge_ratio for metric in chosen):
        # An edge against the sky is one too: what is infinitely far, or beyond the cap, lies at the far end.
        aligned = _fit(valid, inverse_depth, protocol).apply(prediction)
        floor = np.float32(_floor(inverse_depth, protocol))
        maps = np.maximum(aligned, floor), np.maximum(sample.disparity, floor), sample.mask
    return tuple(float(metric.function(*(maps if metric.edge_ratio else pixels))) for metric in chosen)


def aligned_depth(
    prediction: Float32[Array, " N"], inverse_depth: Float32[Array, " N"], protocol: Protocol, *, is_depth: bool = False
) -> Float[Array, " N"]:
    """Depth that a prediction stands for once it is aligned to a target, capped as the protocol says.

    Aligned inverse depth is kept above the cap's, which caps the depth and keeps it positive. Where the target has no
    metric scale the floor is the target's own smallest inverse depth.

    Args:
        prediction: relative disparity of the valid pixels.
        inverse_depth: their targets.
        protocol: the rules.
        is_depth: the prediction is depth, which rules that align in depth take as it is.
    """
    floor = _floor(inverse_depth, protocol)
    if protocol.space == "inverse_depth":
        aligned = _fit(prediction, inverse_depth, protocol).apply(prediction)
        ceiling = 1.0 / protocol.minimum_m if protocol.minimum_m else None
        capped: Float[Array, " N"] = 1.0 / np.clip(aligned, np.float32(floor), ceiling)
        return capped
    inverted = prediction if is_depth else _inverted(prediction)
    depth = ALIGNMENTS[protocol.alignment](inverted, 1.0 / inverse_depth).apply(inverted)
    # A depth of nought or less has no ratio to anything.
    nearest = protocol.minimum_m or _NEAREST_M
    clipped: Float[Array, " N"] = np.clip(depth, np.float32(nearest), np.float32(1.0 / floor))
    return clipped


def _floor(inverse_depth: Float32[Array, " N"], protocol: Protocol) -> float:
    """The smallest inverse depth that an aligned prediction may have."""
    return 1.0 / protocol.cap_m if protocol.cap_m is not None else float(inverse_depth.min())


def _fit(prediction: Float32[Array, " N"], inverse_depth: Float32[Array, " N"], protocol: Protocol) -> Alignment:
    fitted = prediction > 0 if protocol.fit_positive else None
    if fitted is not None and np.count_nonzero(fitted) < MIN_VALID_PIXELS:
        fitted = None
    return ALIGNMENTS[protocol.alignment](prediction, inverse_depth, fitted)


def _inverted(prediction: Float32[Array, " N"]) -> Float32[Array, " N"]:
    low, high = float(prediction.min()), float(prediction.max())
    if low == high:
        return np.ones_like(prediction)
    return np.float32(1.0) / ((prediction - np.float32(low)) / np.float32(high - low) + np.float32(_INVERSION_FLOOR))


def score_pairs(prediction: Comparable, sample: PairSample, metrics: tuple[str, ...]) -> PictureScore:
    """Compare the order of pairs of points with that of a prediction.

    Args:
        prediction: at the sample's size.
        sample: the pairs.
        metrics: names in `midas.metrics.PAIR_METRICS`.

    Raises:
        DatasetError: the prediction says nothing at a point.
    """
    points = np.zeros_like(prediction.there)
    points[tuple(np.concatenate([sample.first, sample.second]).T)] = True
    values = prediction.checked(points, sample.name).values
    pairs = (sample.first, sample.second, sample.relation)
    figures = tuple(float(find_metric(name).function(values, *pairs)) for name in metrics)
    return PictureScore(sample.name, len(sample.relation), figures)
