"""One's own folder of pictures with depth: what is in it, and the settings of a run that learns from it.

The settings were found by trying three small sets (docs/train.md has the figures).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from midas.datasets.depth_files import UNIT_WORDS, DepthUnit, GuessedUnit, rank_correlation
from midas.datasets.inspect import Inspection, SetStatistics, chosen_indices, inspect_set
from midas.datasets.own_folder import Nearness, OwnFolder, open_own_folder
from midas.datasets.parts import chosen_scenes, scenes_of
from midas.datasets.reader import Reader
from midas.datasets.readers.corpus import CorpusDataset
from midas.datasets.sample import Sample
from midas.errors import DatasetError
from midas.evaluation.runs import own_rules
from midas.models.zoo import DEFAULT_MODEL, find_model
from midas.pictures.preprocess import InputSpec

VALIDATION_SHARE = 0.15
MOST_VALIDATION_PICTURES = 150
LOOKED_AT = 60
SHOWN = 8
_FAR_M = 10.0  # what lies beyond the cap of the rules for rooms

# Pictures that a run sees: ten times each, no fewer and no more than these, in so many epochs.
_PASSES, _LEAST_PICTURES, _MOST_PICTURES, _EPOCHS = 10, 640, 16_000, 8
_DRAWN = {"count": 200, "size": [264, 352], "seed": 2}
_DRAWN_VALIDATION = {"count": 30, "size": [240, 320], "seed": 1}


@dataclass(frozen=True)
class OwnSet:
    """A folder as it was found.

    Attributes:
        root: the folder, absolute.
        found: what reads it, and what its depth maps hold.
        inspection: figures of its targets, and some samples.
        held_out: the scenes to measure on; empty where a share of the frames is held out.
        scenes: number of scenes.
        protocol: name of the rules to measure by.
        agreement: rank correlation of the targets with the nearness that a model sees; below 0 it takes these pictures
            the wrong way round, or the depth maps are not what they are taken for.
    """

    root: Path
    found: OwnFolder
    inspection: Inspection
    held_out: tuple[str, ...]
    scenes: int
    protocol: str
    agreement: float

    @property
    def pictures(self) -> int:
        """Number of pairs."""
        return self.inspection.statistics.pictures

    @property
    def share(self) -> float:
        """The share of the frames that is measured on, where no scenes are."""
        return 0.0 if self.held_out else min(VALIDATION_SHARE, MOST_VALIDATION_PICTURES / self.pictures)


def look_at(
    root: Path,
    depth_unit: DepthUnit | None,
    nearness: Nearness,
    *,
    seed: int = 0,
    track: Callable[[list[int]], Iterable[int]] = lambda items: items,
) -> OwnSet:
    """Find out what a folder holds.

    Args:
        root: the folder.
        depth_unit: of its depth maps; None to find out.
        nearness: a picture's relative disparity by any fair model, whose word on the unit and the direction is heard.
        seed: of the draw of what is held out and looked at.
        track: called with the pictures to look at, for a bar.

    Raises:
        DatasetError: nothing there is a picture with a depth map, or their unit can't be told.
    """
    found = open_own_folder(root, depth_unit, nearness)
    reader, unit = found.reader, found.unit
    if isinstance(reader, CorpusDataset) and reader.info.split != "train":
        raise DatasetError(f"{root} is for evaluation only: its dataset.json has the split {reader.info.split!r}")
    looked_at = chosen_indices(len(reader), LOOKED_AT, seed)
    inspection = inspect_set(reader, track(looked_at), shown=SHOWN, seed=seed)
    if not inspection.shown:
        problem = (inspection.statistics.unreadable or ("there are no pairs",))[0]
        raise DatasetError(f"none of the pictures of {root} can be read with its depth map: {problem}")
    scenes = scenes_of(reader)
    share = min(VALIDATION_SHARE, MOST_VALIDATION_PICTURES / len(reader))
    held_out = tuple(chosen_scenes(scenes, share, seed)) if len(set(scenes)) > 1 else ()
    rules = _rules(reader, inspection.statistics, unit)
    samples = [sample for sample in inspection.shown if isinstance(sample, Sample)]
    agreement = float(np.median([rank_correlation(each.disparity, nearness(each.image)) for each in samples] or [0.0]))
    return OwnSet(root.resolve(), found, inspection, held_out, len(set(scenes)), rules, agreement)


def _rules(reader: Reader, statistics: SetStatistics, unit: GuessedUnit) -> str:
    """The name of the protocol that such targets are measured by."""
    if isinstance(reader, CorpusDataset):
        return own_rules(reader.info).name
    if unit.unit == "disparity":
        return "affine"
    if not statistics.metric:
        return "relative"
    return "outdoor" if statistics.percentiles.get(95, 0.0) > _FAR_M else "indoor"


def summary(own: OwnSet) -> str:
    """What was found, for whoever is about to train on it, one fact per line."""
    statistics = own.inspection.statistics
    sizes = ", ".join(f"{width}x{height} ({count})" for height, width, count in statistics.sizes[:3])
    more = f" and {len(statistics.sizes) - 3} more" if len(statistics.sizes) > 3 else ""
    unpaired = f"{len(own.found.unpaired)}" + (f", such as {own.found.unpaired[0].name}" if own.found.unpaired else "")
    lines = {
        "layout": own.found.layout,
        "pairs": f"{own.pictures} in {own.scenes} scene{'s' if own.scenes != 1 else ''}",
        "unpaired": unpaired,
        "sizes": f"{sizes}{more} of {statistics.looked_at} looked at",
        "depth maps": f"{UNIT_WORDS[own.found.unit.unit]}: {own.found.unit.reason}",
        "range": _range(statistics),
        "valid": f"{100 * (statistics.valid_share or 0):.0f} % of the pixels",
        "held out": _held_out(own),
        "the model": f"sees nearness there with a rank correlation of {own.agreement:+.2f}",
    }
    if own.agreement < 0:
        lines["the model"] += (
            ": the other way round. Look at the drawing: either the depth maps are not what they are taken for "
            "(--depth-unit), or it is wrong there. Figures after an alignment don't show that, so look at maps too"
        )
    if statistics.unreadable:
        lines["unreadable"] = f"{len(statistics.unreadable)}, such as {statistics.unreadable[0]}"
    return "\n".join(f"{name + ':':<12} {text}" for name, text in lines.items())


def _range(statistics: SetStatistics) -> str:
    low, middle, high = (statistics.percentiles.get(percent, float("nan")) for percent in (1, 50, 99))
    # Percentiles of depth are those of disparity the other way round.
    low, high = sorted((low, high))
    unit = " m" if statistics.quantity == "depth_m" else ", no unit"
    return f"{low:.3g} to {high:.3g}{unit}, half below {middle:.3g} (1st to 99th percentile)"


def _held_out(own: OwnSet) -> str:
    if own.held_out:
        names = ", ".join(own.held_out[:4]) + (f" and {len(own.held_out) - 4} more" if len(own.held_out) > 4 else "")
        return f"{len(own.held_out)} of {own.scenes} scenes, to measure on: {names}"
    count = max(1, round(own.share * own.pictures))
    frames = "1 frame" if count == 1 else f"{count} frames in a row"
    return f"{frames}, to measure on (there are no scenes to choose from)"


def settings(own: OwnSet, folder: Path, *, model: str = DEFAULT_MODEL, weights: Path | None = None) -> dict[str, Any]:
    """The settings of a run that brings a model to this set, and keeps it from forgetting other pictures.

    Args:
        own: the set.
        folder: of the run.
        model: a name from the model table.
        weights: a file to start from; None for the model's own.
    """
    pictures = max(_LEAST_PICTURES, min(_MOST_PICTURES, _PASSES * own.pictures))
    drawn = str(folder.resolve() / "drawn")
    mine = {
        "name": own.root.name,
        "reader": own.found.reader_name,
        "weight": 1.0,
        "validation_scenes": list(own.held_out) or None,
        "validation_share": own.share or None,
        "validation_protocol": own.protocol,
        "options": own.found.options,
    }
    general = {"name": "drawn", "reader": "synthetic", "weight": 0.5, "options": _DRAWN | {"folder": drawn}}
    measured = general | {
        "protocol": "outdoor", "weight": 0.25, "options": _DRAWN_VALIDATION | {"folder": drawn + "_validation"},
    }  # fmt: skip
    return {
        "model": {
            "name": model,
            "weights": str(weights.resolve()) if weights else "pretrained",
            "freeze_batch_norm": True,
            "frozen": FROZEN.get(model, []),
        },
        "data": {
            "root": str(own.root.parent),
            "sizes": _sizes(find_model(model).input),
            "min_crop_share": 0.7,
            "in_memory": own.pictures <= 2000,
            "sets": [mine, general],
            "validation": [measured],
        },
        "optimizer": {"decoder_rate": 3e-4, "encoder_rate": 1.5e-4},
        # Least squares fit a negative scale as well: a model that has near and far the wrong way round would stay so.
        "loss": {"data": "ssi_mse" if own.agreement >= 0 else "ssi_mae", "gradient_weight": 0.1},
        "run": {
            "epochs": _EPOCHS, "pictures_per_epoch": -(-pictures // _EPOCHS // 8) * 8, "batch_size": 8,
            "ema_decay": 0.95, "start_share": 0.5, "patience": 3, "workers": 0,
        },
    }  # fmt: skip


def _sizes(input_spec: InputSpec) -> list[list[int]]:
    """(height, width) of training pictures: the network's own square, and a landscape format where it takes one."""
    height_px, width_px = input_spec.size
    if input_spec.fixed or not input_spec.keep_aspect:
        return [[height_px, width_px]]
    multiple = input_spec.multiple
    return [[height_px, round(width_px * 4 / 3 / multiple) * multiple], [height_px, width_px]]


# The first layers see the same everywhere, and their gradients are the dearest.
FROZEN: dict[str, list[str]] = {DEFAULT_MODEL: ["encoder.network.conv_stem", "encoder.network.blocks.0"]}
