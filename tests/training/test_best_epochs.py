"""The epochs that are kept beside the best are those of the smallest figures that say something."""

from __future__ import annotations

from pathlib import Path

import torch

from midas.training.state import BestEpochs, Standing

WEIGHTS = {"weight": torch.zeros(1)}


def kept_by(best: BestEpochs, figures: dict[int, tuple[bool, float]]) -> set[str]:
    for epoch, standing in figures.items():
        best.offer(WEIGHTS, epoch, Standing(*standing), {}, best=False)
    return {file.name for file in best.folder.iterdir()}


def test_an_epoch_that_has_near_and_far_the_wrong_way_round_is_kept_last(tmp_path: Path) -> None:
    figures = {1: (True, 3.0), 2: (False, 9.0), 3: (True, 2.0), 4: (False, 8.0)}
    assert kept_by(BestEpochs(tmp_path, 2), figures) == {"epoch_002.safetensors", "epoch_004.safetensors"}


def test_the_ranking_goes_on_where_a_run_stopped(tmp_path: Path) -> None:
    first, second = BestEpochs(tmp_path, 1), BestEpochs(tmp_path, 1)
    kept_by(first, {1: (False, 5.0)})
    second.restore(first.state())
    assert kept_by(second, {2: (True, 1.0)}) == {"epoch_001.safetensors"}
    second.restore({1: 5.0})  # as version 0.4 wrote it
    assert kept_by(second, {2: (False, 4.0)}) == {"epoch_002.safetensors"}


def test_an_epoch_without_a_figure_is_not_ranked(tmp_path: Path) -> None:
    assert kept_by(BestEpochs(tmp_path, 1), {1: (False, float("nan"))}) == set()
