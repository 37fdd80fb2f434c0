"""Workers for tests on Ray: one that says where it is, one that dies, one whose graphics card is a processor."""

from __future__ import annotations

import os
import signal
from typing import Any, NamedTuple

from midas.scale import worker
from midas.scale.share import Share
from midas.scale.worker import ShardWorker


class Seen(NamedTuple):
    """Where an item was done, and by what."""

    item: int
    node: str
    device: str
    cards: str
    process: int


class Whereabouts:
    """A worker that says where it is.

    Args:
        share: what it was told to use.
    """

    def __init__(self, *, share: Share) -> None:
        self._share = share

    def __call__(self, item: int) -> Seen:
        """Where an item was done."""
        import ray

        node = ray.get_runtime_context().get_node_id()
        cards = os.environ.get("CUDA_VISIBLE_DEVICES", "")
        return Seen(item, node, self._share.device, cards, os.getpid())


class DiesOfOne(Whereabouts):
    """A worker that one of its items kills."""

    def __call__(self, item: int) -> Seen:
        """Where an item was done; of item 2 it dies."""
        if item == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__call__(item)


class StandInWorker(ShardWorker):
    """Does shards as ever, but that a processor computes what a card was asked for, in float32."""

    def __init__(self, *arguments: Any, share: Share, **options: Any) -> None:
        load = worker.load

        def loaded(model: str, **how: Any) -> Any:
            instead = {"device": "cpu", "precision": "float32", "threads": 1} if how["device"] == "cuda" else {}
            return load(model, **how | instead)

        worker.load = loaded  # type: ignore[assignment]  # in this process of Ray's alone
        try:
            super().__init__(*arguments, share=share, **options)
        finally:
            worker.load = load
