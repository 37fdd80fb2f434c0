"""Rendering as a whole, with a stand-in for the generator: seeds, layout, resuming, failures, stopping."""

from __future__ import annotations

import hashlib
import json
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from midas.errors import RenderError
from midas.scenes.rendered.run import Progress, RenderOptions, render
from midas.scenes.rendered.store import PARTIAL, RenderStore, check_begun
from midas.scenes.rendered.worlds import find_worlds

STAND_IN = [sys.executable, str(Path(__file__).parent / "stand_in.py")]
FACTS = {"seed": 0, "library": "abc"}


def run(
    output: Path,
    count: int,
    *mode: str,
    workers: int = 1,
    limit_s: float = 30.0,
    worlds: tuple[str, ...] = ("rooms", "woods"),
) -> Progress:
    options = RenderOptions(find_worlds(worlds), count, workers=workers, limit_s=limit_s)
    return render([*STAND_IN, *mode], output / "library", RenderStore(output, FACTS), options)


def files(output: Path) -> dict[str, str]:
    paths = [*output.glob("*/*/*.jpg"), *output.glob("*/*/*.png")]
    return {str(path.relative_to(output)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def test_the_folder_holds_sets_in_the_corpus_format(tmp_path: Path) -> None:
    run(tmp_path, 8)
    assert {"rendered-rooms/s00000/00.jpg", "rendered-rooms/s00000/00.png", "rendered-woods/s00000/03.png"} <= set(
        files(tmp_path)
    )
    facts = json.loads((tmp_path / "rendered-rooms" / "dataset.json").read_text(encoding="utf-8"))
    assert (facts["name"], facts["frames"], facts["scenes"], facts["split"]) == ("rendered-rooms", 4, 1, "train")
    assert not (tmp_path / PARTIAL).exists()


def test_at_any_moment_the_sets_can_be_read(tmp_path: Path) -> None:
    seen = []

    def check(progress: Progress) -> None:
        described = [json.loads(path.read_text(encoding="utf-8")) for path in tmp_path.glob("rendered-*/dataset.json")]
        assert sum(facts["frames"] for facts in described) == progress.kept == len(list(tmp_path.glob("*/*/*.jpg")))
        seen.append({facts["name"] for facts in described})

    options = RenderOptions(find_worlds(("rooms", "woods")), 16)
    render(STAND_IN, tmp_path / "library", RenderStore(tmp_path, FACTS), options, check)
    assert seen[0] == {"rendered-rooms"} or seen[0] == {"rendered-woods"}
    assert seen[-1] == {"rendered-rooms", "rendered-woods"}


def test_any_number_of_workers_makes_the_same_pictures(tmp_path: Path) -> None:
    run(tmp_path / "one", 16)
    run(tmp_path / "three", 16, workers=3)
    assert files(tmp_path / "one") == files(tmp_path / "three")


def test_a_run_in_two_parts_makes_the_same_as_one(tmp_path: Path) -> None:
    run(tmp_path / "whole", 20)
    run(tmp_path / "parts", 8)
    progress = run(tmp_path / "parts", 20)
    assert progress.new == 12
    assert files(tmp_path / "whole") == files(tmp_path / "parts")


def test_a_run_with_enough_pictures_starts_nothing(tmp_path: Path) -> None:
    run(tmp_path, 8)
    assert run(tmp_path, 8, "broken").new == 0


def test_a_half_line_and_a_half_scene_of_a_killed_run_are_done_again(tmp_path: Path) -> None:
    run(tmp_path, 8)
    before = files(tmp_path)
    record = tmp_path / "scenes.jsonl"
    record.write_text(record.read_text(encoding="utf-8")[:-5], encoding="utf-8")
    (tmp_path / PARTIAL / "rooms-s00001").mkdir(parents=True)
    run(tmp_path, 8)
    assert files(tmp_path) == before


def test_another_seed_or_library_needs_another_folder(tmp_path: Path) -> None:
    run(tmp_path, 4)
    with pytest.raises(RenderError, match="begun with library 'abc', not 'xyz'"):
        RenderStore(tmp_path, FACTS | {"library": "xyz"})


def test_a_generator_that_dies_is_replaced_and_its_scene_left_out(tmp_path: Path) -> None:
    progress = run(tmp_path, 8, "dies-once", str(tmp_path / "died"))
    assert progress.kept == 8
    assert progress.failed_scenes == 1
    errors = [
        json.loads(line)["error"] for line in (tmp_path / "scenes.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert [error for error in errors if error] == ["the generator ended: Segmentation fault"]


def test_a_picture_that_cannot_be_read_costs_its_scene_alone(tmp_path: Path) -> None:
    progress = run(tmp_path, 8, "torn-once", str(tmp_path / "torn"))
    assert (progress.kept, progress.failed_scenes) == (8, 1)
    first = json.loads((tmp_path / "scenes.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert (first["kept"], first["error"].partition(":")[0]) == (0, "what the generator wrote can't be taken")


def test_a_folder_that_cannot_be_one_or_was_begun_otherwise_is_found_before_anything_is_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(RenderError, match=r"can't hold pictures: .*give another folder"):
            check_begun(place, FACTS)
    check_begun(tmp_path / "new", FACTS)
    assert not list((tmp_path / "new").iterdir())
    run(tmp_path / "new", 4)
    check_begun(tmp_path / "new", {"seed": 0})
    with pytest.raises(RenderError, match="begun with seed 0, not 1"):
        check_begun(tmp_path / "new", {"seed": 1})


def test_a_generator_that_never_answers_is_given_up_with_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match=r"can't be run; the generator ended: .*no module named bpy"):
        run(tmp_path / "mended", 8, "broken")
    run(tmp_path / "mended", 8)
    run(tmp_path / "whole", 8)
    assert files(tmp_path / "mended") == files(tmp_path / "whole"), "no scene is lost to what was no fault of its own"


@pytest.mark.parametrize(("free", "why"), [(1 << 40, "it said nothing"), (0, "No space left on device: .*logs")])
def test_a_generator_that_dies_without_a_word_may_have_met_a_full_disk(
    free: int, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=free))
    with pytest.raises(RenderError, match=rf"the generator ended: {why}"):
        run(tmp_path, 8, "mute")


def test_a_scene_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(RenderError, match=r"took longer than 0\.05 s"):
        run(tmp_path, 4, "slow", limit_s=0.05)
    assert time.monotonic() - began < 20


def test_scenes_that_all_fail_end_the_run_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(
        RenderError, match="10 scenes in a row failed, the last because the generator ended: ValueError: no such chair"
    ):
        run(tmp_path, 8, "error")


def test_failed_pictures_are_counted_by_reason_and_not_written(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match="without a picture"):
        run(tmp_path, 8, "flat")
    records = [json.loads(line) for line in (tmp_path / "scenes.jsonl").read_text(encoding="utf-8").splitlines()]
    assert records[0]["dropped"] == {"no spread of depth": 4}
    assert files(tmp_path) == {}


def test_stopping_leaves_complete_scenes_and_no_process(tmp_path: Path) -> None:
    seen: list[int] = []

    def stop_after_two(progress: Progress) -> None:
        seen.append(progress.kept)
        if len(seen) == 2:
            raise KeyboardInterrupt

    options = RenderOptions(find_worlds(("rooms",)), 100, workers=2)
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        render(STAND_IN, tmp_path / "library", RenderStore(tmp_path, FACTS), options, stop_after_two)
    assert threading.active_count() == before
    assert not (tmp_path / PARTIAL).exists()
    assert run(tmp_path, 12, worlds=("rooms",)).kept == 12


def test_progress_tells_the_pace_and_the_time_left() -> None:
    progress = Progress(kept=250, wanted=1000, new=50, elapsed_s=360.0)
    progress.dropped["burnt out"] = 3
    assert str(progress) == "250 of 1000 pictures, 500 an hour, 1 h 30 min left, 3 dropped"
