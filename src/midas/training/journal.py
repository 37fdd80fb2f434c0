"""What a run says of itself: a CSV file, and TensorBoard's if asked for."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from midas.alignment import align_least_squares
from midas.arrays import Array, UInt8
from midas.datasets.mixture import Item
from midas.maps.sheets import Tile, draw_tiles, painted, range_text, target_range
from midas.pictures.preprocess import InputSpec
from midas.storage.atomic import atomic_file

LOG = "log.csv"
EVENTS = "tensorboard"
PICTURES = "pictures"
_STRIP_PICTURES = 4
_COLLAPSED = (
    "the maps say next to nothing of the depth: if that stays, the network has collapsed to one value; begin again "
    "with a lower loss.gradient_weight, or lower rates"
)


@dataclass(frozen=True)
class EpochReport:
    """One line of the log.

    Attributes:
        epoch: counted from 1.
        loss, data_loss, gradient_loss, hierarchical_loss, ordinal_loss: means over the epoch's steps.
        pictures_per_s: training throughput without validation.
        figure: the validation figure, percent; NaN without validation scenes.
        best: the smallest figure so far.
        figures: each validation set's figure by its name.
        opposed: of which of them near and far are the wrong way round.
        unrelated: of which of them the maps say next to nothing.
    """

    epoch: int
    loss: float
    data_loss: float
    gradient_loss: float
    hierarchical_loss: float
    ordinal_loss: float
    pictures_per_s: float
    figure: float
    best: float
    figures: Mapping[str, float] = field(default_factory=dict)
    opposed: Sequence[str] = ()
    unrelated: Sequence[str] = ()

    def line(self, epochs: int) -> str:
        """In one line for whoever watches, the figure of each validation set too."""
        text = f"epoch {self.epoch}/{epochs}: loss {self.loss:.4f}, {self.pictures_per_s:.1f} pictures/s"
        line = figure_line(text, self.figure, self.best, self.figures, opposed=self.opposed)
        return f"{line}; {_COLLAPSED}" if self.figures and len(self.unrelated) == len(self.figures) else line

    def row(self) -> dict[str, int | float]:
        """Every number by its column's name."""
        columns = {name: value for name, value in vars(self).items() if name not in ("figures", "opposed", "unrelated")}
        return columns | {f"figure_{name}": value for name, value in self.figures.items()}


def figure_line(
    text: str, figure: float, best: float, figures: Mapping[str, float], *, opposed: Sequence[str] = ()
) -> str:
    """A line that ends with the validation figure, if there is one, and that of each set.

    Args:
        text: its beginning.
        figure: the validation figure.
        best: the best so far.
        figures: of each set, by its name.
        opposed: sets of which near and far are the wrong way round.
    """
    if figure != figure:
        return text
    parts = ", ".join(f"{name} {value:.1f}" for name, value in figures.items())
    told = f"; near and far the wrong way round in {', '.join(opposed)}" if opposed else ""
    return (
        f"{text}; validation {figure:.2f} %{' (best so far)' if figure <= best and not opposed else ''}: {parts}{told}"
    )


class Journal:
    """Writes reports.

    Args:
        folder: of the run.
        tensorboard: whether to write for TensorBoard too.
    """

    def __init__(self, folder: Path, *, tensorboard: bool) -> None:
        self.path = folder / LOG
        self._writer: Any = None
        if tensorboard:
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(str(folder / EVENTS))

    def write(self, report: EpochReport) -> None:
        """Add an epoch."""
        new = not self.path.exists()
        with self.path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            if new:
                writer.writerow(report.row())
            writer.writerow(f"{value:.5g}" if isinstance(value, float) else value for value in report.row().values())
        if self._writer:
            for name, value in report.row().items():
                self._writer.add_scalar(name, value, report.epoch)
            self._writer.flush()

    def draw(self, epoch: int, item: Item, prediction: torch.Tensor, input_spec: InputSpec) -> None:
        """Write a strip of pictures, targets and predictions to ``pictures/``, and to TensorBoard.

        Args:
            epoch: counted from 1.
            item: a batch.
            prediction: the network's output for it, (B, H, W).
            input_spec: how its pixels were normalised.
        """
        strip = picture_strip(item, prediction, input_spec)
        with atomic_file(self.path.parent / PICTURES / f"epoch_{epoch:03d}.png", overwrite=True) as file:
            Image.fromarray(strip).save(file, format="PNG")
        if self._writer:
            self._writer.add_image("pictures", strip, epoch, dataformats="HWC")
            self._writer.flush()

    def close(self) -> None:
        """Finish what is being written."""
        if self._writer:
            self._writer.close()


def picture_strip(item: Item, prediction: torch.Tensor, input_spec: InputSpec) -> UInt8[Array, "h w 3"]:
    """Rows of picture, target and prediction, one per sample of a batch, as ``midas.maps.sheets`` draws them.

    The prediction is aligned to the target and has its colours.
    """
    mean, std = (np.array(values)[:, None, None] for values in (input_spec.mean, input_spec.std))
    tiles = []
    for number in range(min(_STRIP_PICTURES, len(item.pixels))):
        pixels, target, disparity = (
            each[number].detach().float().cpu().numpy() for each in (item.pixels, item.target, prediction)
        )
        picture = ((pixels * std + mean) * 255).clip(0, 255).astype(np.uint8).transpose(1, 2, 0)
        mask = item.mask[number].cpu().numpy() & ~item.second_part[number].cpu().numpy()
        shown = mask.any() and np.ptp(target[mask]) > 0  # pairs of points have no map
        within = target_range(target, mask) if shown else target_range(disparity)
        aligned = align_least_squares(disparity, target, mask).apply(disparity) if shown else disparity
        told = range_text(within, metric=False) if shown else "no target"
        cells = picture, painted(target, within, mask), painted(aligned, within)
        tiles.append(Tile(f"set {int(item.source[number]) + 1} of the run   {told}", cells))
    return draw_tiles(tiles, ("picture", "target", "prediction, aligned"))
