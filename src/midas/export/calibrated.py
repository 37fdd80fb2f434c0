"""A model file with the two numbers in its metadata that make its values metres."""

from __future__ import annotations

from pathlib import Path

import onnx

from midas.alignment.calibration import CALIBRATION_KEY, Calibration
from midas.errors import ConfigError, OutputError, net
from midas.models.onnx_names import NAME_KEY
from midas.models.weights import read_safetensors, read_safetensors_metadata, write_safetensors
from midas.storage.atomic import atomic_file

SUFFIXES = (".onnx", ".safetensors")


def check_output(source: Path, output: Path) -> None:
    """See to it that the output is of the source's kind.

    Raises:
        ConfigError: it isn't, or the source is of a kind that has no room for a calibration.
    """
    suffix = source.suffix.lower()
    if suffix not in SUFFIXES:
        raise ConfigError(
            f"{source} has no room for a calibration; expected {' or '.join(SUFFIXES)}: `midas export` it"
        )
    if output.suffix.lower() != suffix:
        raise ConfigError(f"{output} would be a copy of {source.name}; expected a name that ends in {suffix}")


def write_calibrated(
    source: Path, output: Path, calibration: Calibration, *, name: str | None = None, overwrite: bool = False
) -> None:
    """Copy a model file, with the calibration in its metadata.

    Args:
        source: ONNX or safetensors.
        output: of the same kind.
        calibration: the two numbers.
        name: of the model that weights without metadata belong to.
        overwrite: whether a file of that name may be replaced.

    Raises:
        ConfigError: the kinds differ.
        OutputError: the file exists or can't be written.
    """
    check_output(source, output)
    said = {CALIBRATION_KEY: calibration.to_metadata()}
    if source.suffix.lower() == ".safetensors":
        named = {} if name is None else {NAME_KEY: name}
        metadata = named | read_safetensors_metadata(source) | said
        write_safetensors(read_safetensors(source), output, metadata, overwrite=overwrite)
        return
    with net(f"{source} can't be copied", OutputError):
        model = onnx.load(str(source))
        metadata = {entry.key: entry.value for entry in model.metadata_props} | said
        onnx.helper.set_model_props(model, metadata)
        content = model.SerializeToString()
    with atomic_file(output, overwrite=overwrite) as file:
        file.write(content)
