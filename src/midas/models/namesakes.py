"""Published files whose tensors have the same names and shapes and mean something else; free of torch.

The metric networks of Depth Anything V2 differ from the relative one in a last layer without tensors, its versions 1
and 2 in the blocks that are tapped. What a file is, its name says, or the ``config.json`` that Hugging Face puts beside
it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from midas.errors import WeightsError
from midas.models.specs import ModelSpec, TransformerSpec, ZipDepthSpec
from midas.models.zoo import MODELS, find_weights_file

# Of the repository isl-org/DPT: tensors of dpt_hybrid_384, to which a scale and a shift of its own gives depth.
_NOT_IN_THE_TABLE = {
    "dpt_hybrid_kitti-cb926ef4.pt": "dpt_hybrid_384 fine-tuned for metres on KITTI",
    "dpt_hybrid_nyu-2ce69ec7.pt": "dpt_hybrid_384 fine-tuned for metres on NYU Depth V2",
}

_CONFIG = "config.json"
_CONFIG_MODEL = "depth_anything"
_METRIC = "metric"
# Words of file names that say how far a metric network sees, and where; the largest depth in metres.
_RANGES_M = {"hypersim": 20.0, "indoor": 20.0, "vkitti": 80.0, "outdoor": 80.0}
# These alone, without "metric", may stand in any name.
_WORDS_OF_SCENES = frozenset(("indoor", "outdoor"))


@dataclass(frozen=True)
class Said:
    """What is said of a file's meaning.

    Attributes:
        by: who says it, for messages.
        metric: whether its values are metres.
        max_depth_m: the largest of them; None if that isn't said.
        blocks: the blocks that are tapped; None if they aren't said.
    """

    by: str
    metric: bool
    max_depth_m: float | None = None
    blocks: tuple[int, ...] | None = None

    def suits(self, spec: ModelSpec) -> bool:
        """Whether a network is what is said."""
        if self.metric != (spec.max_depth_m is not None):
            return False
        if self.max_depth_m is not None and self.max_depth_m != spec.max_depth_m:
            return False
        taps = spec.encoder.blocks if isinstance(spec.encoder, TransformerSpec) else None
        return self.blocks is None or self.blocks == taps

    def __str__(self) -> str:
        if not self.metric:
            what = "relative disparity"
        else:
            what = "depth in metres" if self.max_depth_m is None else f"depth in metres to {self.max_depth_m:g} m"
        taps = f", of blocks {', '.join(map(str, self.blocks))}" if self.blocks else ""
        return f"{what}{taps}"


def check_meaning(path: Path, spec: ModelSpec, named: str | None = None) -> None:
    """Make sure that a file isn't known to be of another network with tensors of the same names and shapes.

    Args:
        path: the file.
        spec: the network that it is to fill.
        named: the model that the file itself names, in its metadata.

    Raises:
        WeightsError: it is; the message names the right one, if there is one.
    """
    if named in MODELS:
        if not _is_same(MODELS[named], spec):
            raise WeightsError(
                f"{path} says that it is {named}, expected weights of {spec.name}: give the name {named}"
            )
        return
    if path.name in _NOT_IN_THE_TABLE:
        raise WeightsError(
            f"{path} is {_NOT_IN_THE_TABLE[path.name]}: tensors of the same names with another meaning, which this "
            "package doesn't have; expected weights of a network that `midas models` lists"
        )
    published = find_weights_file(path.name)
    if published is not None and not _is_same(published[0], spec):
        raise WeightsError(
            f"{path} bears the name of a file of {published[0].name}, expected one of {spec.name}: give the name "
            f"{published[0].name}, or rename the file if it is your own"
        )
    namesakes = _namesakes(spec)
    for said in what_is_said(path) if len(namesakes) > 1 else ():
        if not said.suits(spec):
            right = [each.name for each in namesakes if said.suits(each)]
            advice = f"give the name {' or '.join(right)}" if right else "which `midas models` doesn't list"
            raise WeightsError(f"{path} holds {said}, as {said.by} says, and not what {spec.name} gives: {advice}")


def narrowed(path: Path, fitting: Collection[ModelSpec]) -> list[ModelSpec]:
    """Those of several networks with equal tensors that a file can be of, by what is said of it; all if nothing is."""
    left = list(fitting)
    for said in what_is_said(path):
        left = [spec for spec in left if said.suits(spec)]
    return left


def what_is_said(path: Path) -> list[Said]:
    """What a file's surroundings say of its meaning, the surest first."""
    return [said for said in (_said_by_config(path.with_name(_CONFIG)), _said_by_name(path)) if said is not None]


def _said_by_config(path: Path) -> Said | None:
    """By the configuration of transformers, where there is a legible one of this family."""
    with suppress(OSError, ValueError, TypeError, RecursionError):
        config: Any = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(config, dict) or config.get("model_type") != _CONFIG_MODEL:
            return None
        metric = _METRIC in (config.get("depth_estimation_type"), config.get("depth_estimation"))
        max_depth = config.get("max_depth") if metric else None
        backbone = config.get("backbone_config")
        taps = backbone.get("out_indices") if isinstance(backbone, dict) else None
        blocks = tuple(int(index) - 1 for index in taps) if isinstance(taps, list) else None
        return Said(f"{_CONFIG} beside it", metric, None if max_depth is None else float(max_depth), blocks)
    return None


def _said_by_name(path: Path) -> Said | None:
    """By a file's name, or that of its folder where it says "metric"; a name without such words says nothing."""
    of_file, of_folder = (
        set(re.split("[^a-z0-9]+", name.lower())) for name in (path.name, path.absolute().parent.name)
    )
    words = of_file | (of_folder if _METRIC in of_folder else set())
    ranges_m = {range_m for word, range_m in _RANGES_M.items() if word in words}
    if _METRIC not in words and not (words & _RANGES_M.keys()) - _WORDS_OF_SCENES:
        return None
    return Said("its name", True, ranges_m.pop() if len(ranges_m) == 1 else None)


def _namesakes(spec: ModelSpec) -> list[ModelSpec]:
    """The networks whose tensors have the names and shapes of a network's, itself among them."""
    return [each for each in MODELS.values() if _tensors_of(each) == _tensors_of(spec)]


def _tensors_of(spec: ModelSpec) -> tuple[object, ...]:
    naming = {file.naming for file in spec.weights.files if file.format != "onnx"}
    encoder = spec.encoder if isinstance(spec.encoder, ZipDepthSpec) else spec.encoder.timm_name
    return encoder, spec.encoder.channels, spec.decoder, spec.reassemble, frozenset(naming)


def _is_same(published: ModelSpec, spec: ModelSpec) -> bool:
    """Whether they are one network, or its official and its Hugging Face form."""
    return published == spec or published.huggingface == spec.name or spec.huggingface == published.name
