"""Everything that an application holds, and the way of a request through it."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Callable
from contextlib import ExitStack

from fastapi import Request, Response

from midas.backends.protocol import device_of
from midas.errors import CostWarning, DamageWarning, EmptyMapWarning, MidasError
from midas.serving.answers import chosen_form, model_headers
from midas.serving.batching import Batches
from midas.serving.bodies import Bodies
from midas.serving.films import Films
from midas.serving.keys import Keys, Rate, check_host
from midas.serving.limits import ServeOptions
from midas.serving.live import Cameras, LiveOrder, live_work
from midas.serving.metrics import Metrics
from midas.serving.problems import BusyError, ProblemError
from midas.serving.query import DepthQuery
from midas.serving.queue import WorkQueue
from midas.serving.sending import HeldResponse
from midas.serving.shelf import Shelf
from midas.serving.work import Answer, Order, work

_log = logging.getLogger("midas.serving")

# So long without room for one more request, and other servers should get what comes, in seconds.
_FULL_TOO_LONG_S = 10.0


class Service:
    """The models, the line in front of them, and the books.

    Args:
        options: what it is started with.

    Attributes:
        is_draining: whether it is to end: what is under way is finished, and nothing new should be sent.
    """

    def __init__(self, options: ServeOptions) -> None:
        self.options = options
        self.shelf = Shelf(options)
        self.metrics = Metrics()
        self.keys = Keys(options.keys)
        self.films = Films(options.limits)
        self.is_draining = False
        self._rate = Rate(options.limits.rate)
        self._bodies = Bodies(options.limits)
        self._queue = WorkQueue(options.limits.decodes, options.limits.queue_s)
        self._batches = Batches(options.batch, options.batch_wait_s)
        self._cameras = Cameras()
        self._loader: threading.Thread | None = None
        self._is_started = False

    def start(self) -> None:
        """Begin to load the models, in a thread, if they aren't there; a second call does nothing."""
        if not self._is_started:
            self._is_started = True
            _be_silent_about_pictures()
        if self._loader is None and not self.shelf.is_ready:
            self._loader = threading.Thread(target=self._load, name="midas-serve-load", daemon=True)
            self._loader.start()

    def _load(self) -> None:
        try:
            self.shelf.load()
        except MidasError as error:
            _log.error("the models can't be loaded: %s", error)

    def stop(self) -> None:
        """Let the threads end; films end where they are, and nothing of them is left."""
        self.films.close()
        self._queue.close()

    def why_not_ready(self) -> str | None:
        """Why requests should go elsewhere; None if they needn't."""
        if self.is_draining:
            return "the server is being stopped"
        if self.shelf.lack is not None:
            return self.shelf.lack
        if self._queue.full_for_s() > _FULL_TOO_LONG_S:
            return "there is more to do than can be done"
        return None

    def admit(self, request: Request) -> None:
        """Let a request in.

        Raises:
            ProblemError: a page of another site made it, it bears no key, or it comes too soon after others.
        """
        check_host(request.headers.get("host", ""), self.options.hosts)
        self._check_origin(request)
        address = request.client.host if request.client else ""
        self._rate.take(self.keys.client_of(request.headers.get("authorization"), address))

    def _check_origin(self, request: Request) -> None:
        # A page of anywhere may have its visitor's browser send requests here, whose answers it doesn't see: they would
        # cost this machine's time and disk all the same. The browser says whose they are, behind a proxy too.
        if request.method == "GET" or request.headers.get("sec-fetch-site") != "cross-site":
            return
        if request.headers.get("origin") not in self.options.cors_origins:
            raise ProblemError(403, "a page of another site asks; the server's owner can name it with --cors-origin")

    async def depth(self, request: Request, query: DepthQuery) -> Response:
        """The answer to ``POST /v1/depth``.

        Raises:
            MidasError: what ``midas.serving.problems.problem_of`` takes.
        """
        self.admit(request)
        form = chosen_form(query.format, request.headers.get("accept"))
        request.state.format = form.name
        self.check_ready()
        limits = self.options.limits
        for name, most in (("size", limits.size_px), ("tile", limits.tile)):
            if (getattr(query, name) or 0) > most:
                raise ProblemError(422, f"{name} is {getattr(query, name)}; this server takes at most {most}")
        predictor = self.shelf.predictor(query.model, query.size, query.tile)
        cost = self.shelf.cost(predictor, query.size, query.tile)

        def job(data: bytes) -> Answer:
            return work(Order(data, predictor, form, query, limits.pixels), self._batches)

        return await self._answer(request, job, cost, form.media_type)

    async def live(self, request: Request, camera: str, model: str | None, colormap: str) -> Response:
        """The answer to ``POST /v1/live``.

        Raises:
            MidasError: as for ``depth``.
        """
        self.admit(request)
        self.check_ready()
        predictor = self.shelf.predictor(model, None, None)

        def job(data: bytes) -> Answer:
            mapper = self._cameras.mapper(camera, predictor)
            named = model_headers(predictor.name, predictor.kind)
            return live_work(LiveOrder(data, mapper, named, colormap, self.options.limits.pixels))

        return await self._answer(request, job, 1.0, "image/jpeg")

    def check_ready(self) -> None:
        """Make sure that the models are loaded; if nobody has begun to, begin.

        Raises:
            BusyError: they are being loaded.
        """
        self.start()
        if self.shelf.lack is not None:
            raise BusyError(1.0, self.shelf.lack, reason="starting")
        # A batch fills only if that many threads can bring a picture each. Only now is known what the models run on.
        most = max(map(self._batches.most_of, self.shelf.predictors))
        self._queue.widen(2 * most if most > 1 else 1)

    async def _answer(self, request: Request, job: Callable[[bytes], Answer], cost: float, media_type: str) -> Response:
        """Read the body, do the job with it when it is its turn, and tell of it."""
        with ExitStack() as until_taken:
            account = until_taken.enter_context(self._bodies.accounted())
            data = await account.read(request)
            self.show_queue()
            try:
                done = await self._queue.run(lambda: job(data), cost, request.is_disconnected)
            finally:
                self.show_queue()  # of several processes, only one is asked for the counters of all
            answer = done.result
            seconds = {"queue": done.waited_s, **answer.seconds}
            self.metrics.observe(seconds, answer.pixels)
            account.become(len(answer.body))
            timing = ", ".join(f"{stage};dur={1000 * each:.1f}" for stage, each in seconds.items())
            headers = {**answer.headers, "Server-Timing": timing, "Vary": "Accept"}
            return HeldResponse(answer.body, headers, media_type, until_taken.pop_all().close)

    def runs_on(self) -> str:
        """What the models, which are loaded, really run on, for the start."""
        found = dict.fromkeys((device_of(each.backend), self._batches.most_of(each)) for each in self.shelf.predictors)
        return " and ".join(
            f"on {device}" + (f", up to {most} pictures at once" if most > 1 else "") for device, most in found
        )

    def show_queue(self) -> None:
        """Bring the gauges up to date."""
        self.metrics.show_queue(self._queue.waiting, self._queue.running)

    def note(self, error: MidasError, request_id: str) -> None:
        """Write an error of ours to the log, with its traceback; those of a request aren't ours."""
        _log.error("request %s failed: %s", request_id, error, exc_info=error)


def _be_silent_about_pictures() -> None:
    """Write nothing of what is wrong with pictures that aren't ours: each text that is shown is remembered for ever."""
    for each in (DamageWarning, EmptyMapWarning, CostWarning):
        warnings.simplefilter("ignore", each)
    warnings.filterwarnings("ignore", module=r"PIL\.")
    logging.getLogger("python_multipart").setLevel(logging.CRITICAL)  # a line for each damaged form
