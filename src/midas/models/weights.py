"""Reading, checking and writing weight files. Nothing in a file is ever executed."""

from __future__ import annotations

import json
import pickle
import re
import struct
import tarfile
import warnings
from collections.abc import Mapping
from io import BufferedWriter
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

from midas.errors import OutputError, WeightsError
from midas.storage.atomic import atomic_file

_HEAD_BYTES = 64
_ZIP = b"PK\x03\x04"
_PICKLE = b"\x80"
_GIT_LFS = b"version https://git-lfs"

# The names of number formats in safetensors files.
_DTYPE_NAMES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}

# Under these keys programs that train keep the network's tensors, beside the optimizer's and other things.
_WRAPPERS = ("state_dict", "model_state_dict", "model")
# What wrappers of networks put in front of every name.
_PREFIXES = ("module.", "_orig_mod.")

# What torch.load raises for a damaged or forbidden file, collected by changing bytes of good ones at random.
_UNREADABLE = (
    OSError,
    EOFError,
    RuntimeError,
    pickle.UnpicklingError,
    struct.error,
    AssertionError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)


# What a file wants to be made, in PyTorch's refusals.
_ASKED_FOR = re.compile(r"GLOBAL `?([A-Za-z_][\w.]*)")
_SIGNS = {
    "TorchScript": "it is a program in TorchScript",
    "central directory": "its end is missing",
    "weights_only": "it is a pickle of something else",
}


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """All tensors of a weight file by name, on the CPU; what the file is, its content says.

    It may be a safetensors file or one that PyTorch wrote. Of a checkpoint the part that holds the network counts, and
    what parallel training and compiling put in front of every name is taken away.

    Raises:
        WeightsError: the file is missing, damaged, neither of the two, or holds more than tensors.
    """
    path = Path(path)
    head = _read_head(path)
    state = read_safetensors(path) if _is_safetensors(head) else _read_pytorch(path, head)
    return without_prefixes(state)


def read_safetensors(path: str | Path) -> dict[str, Tensor]:
    """All tensors of a safetensors file by name.

    Raises:
        WeightsError: the file is missing or damaged.
    """
    try:
        return load_file(str(path))
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{path} can't be read as safetensors: {error}") from error


def read_safetensors_metadata(path: str | Path) -> dict[str, str]:
    """What a safetensors file says of itself; empty if it says nothing, as files of other kinds do.

    Raises:
        WeightsError: the file is missing or damaged.
    """
    if not _is_safetensors(_read_head(Path(path))):
        return {}
    try:
        with safe_open(str(path), framework="pt") as file:
            return dict(file.metadata() or {})
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{path} can't be read as safetensors: {error}") from error


