"""What a request may cost, and what a server is started with."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from numbers import Integral, Real
from pathlib import Path

from midas.backends import AUTO, QUICK
from midas.errors import ConfigError
from midas.models.zoo import DEFAULT_MODEL
from midas.pictures.preprocess import Restoration

KEYS_VARIABLE = "MIDAS_SERVE_KEYS"
"""The variable of the environment that holds keys, between blanks."""

OPTIONS_VARIABLE = "MIDAS_SERVE_OPTIONS"
"""The variable of the environment that holds all other options, as JSON."""

# As browsers write it in the header Origin; another spelling would never be equal to theirs.
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#*\sA-Z]+")

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
"""The hosts that nobody but this machine reaches."""


@dataclass(frozen=True)
class Limits:
    """Bounds of one request and of all together.

    The memory that pictures take is bounded by ``decodes`` times 16 bytes per pixel of ``pixels``, beside
    ``buffered_bytes``.

    Attributes:
        body_bytes: of a request's body; counted while it is read, whatever its headers say.
        pixels: of a picture; looked up in its header, before it is decoded.
        body_s: how long a body may take to arrive, in seconds.
        buffered_bytes: of all bodies that are being read or wait at a time, and of answers that aren't taken yet.
        queue_s: how long a request may be expected to wait for its turn, in seconds; with more to do it is refused at
            once. One that has waited twice as long all the same is refused then.
        decodes: how many pictures are decoded, predicted and encoded at a time.
        size_px: the largest ``size`` that may be asked for.
        tile: the largest ``tile`` that may be asked for.
        rate: requests per minute and key, or per client address where there are no keys; 0 for no limit.
        film_bytes, film_s, film_frames: of a film: of its file, its seconds, its frames.
        film_upload_s, film_work_s: how long a film may take to arrive, and to be mapped, in seconds.
        film_keep_s: how long it stays from its beginning on, in seconds, if nobody removes it.
        films: how many are there at a time; one of them is mapped.
        drain_s: how long requests may take that are under way when the server is asked to stop, in seconds.
    """

    body_bytes: int = 25_000_000
    pixels: int = 50_000_000
    body_s: float = 30.0
    buffered_bytes: int = 400_000_000
    queue_s: float = 2.0
    decodes: int = field(default_factory=lambda: min(8, max(2, os.cpu_count() or 2)))
    size_px: int = 1024
    tile: int = 4
    rate: float = 0.0
    film_bytes: int = 200_000_000
    film_s: float = 120.0
    film_frames: int = 7200
    film_upload_s: float = 300.0
    film_work_s: float = 900.0
    film_keep_s: float = 1800.0
    films: int = 4
    drain_s: float = 10.0

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            least = 0 if each.name in ("rate", "drain_s") else 1e-3 if each.name.endswith("_s") else 1
            is_whole = isinstance(value, Integral)
            known = isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
            if not (known and value >= least and (is_whole or each.type == "float")):
                what = "number" if each.type == "float" else "whole number"
                raise ConfigError(f"the limit {each.name} is {value!r}; expected a {what} of at least {least:g}")

    def described(self, *, films: bool = True) -> str:
        """All limits in one line, for the start.

        Args:
            films: whether films are taken.
        """
        rate = f"{self.rate:g} requests a minute and key" if self.rate else "any number of requests"
        of_films = (
            f"{self.films} films up to {self.film_bytes / 1e6:g} MB, {self.film_s:g} s and {self.film_frames} frames, "
            f"{self.film_upload_s:g} s to arrive, {self.film_work_s:g} s to be mapped, kept {self.film_keep_s:g} s"
        )
        return (
            f"bodies up to {self.body_bytes / 1e6:g} MB within {self.body_s:g} s, {self.buffered_bytes / 1e6:g} MB "
            f"together, pictures up to {self.pixels / 1e6:g} megapixels, {self.decodes} at a time, others wait up to "
            f"{self.queue_s:g} s, {rate}, size up to {self.size_px}, tile up to {self.tile}, "
            f"{of_films if films else 'no films'}, {self.drain_s:g} s to finish on a stop"
        )


@dataclass(frozen=True)
class ServeOptions:
    """What an application is made of.

    Attributes:
        models: names and files of the models that may be asked for; the first is the default.
        backend: what runs them; by default what ``midas predict`` takes for one picture, so that the bytes are equal.
        device: where.
        precision: in which number format.
        interpolation: how maps become as large as their pictures; None for each model's own way.
        threads: of the network for one picture; None is one per physical core.
        offline: whether no weights may be downloaded.
        batch: how many pictures go through the network at once; None is 8 on a graphics card and 1 on a processor.
        batch_wait_s: how long the first of a batch waits for others, in seconds.
        keys: secrets, one of which each request must bear; empty where none is needed.
        films: whether films are taken too, where ``midas-depth[video]`` is installed. Each process knows its own, so
            that several processes take none.
        cors_origins: other sites whose pages may call the API, each as ``https://host:port``.
        hosts: names by which clients may ask for this server, beside addresses of numbers; empty for any. A site may
            have its own name lead to this machine while its page is open, and is this server then to the browser.
        limits: what a request may cost.
    """

    models: tuple[str, ...] = (DEFAULT_MODEL,)
    backend: str = QUICK
    device: str = AUTO
    precision: str = AUTO
    interpolation: Restoration | None = None
    threads: int | None = None
    offline: bool = False
    batch: int | None = None
    batch_wait_s: float = 0.004
    keys: tuple[str, ...] = field(default=(), repr=False)
    films: bool = True
    cors_origins: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        for name in ("models", "keys", "cors_origins", "hosts"):
            given = getattr(self, name)
            if not isinstance(given, tuple) or not all(isinstance(each, str) for each in given):
                shown = "something else" if name == "keys" else repr(given)
                raise ConfigError(f"{name} is {shown}; expected a tuple of texts")
        if not self.models:
            raise ConfigError("no model to serve; expected at least one name or file")
        if self.batch is not None and not (isinstance(self.batch, Integral) and self.batch >= 1):
            raise ConfigError(f"batch is {self.batch!r}; expected a whole number of at least 1")
        wait_s = self.batch_wait_s
        if not (isinstance(wait_s, Real) and math.isfinite(wait_s) and wait_s >= 0):
            raise ConfigError(f"batch_wait_s is {wait_s!r}; expected a number of seconds of at least 0")
        if not isinstance(self.limits, Limits):
            raise ConfigError(f"limits is a {type(self.limits).__name__}; expected Limits")
        if not all(_ORIGIN.fullmatch(origin) for origin in self.cors_origins):
            raise ConfigError(
                f"origins {', '.join(self.cors_origins)}: expected each as browsers say it, https://host or "
                "https://host:port in small letters with nothing behind it, and no *"
            )

    def to_json(self) -> str:
        """All but the keys, for ``from_environment``."""
        return json.dumps({name: value for name, value in asdict(self).items() if name != "keys"})

    @classmethod
    def from_environment(cls) -> ServeOptions:
        """The options that two variables of the environment hold; those that aren't there are the default.

        Raises:
            ConfigError: they hold something else.
        """
        try:
            given = json.loads(os.environ.get(OPTIONS_VARIABLE, "{}"))
            limits = Limits(**given.pop("limits", {}))
            for name in {"models", "cors_origins", "hosts"} & set(given):
                given[name] = tuple(given[name])
            return cls(**given, keys=keys_from(None, KEYS_VARIABLE), limits=limits)
        except (ValueError, TypeError, AttributeError) as error:
            raise ConfigError(
                f"${OPTIONS_VARIABLE} can't be read: {error}; expected JSON with the names of ServeOptions"
            ) from error


@dataclass(frozen=True)
class Address:
    """Where a server listens, and how its processes are laid out.

    Attributes:
        host: a name or number of this machine.
        port: 0 for any that is free.
        processes: how many share the port.
        root_path: what a proxy in front cuts off the path, for instance ``/depth``.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    processes: int = 1
    root_path: str = ""

    def __post_init__(self) -> None:
        if self.root_path and (not self.root_path.startswith("/") or self.root_path.endswith("/")):
            raise ConfigError(f"the root path is {self.root_path!r}; expected one such as /depth")

    @property
    def is_private(self) -> bool:
        """Whether only this machine reaches it."""
        return self.host in LOOPBACK

    def names(self, others: Sequence[str], *, has_keys: bool) -> tuple[str, ...]:
        """By which names clients may ask for the server; empty for any.

        Only who needs no key can do something by another name, and only here does nobody else hold the name.

        Args:
            others: further names, in small letters as browsers say them.
            has_keys: whether a key is asked for.
        """
        is_open = has_keys or not self.is_private
        return () if is_open and not others else ("localhost", *(name.lower() for name in others))

    def url(self, port: int) -> str:
        """Of the page."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{port}{self.root_path}/"


def check_exposure(address: Address, options: ServeOptions, *, insecure: bool) -> None:
    """Make sure that nothing is open to a network by accident.

    Raises:
        ConfigError: other machines could reach the server, and it asks for no key.
    """
    if address.is_private or options.keys or insecure:
        return
    raise ConfigError(
        f"on {address.host} other machines reach the server, and no key protects it; give a --key-file, or --insecure "
        "where something in front of it asks for one, or keep to 127.0.0.1"
    )


def keys_from(file: Path | None, variable: str) -> tuple[str, ...]:
    """The keys of a file, one a line (``#`` begins a remark), or of a variable of the environment, between blanks.

    Raises:
        ConfigError: a file that can't be read or holds none, or a key of fewer than 16 characters.
    """
    if file is None:
        lines = os.environ.get(variable, "").split()
        where = f"${variable}"
    else:
        where = str(file)
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{file} can't be read as a file of keys: {error}; expected one key a line") from error
    keys = tuple(line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#"))
    if file is not None and not keys:
        raise ConfigError(f"{file} holds no key; expected one a line")
    if any(len(key) < 16 or not key.isascii() or len(key.split()) != 1 for key in keys):
        raise ConfigError(
            f"a key in {where} is too short or holds blanks; expected 16 ASCII characters or more: openssl rand -hex 24"
        )
    return keys
