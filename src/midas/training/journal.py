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

from midas.arrays import Array, UInt8
from midas.datasets.mixture import Item
from midas.maps.colormaps import colorize
from midas.pictures.preprocess import InputSpec
from midas.storage.atomic import atomic_file

LOG = "log.csv"
EVENTS = "tensorboard"
PICTURES = "pictures"
_STRIP_PICTURES = 4


@dataclass(frozen=True)
class EpochReport:
    """One line of the log.

    Attributes:
        epoch: counted from 1.
        loss, data_loss, gradient_loss, ordinal_loss: means over the epoch's steps.
        pictures_per_s: training throughput without validation.
        figure: the validation figure, percent; NaN without validation scenes.
        best: the smallest figure so far.
        figures: each validation set's figure by its name.
        opposed: of which of them near and far are the wrong way round.
    """

    epoch: int
    loss: float
    data_loss: float
    gradient_loss: float
    ordinal_loss: float
    pictures_per_s: float
    figure: float
    best: float
    figures: Mapping[str, float] = field(default_factory=dict)
    opposed: Sequence[str] = ()

    def line(self, epochs: int) -> str:
        """In one line for whoever watches, the figure of each validation set too."""
        text = f"epoch {self.epoch}/{epochs}: loss {self.loss:.4f}, {self.pictures_per_s:.1f} pictures/s"
        return figure_line(text, self.figure, self.best, self.figures, opposed=self.opposed)

    def row(self) -> dict[str, int | float]:
        """Everything by its column's name."""
        columns = {name: value for name, value in vars(self).items() if name != "figures"}
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
    """Rows of picture, target and prediction, one per sample of a batch."""
    mean, std = (np.array(values)[:, None, None] for values in (input_spec.mean, input_spec.std))
    rows = []
    for pixels, target, disparity in list(zip(item.pixels, item.target, prediction, strict=True))[:_STRIP_PICTURES]:
        picture = ((pixels.cpu().numpy() * std + mean) * 255).clip(0, 255).astype(np.uint8).transpose(1, 2, 0)
        maps = [colorize(values.detach().float().cpu().numpy()) for values in (target, disparity)]
        rows.append(np.concatenate([picture, *maps], axis=1))
    return np.concatenate(rows)
