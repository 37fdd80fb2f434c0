"""The models that may be asked for, and no others: loaded at the start, by name."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from midas.backends.identity import resized_rule
from midas.errors import ConfigError, MidasError
from midas.loading import load
from midas.predictor import Predictor
from midas.serving.limits import ServeOptions
from midas.serving.pages import facts_of
from midas.serving.problems import ProblemError

# A grey picture at which each model is tried out before it counts as ready.
_TRIAL = np.full((64, 96, 3), 128, np.uint8)


class Shelf:
    """The models of a server, by their names.

    Args:
        options: which ones, and how they run.
    """

    def __init__(self, options: ServeOptions) -> None:
        self._options = options
        self._predictors: dict[str, Predictor] = {}
        self._failure: MidasError | None = None
        self._loading = threading.Lock()

    @property
    def is_ready(self) -> bool:
        """Whether all models are there and have been tried out."""
        return len(self._predictors) == len(self._options.models)

    @property
    def lack(self) -> str | None:
        """Why the models aren't there; None when they are."""
        if self.is_ready:
            return None
        return (
            "the models are being loaded" if self._failure is None else "the models can't be loaded, the log says why"
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Of the models; the first is the default."""
        return tuple(self._predictors)

    @property
    def predictors(self) -> tuple[Predictor, ...]:
        """The models themselves, in the order of ``names``."""
        return tuple(self._predictors.values())

    def load(self) -> None:
        """Load all models and run each once; once for all callers.

        Raises:
            MidasError: a model can't be had, or two have one name.
        """
        with self._loading:
            if self._failure is not None:
                raise self._failure
            if self.is_ready:
                return
            try:
                self._load_all()
            except MidasError as error:
                self._failure = error
                raise

    def _load_all(self) -> None:
        options = self._options
        loaded: dict[str, Predictor] = {}
        for asked in options.models:
            predictor = load(
                asked,
                backend=options.backend,
                device=options.device,
                precision=options.precision,
                threads=options.threads,
                offline=options.offline or None,
            )
            if options.interpolation is not None:
                predictor = predictor.growing_by(options.interpolation)
            predictor(_TRIAL)
            if predictor.name in loaded:
                raise ConfigError(f"two models are called {predictor.name}; expected names that differ")
            loaded[predictor.name] = predictor
        self._predictors = loaded

    def predictor(self, name: str | None, size: int | None, tile: int | None) -> Predictor:
        """The model of that name, at that size, with that many tiles.

        Raises:
            ProblemError: 422, there is no such model here.
            ConfigError: the network doesn't take this size.
        """
        if name is None:
            name = self.names[0]
        if name not in self._predictors:
            raise ProblemError(422, f"there is no model {name!r} here; expected one of {', '.join(self.names)}")
        whole = self._predictors[name]
        if tile is not None:
            return whole.tiled(tile, size=size)
        if size is None:
            return whole
        if getattr(whole.backend, "takes_pictures", False):
            raise ProblemError(422, f"{name} resizes pictures itself, to its own size; leave size out")
        return Predictor(whole.name, resized_rule(whole.input, size, name), whole.backend, whole.spec)

    def cost(self, predictor: Predictor, size: int | None, tile: int | None) -> float:
        """How many times the work of a picture at the model's own size the network has at most."""
        own = self._predictors[predictor.name].input.size
        times = 1.0 if size is None else max(1.0, (size / min(own)) ** 2)
        return times if tile is None or tile == 1 else 1 + times * (tile + 1) ** 2

    def cards(self) -> list[dict[str, Any]]:
        """What is to be known of each model, for ``GET /v1/models``."""
        return [
            {
                "name": name,
                "default": index == 0,
                "kind": each.kind,
                "size": list(each.input.size),
                **facts_of(each.spec),
            }
            for index, (name, each) in enumerate(self._predictors.items())
        ]
