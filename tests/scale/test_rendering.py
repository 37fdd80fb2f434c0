"""Rendering spread over workers: the pictures of this machine's processes, whoever renders them."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import pytest

from midas.errors import RenderError
from midas.scale.engine import Engine
from midas.scale.rendering import outcomes_by
from midas.scenes.rendered.run import Progress, RenderOptions, render
from midas.scenes.rendered.store import PARTIAL, RenderStore
from midas.scenes.rendered.worlds import find_worlds

STAND_IN = (sys.executable, str(Path(__file__).parents[1] / "scenes" / "rendered" / "stand_in.py"))
TWO = Engine("local", workers=2, cores=1)


def rendered(output: Path, engine: Engine | None, *mode: str, count: int = 16) -> Progress:
    options = RenderOptions(find_worlds(("rooms", "woods")), count)
    command = [*STAND_IN, *mode]
    elsewhere = None if engine is None else partial(outcomes_by, engine, command, output / "logs", 60.0)
    store = RenderStore(output, {"seed": 0, "library": "abc"})
    return render(command, output / "library", store, options, elsewhere=elsewhere)


def files(output: Path) -> dict[str, bytes]:
    return {
        path.relative_to(output).as_posix(): path.read_bytes()
        for pattern in ("*/*/*.jpg", "*/*/*.png")
        for path in output.glob(pattern)
    }


@pytest.mark.parametrize(
    "engine",
    [
        Engine("local", workers=1),
        TWO,
        pytest.param(
            Engine("ray", workers=2, cores=1),
            marks=[pytest.mark.slow, pytest.mark.filterwarnings("default")],  # Ray warns of its own settings
        ),
    ],
    ids=lambda engine: f"{engine.name}-{engine.workers}",
)
def test_pictures_do_not_depend_on_who_renders_them(tmp_path: Path, engine: Engine) -> None:
    if engine.name == "ray":
        pytest.importorskip("ray")
    rendered(tmp_path / "here", None)
    progress = rendered(tmp_path / "there", engine)
    assert files(tmp_path / "there") == files(tmp_path / "here")
    assert (progress.kept, progress.failed_scenes) == (16, 0)
    assert not (tmp_path / "there" / PARTIAL).exists()


def test_a_generator_that_dies_is_begun_again_and_further_scenes_make_up_for_its_own(tmp_path: Path) -> None:
    progress = rendered(tmp_path, Engine("local", workers=1), "dies-once", str(tmp_path / "died"))
    assert progress.failed_scenes == 1
    assert progress.kept >= 16


def test_a_generator_that_cannot_run_ends_the_run_with_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match="no module named bpy"):
        rendered(tmp_path, Engine("local", workers=1), "broken")
