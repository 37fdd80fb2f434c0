"""A near thing of one picture laid over another, at any height, and nearer than all that it hides.

Photographs rarely show what is near above what is far, so a small network learns where near things are rather than what
makes them look near. A thing cut along the depth edges of a rendered picture and laid over a photograph hides what is
behind it and tells nothing by its place. In contrast to a graft, what is nearer is known here: one target holds for the
whole picture. The idea is that of layered synthetic data (Mayer et al., "A Large Dataset to Train Convolutional
Networks for Disparity, Optical Flow, and Scene Flow Estimation", 2016), with photographs behind.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from midas.arrays import Array, Bool, Float32
from midas.datasets.sample import Sample

# Of the picture, a thing's area.
AREA_SHARE = (0.015, 0.35)
# What surrounds a thing is at most so near in comparison, along so much of its outline.
CONTRAST, CLEAN_SHARE = 0.8, 0.85
# The threshold that parts near from far is drawn from these quantiles of disparity.
QUANTILES = (0.5, 0.97)
TRIES = 6
# How much nearer than what it hides a thing is laid, and how much relief of its own it keeps.
AHEAD = (1.03, 1.8)
RELIEF = (0.3, 1.0)


def cut_out(sample: Sample, rng: np.random.Generator) -> Bool[Array, "H W"] | None:
    """Where a picture shows something that is nearer than all around it; None where it shows nothing of the kind.

    Args:
        sample: with a dense, exact target.
        rng: drawn from for the thresholds, and once more for each that leaves something of a fitting size.
    """
    disparity, valid = sample.disparity, sample.mask
    if valid.mean() < 0.5:
        return None
    # Every seventh value is enough for a threshold, and the sorting is what costs.
    thresholds = np.quantile(disparity[valid][::7], rng.uniform(*QUANTILES, TRIES))
    for threshold in thresholds:
        near = (disparity > threshold) & valid
        count, labels, facts, _ = cv2.connectedComponentsWithStats(near.astype(np.uint8), connectivity=4)
        areas = facts[:, cv2.CC_STAT_AREA] / near.size
        fitting = [each for each in range(1, count) if AREA_SHARE[0] <= areas[each] <= AREA_SHARE[1]]
        if not fitting:
            continue
        thing: Bool[Array, "H W"] = labels == fitting[int(rng.integers(len(fitting)))]
        if _stands_alone(disparity, valid, thing):
            return thing
    return None


def _stands_alone(disparity: Float32[Array, "H W"], valid: Bool[Array, "H W"], thing: Bool[Array, "H W"]) -> bool:
    """Depth jumps along nearly all of its outline, so that it isn't a piece of ground that ends at a threshold."""
    kernel = np.ones((3, 3), np.uint8)
    rim = thing & (cv2.erode(thing.astype(np.uint8), kernel, borderValue=1) == 0)
    outside = np.where(thing | ~valid, np.float32(np.inf), disparity)
    farthest_beside = cv2.erode(outside, kernel, borderValue=np.inf)
    seen = rim & np.isfinite(farthest_beside)
    return bool(seen.any()) and bool((farthest_beside[seen] < CONTRAST * disparity[seen]).mean() >= CLEAN_SHARE)


def overlay(onto: Sample, of: Sample, thing: Bool[Array, "H W"], rng: np.random.Generator) -> Sample:
    """A thing of one picture over another of the same size, moved to where its outline stays whole.

    Args:
        onto: what it lies on, its target in [0, 1].
        of: what it is cut from, its target in [0, 1].
        thing: where.
        rng: drawn from four times.

    Returns:
        A sample whose target, in [0, 1] again, is the thing's where it lies and elsewhere the picture's, on one scale.
        ``onto`` itself where a thing of an odd shape was moved out of the picture altogether.
    """
    rows, columns = _shift(thing, axis=1, rng=rng), _shift(thing, axis=0, rng=rng)
    # Opaque inside, and half transparent along the rim, where a lens mixes both.
    cover = cv2.GaussianBlur(thing.astype(np.float32), (0, 0), 0.6)
    image, disparity, cover, where = (
        _moved(each, rows, columns) for each in (of.image, of.disparity, cover, thing.astype(np.uint8))
    )
    there = where > 0
    if not there.any():
        return onto
    alpha = cover[..., None]
    mixed = np.rint(alpha * image + (1 - alpha) * onto.image).astype(np.uint8)
    hidden = onto.disparity[there & onto.mask]
    # Where nothing is known of what it hides, it is nearer than all that is known.
    behind = float(np.quantile(hidden, 0.98)) if hidden.size else float(onto.disparity.max(initial=0.0))
    ahead, relief = rng.uniform(*AHEAD), rng.uniform(*RELIEF)
    own = disparity[there]
    laid = (behind + 0.02) * ahead + relief * (own - own.min())
    target = onto.disparity.copy()
    target[there] = laid
    mask = onto.mask | there
    return replace(
        onto, image=mixed, disparity=(target / max(float(target[mask].max()), 1e-12)).astype(np.float32), mask=mask
    )


def _shift(thing: Bool[Array, "H W"], axis: int, rng: np.random.Generator) -> int:
    """How far it may move along the other axis: an end that the picture's edge cuts stays beyond that edge."""
    taken = np.flatnonzero(thing.any(axis=axis))
    length = thing.shape[1 - axis]
    first, last = int(taken[0]), int(taken[-1])
    # So much of it stays in the picture.
    kept = max(1, (last - first + 1) // 2)
    least = 0 if last == length - 1 else -first if first else -(last + 1 - kept)
    most = 0 if first == 0 else length - 1 - last if last < length - 1 else length - first - kept
    return int(rng.integers(min(least, most), max(least, most) + 1))


def _moved(values: Array, rows: int, columns: int) -> Array:
    move = np.array([[1, 0, columns], [0, 1, rows]], np.float32)
    moved: Array = cv2.warpAffine(values, move, (values.shape[1], values.shape[0]), flags=cv2.INTER_NEAREST)
    return moved
