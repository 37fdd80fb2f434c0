"""Camera moves through drawn and rendered scenes with exact inverse depth, and networks' wobble put on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from midas.arrays import Array
from midas.maps.formats import read_map

SIZE = (144, 216)
_BOXES = 60


@dataclass(frozen=True)
class Move:
    """A camera before a wall with boxes in front of it.

    Attributes:
        frames: how many.
        pan_px: how far the camera moves from frame to frame.
        walker: whether a near thing crosses the picture.
        wobble: standard deviation of the logarithm of each frame's scale; its shift varies as much.
        noise: of the maps, smooth, in their unit.
        seed: of all that is random.
    """

    frames: int
    pan_px: float = 0.0
    walker: bool = False
    wobble: float = 0.12
    noise: float = 0.02
    seed: int = 0

    def __iter__(self) -> Iterator[tuple[Array, Array, Array]]:
        """Picture, true inverse depth, and the map that a network would give of it."""
        random = np.random.default_rng(self.seed)
        wide = SIZE[1] + int(self.pan_px * self.frames) + 40
        disparity, picture = _wall(random, wide)
        for number in range(self.frames):
            matrix = np.float32([[1, 0, -self.pan_px * number - 10], [0, 1, 0]])
            shown, truth = (
                cv2.warpAffine(each, matrix, SIZE[::-1], flags=cv2.INTER_LINEAR) for each in (picture, disparity)
            )
            if self.walker:
                left = (number * 2) % (SIZE[1] + 40) - 40
                shown[40:85, max(left, 0) : max(left + 30, 0)] = (200, 120, 60)
                truth[40:85, max(left, 0) : max(left + 30, 0)] = 1.4
            yield shown, truth, _as_a_network_would(truth, random, self.wobble, self.noise)


@dataclass(frozen=True)
class Turn:
    """A camera that turns before the same wall, bent around it.

    Attributes:
        frames: how many, a third of a degree apart.
        wobble, noise, seed: as of a ``Move``.
    """

    frames: int
    wobble: float = 0.12
    noise: float = 0.01
    seed: int = 0

    def __iter__(self) -> Iterator[tuple[Array, Array, Array]]:
        """As of a ``Move``."""
        random = np.random.default_rng(self.seed)
        focal = SIZE[1]
        distance, picture = _wall(random, SIZE[1] * 4)
        x, y = np.meshgrid(np.arange(SIZE[1]) - SIZE[1] / 2 + 0.5, np.arange(SIZE[0]) - SIZE[0] / 2 + 0.5)
        away = np.sqrt(focal**2 + x**2 + y**2) / focal
        for number in range(self.frames):
            # Places on the wall: angle around and height over the distance of one.
            angle = np.arctan2(x, focal) + np.radians(number / 3)
            columns = (focal * angle + SIZE[1]).astype(np.float32)
            rows = (focal * y / np.hypot(x, focal) + SIZE[0] / 2 - 0.5).astype(np.float32)
            shown, inverse = (
                cv2.remap(each, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
                for each in (picture, distance)
            )
            truth = (inverse * away).astype(np.float32)
            yield shown, truth, _as_a_network_would(truth, random, self.wobble, self.noise)


@dataclass(frozen=True)
class Street:
    """A camera that walks straight on through a street: ground, two walls, and boards that stand about.

    Attributes:
        frames: how many.
        step_m: from frame to frame; the ground is 1.5 m below.
        unit: of the true maps, per inverse metre.
        focal: focal length over the longer side.
        wobble, noise, seed: as of a ``Move``.
    """

    frames: int
    step_m: float = 0.05
    unit: float = 3.0
    focal: float = 0.8
    wobble: float = 0.12
    noise: float = 0.01
    seed: int = 0

    def __iter__(self) -> Iterator[tuple[Array, Array, Array]]:
        """As of a ``Move``."""
        random = np.random.default_rng(self.seed)
        textures = [_texture(random) for _ in range(8)]
        boards = [
            (
                random.choice([-1, 1]) * random.uniform(1.2, 3.5),
                random.uniform(0.5, 2.5),
                random.uniform(0.4, 1.2),
                away,
            )
            for away in np.arange(4, 40 + self.frames * self.step_m, 0.7)
        ]
        height, width = 2 * SIZE[0], 2 * SIZE[1]
        focal_px = self.focal * width
        x, y = np.meshgrid(
            (np.arange(width) + 0.5 - width / 2) / focal_px, (np.arange(height) + 0.5 - height / 2) / focal_px
        )
        for number in range(self.frames):
            ahead_m = number * self.step_m
            inverse = np.maximum(np.maximum(y / 1.5, np.abs(x) / 5), 1 / 60)
            shown = np.where(
                (y / 1.5 >= np.abs(x) / 5)[..., None],
                _on(textures[0], x / inverse, 1 / inverse + ahead_m),
                _on(textures[1], y / inverse, 1 / inverse + ahead_m),
            )
            for board, (left_m, high_m, wide_m, away_m) in enumerate(boards):
                depth_m = away_m - ahead_m
                if depth_m < 0.8:
                    continue
                there_x, there_y = x * depth_m, y * depth_m
                hit = (np.abs(there_x - left_m) < wide_m / 2) & (there_y < 1.5) & (there_y > 1.5 - high_m)
                hit &= inverse < 1 / depth_m
                if hit.any():
                    shown[hit] = _on(textures[2 + board % 6], there_x[hit][None], there_y[hit][None] + board)[0]
                    inverse[hit] = 1 / depth_m
            picture = cv2.resize(shown, SIZE[::-1], interpolation=cv2.INTER_AREA)
            truth = (self.unit * cv2.resize(inverse, SIZE[::-1], interpolation=cv2.INTER_NEAREST)).astype(np.float32)
            yield picture, truth, _as_a_network_would(truth, random, self.wobble, self.noise)


@dataclass(frozen=True)
class RenderedMove:
    """A film of ``midas data render --film``, with the same wobble and noise as a drawn one.

    Attributes:
        folder: that the film was rendered into.
        wobble, noise, seed: as of a ``Move``.
    """

    folder: Path
    wobble: float = 0.12
    noise: float = 0.02
    seed: int = 0

    def __iter__(self) -> Iterator[tuple[Array, Array, Array]]:
        """As of a ``Move``."""
        random = np.random.default_rng(self.seed)
        near: float | None = None
        for path in sorted((self.folder / "pictures").glob("*.png")):
            depth_m, _ = read_map(self.folder / "depth" / f"{path.stem}.npz")
            inverse = np.divide(1, depth_m, out=np.zeros_like(depth_m), where=depth_m > 0)
            # Zero is infinitely far, as of networks for relative disparity.
            near = near or float(np.percentile(inverse, 98))
            truth = (1.1 / near * inverse).astype(np.float32)
            picture = cv2.imread(str(path))[..., ::-1]
            yield np.ascontiguousarray(picture), truth, _as_a_network_would(truth, random, self.wobble, self.noise)


def _as_a_network_would(truth: Array, random: np.random.Generator, wobble: float, noise: float) -> Array:
    smooth = cv2.GaussianBlur(random.normal(size=truth.shape).astype(np.float32), (0, 0), 12)
    scale = float(np.exp(random.normal(0, wobble))) if wobble else 1.0
    shift = random.uniform(-0.1, 0.1) if wobble else 0.0
    noisy = truth + np.float32(noise) * smooth / smooth.std()
    return (scale * noisy + shift).astype(np.float32)


def _texture(random: np.random.Generator) -> Array:
    """Spots of several sizes, two metres across."""
    layers = [
        strength * cv2.GaussianBlur(random.normal(size=(256, 256, 3)).astype(np.float32), (0, 0), size)
        for strength, size in ((150, 4), (500, 14))
    ]
    return np.clip(random.uniform(80, 170, 3) + sum(layers), 0, 255).astype(np.uint8)


def _on(texture: Array, across_m: Array, along_m: Array) -> Array:
    columns, rows = ((each * 128 % 256).astype(np.float32) for each in (across_m, along_m))
    return cv2.remap(texture, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)


def _wall(random: np.random.Generator, wide: int) -> tuple[Array, Array]:
    height = SIZE[0]
    disparity = np.linspace(0.2, 0.6, height, dtype=np.float32)[:, None].repeat(wide, 1)
    picture = cv2.GaussianBlur(random.integers(0, 256, (height, wide, 3), np.uint8), (0, 0), 2)
    picture = cv2.normalize(picture, None, 40, 215, cv2.NORM_MINMAX)
    for _ in range(_BOXES * wide // 640 + 8):
        top, left = random.integers(0, height - 20), random.integers(0, wide - 20)
        rows, columns = slice(top, top + random.integers(15, 60)), slice(left, left + random.integers(15, 70))
        disparity[rows, columns] = random.uniform(0.5, 1.1)
        picture[rows, columns] = picture[rows, columns] // 2 + random.integers(0, 128, 3, np.uint8)
    return disparity, picture


def gauge_of(values: Array, truth: Array) -> tuple[float, float]:
    """Scale and shift by which a map departs from the truth: ``values ≈ scale * truth + shift``."""
    scale, shift = np.polyfit(truth.ravel(), values.ravel(), 1)
    return float(scale), float(shift)
