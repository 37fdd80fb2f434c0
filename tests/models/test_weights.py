"""Weight files: read by their content, written whole, and never executed."""

from __future__ import annotations

import io
import pickle
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from midas.errors import OutputError, WeightsError
from midas.models.weights import read_safetensors_metadata, read_weights, write_safetensors

STATE = {"conv.weight": torch.arange(24.0).reshape(2, 3, 2, 2), "norm.num_batches_tracked": torch.tensor(7)}


class Malice:
    """A pickle of this creates a file where it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str, str]]:
        return open, (str(self.path), "w")


def write_zip(content: object, path: Path) -> None:
    torch.save(content, path)


def write_legacy(content: object, path: Path) -> None:
    torch.save(content, path, _use_new_zipfile_serialization=False)


def write_plain_pickle(content: object, path: Path) -> None:
    path.write_bytes(pickle.dumps(content))


every_pytorch_form = pytest.mark.parametrize("write", [write_zip, write_legacy])


def assert_same(actual: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert actual.keys() == expected.keys()
    for name, tensor in expected.items():
        assert actual[name].dtype == tensor.dtype
        assert torch.equal(actual[name], tensor)


# ── reading ─────────────────────────────────────────────────────────────────


@every_pytorch_form
@pytest.mark.parametrize("name", ["net.pt", "net.safetensors", "net"])
def test_a_file_of_pytorch_is_read_whatever_its_name(
    name: str, write: Callable[[object, Path], None], tmp_path: Path
) -> None:
    write(STATE, tmp_path / name)
    assert_same(read_weights(tmp_path / name), STATE)


@pytest.mark.parametrize("name", ["net.pt", "net.safetensors", "net"])
def test_a_safetensors_file_is_read_whatever_its_name(name: str, tmp_path: Path) -> None:
    write_safetensors(STATE, tmp_path / name, {})
    assert_same(read_weights(str(tmp_path / name)), STATE)


@every_pytorch_form
@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: {"optimizer": {"lr": 0.1}, "model": state},
        lambda state: {"state_dict": state, "epoch": 3},
        lambda state: {"model": {"state_dict": state}},
        lambda state: {f"module.{name}": tensor for name, tensor in state.items()},
        lambda state: {"model": {f"module._orig_mod.{name}": tensor for name, tensor in state.items()}},
        lambda state: {"model_state_dict": {f"_orig_mod.module.{name}": tensor for name, tensor in state.items()}},
        lambda state: {name: torch.nn.Parameter(tensor, requires_grad=False) for name, tensor in state.items()},
    ],
    ids=["training run", "state_dict", "nested", "parallel", "compiled", "parallel, then compiled", "parameters"],
)
def test_the_network_is_found_in_what_is_around_it(
    wrap: Callable[[dict[str, Tensor]], object], write: Callable[[object, Path], None], tmp_path: Path
) -> None:
    write(wrap(STATE), tmp_path / "net.pt")
    assert_same(read_weights(tmp_path / "net.pt"), STATE)


def test_a_prefix_that_only_some_names_have_is_theirs(tmp_path: Path) -> None:
    state = {"module.weight": STATE["conv.weight"], "weight": STATE["conv.weight"]}
    write_zip(state, tmp_path / "net.pt")
    assert list(read_weights(tmp_path / "net.pt")) == list(state)


# ── refusing ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("write", [write_zip, write_legacy, write_plain_pickle])
def test_nothing_in_a_file_is_executed(write: Callable[[object, Path], None], tmp_path: Path) -> None:
    write({"conv.weight": Malice(tmp_path / "trace")}, tmp_path / "net.pt")
    with pytest.raises(WeightsError, match="nothing in it was executed"):
        read_weights(tmp_path / "net.pt")
    assert not (tmp_path / "trace").exists()


def test_an_archive_that_begins_as_a_pickle_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "net.pt", "w", encoding="latin-1") as archive:
        archive.addfile(tarfile.TarInfo("\x80\x02pickle"), io.BytesIO())
    with pytest.raises(WeightsError, match="is not a weight file"):
        read_weights(tmp_path / "net.pt")


@every_pytorch_form
@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_a_truncated_file_is_said_so(share: float, write: Callable[[object, Path], None], tmp_path: Path) -> None:
    path = tmp_path / "net.pt"
    write({"weight": torch.zeros(1000)}, path)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(WeightsError, match=r"net\.pt is damaged"):
        read_weights(path)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty"),
        (b"\n<!DOCTYPE html><html>Not found</html>", "is a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00", "is a pointer of Git LFS"),
        (b"\x08\x07\x12\x07pytorch", "is not a weight file"),
        (b"\x10\0\0\0\0\0\0\0{broken", "can't be read as safetensors"),
    ],
    ids=["empty", "web page", "Git LFS", "ONNX", "safetensors"],
)
def test_what_is_no_weight_file_is_named(content: bytes, problem: str, tmp_path: Path) -> None:
    (tmp_path / "net.pt").write_bytes(content)
    with pytest.raises(WeightsError, match=rf"net\.pt {problem}"):
        read_weights(tmp_path / "net.pt")


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ([STATE["conv.weight"]], "holds list"),
        ({}, "holds dict"),
        ({"weight": 3}, "holds int under 'weight'"),
        ({1: STATE["conv.weight"]}, "holds Tensor under 1"),
    ],
    ids=["list", "nothing", "number", "numbered"],
)
def test_a_file_of_something_else_than_named_tensors_is_refused(content: object, found: str, tmp_path: Path) -> None:
    write_zip(content, tmp_path / "net.pt")
    with pytest.raises(WeightsError, match=found):
        read_weights(tmp_path / "net.pt")


@pytest.mark.parametrize("read", [read_weights, read_safetensors_metadata])
def test_a_missing_file_is_said_so(read: Callable[[Path], object], tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"net\.pt can't be read: No such file"):
        read(tmp_path / "net.pt")


# ── writing ─────────────────────────────────────────────────────────────────


def test_tensors_that_share_memory_or_lie_in_strides_are_written(tmp_path: Path) -> None:
    weight = STATE["conv.weight"]
    state = {"a": weight, "b": weight, "c": weight[0], "d": weight.transpose(0, 1), "e": weight[:0]}
    write_safetensors(state, tmp_path / "net.safetensors", {})
    assert_same(read_weights(tmp_path / "net.safetensors"), state)


def test_metadata_come_back_and_other_files_have_none(tmp_path: Path) -> None:
    for metadata in ({"midas.name": "tiny", "epoch": "3"}, {}):
        write_safetensors(STATE, tmp_path / "net.safetensors", metadata, overwrite=True)
        assert read_safetensors_metadata(tmp_path / "net.safetensors") == metadata
    write_zip(STATE, tmp_path / "net.pt")
    assert read_safetensors_metadata(tmp_path / "net.pt") == {}


def test_a_file_is_replaced_only_where_that_is_allowed(tmp_path: Path) -> None:
    write_safetensors(STATE, tmp_path / "net.safetensors", {})
    with pytest.raises(OutputError, match="exists already"):
        write_safetensors({}, tmp_path / "net.safetensors", {})
    assert_same(read_weights(tmp_path / "net.safetensors"), STATE)
    assert len(list(tmp_path.iterdir())) == 1
