"""Weight files as we write them are what the safetensors library reads, with the mode of any other file."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from midas.errors import OutputError
from midas.models.weights import write_safetensors

DTYPES = [
    torch.float64,
    torch.float32,
    torch.float16,
    torch.bfloat16,
    torch.int64,
    torch.int32,
    torch.int16,
    torch.int8,
]


def test_every_kind_of_tensor_is_read_back_by_the_library(tmp_path: Path) -> None:
    state = {f"numbers.{dtype}": (torch.arange(15).reshape(3, 5) - 7).to(dtype) for dtype in DTYPES}
    state |= {
        "bytes": torch.arange(7, dtype=torch.uint8),
        "switches": torch.tensor([True, False, True]),
        "single": torch.tensor(3.5),
        "nothing": torch.zeros(0, 4),
        "transposed": torch.arange(6.0).reshape(2, 3).T,
        "channels last": torch.arange(24.0).reshape(1, 2, 3, 4).to(memory_format=torch.channels_last),
        "names in Greek: αβγ": torch.ones(1),
    }
    state["shared"] = state["single"]
    metadata = {"midas.name": "tiny", "note": 'quotes " and 東京'}
    write_safetensors(state, tmp_path / "a.safetensors", metadata)
    again = load_file(str(tmp_path / "a.safetensors"))
    assert again.keys() == state.keys()
    assert all(torch.equal(again[name], state[name]) and again[name].dtype == state[name].dtype for name in state)
    with safe_open(str(tmp_path / "a.safetensors"), framework="pt") as file:
        assert file.metadata() == metadata
    assert [path.name for path in tmp_path.iterdir()] == ["a.safetensors"]


def test_two_writings_are_the_same_bytes(tmp_path: Path) -> None:
    state = {"b": torch.ones(3), "a": torch.ones(2, dtype=torch.float16)}
    write_safetensors(state, tmp_path / "first", {"x": "y"})
    write_safetensors(dict(reversed(state.items())), tmp_path / "second", {"x": "y"})
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


@pytest.mark.skipif(sys.platform == "win32", reason="modes are those of Unix")
def test_the_mode_is_the_one_that_the_umask_leaves(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        write_safetensors({"a": torch.ones(1)}, tmp_path / "a.safetensors", {})
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.safetensors").stat().st_mode) == 0o644


def test_numbers_that_the_format_lacks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="complex64"):
        write_safetensors({"a": torch.ones(1, dtype=torch.complex64)}, tmp_path / "a.safetensors", {})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="limits are those of Linux")
def test_a_file_that_grows_too_large_for_its_disk_is_an_error_of_the_output(tmp_path: Path) -> None:
    import resource
    import signal

    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(OutputError, match="File too large"):
            write_safetensors({"a": torch.ones(1_000_000)}, tmp_path / "a.safetensors", {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert list(tmp_path.iterdir()) == []
