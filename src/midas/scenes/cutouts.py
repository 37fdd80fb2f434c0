"""Cutouts: shapes that are cut out of quads. Leaves, branches, fences, tufts; 255 where there is something."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import cv2
import numpy as np

from midas.arrays import Array, UInt8
from midas.scenes.camera import Number

SIDE = 256


def _leaf(canvas: Array, base: Array, angle: float, length: Number, width: Number) -> None:
    along = np.array([math.cos(angle), math.sin(angle)])
    across = np.array([-along[1], along[0]])
    shape = ((0, 0), (0.25, 0.8), (0.5, 1), (0.75, 0.7), (1, 0), (0.75, -0.7), (0.5, -1), (0.25, -0.8))
    points = [base + along * length * at + across * width * side for at, side in shape]
    cv2.fillConvexPoly(canvas, np.rint(points).astype(np.int32), 255)


def _one_leaf(rng: np.random.Generator) -> UInt8[Array, "256 256"]:
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    _leaf(canvas, np.array([128.0, 255.0]), -math.pi / 2, 250, float(rng.uniform(50, 110)))
    return canvas


def _foliage(rng: np.random.Generator) -> UInt8[Array, "256 256"]:
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    for _ in range(170):
        radius, around = 105 * math.sqrt(rng.random()), rng.uniform(0, 2 * math.pi)
        base = np.array([128 + radius * math.cos(around), 128 + radius * math.sin(around)])
        _leaf(canvas, base, float(rng.uniform(0, 2 * math.pi)), float(rng.uniform(14, 30)), 6)
    return canvas


def _grow(canvas: Array, rng: np.random.Generator, base: Array, angle: float, length: float, leaves: bool) -> None:
    if length < 12:
        if leaves:
            _leaf(canvas, base, angle, 18, 6)
        return
    tip = base + length * np.array([math.cos(angle), math.sin(angle)])
    start, end = np.rint(base).astype(int).tolist(), np.rint(tip).astype(int).tolist()
    cv2.line(canvas, start, end, 255, max(1, round(length / 9)))
    for _ in range(int(rng.integers(2, 4))):
        _grow(canvas, rng, tip, angle + float(rng.normal(0, 0.55)), length * float(rng.uniform(0.55, 0.82)), leaves)


def _branch(rng: np.random.Generator) -> UInt8[Array, "256 256"]:
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    _grow(canvas, rng, np.array([128.0, 255.0]), -math.pi / 2, 62.0, leaves=False)
    return canvas


def _twig(rng: np.random.Generator) -> UInt8[Array, "256 256"]:
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    _grow(canvas, rng, np.array([128.0, 255.0]), -math.pi / 2, 58.0, leaves=True)
    return canvas


def _tuft(rng: np.random.Generator) -> UInt8[Array, "256 256"]:
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    for _ in range(26):
        base = np.array([float(rng.normal(128, 28)), 256.0])
        _leaf(canvas, base, -math.pi / 2 + float(rng.normal(0, 0.35)), float(rng.uniform(90, 245)), 4)
    return canvas


def _fern(rng: np.random.Generator) -> UInt8[Array, "256 256"]:
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    cv2.line(canvas, (128, 255), (128, 10), 255, 4)
    lean = float(rng.uniform(0.5, 0.9))
    for height in range(235, 15, -16):
        for side in (-1, 1):
            length = 20 + 95 * math.sin(math.pi * min(1.0, height / 255))
            _leaf(canvas, np.array([128.0, height]), -math.pi / 2 + side * lean, length, 7)
    return canvas


def _chain_link(rng: np.random.Generator) -> UInt8[Array, "256 256"]:
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    for start in range(-SIDE, 2 * SIDE, 32):
        cv2.line(canvas, (start, 0), (start + SIDE, SIDE), 255, 3)
        cv2.line(canvas, (start, 0), (start - SIDE, SIDE), 255, 3)
    return canvas


def _lattice(rng: np.random.Generator) -> UInt8[Array, "256 256"]:
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    canvas[:, np.arange(SIDE) % 43 < 8] = 255
    canvas[np.arange(SIDE) % 64 < 8] = 255
    return canvas


def _pickets(rng: np.random.Generator) -> UInt8[Array, "256 256"]:
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    canvas[60:82] = canvas[180:202] = 255
    for left in range(6, SIDE, 32):
        cv2.fillConvexPoly(
            canvas, np.array([[left, 255], [left, 22], [left + 10, 2], [left + 20, 22], [left + 20, 255]]), 255
        )
    return canvas


def _railing(rng: np.random.Generator) -> UInt8[Array, "256 256"]:
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    canvas[8:20] = canvas[225:236] = 255
    canvas[8:, np.arange(SIDE) % 26 < 6] = 255
    return canvas


def _gable(rng: np.random.Generator) -> UInt8[Array, "256 256"]:
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillConvexPoly(canvas, np.array([[0, 255], [127, 0], [255, 255]]), 255)
    return canvas


CUTOUTS: dict[str, Callable[[np.random.Generator], Array]] = {
    "leaf": _one_leaf,
    "foliage": _foliage,
    "foliage2": _foliage,
    "branch": _branch,
    "branch2": _branch,
    "branch3": _branch,
    "twig": _twig,
    "twig2": _twig,
    "tuft": _tuft,
    "tuft2": _tuft,
    "fern": _fern,
    "chain_link": _chain_link,
    "lattice": _lattice,
    "pickets": _pickets,
    "railing": _railing,
    "gable": _gable,
}


@cache
def cutout(name: str) -> UInt8[Array, "256 256"]:
    """The shape of a name; made once per process."""
    shape = CUTOUTS[name](np.random.default_rng((5, list(CUTOUTS).index(name))))
    shape.setflags(write=False)
    return shape
