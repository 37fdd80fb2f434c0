"""Two contestants, in turns."""

from __future__ import annotations

import sys
from pathlib import Path
from types import TracebackType

import numpy as np
import pytest

from midas.bench.duel import (
    CallableContestant,
    CommandContestant,
    compare,
    is_callable_name,
    take_turns,
)
from midas.errors import ConfigError

RIVAL = """
import os
print("a word at import")
made = []

def predict(image):
    assert image.shape == (4, 5, 3)
    print("a word at each call")
    with open(os.environ["RIVAL_LOG"], "a") as log:
        log.write("x")

def fail(image):
    raise RuntimeError("no such luck")

def make(word):
    assert word == "yes"
    return predict
"""


class Scripted:
    """A contestant that notes its turns and takes the times it is given."""

    def __init__(self, name: str, turns: list[str], times: list[float]) -> None:
        self.name, self.turns, self.times = name, turns, iter(times)

    def __enter__(self) -> Scripted:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.turns.append(f"end of {self.name}")

    def run_ms(self) -> float:
        self.turns.append(self.name)
        return next(self.times)


@pytest.fixture
def picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "toy_rival.py").write_text(RIVAL)
    np.save(tmp_path / "picture.npy", np.zeros((4, 5, 3), np.uint8))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RIVAL_LOG", str(tmp_path / "log"))
    return tmp_path / "picture.npy"


def test_each_round_gives_each_contestant_one_turn_and_warm_up_rounds_do_not_count() -> None:
    turns: list[str] = []
    contestants = {"a": Scripted("a", turns, [9.0, 1.0, 2.0]), "b": Scripted("b", turns, [9.0, 4.0, 6.0])}
    times = take_turns(contestants, 2, warmup=1)
    assert turns == ["a", "b", "a", "b", "a", "b", "end of b", "end of a"]
    assert times == {"a": [1, 2], "b": [4, 6]}


def test_the_ratio_is_taken_round_by_round() -> None:
    duel = compare("us", "them", [1.0, 2.0, 10.0], [4.0, 6.0, 20.0])
    assert duel.ratio == 3.0
    assert duel.ours is not None
    assert duel.theirs is not None
    assert (duel.ours.median_ms, duel.theirs.median_ms) == (2.0, 6.0)


def test_a_callable_answers_although_it_prints(picture: Path) -> None:
    with CallableContestant("toy_rival:predict", picture) as rival:
        assert rival.first_ms > 0
        assert all(rival.run_ms() > 0 for _ in range(3))
    assert len((picture.parent / "log").read_text()) > 4  # turns have time for more than one call


def test_settings_make_the_callable_first(picture: Path) -> None:
    with CallableContestant("toy_rival:make", picture, settings={"word": "yes"}, python=sys.executable) as rival:
        assert rival.run_ms() > 0


@pytest.mark.parametrize(
    ("target", "said"), [("toy_rival:fail", "no such luck"), ("toy_rival:nothing", "nothing"), ("nowhere:x", "nowhere")]
)
def test_a_callable_that_fails_says_why(picture: Path, target: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said), CallableContestant(target, picture):
        pass


def test_a_command_gets_the_picture_and_must_succeed(picture: Path) -> None:
    program = "import sys; sys.exit(not open(sys.argv[1], 'rb').read())"
    with CommandContestant([sys.executable, "-c", program, "{picture}"], picture) as rival:
        assert rival.run_ms() > 0
    for command, said in (
        ("/nowhere/rival x", "can't be run"),
        (f"{sys.executable} -c 'raise SystemExit(3)'", "status 3"),
    ):
        with pytest.raises(ConfigError, match=said):
            CommandContestant(command, picture).run_ms()
    with pytest.raises(ConfigError, match="empty"):
        CommandContestant("  ", picture)


def test_a_callable_and_a_command_are_told_apart_by_their_form() -> None:
    assert is_callable_name("package.module:predict")
    assert not any(map(is_callable_name, ("rival --to {picture}", "C:/rival.exe", "rival", "a:b:c")))
