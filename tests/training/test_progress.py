"""What a run says where nobody watches a bar."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from midas.training.journal import EpochReport
from midas.training.progress import RunProgress, spoken


def test_where_there_is_no_terminal_a_line_a_minute_says_how_far_the_run_is() -> None:
    stream, seconds = io.StringIO(), iter(range(0, 10_000, 25))
    with RunProgress(2, 6, stream=stream, clock=lambda: float(next(seconds))) as shown:
        for epoch in range(2):
            shown.begin_epoch(epoch, 0)
            for step in range(1, 7):
                shown.step(epoch, step, 0.5, 12.0)
    lines = stream.getvalue().splitlines()
    assert len(lines) == 4
    assert lines[0] == "epoch 1/2, step 3/6: loss 0.5000  12.0 pictures/s  4 min left in all"


def test_a_process_that_does_not_lead_says_nothing() -> None:
    stream = io.StringIO()
    with RunProgress(1, 1, visible=False, stream=stream) as shown:
        shown.say("epoch 1/1")
    assert stream.getvalue() == ""


@pytest.mark.parametrize(("seconds", "said"), [(42.0, "42 s"), (700.0, "12 min"), (11_100.0, "3 h 05 min")])
def test_a_duration_is_said_as_one_says_it(seconds: float, said: str) -> None:
    assert spoken(seconds) == said


def test_an_epochs_line_has_the_figure_of_each_validation_set() -> None:
    report = EpochReport(3, 0.01, 0.01, 0.0, 0.0, 0.0, 12.5, 14.34, 14.34, {"rooms": 13.5, "streets": 24.1})
    assert report.line(6) == (
        "epoch 3/6: loss 0.0100, 12.5 pictures/s; validation 14.34 % (best so far): rooms 13.5, streets 24.1"
    )
    assert replace(report, unrelated=("rooms",)).line(6) == report.line(6)
    assert "begin again with a lower loss.gradient_weight" in replace(report, unrelated=("rooms", "streets")).line(6)
