"""The worlds that can be rendered: what each is called, where its pictures go, and how many of all it gets."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

from midas.errors import ConfigError


@dataclass(frozen=True)
class World:
    """One kind of scene.

    Attributes:
        name: on the command line; the generator has a module's function for each.
        domain: for ``dataset.json``.
        share: of the pictures when all worlds are asked for; all shares together are 1.
        about: what is in it, for the help text and ``dataset.json``.
    """

    name: str
    domain: str
    share: float
    about: str

    @property
    def set_name(self) -> str:
        """Name of the set, and of its folder."""
        return f"rendered-{self.name}"


WORLDS = (
    World("rooms", "rendered-indoor", 0.22, "living, sleeping, dining and bath rooms, kitchens, offices, store rooms"),
    World("passages", "rendered-indoor", 0.07, "corridors and stairs"),
    World("tables", "rendered-object", 0.14, "things on table tops, close up"),
    World("portraits", "rendered-people", 0.15, "people at 0.6 to 2.5 m before a soft background"),
    World("streets", "rendered-street", 0.13, "streets with houses, cars, trees and people"),
    World("parks", "rendered-nature", 0.09, "gardens and parks with paths, benches and people"),
    World("woods", "rendered-nature", 0.09, "woods, meadows, rocks, deserts, snow and shores"),
    World("squares", "rendered-street", 0.06, "squares with statues, fountains and people"),
    World("night", "rendered-night", 0.05, "streets, squares and rooms by lamp light"),
)


def find_worlds(names: tuple[str, ...]) -> tuple[World, ...]:
    """The worlds of these names in the table's order; all of them for no name.

    Raises:
        ConfigError: there is no world of a name.
    """
    known = {world.name: world for world in WORLDS}
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            answer = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known)}"
            raise ConfigError(f"no world is called {name!r}; {answer}")
    return tuple(world for world in WORLDS if not names or world.name in names)
