"""The library: built once, resumed, with failures left out; the same contents have the same name."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from midas.errors import RenderError
from midas.scenes.rendered import library_plan
from midas.scenes.rendered.claims import claimed
from midas.scenes.rendered.environment import RenderEnvironment
from midas.scenes.rendered.library import Library, LibraryProgress
from midas.scenes.rendered.library_plan import FACTORIES, library_items

STAND_IN = [sys.executable, str(Path(__file__).parent / "stand_in.py")]
SCALE = 0.001


class StandInEnvironment(RenderEnvironment):
    """An environment whose processes are the stand-in."""

    mode = "good"

    @property
    def command(self) -> list[str]:
        return [*STAND_IN, self.mode]

    @property
    def body_command(self) -> list[str]:
        return [*STAND_IN, self.mode]


class FailingEnvironment(StandInEnvironment):
    """One whose objects all fail."""

    mode = "library-errors"


def test_a_full_library_is_several_times_larger_than_the_first_one() -> None:
    items = list(library_items(1.0, 0))
    assert sum(item.kind == "asset" for item in items) > 600
    assert sum(item.kind == "body" for item in items) == library_plan.BODIES
    assert len({item.file_name for item in items}) == len(items)


def test_an_unfinished_library_has_some_of_everything() -> None:
    first = [item for item in library_items(1.0, 0) if item.kind == "asset"][: len(FACTORIES)]
    assert {item.job["factory"] for item in first} == {factory.name for factory in FACTORIES}


class BrokenEnvironment(StandInEnvironment):
    """One that can't run."""

    mode = "broken"


def test_what_a_broken_environment_could_not_make_is_made_once_it_is_mended(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match=r"the generator can't be run; .*no module named bpy"):
        Library(tmp_path).build(BrokenEnvironment(tmp_path), scale=SCALE)
    Library(tmp_path).build(StandInEnvironment(tmp_path), scale=SCALE)
    names = {entry["name"] for entry in json.loads((tmp_path / "library.json").read_text(encoding="utf-8"))}
    assert names == {item.name for item in library_items(SCALE, 0)}


def test_two_processes_do_not_build_one_library(tmp_path: Path) -> None:
    with claimed(tmp_path, "filled"), pytest.raises(RenderError, match="is being filled by another process"):
        Library(tmp_path).build(StandInEnvironment(tmp_path), scale=SCALE)


def test_a_finished_library_of_another_size_is_refused_where_a_size_is_asked_for(tmp_path: Path) -> None:
    library = Library(tmp_path)
    library.check_size(1.0)
    library.build(StandInEnvironment(tmp_path), scale=SCALE)
    library.check_size(SCALE)
    with pytest.raises(RenderError, match=r"finished, and not of --library-size 1: .*another folder with --library"):
        library.check_size(1.0)


def test_a_library_is_built_once(tmp_path: Path) -> None:
    library, seen = Library(tmp_path), list[LibraryProgress]()
    library.build(StandInEnvironment(tmp_path), scale=SCALE, workers=2, report=seen.append)
    assert library.is_complete
    assert seen[-1].done == seen[-1].total == len(list(library_items(SCALE, 0)))
    seen.clear()
    library.build(StandInEnvironment(tmp_path), scale=SCALE, report=seen.append)
    assert seen == []


def test_a_library_goes_on_where_it_was_stopped_and_is_the_same(tmp_path: Path) -> None:
    whole, parts = Library(tmp_path / "whole"), Library(tmp_path / "parts")
    whole.build(StandInEnvironment(tmp_path), scale=SCALE)

    def stop(progress: LibraryProgress) -> None:
        if progress.done == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        parts.build(StandInEnvironment(tmp_path), scale=SCALE, report=stop)
    assert not parts.is_complete
    seen: list[LibraryProgress] = []
    parts.build(StandInEnvironment(tmp_path), scale=SCALE, report=seen.append)
    assert len(seen) == len(list(library_items(SCALE, 0))) - 20
    assert parts.fingerprint == whole.fingerprint


def test_a_library_without_objects_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(
        RenderError, match="kind 'asset' nothing could be made: the generator ended: ValueError: nothing to see"
    ):
        Library(tmp_path).build(FailingEnvironment(tmp_path), scale=SCALE)


def test_things_that_failed_are_not_in_the_index(tmp_path: Path) -> None:
    library = Library(tmp_path)
    (tmp_path / "library.jsonl").write_text(
        json.dumps({"name": "ChairFactory-00", "category": "chair", "error": "no"}) + "\n", encoding="utf-8"
    )
    library.build(StandInEnvironment(tmp_path), scale=SCALE)
    names = {entry["name"] for entry in json.loads((tmp_path / "library.json").read_text(encoding="utf-8"))}
    assert "ChairFactory-00" not in names
    assert "SofaFactory-00" in names


def test_a_library_that_is_not_there_has_no_name(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match="no finished library"):
        _ = Library(tmp_path).fingerprint
