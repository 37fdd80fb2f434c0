"""``midas data render`` from end to end, with a stand-in for the environment of Blender."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from midas.cli import app
from midas.datasets.readers.corpus import CorpusDataset
from midas.scenes.rendered import environment
from midas.scenes.rendered.claims import claimed

STAND_IN = Path(__file__).parents[1] / "scenes" / "rendered" / "stand_in.py"
NO_PACKAGES = {"torch": None, "timm": None, "scipy": None}

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the stand-in for the environment is a shell script")


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """A folder with an environment whose Python is the stand-in, and a finished library."""
    return write_folders(tmp_path, "good")


def write_folders(root: Path, mode: str) -> Path:
    python = root / "environment" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{STAND_IN}" {mode}\n', encoding="utf-8")
    python.chmod(0o755)
    wanted = environment.REQUIREMENTS.read_text("utf-8") + environment.BODY_REQUIREMENTS.read_text("utf-8")
    (root / "environment" / "midas-requirements.txt").write_text(wanted, encoding="utf-8")
    (root / "library").mkdir()
    (root / "library" / "library.json").write_text("[]\n", encoding="utf-8")
    return root


def command(root: Path, *arguments: str) -> list[str]:
    code = f"import sys; sys.modules.update({NO_PACKAGES!r}); from midas.cli import main; main()"
    options = ["--environment", str(root / "environment"), "--library", str(root / "library"), "-o", str(root / "out")]
    return [sys.executable, "-c", code, "data", "render", *options, *arguments]


def run(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(root, *arguments), capture_output=True, text=True, check=False)


def test_a_cluster_gets_the_processes_and_threads_asked_for_and_gives_the_same_pictures(
    folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray")
    from midas.scale import on_ray
    from midas.scale.engine import Engine, MakeWorker
    from midas.scale.processes import spread_here

    asked: list[Engine] = []

    def spread_on_ray(make: MakeWorker, items: Sequence[int], engine: Engine) -> Iterator[Any]:
        asked.append(engine)
        return spread_here(make, items, Engine("local", workers=1))

    monkeypatch.setattr(on_ray, "spread_on_ray", spread_on_ray)
    options = ["--environment", folders / "environment", "--library", folders / "library", "--count", "8"]
    cluster = ["--engine", "ray", "--address", "auto", "--workers", "3", "--threads", "2"]
    for name, more in (("out", []), ("spread", cluster)):
        found = CliRunner().invoke(app, ["data", "render", "-o", *map(str, [folders / name, *options, *more])])
        assert found.exit_code == 0, found.output
    assert set(asked) == {Engine("ray", "auto", 3, 2, device="cpu")}
    here, there = (
        {path.relative_to(folders / name): path.read_bytes() for path in (folders / name).glob("*/*/*.*g")}
        for name in ("out", "spread")
    )
    assert len(here) == 16
    assert there == here


def test_sets_that_a_training_can_read_and_sheets_of_them(folders: Path) -> None:
    finished = run(folders, "--count", "12", "--worlds", "rooms,night", "--sheet", str(folders / "sheets"), "--json")
    assert finished.returncode == 0, finished.stderr
    facts = json.loads(finished.stdout)
    assert (facts["pictures"], facts["new"], facts["dropped"]) == (12, 12, {})
    sets = {path.parent.name: CorpusDataset(path.parent) for path in (folders / "out").glob("*/dataset.json")}
    assert set(sets) == {"rendered-rooms", "rendered-night"}
    assert sum(len(each) for each in sets.values()) == 12
    assert all(sample.shift_known for sample in sets["rendered-rooms"].samples())
    assert np.asarray(Image.open(folders / "sheets" / "rendered-rooms.png")).shape[1] == 1500


def test_a_second_call_goes_on_from_the_first(folders: Path) -> None:
    run(folders, "--count", "4")
    finished = run(folders, "--count", "8", "--json")
    assert json.loads(finished.stdout)["new"] == 4
    other = run(folders, "--count", "8", "--seed", "1")
    assert other.returncode == 1
    assert "was begun with seed 0, not 1" in other.stderr


def test_nothing_is_rendered_where_only_the_preparation_is_asked_for(folders: Path) -> None:
    finished = run(folders, "--count", "0")
    assert (finished.returncode, finished.stdout) == (0, "")
    assert not (folders / "out").exists()


def test_programs_learn_what_was_prepared(folders: Path) -> None:
    finished = run(folders, "--count", "0", "--json")
    assert json.loads(finished.stdout) == {
        "environment": str(folders / "environment"),
        "library": str(folders / "library"),
    }


def test_what_is_missing_for_a_library_is_said_before_anything_is_made(folders: Path) -> None:
    (folders / "library" / "library.json").unlink()
    missing = run(folders, "--count", "4")
    assert missing.returncode != 0
    assert "making bodies for rendered scenes needs more packages: pip install 'midas-depth[lab]'" in missing.stderr


def test_an_output_that_does_not_fit_is_said_before_a_library_is_made(folders: Path) -> None:
    run(folders, "--count", "4")
    (folders / "library" / "library.json").unlink()
    assert "was begun with size_px 320, not 640" in run(folders, "--count", "8", "--size", "640").stderr


def test_a_second_command_at_once_is_refused(folders: Path) -> None:
    with claimed(folders / "out", "filled"):
        second = run(folders, "--count", "4")
    assert second.returncode == 1
    assert "out is being filled by another process: wait until that has ended" in second.stderr


def test_worlds_may_be_written_with_spaces(folders: Path) -> None:
    assert run(folders, "--worlds", "night, rooms", "--list").stdout.count("\n") == 2


def test_the_worlds_are_listed_and_a_misspelt_one_is_usage(folders: Path) -> None:
    assert "portraits" in run(folders, "--list").stdout
    misspelt = run(folders, "--worlds", "portrait")
    assert (misspelt.returncode, misspelt.stderr) == (
        2,
        "midas: error: no world is called 'portrait'; did you mean 'portraits'?\n",
    )


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("--film", "pan", "--count", "4"), "leave out --count, or --film"),
        (("--film", "pan", "--sheet", "sheets"), "leave out --sheet, or --film"),
        (("--frames", "9"), "name its move with --film"),
    ],
)
def test_what_belongs_to_films_and_what_to_pictures_isn_t_ignored_by_the_other(
    folders: Path, asked: tuple[str, ...], said: str
) -> None:
    finished = run(folders, *asked)
    assert finished.returncode == 2
    assert said in finished.stderr
    assert not (folders / "out").exists()


def test_a_broken_environment_is_one_sentence(tmp_path: Path) -> None:
    finished = run(write_folders(tmp_path, "broken"), "--count", "4")
    assert finished.returncode == 1
    assert finished.stderr.strip().splitlines()[-1].startswith("midas: error: the generator can't be run; ")


@pytest.mark.parametrize(
    ("asked", "said"), [(("--count", "4"), "0 pictures"), (("--film", "pan", "--frames", "9"), "0 frames")]
)
def test_ctrl_c_ends_the_processes_and_says_what_is_complete(tmp_path: Path, asked: tuple[str, ...], said: str) -> None:
    root = write_folders(tmp_path, "slow")
    process = subprocess.Popen(command(root, *asked), stderr=subprocess.PIPE, text=True)
    log = root / "out" / "logs" / "worker-0.log"
    while not log.exists():  # the first process has been started
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert f"{said} are complete in" in err
    assert err.endswith("midas: stopped\n")
