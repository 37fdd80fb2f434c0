"""Stereo pairs from files, folders and films, and the set in the corpus format that their targets go to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from midas.arrays import Array, UInt8
from midas.datasets.formats import read_rgb
from midas.datasets.stereo import PAPER_RULES, STEPS_PER_PX, StereoTarget, encode_target, match_views
from midas.errors import ConfigError, DatasetError, OutputError, net
from midas.maps.png import write_png
from midas.pictures.formats import IMAGE_SUFFIXES
from midas.storage.atomic import atomic_file

VIDEO_SUFFIXES = frozenset({".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".ts", ".webm"})

_JPEG_QUALITY = 95


@dataclass(frozen=True)
class StereoPair:
    """Two rectified views of one scene, RGB, and their name."""

    name: str
    left: UInt8[Array, "H W 3"]
    right: UInt8[Array, "h w 3"]


PairReader = Callable[[], StereoPair]


@dataclass(frozen=True)
class PairSource:
    """Where pairs come from.

    Attributes:
        scene: the name that all of them share.
        count: how many there are; of a film an estimate.
        readers: read one each, in order, and raise a DatasetError for one that can't be read.
    """

    scene: str
    count: int
    readers: Iterator[PairReader]


@dataclass(frozen=True)
class StereoOptions:
    """How frames become targets.

    Attributes:
        search_px: smallest and largest disparity to look for; None asks the optical flow.
        sky: give the sky the least disparity of its frame.
        keep_all: rejected frames are kept too; the report still names the rule that they break.
    """

    search_px: tuple[int, int] | None = None
    sky: bool = True
    keep_all: bool = False


@dataclass(frozen=True)
class FrameReport:
    """What became of a frame.

    Attributes:
        name: ``scene/frame``.
        kept: it was written.
        reason: the rule that it breaks, None for none.
        vertical_share, range_px, consistent_share: what the rules look at.
        shift_px: what to add to the stored pixels for the disparity between the views; None if it wasn't written.
    """

    name: str
    kept: bool
    reason: str | None
    vertical_share: float
    range_px: float
    consistent_share: float
    shift_px: float | None


@dataclass(frozen=True)
class JudgedFrame:
    """What became of a frame, and its target if it is to be kept."""

    report: FrameReport
    target: StereoTarget | None


def judge(pair: StereoPair, options: StereoOptions) -> JudgedFrame:
    """Match the views of a pair and look at them by the rules.

    Raises:
        DatasetError: the views don't fit each other.
    """
    match = match_views(pair.left, pair.right, options.search_px)
    rejection = match.rejection()
    wanted = match.mask.any() and (rejection is None or options.keep_all)
    target = encode_target(pair.left, match, sky=options.sky) if wanted else None
    report = FrameReport(
        name=pair.name,
        kept=target is not None,
        reason=None if rejection is None else rejection.value,
        vertical_share=match.vertical_share(PAPER_RULES.max_vertical_px),
        range_px=match.range_px,
        consistent_share=match.consistent_share,
        shift_px=None if target is None else target.shift_px,
    )
    return JudgedFrame(report, target)


def write_single(pair: StereoPair, path: Path, options: StereoOptions, *, overwrite: bool = False) -> FrameReport:
    """The target of one pair as a 16-bit PNG, whose text says what the codes mean; nothing if a rule rejects it.

    Raises:
        DatasetError: the views don't fit each other.
        OutputError: the file can't be written.
    """
    frame = judge(pair, options)
    if frame.target is not None:
        text = {"midas:scale_px": str(1 / STEPS_PER_PX), "midas:shift_px": str(frame.target.shift_px)}
        with atomic_file(path, overwrite=overwrite) as file:
            write_png(file, frame.target.codes, text)
    return frame.report


def two_views(left: Path, right: Path) -> PairSource:
    """A pair of pictures, or two folders of pictures with equal names.

    Raises:
        DatasetError: a path is missing, or no two pictures share a name.
        ConfigError: one path is a folder and the other a file.
    """
    _check_there(left, right)
    if left.is_dir() != right.is_dir():
        raise ConfigError(f"{left} and {right}: expected two pictures or two folders")
    if not left.is_dir():
        return PairSource(left.resolve().parent.name or "views", 1, iter([partial(_read_pair, left.stem, left, right)]))
    of_right = {path.stem: path for path in _pictures(right)}
    both = [(path, of_right[path.stem]) for path in _pictures(left) if path.stem in of_right]
    if not both:
        raise DatasetError(f"no picture of {left} has its like in {right}: a pair shares its name")
    return PairSource(left.resolve().name, len(both), (partial(_read_pair, a.stem, a, b) for a, b in both))


def side_by_side(path: Path, *, squeezed: bool = False, fps: float | None = None) -> PairSource:
    """Pictures with the left view in their left half: one file, a folder of them, or a film.

    Args:
        path: a picture, a folder or a film.
        squeezed: each view was squeezed to half its width and is stretched again.
        fps: frames taken per second of a film; None for all.

    Raises:
        DatasetError: there is nothing there, no picture in the folder, or the film can't be opened.
    """
    _check_there(path)
    if path.suffix.lower() in VIDEO_SUFFIXES and not path.is_dir():
        return _film(path, squeezed, fps)
    found = _pictures(path) if path.is_dir() else [path]
    if not found:
        raise DatasetError(f"{path} holds no picture (*{', *'.join(sorted(IMAGE_SUFFIXES))})")
    scene = path.resolve().name if path.is_dir() else path.resolve().parent.name or "views"
    return PairSource(scene, len(found), (partial(_read_halves, file, squeezed) for file in found))


class StereoSet:
    """A set in the corpus format that stereo frames are added to, and ``report_<scene>.json`` beside its scene.

    Args:
        root: the set's folder; made if it isn't there.
        scene: the folder in it that the frames go to.
        name: of the set, for its ``dataset.json``.
        overwrite: whether frames that are there already may be replaced.

    Raises:
        ConfigError: the scene's name is no name of a folder.
        OutputError: the scene is there already, or the folder holds a set of another kind.
    """

    def __init__(self, root: Path, scene: str, *, name: str, overwrite: bool = False) -> None:
        self.root, self.scene, self.overwrite = root, scene, overwrite
        self.facts: dict[str, Any] = {
            "name": name,
            "domain": "mixed",
            "depth_kind": "relative-disparity",
            "depth_scale": 1 / STEPS_PER_PX,
            "split": "train",
            "sparse": False,
            "shift_known": False,
            "notes": "stereo disparity in pixels above the frame's farthest; the shift is unknown",
        }
        if scene in ("", "..") or Path(scene).name != scene:
            raise ConfigError(f"scene {scene!r}: expected the name of one folder")
        if (root / scene).exists() and not overwrite:
            raise OutputError(f"{root / scene} exists already: name another scene, or allow overwriting")
        self._check_facts()
        self.reports: list[FrameReport] = []

    def add(self, pair: StereoPair, options: StereoOptions) -> FrameReport:
        """Match a pair and, unless a rule rejects it, write its left view and its target.

        Raises:
            DatasetError: the views don't fit each other.
            OutputError: a file can't be written.
        """
        frame = judge(pair, options)
        if frame.target is not None:
            self._write(pair, frame.target)
        report = replace(frame.report, name=f"{self.scene}/{pair.name}")
        self.reports.append(report)
        return report

    def add_read(self, number: int, read: PairReader, options: StereoOptions) -> FrameReport:
        """Read a pair and add it.

        Args:
            number: of the pair, from 0, as messages name it.
            read: reads it.
            options: how.

        Raises:
            DatasetError: it can't be read or matched.
            OutputError: a file can't be written.
        """
        with net(f"pair {number} of {self.scene} can't be made a target", DatasetError):
            return self.add(read(), options)

    def close(self) -> Path:
        """Write what became of each frame, and say where.

        Raises:
            OutputError: the file can't be written.
        """
        path = self.root / f"report_{self.scene}.json"
        _write_json(path, [asdict(report) for report in self.reports], overwrite=True)
        return path

    def _check_facts(self) -> None:
        path = self.root / "dataset.json"
        try:
            there = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            raise OutputError(f"{path} can't be read, and {self.root} is no place for a new set: {error}") from error
        wanted = ("depth_kind", "depth_scale")
        if not isinstance(there, dict) or any(there.get(key) != self.facts[key] for key in wanted):
            raise OutputError(f"{self.root} holds a set whose maps mean something else: choose another folder")

    def _write(self, pair: StereoPair, target: StereoTarget) -> None:
        stem = self.root / self.scene / pair.name
        # The target first: a picture without one would be a set that is half there.
        with atomic_file(stem.with_name(f"{pair.name}.png"), overwrite=self.overwrite) as file:
            write_png(file, target.codes, {})
        done, jpeg = cv2.imencode(
            ".jpg", np.ascontiguousarray(pair.left[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
        )
        if not done:
            raise OutputError(f"{stem}.jpg can't be written: the picture is no JPEG")
        with atomic_file(stem.with_name(f"{pair.name}.jpg"), overwrite=self.overwrite) as file:
            file.write(jpeg.tobytes())
        if not (self.root / "dataset.json").exists():
            _write_json(self.root / "dataset.json", self.facts, overwrite=False)


def _check_there(*paths: Path) -> None:
    for path in paths:
        if not path.exists():
            raise DatasetError(f"there is no {path}")


def _write_json(path: Path, content: Any, *, overwrite: bool) -> None:
    with atomic_file(path, overwrite=overwrite) as file:
        file.write(f"{json.dumps(content, indent=1)}\n".encode())


def _pictures(folder: Path) -> list[Path]:
    found = (path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)
    return sorted(path for path in found if not path.name.startswith("."))


def _read_pair(name: str, left: Path, right: Path) -> StereoPair:
    return StereoPair(name, read_rgb(left), read_rgb(right))


def _read_halves(path: Path, squeezed: bool) -> StereoPair:
    return _split(path.stem, read_rgb(path), squeezed)


def _split(name: str, picture: UInt8[Array, "H W 3"], squeezed: bool) -> StereoPair:
    half = picture.shape[1] // 2
    views = [picture[:, :half], picture[:, picture.shape[1] - half :]]
    if squeezed:
        size = (2 * half, picture.shape[0])
        views = [np.asarray(cv2.resize(view, size, interpolation=cv2.INTER_LINEAR)) for view in views]
    return StereoPair(name, *(np.ascontiguousarray(view) for view in views))


def _film(path: Path, squeezed: bool, fps: float | None) -> PairSource:
    capture = cv2.VideoCapture(str(path))
    if not capture.isOpened():
        raise DatasetError(f"{path} is damaged, or a film of a kind that can't be read here")
    frames, own_fps = capture.get(cv2.CAP_PROP_FRAME_COUNT), capture.get(cv2.CAP_PROP_FPS)
    step = max(own_fps / fps, 1.0) if fps and own_fps > 0 else 1.0
    return PairSource(path.stem, max(round(frames / step), 0), _frames(capture, step, squeezed))


def _frames(capture: cv2.VideoCapture, step: float, squeezed: bool) -> Iterator[PairReader]:
    """Every so many-th frame, which may be a fraction; the others are skipped without decoding them to pictures."""
    number, wanted = 0, 0.0
    try:
        while capture.grab():
            if number >= wanted:
                wanted += step
                read, picture = capture.retrieve()
                if read:
                    rgb = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), dtype=np.uint8)
                    yield partial(_split, f"{number:06d}", rgb, squeezed)
            number += 1
    finally:
        capture.release()
