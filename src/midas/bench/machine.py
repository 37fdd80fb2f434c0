"""What a table of times is worth nothing without: the machine and the versions."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from midas.pipeline import available_cores
from midas.version import __version__

PACKAGES = ("numpy", "onnxruntime", "opencv-python-headless", "openvino", "pillow", "timm", "torch")

_CPU_FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_bf16", "amx_int8")


@dataclass(frozen=True)
class Machine:
    """Where the measurements were made.

    Attributes:
        processor: its name, as the system has it.
        cores: processors that this process may use.
        features: vector and matrix units, where the system tells.
        memory_gb: of the machine; None where the system doesn't say.
        system: the operating system.
        python: its version.
        packages: versions of this package and of those that compute.
    """

    processor: str
    cores: int
    features: tuple[str, ...]
    memory_gb: float | None
    system: str
    python: str
    packages: dict[str, str] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """One line for a document."""
        packages = ", ".join(f"{name} {number}" for name, number in self.packages.items())
        features = f" ({', '.join(self.features)})" if self.features else ""
        memory = "" if self.memory_gb is None else f", {self.memory_gb:.0f} GB"
        cores = "1 core" if self.cores == 1 else f"{self.cores} cores"
        return f"{self.processor}{features}, {cores}{memory}, {self.system}, Python {self.python}, {packages}"


def describe_machine() -> Machine:
    """This one."""
    processor, flags = _processor()
    return Machine(
        processor,
        available_cores(),
        tuple(flag for flag in _CPU_FLAGS if flag in flags),
        _memory_gb(),
        platform.system(),
        platform.python_version(),
        {"midas-depth": __version__, **_versions()},
    )


def _processor() -> tuple[str, frozenset[str]]:
    path = Path("/proc/cpuinfo")
    fields: dict[str, str] = {}
    if path.exists():
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            key, _, value = line.partition(":")
            fields.setdefault(key.strip(), value.strip())
    name = fields.get("model name") or platform.processor() or platform.machine()
    codes = [f"{key} {fields[key]}" for key in ("cpu family", "model", "stepping") if key in fields]
    return f"{name}, {', '.join(codes)}" if codes else name, frozenset(fields.get("flags", "").split())


def _memory_gb() -> float | None:
    names = getattr(os, "sysconf_names", {})
    if "SC_PHYS_PAGES" not in names or "SC_PAGE_SIZE" not in names:
        return None
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
