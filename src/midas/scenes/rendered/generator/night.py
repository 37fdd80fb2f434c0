"""The other worlds after dark."""

from __future__ import annotations

from generator.parks import build_park
from generator.passages import build_corridor
from generator.rooms import build_room
from generator.shoot import Scene
from generator.squares import build_square
from generator.stage import Stage
from generator.streets import build_street


def build_night(stage: Stage) -> Scene:
    """A street, a square, a park, a room or a corridor by lamp light."""
    stage.night = True
    build = stage.rng.choices((build_street, build_square, build_room, build_park, build_corridor), (4, 2, 3, 1, 1))[0]
    return build(stage)
