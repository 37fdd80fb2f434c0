"""Reader for the corpus format: one folder per set, one per scene, a JPEG and a 16-bit PNG per frame.

Layout::

    <set>/dataset.json            name, depth_kind, depth_scale, split, sparse, ...
    <set>/<scene>/<frame>.jpg     RGB; also .jpeg, .JPG and so on; a PNG picture is <frame>.PNG or <frame>.rgb.png
    <set>/<scene>/<frame>.png     16 bit, same size; 0 is invalid

``depth_kind`` says what value × depth_scale is: ``depth`` in metres, ``disparity`` in pixels, or
``relative-disparity``, which has no unit and whose ``depth_scale`` may be null. Where ``intrinsics`` of a ``disparity``
set hold ``f``, in pixels of the stored pictures, and ``baseline_m``, its inverse depth is known in 1/metre.
``"shift_known": false`` says that a disparity is known up to scale *and shift*, as of views that converge: its 0 is not
infinitely far. Without that key it is.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from midas.datasets.formats import read_codes, read_rgb
from midas.datasets.reader import Layout
from midas.datasets.sample import Sample
from midas.errors import DatasetError

LAYOUT = Layout(
    title="a set in the corpus format",
    homepage="docs/datasets.md",
    licence="each set's own",
    tree="""
<root>/dataset.json
<root>/<scene>/<frame>.jpg
<root>/<scene>/<frame>.png
""",
)

# A PNG of the frame's name is its map; so a PNG picture has another, or stands in capitals.
_PNG_PICTURES = (".rgb.png", "_rgb.png")

DEPTH_KINDS = ("depth", "disparity", "relative-disparity")


@dataclass(frozen=True)
class CorpusInfo:
    """What ``dataset.json`` says of a set, as far as reading and training need it.

    Attributes:
        name, domain, split: as the file has them.
        depth_kind: one of ``DEPTH_KINDS``.
        depth_scale: stored values times this are metres, pixels, or without unit.
        sparse: the target is valid at scattered points only.
        stereo_factor: focal length in pixels times baseline in metres, which makes inverse depth of stereo disparity;
            None where that isn't known.
        shift_known: disparity 0 is infinitely far.
    """

    name: str
    domain: str
    depth_kind: str
    depth_scale: float
    split: str
    sparse: bool
    stereo_factor: float | None = None
    shift_known: bool = True

    @property
    def metric(self) -> bool:
        """The target is known in metres."""
        return self.depth_kind == "depth" or self.stereo_factor is not None


class CorpusDataset:
    """One set in the corpus format.

    Args:
        root: the set's folder.
        scenes: only these scenes; None for all.
        excluded: scenes to leave out.

    Raises:
        DatasetError: the folder is missing, its ``dataset.json`` isn't as described, or a named scene isn't there.
    """

    def __init__(self, root: str | Path, *, scenes: tuple[str, ...] | None = None, excluded: tuple[str, ...] = ()):
        self.root = LAYOUT.folder(root)
        self.info = read_info(self.root)
        present = {path.name for path in self.root.iterdir() if path.is_dir()}
        unknown = sorted({*(scenes or ()), *excluded} - present)
        if unknown:
            raise DatasetError(f"{self.root} has no scene {unknown[0]!r}")
        chosen = (present if scenes is None else set(scenes)) - set(excluded)
        self.pictures = [path for scene in sorted(chosen) for path in _pictures(self.root / scene)]
        if not self.pictures:
            outside = f" outside of {', '.join(excluded)}" if excluded else ""
            raise DatasetError(f"{self.root} holds no <scene>/<frame>.jpg{outside}")

    @property
    def name(self) -> str:
        """The set's name, the first part of every sample's."""
        return self.info.name

    @property
    def frame_names(self) -> list[str]:
        """``scene/frame`` of each sample."""
        return [f"{path.parent.name}/{path.stem}" for path in self.pictures]

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> Sample:
        """The sample at an index.

        Raises:
            DatasetError: a file is missing or damaged, or picture and target differ in size.
        """
        path = self.pictures[index]
        map_path = path.with_name(f"{_frame_of(path)}.png")
        image = read_rgb(LAYOUT.file(path), upright=True)
        stored = read_codes(LAYOUT.file(map_path))
        if image.shape[:2] != stored.shape:
            raise DatasetError(f"{map_path} is {stored.shape}; expected a map of the picture's size {image.shape[:2]}")
        mask = stored > 0
        values = stored.astype(np.float32) * np.float32(self.info.depth_scale)
        if self.info.depth_kind == "depth":
            values = np.divide(1.0, values, out=np.zeros_like(values), where=mask)
        elif self.info.stereo_factor is not None:
            values /= np.float32(self.info.stereo_factor)
        return Sample(
            image=image,
            disparity=values,
            mask=mask,
            name=f"{self.info.name}/{path.parent.name}/{_frame_of(path)}",
            metric=self.info.metric,
            sparse=self.info.sparse,
            shift_known=self.info.shift_known,
        )

    def samples(self, limit: int | None = None) -> Iterator[Sample]:
        """All samples in order, or the first so many."""
        for index in range(len(self) if limit is None else min(limit, len(self))):
            yield self[index]


def read_info(root: Path) -> CorpusInfo:
    """Read and check a set's ``dataset.json``.

    Raises:
        DatasetError: it is missing, isn't JSON, or lacks a field.
    """
    path = root / "dataset.json"
    try:
        facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        info = CorpusInfo(
            name=facts.get("name", root.resolve().name),
            domain=facts.get("domain", facts.get("name", root.resolve().name)),
            depth_kind=facts["depth_kind"],
            # A null scale stands for values that have no unit to begin with.
            depth_scale=float(facts["depth_scale"] if facts["depth_scale"] is not None else 1 / 65535),
            split=facts.get("split", "train"),
            sparse=bool(facts.get("sparse", False)),
            stereo_factor=_stereo_factor(facts),
            shift_known=_shift_known(facts),
        )
    except FileNotFoundError as error:
        raise DatasetError(
            f"{path} doesn't exist; a set in the corpus format has one beside its scenes. A folder as `midas train "
            "--data` takes it is measured on by --benchmark folder --protocol indoor, or outdoor"
        ) from error
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise DatasetError(f"{path} is not as the corpus format wants it: {error!r}") from error
    _check_info(info, path)
    if info.depth_kind not in DEPTH_KINDS:
        raise DatasetError(f"{path}: depth_kind {info.depth_kind!r} is none of {', '.join(DEPTH_KINDS)}")
    if info.metric and not info.shift_known:
        raise DatasetError(
            f"{path} says that the shift is unknown of a target in metres, whose zero is known: leave out shift_known, "
            "or intrinsics that don't hold"
        )
    return info


def _check_info(info: CorpusInfo, path: Path) -> None:
    for key in ("name", "domain", "split"):
        text = getattr(info, key)
        if not (isinstance(text, str) and text and text.isprintable()):
            raise DatasetError(f"{path}: {key} is {text!r}; expected a text of one line")
    for key, number in (("depth_scale", info.depth_scale), ("intrinsics: f * baseline_m", info.stereo_factor)):
        if number is not None and not 0 < number < math.inf:
            raise DatasetError(f"{path}: {key} is {number}; expected a finite number above 0")


def _pictures(folder: Path) -> list[Path]:
    """The colour pictures of a scene, one for each frame, in the frames' order."""
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        frame = _frame_of(path)
        if frame and not path.name.startswith("."):
            found.setdefault(frame, path)
    return [found[frame] for frame in sorted(found)]


