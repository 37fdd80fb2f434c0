"""Any weight file that we can load becomes a safetensors file with our names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from midas.errors import OutputError, WeightsError, net
from midas.models.factory import create_model, form_of
from midas.models.identification import identify
from midas.models.namesakes import check_meaning
from midas.models.onnx_names import INPUT_KEY, KIND_KEY, LICENCE_KEY, NAME_KEY
from midas.models.specs import ModelSpec
from midas.models.weights import read_safetensors, read_safetensors_metadata, read_weights, write_safetensors
from midas.models.zoo import find_model, find_weights_file
from midas.storage.partial_files import sha256_of

SOURCE_KEY = "midas.source_sha256"


@dataclass(frozen=True)
class ConvertReport:
    """What was written.

    Attributes:
        path: the file.
        model: name of the model whose weights they are.
        tensors: number of tensors.
        source_sha256: SHA-256 of the file that they come from.
    """

    path: Path
    model: str
    tensors: int
    source_sha256: str


def convert_weights(source: Path, target: Path, *, model: str | None = None, overwrite: bool = False) -> ConvertReport:
    """Write a model's weights as safetensors with our names, and compare the file with what it was made from.

    The file says which model it is, the licence of the weights, how a picture becomes the network's input, and the
    SHA-256 of the source. What a safetensors source says of itself is kept.

    Args:
        source: official weights, Hugging Face's, or our own.
        target: where to write.
        model: a name from the table; None finds it out.
        overwrite: whether a file of that name may be replaced.

    Raises:
        ModelError: no such model.
        WeightsError: the source is damaged, not the published file of its name, or doesn't fit the model.
        OutputError: the target exists or can't be written.
    """
    if target.exists() and not overwrite:  # before the work, not after
        raise OutputError(f"{target} exists already: choose another name, or allow overwriting")
    with net(f"{source} can't be converted", WeightsError, "get the file again", item=str(source)):
        return _converted(source, target, model, overwrite)


def _converted(source: Path, target: Path, model: str | None, overwrite: bool) -> ConvertReport:
    state = read_weights(source)
    source_sha256 = sha256_of(source)
    _check_published(source, source_sha256)
    spec = form_of(find_model(identify(source) if model is None else model), state)
    check_meaning(source, spec, read_safetensors_metadata(source).get(NAME_KEY))
    converted = create_model(spec.name, weights=state).state_dict()
    metadata = _metadata(spec, read_safetensors_metadata(source)) | {SOURCE_KEY: source_sha256}
    write_safetensors(converted, target, metadata, overwrite=overwrite)
    _compare(converted, target)
    return ConvertReport(target, spec.name, len(converted), source_sha256)


def _metadata(spec: ModelSpec, said: dict[str, str]) -> dict[str, str]:
    table = {
        NAME_KEY: spec.name,
        LICENCE_KEY: spec.weights.licence,
        INPUT_KEY: spec.input.to_metadata(),
        KIND_KEY: spec.kind,
    }
    # A file of another model than it says is the user's to name, and nothing else that it says can be trusted.
    return table | said if said.get(NAME_KEY, spec.name) == spec.name else table


def _check_published(path: Path, sha256: str) -> None:
    published = find_weights_file(path.name)
    if published is not None and not sha256.startswith(published[1].sha256_prefix):
        raise WeightsError(
            f"{path} bears the name of a published file and isn't that file: its SHA-256 begins with {sha256[:8]}, "
            f"expected {published[1].sha256_prefix}; download it again, or rename it if it is your own"
        )


def _compare(state: dict[str, torch.Tensor], path: Path) -> None:
    written = read_safetensors(path)
    if written.keys() != state.keys() or not all(torch.equal(written[name], state[name]) for name in state):
        path.unlink()
        raise WeightsError(f"{path} did not hold what was written to it, and was removed: check the disk")
