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
from midas.evaluation.predictions import Prediction
from midas.maps.formats import read_map
from midas.maps.guided import gains
from midas.maps.kinds import INVERSE, RELATIVE_DISPARITY, Kind, kind_said
from midas.maps.resize import GUIDED, resize_map
from midas.pictures.preprocess import ResizeRule
from midas.predictor import Predictor
from midas.tiling.prepared import Prepared

PredictionKind = Literal["disparity", "depth"]
_KINDS: dict[PredictionKind, Kind] = {"disparity": RELATIVE_DISPARITY, "depth": "scale_invariant"}
_SUFFIXES = (".npy", ".npz", ".pfm", ".exr", ".tiff", ".png")


@runtime_checkable
class Candidate(Protocol):
    """A maker of predictions, in two steps, so that the first can run ahead in another thread."""

    @property
    def name(self) -> str:
        """What tables call it."""
        ...

    def prepare(self, sample: AnySample) -> Any:
        """All that can be done before the candidate's own turn."""
        ...

    def run(self, prepared: Any) -> Prediction:
        """Relative disparity or depth, at whatever size."""
        ...


class ModelCandidate:
    """A model.

    Args:
        predictor: what runs it.
        resize: the side of the network's input that meets its target size; None leaves the model its own rule.
        label: what tables call it in place of its name.
    """

    def __init__(self, predictor: Predictor, *, resize: ResizeRule | None = None, label: str | None = None) -> None:
        if resize is not None and not predictor.input.fixed:
            rule = dataclasses.replace(predictor.input, resize=resize)
            predictor = Predictor(predictor.name, rule, predictor.backend, predictor.spec, predictor.tiling)
        self.predictor = predictor
        self.label = label or predictor.name

    @property
    def name(self) -> str:
        """The model's name, and how far it goes into tiles."""
        tiling = self.predictor.tiling
        return self.label if tiling is None else f"{self.label}, tile {tiling.zoom}"

    def prepare(self, sample: AnySample) -> Prepared:
        """The network's input."""
        return self.predictor.prepare(sample.image)

    def run(self, prepared: Prepared) -> Prediction:
        """The network's output as it is; at the picture's size where it grows by another rule than most, or of tiles.

        Raises:
            ModelError: it holds numbers that are not finite.
        """
        if prepared.finer is not None:
            found = self.predictor.infer(prepared)
            return self._prediction(found.values, found.kind)
        values: Float32[Array, "h w"] = self.predictor.backend(prepared.pixels)[0]
        if not np.isfinite(values).all():
            raise ModelError(f"{self.name} gives numbers that are not finite; try another size")
        rule = self.predictor.input.restore
        as_it_is = rule == "cubic" or (rule == GUIDED and not gains(prepared.network_size, prepared.size))
        shown = values if as_it_is else resize_map(values, prepared.size, rule, prepared.guide)
        return self._prediction(shown, self.predictor.network_kind)

    def _prediction(self, values: Float32[Array, "h w"], kind: Kind) -> Prediction:
        if kind in INVERSE:
            return Prediction(values, kind)
        # A network of depth has no other way to say "I don't know" than nought, which counts as infinitely far.
        return Prediction(np.where(values > 0, values, np.float32(np.inf)), kind)


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

    def run(self, prepared: Float32[Array, "H W"]) -> Prediction:
        """The same."""
        return Prediction(prepared)


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

    def run(self, prepared: AnySample) -> Prediction:
        """What the function gives."""
        return Prediction(self.function(prepared))


class FolderCandidate:
    """Maps that another program made, so that rivals are measured by the same code.

    The map of a sample ``set/scene/frame`` is looked for at ``scene/frame``, ``scene_frame`` and ``frame`` in the
    folder, as NPY, NPZ, PFM, EXR, TIFF or PNG. A grey picture's codes are taken as they are.

    Args:
        folder: where the maps lie.
        kind: ``"disparity"``, larger is nearer; or ``"depth"``, larger is farther. None leaves it to the files;
            those that don't say it are taken for disparity.

    Raises:
        DatasetError: there is no such folder.
    """

    def __init__(self, folder: Path, *, kind: PredictionKind | None = None) -> None:
        if not folder.is_dir():
            raise DatasetError(f"there is no folder {folder}; expected one with a map per picture")
        self.folder = folder
        self.kind = kind

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    def prepare(self, sample: AnySample) -> Prediction:
        """Read the sample's map.

        Raises:
            DatasetError: it is missing, or says that it is of another kind.
            OutputError: it can't be read.
        """
        path = self._find(sample.name)
        values, metadata = read_map(path)
        said = kind_said(metadata, path)
        if said is not None and self.kind is not None and (said in INVERSE) != (self.kind == "disparity"):
            raise DatasetError(
                f"{path} says that its values are of kind {said!r}: expected {self.kind}; leave out --prediction-kind"
            )
        return Prediction(values, said or _KINDS[self.kind or "disparity"])

    def run(self, prepared: Prediction) -> Prediction:
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