def _frame_of(path: Path) -> str:
    """The frame of which a file is the colour picture; empty if it is none."""
    name = path.name.lower()
    if name.endswith((".jpg", ".jpeg")) or (name.endswith(".png") and path.suffix != ".png"):
        return path.stem
    ending = next((each for each in _PNG_PICTURES if name.endswith(each)), None)
    return path.name[: -len(ending)] if ending else ""


def _shift_known(facts: dict[str, Any]) -> bool:
    said = facts.get("shift_known", True)
    if not isinstance(said, bool):
        raise ValueError(f"shift_known is {said!r}, expected true or false")
    return said


def _stereo_factor(facts: dict[str, Any]) -> float | None:
    intrinsics = facts.get("intrinsics") or {}
    if facts["depth_kind"] != "disparity" or not {"f", "baseline_m"} <= set(intrinsics):
        return None
    return float(intrinsics["f"]) * float(intrinsics["baseline_m"])


def evaluation_sets(folder: Path) -> list[Path]:
    """The sets of a folder whose split is ``eval``, by name.

    Raises:
        DatasetError: there is none, or no such folder.
    """
    if not folder.is_dir():
        raise DatasetError(f"there is no folder {folder}")
    roots = sorted(path.parent for path in folder.glob("*/dataset.json"))
    found = [root for root in roots if read_info(root).split == "eval"]
    if not found:
        itself = "; it is one itself: name it with --root" if (folder / "dataset.json").is_file() else ""
        raise DatasetError(f"{folder} holds no set in the corpus format whose split is eval{itself}")
    return found
