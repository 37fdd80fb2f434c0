"""Where a run stands, and what it has gained over the weights that it started from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from midas.evaluation.intervals import bootstrap_interval
from midas.training.objective import Terms

START = 0
"""The epoch of the weights that a run starts from."""


@dataclass
class Position:
    """Where a run stands.

    Attributes:
        epoch: finished epochs.
        step: finished steps of the one under way.
        sums: of the loss terms over these steps.
        best: the smallest validation figure so far, that of the start included.
        best_epoch: whose it is; 0 is the start.
        waited: epochs since then.
        unreadable: samples that could not be read.
        start_values: figures of the start, one per picture, by validation set; empty before it is measured.
        best_values: likewise of the best weights.
        start_opposed, best_opposed: these weights have near and far the wrong way round. Their figure, which comes
            after an alignment whose scale is then negative, says nothing: any weights that don't are better.
    """

    epoch: int = 0
    step: int = 0
    sums: list[float] = field(default_factory=lambda: [0.0] * len(Terms._fields))
    best: float = float("inf")
    best_epoch: int = START
    waited: int = 0
    unreadable: int = 0
    start_values: dict[str, list[float]] = field(default_factory=dict)
    best_values: dict[str, list[float]] = field(default_factory=dict)
    start_opposed: bool = False
    best_opposed: bool = False

    def begin(self, figure: float, values: Mapping[str, list[float]], *, opposed: bool = False) -> None:
        """Note what the start has: it is the best so far."""
        self.start_opposed = self.best_opposed = opposed
        self.start_values, self.best_values = dict(values), dict(values)
        self.best = figure if figure == figure else self.best

    def finish_epoch(self, figure: float, values: Mapping[str, list[float]], *, opposed: bool = False) -> None:
        """Note an epoch's figure, NaN without validation sets: then every epoch counts as the best yet."""
        better = not (opposed, figure) >= (self.best_opposed, self.best)
        self.epoch, self.step, self.sums = self.epoch + 1, 0, [0.0] * len(Terms._fields)
        self.waited = 0 if better else self.waited + 1
        if better:
            self.best = figure if figure == figure else self.best
            self.best_opposed = opposed
            self.best_epoch, self.best_values = self.epoch, dict(values)


_OPPOSED_START = "the start had near and far the wrong way round, and was no start to be kept"
_OPPOSED_STILL = (
    "near and far are the wrong way round in the best weights too: if the start is a good model, disparity may have "
    "been taken for depth, or depth for disparity (--depth-unit)"
)


def gain_lines(position: Position) -> list[str]:
    """What the best weights have gained over the start, each validation set in a line; nothing without any.

    The interval is that of the mean difference over the same pictures, by the bootstrap.
    """
    if not position.start_values:
        return []
    if position.best_epoch == START:
        lines = [f"nothing was gained over the start ({position.best:.2f} %); the best weights are those of the start"]
        return [*lines, _OPPOSED_STILL] if position.best_opposed else lines
    lines = [_OPPOSED_STILL if position.best_opposed else _OPPOSED_START] if position.start_opposed else []
    lines += [f"the best weights are those of epoch {position.best_epoch}; over the start, on pictures not trained on:"]
    for name, before in position.start_values.items():
        after = position.best_values.get(name, [])
        if len(after) != len(before):
            continue
        difference = np.subtract(after, before)
        low, high = bootstrap_interval(difference)
        word = "better" if high < 0 else "worse" if low > 0 else "no sure difference"
        lines.append(
            f"  {name}: {np.mean(before):.2f} -> {np.mean(after):.2f} %, {difference.mean():+.2f} "
            f"(95 % interval {low:+.2f} to {high:+.2f} over {len(before)} pictures): {word}"
        )
    return lines
