"""Who may ask, and how often."""

from __future__ import annotations

import hashlib
import hmac
import math
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

from midas.serving.problems import ProblemError

# Beyond, the client that asked longest ago is forgotten.
_MOST_CLIENTS = 10_000

_SCHEME = "bearer"

# A name or an address of version 4, or one of version 6 in brackets; and perhaps a port.
_HOST = re.compile(r"([0-9A-Za-z._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")


class Keys:
    """The keys of a server.

    Args:
        secrets: none where everybody may ask.
    """

    def __init__(self, secrets: Sequence[str]) -> None:
        # Digests have one length, so that comparing takes one time.
        self._digests = [_digest(secret) for secret in secrets]

    def __bool__(self) -> bool:
        return bool(self._digests)

    def client_of(self, authorization: str | None, address: str) -> str:
        """Who asks: the key's number, or the address where no key is needed.

        Raises:
            ProblemError: 401, no key or a wrong one.
        """
        if not self._digests:
            return address
        scheme, _, secret = (authorization or "").partition(" ")
        given = _digest(secret.strip())
        # All are compared, so that the time doesn't tell which one came near.
        matches = [hmac.compare_digest(given, known) for known in self._digests]
        if scheme.lower() != _SCHEME or not any(matches):
            what = "the key is wrong" if authorization else "there is no key"
            raise ProblemError(
                401, f"{what}; expected the header Authorization: Bearer KEY", headers={"WWW-Authenticate": "Bearer"}
            )
        return f"key {matches.index(True)}"


class Rate:
    """So many requests a minute for each client, as a bucket of tokens that refills evenly.

    Args:
        per_minute: requests; 0 for no limit.
        clock: seconds that pass.
    """

    def __init__(self, per_minute: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_s = per_minute / 60
        self._most = max(1.0, per_minute / 6)  # ten seconds' worth at once
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str) -> None:
        """Count a request.

        Raises:
            ProblemError: 429, with the seconds until the next one may come.
        """
        if not self._per_s:
            return
        now = self._clock()
        tokens, since = self._buckets.pop(client, (self._most, now))
        tokens = min(self._most, tokens + (now - since) * self._per_s)
        taken = tokens >= 1
        self._buckets[client] = (tokens - taken, now)
        while len(self._buckets) > _MOST_CLIENTS:
            self._buckets.popitem(last=False)
        if not taken:
            seconds = max(1, math.ceil((1 - tokens) / self._per_s))
            raise ProblemError(
                429,
                f"these are more than {60 * self._per_s:g} requests a minute; try again in {seconds} s",
                headers={"Retry-After": str(seconds)},
            )


def check_host(asked: str, names: Sequence[str]) -> None:
    """Make sure that a client means this server.

    A page may let its own name lead to this machine, and its browser then takes this server for the page's own. Only
    a name can do so, an address of numbers can't.

    Args:
        asked: the header ``Host``: a name or an address, with or without a port.
        names: of this server; empty for any.

    Raises:
        ProblemError: 403, the name is none of them.
    """
    name = urlsplit(f"//{asked}").hostname or "" if _HOST.fullmatch(asked) else ""
    if not names or name in names or name.endswith(".localhost"):
        return
    try:
        ip_address(name)
    except ValueError:
        what = f"the server was asked for as {asked[:100]!r}, which isn't one of its names"
        raise ProblemError(
            403, f"{what}; expected {', '.join(names)}, or an address of numbers; --allow-host gives it others"
        ) from None


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()
