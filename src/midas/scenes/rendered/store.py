"""What is on the disk: sets in the corpus format, complete scene by scene, and the record of what was done.

::

    <output>/render.json               seed, library and size: what must not change between runs
    <output>/scenes.jsonl              a line for each finished scene
    <output>/rendered-rooms/dataset.json
    <output>/rendered-rooms/s00000/00.jpg, 00.png, ...
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from midas.arrays import Array, UInt8, UInt16
from midas.errors import RenderError
from midas.scenes.rendered.plan import ScenePlan
from midas.scenes.rendered.worlds import WORLDS, World
from midas.storage.atomic import atomic_file

PARTIAL = ".partial"
FACTS = "render.json"

SOURCES = (
    {"name": "Blender 4.2 (bpy)", "licence": "GPL-3.0-or-later", "use": "the program; what it renders is free"},
    {"name": "Infinigen", "licence": "BSD-3-Clause", "use": "shapes and materials of furniture, plants, animals"},
    {"name": "Anny", "licence": "Apache-2.0; MakeHuman data CC0-1.0", "use": "bodies"},
)

NOTES = (
    "Rendered by midas data render (Cycles). PNG: 16 bit, round(60000 * z_near / z), z along the optical axis at pixel "
    "centres from a pass of its own without lens blur, pixel filter or denoising; z_near is the first percentile of z. "
    "So it is inverse depth up to one scale per picture, without shift; sky is 1, infinitely far; 11 significant bits. "
    "Glass has the depth of its own surface. Exposure, white balance, haze, tone curve and noise are simulated."
)


@dataclass(frozen=True)
class Picture:
    """A photograph and its target."""

    photo: UInt8[Array, "H W 3"]
    values: UInt16[Array, "H W"]


@dataclass(frozen=True)
class SceneRecord:
    """A line of the record.

    Attributes:
        world, index: which scene.
        what: what the generator built.
        kept: pictures written.
        dropped: how many pictures failed, by reason.
        error: why there is no scene at all; None if there is one.
        seconds: that the generator took.
    """

    world: str
    index: int
    what: str
    kept: int
    dropped: dict[str, int]
    error: str | None
    seconds: float


class RenderStore:
    """The output folder.

    Args:
        root: the folder; it is made if it isn't there.
        facts: what must be the same in every run into this folder.

    Raises:
        RenderError: the folder holds pictures made with other facts, its record can't be read, or it can't be written.
    """

    def __init__(self, root: Path, facts: dict[str, Any]):
        self.root = root
        check_begun(root, facts)
        if not (root / FACTS).exists():
            _write_json(root / FACTS, facts)
        self.records = _read_records(root / "scenes.jsonl")
        shutil.rmtree(root / PARTIAL, ignore_errors=True)  # of a run that was ended from outside

    @property
    def kept(self) -> int:
        """Pictures in all sets."""
        return sum(record.kept for record in self.records)

    def has(self, scene: ScenePlan) -> bool:
        """The scene is finished, with or without pictures."""
        return any(each.world == scene.world.name and each.index == scene.index for each in self.records)

    def partial(self, scene: ScenePlan) -> Path:
        """Folder that the scene's files go to while it isn't finished."""
        return self.root / PARTIAL / f"{scene.world.name}-{scene.name}"

    def add(self, scene: ScenePlan, pictures: list[Picture], record: SceneRecord) -> None:
        """Write a finished scene: first aside, then all at once under its name, then into the record."""
        folder = self.partial(scene)
        if pictures:
            finished = folder / "finished"
            finished.mkdir(parents=True, exist_ok=True)
            for number, picture in enumerate(pictures):
                write_picture(finished / f"{number:02d}", picture)
            target = self.root / scene.world.set_name / scene.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(target, ignore_errors=True)  # written, but not recorded, by a run that was ended in between
            finished.rename(target)
        shutil.rmtree(folder, ignore_errors=True)
        self.records.append(record)
        with (self.root / "scenes.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(record)) + "\n")
        # After each scene: the sets of a run that is killed can be read too.
        self._describe(scene.world)

    def close(self) -> None:
        """Bring the ``dataset.json`` of each set up to date, and leave nothing unfinished."""
        for world in WORLDS:
            self._describe(world)
        shutil.rmtree(self.root / PARTIAL, ignore_errors=True)

    def _describe(self, world: World) -> None:
        kept = [record.kept for record in self.records if record.world == world.name and record.kept]
        if kept:
            facts = description(world) | {"frames": sum(kept), "scenes": len(kept)}
            _write_json(self.root / world.set_name / "dataset.json", facts)


def check_begun(root: Path, facts: dict[str, Any]) -> None:
    """Nothing, where pictures made with these facts can go into a folder.

    Raises:
        RenderError: it was begun with others, its record of them can't be read, or it can't be a folder.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        before = json.loads((root / FACTS).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise RenderError(f"{root / FACTS} is damaged: {error}; give another output folder") from error
    except OSError as error:
        raise RenderError(f"{root} can't hold pictures: {error.strerror or error}; give another folder") from error
    for key, value in facts.items():
        if before.get(key) != value:
            raise RenderError(
                f"{root} was begun with {key} {before.get(key)!r}, not {value!r}: "
                "give the same again, or another output folder"
            )


def description(world: World) -> dict[str, Any]:
    """What ``dataset.json`` says of a world's set, without the counts."""
    return {
        "name": world.set_name,
        "source_repo": "midas data render",
        "licence": "CC0-1.0",
        "commercial_use": True,
        "sources": list(SOURCES),
        "domain": world.domain,
        "sensor": "render",
        "depth_kind": "relative-disparity",
        "depth_scale": None,
        "shift_known": True,
        "intrinsics": None,
        "split": "train",
        "sparse": False,
        "about": world.about,
        "notes": NOTES,
    }


def write_picture(stem: Path, picture: Picture) -> None:
    """Write ``<stem>.jpg`` and ``<stem>.png``."""
    photo = np.ascontiguousarray(picture.photo[..., ::-1])
    jpeg = cv2.imencode(".jpg", photo, [cv2.IMWRITE_JPEG_QUALITY, 92])[1]
    png = cv2.imencode(".png", picture.values, [cv2.IMWRITE_PNG_COMPRESSION, 9])[1]
    stem.with_suffix(".jpg").write_bytes(jpeg.tobytes())
    stem.with_suffix(".png").write_bytes(png.tobytes())


def _write_json(path: Path, facts: dict[str, Any]) -> None:
    with atomic_file(path, overwrite=True) as file:
        file.write((json.dumps(facts, indent=1, ensure_ascii=False) + "\n").encode())


def _read_records(path: Path) -> list[SceneRecord]:
    if not path.exists():
        return []
    records = []
    lines = path.read_text(encoding="utf-8").split("\n")
    # After the last line's end there is nothing, or the half line of a run that was ended while it wrote.
    if lines.pop():
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    for number, line in enumerate(lines, 1):
        try:
            records.append(SceneRecord(**json.loads(line)))
        except (json.JSONDecodeError, TypeError) as error:
            raise RenderError(f"{path}, line {number}, is damaged: {error}") from error
    return records
