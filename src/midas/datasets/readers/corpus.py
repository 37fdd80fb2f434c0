"""Reader for the corpus format: one folder per set, one per scene, a JPEG and a 16-bit PNG per frame.

Layout::

    <set>/dataset.json            name, depth_kind, depth_scale, split, sparse, ...
    <set>/<scene>/<frame>.jpg     RGB
    <set>/<scene>/<frame>.png     16 bit, same size; 0 is invalid

``depth_kind`` says what value × depth_scale is: ``depth`` in metres, ``disparity`` in pixels, or
``relative-disparity``, which has no unit and whose ``depth_scale`` may be null.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from midas.datasets.sample import Sample
from midas.errors import DatasetError

DEPTH_KINDS = ("depth", "disparity", "relative-disparity")


@dataclass(frozen=True)
class CorpusInfo:
    """What ``dataset.json`` says of a set, as far as reading and training need it."""

    name: str
    domain: str
    depth_kind: str
    depth_scale: float
    split: str
    sparse: bool

    @property
    def metric(self) -> bool:
        """The target is known in metres."""
        return self.depth_kind == "depth"


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
        self.root = Path(root)
        self.info = read_info(self.root)
        present = {path.name for path in self.root.iterdir() if path.is_dir()}
        unknown = sorted({*(scenes or ()), *excluded} - present)
        if unknown:
            raise DatasetError(f"{self.root} has no scene {unknown[0]!r}")
        chosen = (present if scenes is None else set(scenes)) - set(excluded)
        self.pictures = sorted(path for scene in sorted(chosen) for path in (self.root / scene).glob("*.jpg"))
        if not self.pictures:
            raise DatasetError(f"{self.root} holds no <scene>/<frame>.jpg")

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> Sample:
        """The sample at an index.

        Raises:
            DatasetError: a file is missing or damaged, or picture and target differ in size.
        """
        path = self.pictures[index]
        bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
        stored = cv2.imread(str(path.with_suffix(".png")), cv2.IMREAD_UNCHANGED)
        if bgr is None or stored is None:
            raise DatasetError(f"{path} or its .png is missing or damaged")
        if bgr.shape[:2] != stored.shape or stored.dtype != np.uint16:
            raise DatasetError(f"{path.with_suffix('.png')} is not a 16-bit map of the picture's size {bgr.shape[:2]}")
        mask = stored > 0
        values = stored.astype(np.float32) * np.float32(self.info.depth_scale)
        if self.info.depth_kind == "depth":
            values = np.divide(1.0, values, out=np.zeros_like(values), where=mask)
        return Sample(
            image=np.ascontiguousarray(bgr[..., ::-1]),
            disparity=values,
            mask=mask,
            name=f"{self.info.name}/{path.parent.name}/{path.stem}",
            metric=self.info.metric,
            sparse=self.info.sparse,
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
            name=facts["name"],
            domain=facts["domain"],
            depth_kind=facts["depth_kind"],
            # A null scale stands for values that have no unit to begin with.
            depth_scale=float(facts["depth_scale"] if facts["depth_scale"] is not None else 1 / 65535),
            split=facts["split"],
            sparse=bool(facts.get("sparse", False)),
        )
    except FileNotFoundError as error:
        raise DatasetError(f"{path} doesn't exist; a set in the corpus format has one beside its scenes") from error
    except (json.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise DatasetError(f"{path} is not as the corpus format wants it: {error!r}") from error
    if info.depth_kind not in DEPTH_KINDS:
        raise DatasetError(f"{path}: depth_kind {info.depth_kind!r} is none of {', '.join(DEPTH_KINDS)}")
    return info