def without_prefixes(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same tensors without what wrappers of networks put in front of every name, in whatever order they lie."""
    while state:
        prefix = next((each for each in _PREFIXES if all(name.startswith(each) for name in state)), None)
        if prefix is None:
            break
        state = {name.removeprefix(prefix): tensor for name, tensor in state.items()}
    return state


def write_safetensors(
    state: Mapping[str, Tensor], path: Path, metadata: Mapping[str, str], *, overwrite: bool = False
) -> None:
    """Write tensors by name, at once or not at all.

    Args:
        state: tensors of any layout, on any device; they may share memory.
        path: where to write.
        metadata: what the file says of itself.
        overwrite: whether a file of that name may be replaced.

    Raises:
        OutputError: the file exists or can't be written.
    """
    tensors: dict[str, Tensor] = {}
    memory: set[int] = set()
    for name, tensor in state.items():
        if tensor.dtype not in _DTYPE_NAMES:
            raise OutputError(f"{path} can't hold {name}, which is {tensor.dtype}")
        tensor = tensor.detach().cpu().contiguous()
        # The format has no notion of shared memory: each name gets its own.
        place = tensor.untyped_storage().data_ptr()
        tensors[name] = tensor.clone() if place in memory else tensor
        memory.add(place)
    with atomic_file(path, overwrite=overwrite) as file:
        _write_tensors(file, tensors, metadata)


def _write_tensors(file: BufferedWriter, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """The safetensors format: the length of a header in JSON, the header, and the tensors one after the other.

    The library's own ``save_file`` writes a file of its own beside ours, which is readable by its owner alone and stays
    when the process is killed; its ``save`` holds a copy of all tensors.
    """
    # The widest first, so that each begins at a multiple of its numbers' width.
    order = sorted(tensors, key=lambda name: (-tensors[name].element_size(), name))
    header: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    end = 0
    for name in order:
        tensor, begin = tensors[name], end
        end += tensor.numel() * tensor.element_size()
        header[name] = {
            "dtype": _DTYPE_NAMES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [begin, end],
        }
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    file.write(struct.pack("<Q", len(text)) + text)
    for name in order:
        if tensors[name].numel():
            file.write(tensors[name].reshape(-1).view(torch.uint8).numpy().data)


def load_exactly(
    network: nn.Module,
    state: Mapping[str, Tensor],
    *,
    dropped: tuple[str, ...] = (),
    published: Mapping[str, str] | None = None,
    assign: bool = False,
) -> None:
    """Fill every parameter and buffer of a network, and use up every tensor given.

    Args:
        network: filled in place.
        state: tensors by the network's own names.
        dropped: names that may stand in ``state`` and are left out on purpose.
        published: the name that a tensor has where it comes from, for messages.
        assign: whether the tensors themselves become the network's, and not copies of them: float32 ones stay where
            they are, for instance in a file that is mapped into memory.

    Raises:
        WeightsError: names are missing or left over, or shapes differ; the first ones are named.
    """
    own = network.state_dict()
    given = {name: tensor for name, tensor in state.items() if name not in dropped}
    # Counts batches only; files written before PyTorch had it lack it, and inference never reads it.
    missing = [name for name in own if name not in given and not name.endswith("num_batches_tracked")]
    unexpected = [name for name in given if name not in own]
    reshaped = [name for name in own if name in given and own[name].shape != given[name].shape]
    for problem, names in (("missing", missing), ("unexpected", unexpected), ("of another shape", reshaped)):
        if names:
            first = ", ".join((published or {}).get(name, name) for name in names[:3])
            raise WeightsError(f"{len(names)} tensors are {problem}, first: {first}")
    if assign:
        given = {name: tensor.to(own[name].dtype).requires_grad_(False) for name, tensor in given.items()}
    network.load_state_dict(given, strict=False, assign=assign)


def _read_head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_HEAD_BYTES)
    except OSError as error:
        raise WeightsError(f"{path} can't be read: {error.strerror or error}") from error


def _is_safetensors(head: bytes) -> bool:
    """Whether a file begins with the length of a header, in eight bytes, and with a header in JSON."""
    return head[8:9] == b"{"


def _read_pytorch(path: Path, head: bytes) -> dict[str, Tensor]:
    # PyTorch before 2.6 runs what a file in its oldest form, a tar archive, asks for, even with `weights_only`.
    zipped = head.startswith(_ZIP)
    if not zipped and (not head.startswith(_PICKLE) or tarfile.is_tarfile(path)):
        raise WeightsError(
            f"{path} {_guess(head)}; expected safetensors, or a file that PyTorch wrote: download or copy it again"
        )
    # Mapped into memory where that is possible. That needs the name, which says more to PyTorch than the content.
    mapped = zipped and not path.name.endswith(".safetensors")
    try:
        with warnings.catch_warnings(), path.open("rb") as file:
            warnings.simplefilter("ignore")  # of old forms of pickle; what matters raises
            content = torch.load(path if mapped else file, map_location="cpu", weights_only=True, mmap=mapped)
    except _UNREADABLE as error:
        raise WeightsError(
            f"{path} is damaged, or holds more than tensors ({_reason(error)}); nothing in it was executed. Get it "
            "again, or have the program that wrote it save the network's state_dict() alone"
        ) from error
    return _tensors(path, content)


def _reason(error: Exception) -> str:
    """Why, in our words: PyTorch's are advice to read the file in a way that executes what it asks for."""
    text = str(error)
    asked_for = _ASKED_FOR.search(text)
    if asked_for:
        return f"it asks for {asked_for[1]}"
    if isinstance(error, EOFError):
        return "its end is missing"
    return next((words for sign, words in _SIGNS.items() if sign in text), type(error).__name__)


def _guess(head: bytes) -> str:
    """What a file is that isn't weights."""
    start = head.lstrip()
    if not start:
        return "is empty"
    if start.startswith(b"<"):
        return "is a web page, not weights"
    return "is a pointer of Git LFS, not the file itself" if start.startswith(_GIT_LFS) else "is not a weight file"


def _tensors(path: Path, content: Any) -> dict[str, Tensor]:
    while isinstance(content, Mapping):
        inner = next((content[key] for key in _WRAPPERS if isinstance(content.get(key), Mapping)), None)
        if inner is None:
            break
        content = inner
    if not isinstance(content, Mapping) or not content:
        raise WeightsError(f"{path} holds {type(content).__name__}; expected a mapping of names to tensors")
    for name, tensor in content.items():
        if not isinstance(name, str) or not isinstance(tensor, Tensor):
            raise WeightsError(f"{path} holds {type(tensor).__name__} under {name!r}; expected a tensor")
    return {name: tensor.detach() for name, tensor in content.items()}
