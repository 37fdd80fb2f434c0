"""Which scenes are rendered, from which seeds."""

from __future__ import annotations

from itertools import islice

import pytest

from midas.errors import ConfigError
from midas.scenes.rendered.plan import scene_seed, scenes
from midas.scenes.rendered.worlds import WORLDS, find_worlds


def test_the_shares_of_the_worlds_together_are_one() -> None:
    assert sum(world.share for world in WORLDS) == pytest.approx(1)


def test_every_world_has_its_share_at_any_time() -> None:
    counts = dict.fromkeys(WORLDS, 0)
    for number, scene in enumerate(islice(scenes(WORLDS, 0), 500), 1):
        counts[scene.world] += 1
        assert all(abs(counts[world] - number * world.share) < 1.5 for world in WORLDS)


def test_a_longer_run_begins_as_a_shorter_one() -> None:
    assert list(islice(scenes(WORLDS, 3), 40))[:15] == list(islice(scenes(WORLDS, 3), 15))


def test_a_scene_has_its_seed_whichever_worlds_are_asked_for() -> None:
    alone = next(scenes(find_worlds(("night",)), 5))
    among = next(scene for scene in scenes(WORLDS, 5) if scene.world.name == "night")
    assert alone == among


def test_no_two_scenes_share_a_seed() -> None:
    seeds = {scene_seed(seed, world.name, index) for seed in (0, 1) for world in WORLDS for index in range(200)}
    assert len(seeds) == 2 * 200 * len(WORLDS)


def test_a_misspelt_world_is_answered_with_the_right_one() -> None:
    with pytest.raises(ConfigError, match="did you mean 'streets'"):
        find_worlds(("street",))
