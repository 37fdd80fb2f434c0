"""Damage, of the kinds that disks, transfers, editors and people who mean harm do; the same for the same numbers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

_HEADER_BYTES = 256
_EXTREMES = [0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]

_Mutation = Callable[[bytearray, np.random.Generator], bytes]


def mutate(content: bytes, rng: np.random.Generator, other: bytes = b"") -> bytes:
    """A damaged version of a file.

    Args:
        content: the whole file.
        rng: what the damage depends on.
        other: another file, part of which may come to lie in this one.
    """
    if other and rng.random() < 0.05:
        cut, begin = int(rng.integers(len(content))), int(rng.integers(len(other)))
        return content[:cut] + other[begin:]
    names = list(MUTATIONS)
    damaged = bytearray(content)
    for name in rng.choice(names, rng.choice([1, 1, 1, 2, 3])):
        damaged = bytearray(MUTATIONS[name](damaged, rng)) if damaged else damaged
    return bytes(damaged)


def _place(content: bytearray, rng: np.random.Generator) -> int:
    """A place, in the header as often as in the rest."""
    return int(rng.integers(min(len(content), _HEADER_BYTES) if rng.random() < 0.5 else len(content)))


def _bits(content: bytearray, rng: np.random.Generator) -> bytes:
    for _ in range(int(rng.integers(1, 9))):
        content[_place(content, rng)] ^= 1 << int(rng.integers(8))
    return content


def _bytes(content: bytearray, rng: np.random.Generator) -> bytes:
    for _ in range(int(rng.integers(1, 9))):
        content[_place(content, rng)] = int(rng.integers(256))
    return content


def _extreme(content: bytearray, rng: np.random.Generator) -> bytes:
    at, width = _place(content, rng), int(rng.choice([1, 2, 4]))
    number = int(rng.choice(_EXTREMES)) & ((1 << 8 * width) - 1)
    content[at : at + width] = number.to_bytes(width, str(rng.choice(["big", "little"])))  # type: ignore[arg-type]
    return content


def _cut(content: bytearray, rng: np.random.Generator) -> bytes:
    return content[: int(rng.integers(len(content)))]


def _cut_end(content: bytearray, rng: np.random.Generator) -> bytes:
    return content[: -int(rng.integers(1, 40))]


def _zeros(content: bytearray, rng: np.random.Generator) -> bytes:
    at, length = _place(content, rng), int(rng.choice([16, 64, 512]))
    content[at : at + length] = bytes(len(content[at : at + length]))
    return content


def _lost(content: bytearray, rng: np.random.Generator) -> bytes:
    at = _place(content, rng)
    del content[at : at + int(rng.choice([1, 2, 16, 512]))]
    return content


def _twice(content: bytearray, rng: np.random.Generator) -> bytes:
    at, length = _place(content, rng), int(rng.choice([4, 64, 512]))
    return content[: at + length] + content[at:]


def _foreign(content: bytearray, rng: np.random.Generator) -> bytes:
    at = _place(content, rng)
    return content[:at] + rng.bytes(int(rng.choice([1, 8, 200]))) + content[at:]


def _as_text(content: bytearray, rng: np.random.Generator) -> bytes:
    return bytes(content).replace(b"\n", b"\r\n") if rng.random() < 0.5 else bytes(byte & 0x7F for byte in content)


MUTATIONS: dict[str, _Mutation] = {
    "bits": _bits,
    "bytes": _bytes,
    "extreme numbers": _extreme,
    "cut off": _cut,
    "end lost": _cut_end,
    "zeros": _zeros,
    "bytes lost": _lost,
    "bytes twice": _twice,
    "foreign bytes": _foreign,
    "sent as text": _as_text,
}
