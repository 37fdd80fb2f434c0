"""What is measured: a model, a baseline that knows the answer, or maps that another program made."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np

from midas.arrays import Array, Float32
from midas.datasets.sample import AnySample, PairSample
from midas.errors import DatasetError, ModelError
from midas.evaluation.baselines import fit_plane
from midas.maps.formats import read_map
from midas.maps.kinds import nearness
from midas.maps.resize import resize_map
from midas.pictures.preprocess import ResizeRule
from midas.predictor import Predictor
from midas.tiling import Prepared

PredictionKind = Literal["disparity", "depth"]
_SUFFIXES = (".npy", ".npz", ".pfm", ".exr", ".tiff", ".png")


@runtime_checkable
class Candidate(Protocol):
    """A maker of relative disparity, in two steps, so that the first can run ahead in another thread."""

    @property
    def name(self) -> str:
        """What tables call it."""
        ...

    def prepare(self, sample: AnySample) -> Any:
        """All that can be done before the candidate's own turn."""
        ...

    def run(self, prepared: Any) -> Float32[Array, "h w"]:
        """Relative disparity, at whatever size."""
        ...


class ModelCandidate:
    """A model.

    Args:
        predictor: what runs it.
        resize: the side of the network's input that meets its target size; None leaves the model its own rule.
    """

    def __init__(self, predictor: Predictor, *, resize: ResizeRule | None = None) -> None:
        if resize is not None and not predictor.input.fixed:
            rule = dataclasses.replace(predictor.input, resize=resize)
            predictor = Predictor(predictor.name, rule, predictor.backend, predictor.spec, predictor.tiling)
        self.predictor = predictor

    @property
    def name(self) -> str:
        """The model's name, and how far it goes into tiles."""
        tiling = self.predictor.tiling
        return self.predictor.name if tiling is None else f"{self.predictor.name}, tile {tiling.zoom}"

    def prepare(self, sample: AnySample) -> Prepared:
        """The network's input."""
        return self.predictor.prepare(sample.image)

    def run(self, prepared: Prepared) -> Float32[Array, "h w"]:
        """The network's output as it is; at the picture's size where it grows by another rule than most, or of tiles.

        Of depth in metres the inverse, which is aligned to the target as any disparity is.

        Raises:
            ModelError: it holds numbers that are not finite.
        """
        kind = self.predictor.kind
        if prepared.finer is not None:
            return nearness(self.predictor.infer(prepared).values, kind)
        values: Float32[Array, "h w"] = self.predictor.backend(prepared.pixels)[0]
        if not np.isfinite(values).all():
            raise ModelError(f"{self.name} gives numbers that are not finite; try another size")
        rule = self.predictor.input.restore
        return nearness(values if rule == "cubic" else resize_map(values, prepared.size, rule), kind)


@dataclass(frozen=True)
class PlaneCandidate:
    """The best plane in inverse depth, fitted to each picture's own target: no prediction, it has seen the answer.

    Attributes:
        tilted: a linear function of row and column; otherwise one constant.
    """

    tilted: bool

    @property
    def name(self) -> str:
        """``plane`` or ``constant``."""
        return "plane" if self.tilted else "constant"

    def prepare(self, sample: AnySample) -> Float32[Array, "H W"]:
        """The plane.

        Raises:
            DatasetError: the target is an order of points, to which no plane can be fitted.
        """
        if isinstance(sample, PairSample):
            raise DatasetError(f"{sample.name} has no map that a plane could be fitted to")
        return fit_plane(sample, tilted=self.tilted)

    def run(self, prepared: Float32[Array, "H W"]) -> Float32[Array, "H W"]:
        """The same."""
        return prepared


@dataclass(frozen=True)
class FunctionCandidate:
    """Any function from a sample to relative disparity.

    Attributes:
        function: the function.
        name: what tables call it.
    """

    function: Callable[[Any], Float32[Array, "H W"]]
    name: str = "function"

    def prepare(self, sample: AnySample) -> AnySample:
        """The sample itself."""
        return sample

    def run(self, prepared: AnySample) -> Float32[Array, "H W"]:
        """What the function gives."""
        return self.function(prepared)


class FolderCandidate:
    """Maps that another program made, so that rivals are measured by the same code.

    The map of a sample ``set/scene/frame`` is looked for at ``scene/frame``, ``scene_frame`` and ``frame`` in the
    folder, as NPY, NPZ, PFM, EXR, TIFF or 16-bit PNG. A PNG's codes are taken as they are.

    Args:
        folder: where the maps lie.
        kind: ``"disparity"``, larger is nearer; or ``"depth"``, larger is farther, of which the inverse is taken.

    Raises:
        DatasetError: there is no such folder.
    """

    def __init__(self, folder: Path, *, kind: PredictionKind = "disparity") -> None:
        if not folder.is_dir():
            raise DatasetError(f"there is no folder {folder}; expected one with a map per picture")
        self.folder = folder
        self.kind = kind

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    def prepare(self, sample: AnySample) -> Float32[Array, "h w"]:
        """Read the sample's map.

        Raises:
            DatasetError: it is missing, or holds numbers that are not finite, or depths that are not positive.
            OutputError: it can't be read.
        """
        path = self._find(sample.name)
        values, _ = read_map(path)
        if self.kind == "depth":
            if not (values > 0).all():
                raise DatasetError(f"{path} holds depths of nought or less; is it disparity (--prediction-kind)?")
            values = np.float32(1.0) / values
        if not np.isfinite(values).all():
            raise DatasetError(f"{path} holds numbers that are not finite")
        return values

    def run(self, prepared: Float32[Array, "h w"]) -> Float32[Array, "h w"]:
        """The same."""
        return prepared

    def _find(self, name: str) -> Path:
        *_, scene, frame = ("", *name.split("/"))
        stems = (f"{scene}/{frame}", f"{scene}_{frame}", frame)
        tried = [self.folder / f"{stem}{suffix}" for stem in stems for suffix in _SUFFIXES]
        found = next((path for path in tried if path.is_file()), None)
        if found is None:
            wanted = " or ".join(str(self.folder / f"{stem}.npy") for stem in stems)
            raise DatasetError(f"{self.folder} has no map of {name}; expected {wanted}, or another format")
        return found
