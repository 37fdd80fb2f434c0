"""Pictures that come at the same time go through the network together, where a graphics card gains from that."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from dataclasses import dataclass, field

from midas.backends.protocol import CPU, device_of
from midas.errors import MidasError, ModelError
from midas.maps.depth_map import DepthMap
from midas.predictor import Predictor
from midas.tiling.prepared import Prepared

CARD_BATCH = 8
"""Pictures that go through a graphics card together by default."""


@dataclass
class _Group:
    """Pictures of one input size that wait for each other."""

    members: list[tuple[Prepared, Future[DepthMap]]] = field(default_factory=list)
    full: threading.Event = field(default_factory=threading.Event)


class Batches:
    """Runs the network for threads that come with a picture each. The first of a batch waits for others, and runs it.

    Args:
        most: pictures of a batch; 1 runs each by itself, at once. None is ``CARD_BATCH`` for a network that runs on a
            card, and 1 for one on a processor, where a batch takes as long as its pictures one by one.
        wait_s: how long the first one waits, in seconds.
    """

    def __init__(self, most: int | None, wait_s: float) -> None:
        self._most = most
        self._wait_s = wait_s
        self._lock = threading.Lock()
        self._open: dict[tuple[object, ...], _Group] = {}

    def most_of(self, predictor: Predictor) -> int:
        """How many pictures of this predictor go through the network together, by what it really runs on."""
        return self._most or (1 if device_of(predictor.backend) == CPU else CARD_BATCH)

    def infer(self, predictor: Predictor, prepared: Prepared) -> DepthMap:
        """The second half of a prediction.

        Raises:
            ModelError: as ``Predictor.infer``.
        """
        most = self.most_of(predictor)
        if most == 1:
            return predictor.infer(prepared)
        future: Future[DepthMap] = Future()
        # Predictors of several sizes and tiles may share a back end.
        key = (id(predictor.backend), predictor.input.restore, prepared.pixels.shape)
        with self._lock:
            group = self._open.get(key)
            leads = group is None
            if group is None:
                group = self._open[key] = _Group()
            group.members.append((prepared, future))
            if len(group.members) >= most:
                del self._open[key]
                group.full.set()
        if leads:
            self._lead(predictor, key, group)
        return future.result()

    def _lead(self, predictor: Predictor, key: tuple[object, ...], group: _Group) -> None:
        group.full.wait(self._wait_s)
        with self._lock:
            if self._open.get(key) is group:
                del self._open[key]
        try:
            outcomes = predictor.infer_batch(
                [prepared for prepared, _ in group.members], at_once=self.most_of(predictor)
            )
            for (_, future), outcome in zip(group.members, outcomes, strict=True):
                if isinstance(outcome, MidasError):
                    future.set_exception(outcome)
                else:
                    future.set_result(outcome)
        finally:
            for _, future in group.members:
                if not future.done():  # the others must not wait for ever, whatever was raised here
                    future.set_exception(ModelError("the batch that this picture was in has failed; try it again"))
