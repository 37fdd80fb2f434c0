"""Which networks may run in bfloat16 without being asked for it: a table of measured facts, nothing is tried at start.

A difference is the mean of ``|reduced - float32|`` over the range of the float32 map, as ``benchmarks/precision.py``
measures it against PyTorch.
"""

from __future__ import annotations

import platform
from dataclasses import dataclass
from functools import cache
from pathlib import Path

LARGEST_DIFFERENCE = 0.01
"""The largest difference, on any picture measured, at which ``precision="auto"`` takes bfloat16."""

_CPU_INFO = Path("/proc/cpuinfo")
_BFLOAT16_FLAGS = frozenset({"amx_bf16", "avx512_bf16"})


@dataclass(frozen=True)
class Bfloat16:
    """How a network runs in bfloat16.

    Attributes:
        difference: the largest that was measured with trained weights; None where that wasn't possible, for there are
            none at hand. What untrained weights show says little: with all of the embedded network rounded they
            depart by 0.007, trained ones by 0.04.
        float32_until: all that stands before the end of this module stays in float32.
        scope: what the names of that module's operations begin with in a file that ``midas export`` wrote.
    """

    difference: float | None
    float32_until: str
    scope: str


# What a reduced precision does to these is done by the rounded *weights* of the first block: few taps on smooth,
# positive maps of high resolution, whose errors are the same at every pixel and don't average out. With the stem and
# that block in float32, one multiply-add in forty, the largest difference falls from 5 % to half a percent; the next
# block in float32 too makes no difference worth its time. Rounding the decoder changes less than 1e-4, the head 1e-3.
_FIRST_BLOCK = ("encoder.network.blocks.0", "/encoder/network/blocks.0/")
FACTS: dict[str, Bfloat16] = {
    "midas_nano_256": Bfloat16(0.0053, *_FIRST_BLOCK),
    "midas_v21_small_256": Bfloat16(None, *_FIRST_BLOCK),
}


def how_to_run(model: str | None) -> Bfloat16 | None:
    """How that network runs in bfloat16; None where nothing is known about it."""
    return FACTS.get(model or "")


def is_exact(model: str | None) -> bool:
    """Whether that network is known to run in bfloat16 so exactly that nobody need ask for it."""
    fact = how_to_run(model)
    return fact is not None and fact.difference is not None and fact.difference <= LARGEST_DIFFERENCE


@cache
def _cpu_info() -> dict[str, str]:
    """What Linux says of the first processor, line by line; nothing elsewhere."""
    if platform.system() != "Linux" or not _CPU_INFO.is_file():
        return {}
    first, _, _ = _CPU_INFO.read_text(encoding="ascii", errors="replace").partition("\n\n")
    said = (line.partition(":") for line in first.splitlines())
    return {name.strip(): value.strip() for name, _, value in said}


def cpu_flags() -> frozenset[str]:
    """What this processor can do, by the names of Linux; none elsewhere, where nothing says so."""
    return frozenset(_cpu_info().get("flags", "").split())


def cpu_has_bfloat16() -> bool:
    """Whether this processor multiplies in bfloat16 by itself; only Linux says so, elsewhere the answer is no."""
    return not _BFLOAT16_FLAGS.isdisjoint(cpu_flags())


def bfloat16_is_faster() -> bool:
    """Whether networks are faster in bfloat16 than in float32 here: with matrix units, and on AMD without.

    Intel's have matrix units (AMX), which a host may hide from its guests. What is left, ``avx512_bf16``, multiplies
    matrices at 0.6 of float32's speed there (202 against 343 GFLOP/s, Xeon model 207).
    """
    return cpu_has_bfloat16() and ("amx_bf16" in cpu_flags() or _cpu_info().get("vendor_id") == "AuthenticAMD")
