"""Workers for tests on Ray: one that says where it is, one that dies, one whose graphics card is a processor."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any, NamedTuple

from midas.scale import worker
from midas.scale.share import Share
from midas.scale.worker import ShardReport, ShardWorker


class Seen(NamedTuple):
    """Where an item was done, and by what."""

    item: int
    node: str
    device: str
    cards: str
    process: int


WAIT_S = 120.0


def wait_for_both(folder: Path, own: str) -> None:
    """Until workers with a card and workers without have come to a folder: one kind alone would soon be through."""
    (folder / f"kind-{own}").touch()
    deadline = time.monotonic() + WAIT_S
    while len(list(folder.glob("kind-*"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)


class Whereabouts:
    """A worker that says where it is.

    Args:
        folder: where workers of two kinds wait for each other; None for nowhere.
        share: what it was told to use.
    """

    def __init__(self, folder: Path | None = None, *, share: Share) -> None:
        self._folder, self._share = folder, share

    def __call__(self, item: int) -> Seen:
        """Where an item was done."""
        import ray

        if self._folder is not None:
            wait_for_both(self._folder, self._share.device)
            time.sleep(0.05)
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

        self._own = share.device
        worker.load = loaded  # type: ignore[assignment]  # in this process of Ray's alone
        try:
            super().__init__(*arguments, share=share, **options)
        finally:
            worker.load = load

    def __call__(self, shard: int) -> ShardReport:
        """Do a shard."""
        wait_for_both(self.destination.path, self._own)
        return super().__call__(shard)
