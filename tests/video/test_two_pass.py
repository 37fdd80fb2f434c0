"""Two passes over a film: all scales at once, no error that adds up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.tiny_model import write_tiny_model
from tests.video.clips import ramp, write_clip
from tests.video.moves import Move, gauge_of

import midas
from midas.errors import ConfigError
from midas.video.two_pass import JointGauges


@pytest.mark.parametrize(
    "move",
    [
        Move(40, pan_px=1),
        pytest.param(Move(60), marks=pytest.mark.slow),
        pytest.param(Move(60, pan_px=2), marks=pytest.mark.slow),
    ],
    ids=["short", "static", "pan"],
)
def test_the_scales_of_a_shot_agree_and_their_mean_is_the_networks(move: Move) -> None:
    joint, own = JointGauges(), []
    for number, (picture, truth, values) in enumerate(move):
        joint.add(picture, values, is_cut=number == 0)
        own.append(gauge_of(values, truth))
    gauges = joint.solved()
    before = np.log([scale for scale, _ in own])
    after = np.log([gauge.scale * scale for gauge, (scale, _) in zip(gauges, own, strict=True)])
    shifts = [gauge.scale * shift + gauge.shift for gauge, (_, shift) in zip(gauges, own, strict=True)]
    assert after.std() < 0.1 * before.std()
    assert abs(after.mean() - before.mean()) < 0.02
    assert np.std(shifts) < 0.2 * np.std([shift for _, shift in own])


def test_shots_are_solved_apart() -> None:
    joint = JointGauges()
    for seed in (1, 2):
        for number, (picture, _, values) in enumerate(Move(12, seed=seed)):
            joint.add(picture, values, is_cut=number == 0)
    logs = np.log([gauge.scale for gauge in joint.solved()])
    assert abs(logs[:12].mean()) < 1e-4
    assert abs(logs[12:].mean()) < 1e-4


def test_a_film_in_two_passes_has_all_its_frames(tmp_path: Path) -> None:
    predictor = midas.load(write_tiny_model(tmp_path / "tiny.onnx"))
    clip = write_clip(tmp_path / "clip.mkv", map(ramp, range(15)))
    times = [depth_map.time_s for depth_map in predictor.video(clip, steady="two-pass")]
    assert times == [depth_map.time_s for depth_map in predictor.video(clip)]
    with clip.open("rb") as file, pytest.raises(ConfigError, match="read twice"):
        list(predictor.video(file, steady="two-pass"))
