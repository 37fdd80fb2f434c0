"""Sheets of inspections, trainings and evaluations are drawn alike."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from midas.maps.sheets import CELL_SIZE, GAP_PX, NO_VALUE, Tile, draw_tiles, painted, range_text, target_range
from midas.maps.value_range import ValueRange

RAMP = np.linspace(0, 1, 200, dtype=np.float32)[None].repeat(100, 0)


@pytest.mark.parametrize("room", ["datasets/inspect.py", "training/journal.py", "evaluation/sheet.py"])
def test_every_sheet_is_drawn_by_the_same_hand(repository: Path, room: str) -> None:
    text = (repository / "src" / "midas" / room).read_text(encoding="utf-8")
    assert "from midas.maps.sheets import" in text
    assert "draw_tiles(" in text
    assert not re.search(r"putText|\.text\(|colorize\(", text)  # a style of its own


def test_all_maps_of_a_tile_have_the_colours_of_its_target() -> None:
    within = target_range(RAMP, RAMP > 0.5)
    one, other = painted(RAMP, within), painted(np.float32(2) * RAMP, within)
    assert (one[:, 180] == other[:, 90]).all()


def test_what_has_no_value_is_grey_and_takes_no_part_in_the_range() -> None:
    mask = RAMP > 0.5
    shown = painted(np.where(mask, RAMP, np.float32(-1e6)), target_range(RAMP, mask), mask)
    assert (shown[~mask] == NO_VALUE).all()
    assert (shown[mask] != NO_VALUE).any(axis=1).all()


def test_tiles_have_cells_of_one_size_below_their_headings() -> None:
    wide, tall = np.full((50, 400, 3), 10, np.uint8), np.full((400, 50, 3), 20, np.uint8)
    sheet = draw_tiles([Tile("a", (wide, tall)), Tile("b", (tall, wide))], ("one", "two"))
    assert sheet.shape[1] == 2 * (CELL_SIZE[1] + GAP_PX) + GAP_PX
    rows = [(sheet == value).all(axis=2) for value in (10, 20)]
    assert all(found[:, GAP_PX].any() and found[:, CELL_SIZE[1] + 2 * GAP_PX].any() for found in rows)


@pytest.mark.parametrize(
    ("low", "high", "metric", "text"),
    [
        (0.1, 0.5, True, "2 to 10 m"),
        (0.0, 0.5, True, "from 2 m"),
        (0.1, 0.5, False, "disparity 0.1 to 0.5, no unit"),
    ],
)
def test_the_range_has_its_unit(low: float, high: float, metric: bool, text: str) -> None:
    assert range_text(ValueRange(low, high), metric=metric) == text


def test_a_long_name_keeps_its_end_and_letters_of_any_alphabet_are_no_error() -> None:
    cell = np.zeros((10, 10, 3), np.uint8)
    assert draw_tiles([Tile("\u5ba4" * 300 + "0042", (cell,))], ("picture",)).ndim == 3
