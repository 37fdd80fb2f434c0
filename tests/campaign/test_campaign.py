"""A small campaign: `make campaign` runs a large one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.campaign.__main__ import parts
from tests.campaign.commands import COMMANDS, leftovers, whole_outputs
from tests.campaign.files import note
from tests.campaign.findings import Part
from tests.campaign.mutations import MUTATIONS, mutate
from tests.campaign.seeds import maps, pictures
from tests.campaign.stops import interpreter_s_own

import midas
from midas.maps.depth_map import DepthMap

PICTURES = 200


def test_at_least_15_formats_are_damaged() -> None:
    assert len(pictures()) >= 15
    assert len(maps()) >= 6


def test_damage_is_the_same_for_the_same_numbers_and_differs_for_others() -> None:
    whole = bytes(range(256)) * 8
    made = [mutate(whole, np.random.default_rng([0, number]), whole) for number in range(200)]
    assert made == [mutate(whole, np.random.default_rng([0, number]), whole) for number in range(200)]
    assert len(set(made)) > 150
    assert len(MUTATIONS) >= 8


def test_what_is_half_or_left_over_is_seen(tmp_path: Path) -> None:
    predict = next(command for command in COMMANDS if command.name == "predict")
    DepthMap(np.zeros((200, 300), np.float32)).save(tmp_path / "000.npy")
    assert (whole_outputs(predict, tmp_path), leftovers(tmp_path)) == ("", [])
    (tmp_path / "001.npy").write_bytes((tmp_path / "000.npy").read_bytes()[:-1])
    (tmp_path / ".midas-1.tmp").touch()
    assert "001.npy" in whole_outputs(predict, tmp_path)
    assert leftovers(tmp_path) == [str(tmp_path / ".midas-1.tmp")]


def test_a_line_without_a_name_is_seen_and_progress_is_none() -> None:
    train = next(command for command in COMMANDS if command.name == "train")
    said = "midas: stopped\n\nepoch 1/3: loss 0.8\nTraceback (most recent call last):\nepochs are odd\n"
    assert train.nameless(said) == ["Traceback (most recent call last):", "epochs are odd"]


def test_a_traceback_with_a_frame_of_ours_is_never_the_interpreter_s() -> None:
    assert interpreter_s_own('Could not import runpy module\n  File "runpy.py", line 15\nKeyboardInterrupt\n')
    assert not interpreter_s_own(f'  File "{midas.__file__}", line 3, in <module>\nKeyboardInterrupt\n')
    assert not interpreter_s_own("ZeroDivisionError\n")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"foreign": "ZeroDivisionError()"}, "foreign"),
        ({"foreign": "AssertionError('half a file')"}, "half"),
        ({"seconds": 5.1}, "slow"),
        ({"said": "a word"}, "line"),
        ({"left": 1}, "leftover"),
    ],
)
def test_every_kind_of_fault_of_a_file_is_noted_with_what_makes_it_again(answer: dict[str, object], kind: str) -> None:
    part = Part("pictures")
    fine = {"number": 7, "name": "jpeg", "outcome": "refused", "foreign": "", "seconds": 0.1, "said": "", "left": 0}
    note(part, "pictures", 3, fine)
    assert part.faults == {}
    note(part, "pictures", 3, fine | answer)
    assert list(part.faults) == [kind]
    assert part.faults[kind][0].startswith("pictures 3 7 (jpeg)")


@pytest.mark.slow
@pytest.mark.parametrize("name", parts(PICTURES, seed=1))
def test_a_part_finds_no_fault(name: str) -> None:
    part = parts(PICTURES, seed=1)[name]()
    assert part.faults == {}
    assert part.tried or part.outcomes
