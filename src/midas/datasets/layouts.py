"""Folders of pictures with depth maps, as people keep them: which depth map goes with which picture, by their names.

Words in the names of folders and files say what they hold (``rgb/``, ``sync_depth_00001.png``); without such words a
JPEG is a picture and the PNG of the same name its depth map, and what only numbers can be in (NPY, EXR, PFM) is a
depth map. What is left of a path once these words are taken out must be the same for both.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from midas.datasets.formats import read_lines
from midas.datasets.moments import associate
from midas.errors import DatasetError

Role = Literal["picture", "depth", "mask"]

PICTURE_SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".bmp", ".webp", ".ppm", ".tif", ".tiff"))
DEPTH_SUFFIXES = frozenset((".png", ".npy", ".npz", ".exr", ".pfm", ".tif", ".tiff", ".pgm", ".jpg", ".jpeg"))
_DEPTH_ONLY = DEPTH_SUFFIXES - PICTURE_SUFFIXES
_JPEG = frozenset((".jpg", ".jpeg"))
_WORDS: dict[str, Role] = {
    **dict.fromkeys(("rgb", "rgbs", "image", "images", "img", "imgs", "color", "colors"), "picture"),
    **dict.fromkeys(("colour", "colours", "picture", "pictures", "photo", "photos", "left"), "picture"),
    **dict.fromkeys(("depth", "depths", "depthmap", "depthmaps", "disp", "disparity", "disparities"), "depth"),
    **dict.fromkeys(("gt", "groundtruth", "target", "targets"), "depth"),
    **dict.fromkeys(("mask", "masks", "confidence", "normal", "normals", "segmentation", "label", "labels"), "mask"),
}  # fmt: skip
# These stand beside one of the words above and say nothing by themselves.
_FILLERS = frozenset(
    ("sync", "raw", "map", "maps", "gt", "dense", "aligned", "registered", "metric", "data", "16", "mm")
)
_DEPTH_WORDS = frozenset(("depth", "depths", "depthmap", "depthmaps"))
_DISPARITY_WORDS = frozenset(("disp", "disparity", "disparities"))
_SEPARATORS = re.compile(r"[ _.\-]+")
_OWN_FILES = frozenset(("dataset.json",))
_MOST_FILES = 200_000


@dataclass(frozen=True)
class Pair:
    """A picture and its depth map.

    Attributes:
        name: ``scene/frame``, or the frame alone.
        scene: the folders above it, without those that only say what they hold; empty where there are none.
        picture, depth: the files.
    """

    name: str
    scene: str
    picture: Path
    depth: Path


@dataclass(frozen=True)
class FoundPairs:
    """What a folder holds.

    Attributes:
        layout: in words.
        pairs: in the order of their names.
        unpaired: pictures and depth maps that have no partner.
        says_disparity: a word in the names of the depth maps says that they hold disparity.
        says_depth: likewise depth.
        steps_per_metre: of whole numbers, where the layout tells it; None where it doesn't.
    """

    layout: str
    pairs: tuple[Pair, ...]
    unpaired: tuple[Path, ...]
    says_disparity: bool = False
    says_depth: bool = False
    steps_per_metre: float | None = None

    @property
    def scenes(self) -> list[str]:
        """The names of the scenes, each once, in order."""
        return sorted({pair.scene for pair in self.pairs})


@dataclass(frozen=True)
class _Named:
    """A file and what its name says."""

    path: Path
    role: Role | None
    key: tuple[str, ...]
    words: frozenset[str]


def find_pairs(root: Path) -> FoundPairs:
    """Pair the pictures and depth maps below a folder.

    Raises:
        DatasetError: there is no such folder, or no pair in it.
    """
    if not root.is_dir():
        raise DatasetError(f"there is no folder {root}; expected one with pictures and their depth maps")
    named = [_named(path, root) for path in _files(root)]
    listed = _tum_lists(root)
    if listed:
        return _checked(root, _by_moments(root, listed))
    found = _by_names(named)
    return _checked(root, found)


def is_corpus(root: Path) -> bool:
    """Whether the folder's ``dataset.json`` is that of a set in the corpus format."""
    try:
        facts = json.loads((root / "dataset.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(facts, dict) and "depth_kind" in facts


def _files(root: Path) -> list[Path]:
    found: list[Path] = []
    for folder, folders, names in os.walk(root, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__")))
        paths = (Path(folder) / name for name in sorted(names) if not name.startswith(".") and name not in _OWN_FILES)
        found += [path for path in paths if path.suffix.lower() in PICTURE_SUFFIXES | DEPTH_SUFFIXES]
        if len(found) > _MOST_FILES:
            raise DatasetError(f"{root} holds more than {_MOST_FILES} files; name a folder with fewer")
    return found


def _named(path: Path, root: Path) -> _Named:
    """What the names of a file and of its folders below the root say, and what is left of them."""
    *folders, stem = path.relative_to(root).with_suffix("").parts
    roles: list[Role] = []
    key: list[str] = []
    words: set[str] = set()
    for part in (*folders, stem):
        parts = [word for word in _SEPARATORS.split(part) if word]
        known = [word for word in parts if _word(word) in _WORDS]
        roles += [_WORDS[_word(word)] for word in known]
        words |= {_word(word) for word in known}
        rest = [word for word in parts if _word(word) not in _WORDS and not (known and _word(word) in _FILLERS)]
        # A folder that only says what it holds is no scene; a file's name keeps its place even if nothing is left.
        if part is stem or rest:
            key.append("_".join(rest) if known else part)
    return _Named(path, _role(roles, path), tuple(key), frozenset(words))


def _word(text: str) -> str:
    return text.lower()


def _role(roles: Sequence[Role], path: Path) -> Role | None:
    if "mask" in roles:
        return "mask"
    if "depth" in roles or path.suffix.lower() in _DEPTH_ONLY:  # `images/depth/1.png` is a depth map
        return "depth"
    return "picture" if roles or path.suffix.lower() in _JPEG else None


def _by_names(named: Iterable[_Named]) -> FoundPairs:
    files = [file for file in named if file.role != "mask"]
    sure = {file.key for file in files if file.role == "depth"}
    pictures, depths = dict[tuple[str, ...], _Named](), dict[tuple[str, ...], _Named]()
    unpaired: list[Path] = []
    jpegs = {file.key for file in files if file.role == "picture" and file.path.suffix.lower() in _JPEG}
    for file in files:
        # A PNG without a word is the depth map of the JPEG of its name, or the picture of the map that says it is one.
        beside = file.path.suffix.lower() not in _JPEG and file.key in jpegs and file.key not in sure
        place = depths if file.role == "depth" or beside else pictures
        if file.key in place:
            unpaired.append(file.path)
        else:
            place[file.key] = file
    common = sorted(set(pictures) & set(depths))
    pairs = tuple(Pair("/".join(key), "/".join(key[:-1]), pictures[key].path, depths[key].path) for key in common)
    unpaired += [file.path for place in (pictures, depths) for key, file in place.items() if key not in set(common)]
    disparity = bool(common) and all(depths[key].words & _DISPARITY_WORDS for key in common)
    depth = bool(common) and all(depths[key].words & _DEPTH_WORDS for key in common)
    return FoundPairs(_layout(pairs), pairs, tuple(sorted(unpaired)), disparity, depth and not disparity)


def _layout(pairs: Sequence[Pair]) -> str:
    """In words, as most of the pairs lie."""

    def of(pair: Pair) -> str:
        if pair.picture.parent != pair.depth.parent:
            # Of rgb/kitchen/ and depth/kitchen/ the first is what tells them apart.
            folders = zip(pair.picture.parent.parts, pair.depth.parent.parts, strict=False)
            names = (pair.picture.parent.name, pair.depth.parent.name)
            picture, depth = next((both for both in folders if both[0] != both[1]), names)
            return f"folders {picture}/ and {depth}/"
        if pair.picture.stem == pair.depth.stem:
            return f"pairs of one name, {pair.picture.suffix} and {pair.depth.suffix}"
        return "pairs told apart by words in their names"

    counted = Counter(of(pair) for pair in pairs).most_common(1)
    return counted[0][0] if counted else "no pairs"


def _tum_lists(root: Path) -> list[Path]:
    """The sequences that list their pictures and depth maps with the moments at which they were taken."""
    folders = [root, *sorted(path for path in root.iterdir() if path.is_dir())]
    return [folder for folder in folders if all((folder / name).is_file() for name in ("rgb.txt", "depth.txt"))]


def _by_moments(root: Path, sequences: Sequence[Path]) -> FoundPairs:
    pairs: list[Pair] = []
    unpaired: list[Path] = []
    for sequence in sequences:
        pictures, depths = (_moments(sequence / name) for name in ("rgb.txt", "depth.txt"))
        matched = associate([moment for moment, _ in pictures], [moment for moment, _ in depths])
        scene = "" if sequence == root else sequence.name
        pairs += [_timed(scene, pictures[i][1], depths[j][1]) for i, j in matched]
        taken = {path for i, j in matched for path in (pictures[i][1], depths[j][1])}
        unpaired += [path for _, path in (*pictures, *depths) if path not in taken]
    layout = "TUM-like lists of moments, rgb.txt and depth.txt"
    return FoundPairs(layout, tuple(pairs), tuple(sorted(unpaired)), steps_per_metre=5000.0)


def _timed(scene: str, picture: Path, depth: Path) -> Pair:
    return Pair(f"{scene}/{picture.stem}" if scene else picture.stem, scene, picture, depth)


def _moments(path: Path) -> list[tuple[float, Path]]:
    rows = [line.split()[:2] for line in read_lines(path)]
    try:
        return sorted((float(moment), path.parent / file) for moment, file in rows)
    except ValueError as error:
        raise DatasetError(f"{path} isn't a list of moments and files: {error}") from error


def _checked(root: Path, found: FoundPairs) -> FoundPairs:
    if found.pairs:
        return found
    example = f"; the first of {len(found.unpaired)} files: {found.unpaired[0]}" if found.unpaired else ""
    raise DatasetError(
        f"{root} holds no picture with a depth map{example}",
        below="expected one of\n"
        "  rgb/NAME.jpg and depth/NAME.png                 two folders (also images/, color/; disparity/, gt/)\n"
        "  NAME.jpg and NAME.png, NAME.npy or NAME.exr     pairs of one name\n"
        "  NAME.jpg and NAME_depth.png                     words in the names\n"
        "  SCENE/... of any of these                       scenes in folders\n"
        "  rgb.txt and depth.txt                           lists of moments and files, as TUM RGB-D has them\n"
        "docs/train.md says more",
    )
