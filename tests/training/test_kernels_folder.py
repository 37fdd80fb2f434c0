"""The layers in C++ are compiled for one processor: another one that shares the cache's folder compiles its own."""

from __future__ import annotations

import pytest

from midas.training import kernels


def test_each_kind_of_processor_has_a_folder_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    folders = []
    for flags in ({"avx2"}, {"avx2", "avx512f"}, {"avx512f", "avx2"}):
        monkeypatch.setattr(kernels, "cpu_flags", lambda flags=flags: frozenset(flags))
        folders.append(kernels.build_folder())
    assert folders[0] != folders[1] == folders[2]


def test_each_kind_of_machine_has_a_folder_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "cpu_flags", frozenset)
    folders = []
    for machine in ("x86_64", "arm64"):
        monkeypatch.setattr(kernels.platform, "machine", lambda machine=machine: machine)
        folders.append(kernels.build_folder())
    assert folders[0] != folders[1]
