"""``midas evaluate`` over several processes, or on a cluster: each worker measures some of the pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from midas.datasets.reader import read_sample
from midas.evaluation.candidates import Candidate
from midas.evaluation.evaluator import score_all
from midas.evaluation.runs import Benchmark
from midas.evaluation.scoring import PictureScore
from midas.scale.engine import Engine
from midas.scale.share import Share
from midas.scale.spread import spread

PICTURES_PER_ITEM = 8

Scores = list[tuple[int, PictureScore | None]]


class ScoreWorker:
    """Measures a candidate on some pictures of a set.

    Args:
        candidate: what is measured; pickled for the process, where its network is opened anew.
        benchmark: on what.
        metrics: names of the figures.
        items: the pictures of each item, as indices.
        share: what of the machine it may use; the candidate decides on its threads itself.
    """

    def __init__(
        self,
        candidate: Candidate,
        benchmark: Benchmark,
        metrics: tuple[str, ...],
        items: Sequence[Sequence[int]],
        *,
        share: Share,
    ) -> None:
        self._candidate, self._benchmark, self._metrics, self._items = candidate, benchmark, metrics, items

    def __call__(self, item: int) -> Scores:
        """The figures of an item's pictures."""
        read = partial(read_sample, self._benchmark.reader)
        rules = self._benchmark.protocol
        return list(score_all(self._candidate, self._items[item], rules, metrics=self._metrics, read=read))


def scores_by(
    engine: Engine, candidate: Candidate, benchmark: Benchmark, indices: Sequence[int], metrics: tuple[str, ...]
) -> Iterator[tuple[int, PictureScore | None]]:
    """What ``midas.evaluation.evaluator.score_all`` gives for these pictures, as it is ready, in any order.

    Args:
        engine: where it is computed.
        candidate: what is measured.
        benchmark: on what.
        indices: which pictures.
        metrics: names of the figures.

    Raises:
        MidasError: a picture can't be read or predicted, or workers can't be made.
    """
    items = [indices[begin : begin + PICTURES_PER_ITEM] for begin in range(0, len(indices), PICTURES_PER_ITEM)]
    make = partial(ScoreWorker, candidate, benchmark, metrics, items)
    engine = replace(engine, one_kind=True)  # no picture is measured twice
    for scores in spread(make, range(len(items)), engine, weight=PICTURES_PER_ITEM):
        yield from scores
