"""What the library holds: which of Infinigen's factories, how many of each, how large, within which time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import Any


@dataclass(frozen=True)
class Factory:
    """One of Infinigen's factories.

    Factories that take more than two minutes an object on a free core aren't in the table (beds, pillows, fruit bowls,
    large potted plants, boulders, columnar cacti), nor those that need Blender's add-ons; what they would make is built
    by the worlds themselves. The limits are several times what a free core needs.

    Attributes:
        category: what the worlds ask for.
        module, name: of the class below ``infinigen.assets.objects``.
        count: how many objects a full library has.
        max_faces: to which they are decimated.
        limit_s: the most that one may take.
    """

    category: str
    module: str
    name: str
    count: int
    max_faces: int
    limit_s: float = 180.0


FACTORIES = (
    Factory("chair", "seating", "ChairFactory", 30, 12000),
    Factory("officechair", "seating", "OfficeChairFactory", 14, 12000),
    Factory("stool", "seating", "BarChairFactory", 10, 10000),
    Factory("sofa", "seating", "SofaFactory", 24, 15000),
    Factory("armchair", "seating", "ArmChairFactory", 18, 12000),
    Factory("table", "tables", "TableDiningFactory", 24, 8000),
    Factory("sidetable", "tables", "SideTableFactory", 14, 6000),
    Factory("coffeetable", "tables", "CoffeeTableFactory", 16, 6000),
    Factory("shelf", "shelves", "SimpleBookcaseFactory", 12, 12000),
    Factory("shelf", "shelves", "CellShelfFactory", 12, 12000),
    Factory("shelf", "shelves", "LargeShelfFactory", 14, 12000),
    Factory("cabinet", "shelves", "SingleCabinetFactory", 16, 12000),
    Factory("tvstand", "shelves", "TVStandFactory", 10, 8000),
    Factory("desk", "shelves", "SimpleDeskFactory", 14, 8000),
    Factory("floorlamp", "lamp", "FloorLampFactory", 14, 10000),
    Factory("desklamp", "lamp", "DeskLampFactory", 14, 10000),
    Factory("ceilinglamp", "lamp", "CeilingClassicLampFactory", 8, 8000),
    Factory("cup", "tableware", "CupFactory", 16, 6000),
    Factory("bowl", "tableware", "BowlFactory", 10, 5000),
    Factory("bottle", "tableware", "BottleFactory", 22, 6000),
    Factory("jar", "tableware", "JarFactory", 12, 6000),
    Factory("can", "tableware", "CanFactory", 10, 6000),
    Factory("foodbox", "tableware", "FoodBoxFactory", 12, 4000),
    Factory("foodbag", "tableware", "FoodBagFactory", 10, 8000),
    Factory("glass", "tableware", "WineglassFactory", 8, 5000),
    Factory("plate", "tableware", "PlateFactory", 10, 5000),
    Factory("pan", "tableware", "PanFactory", 10, 6000),
    Factory("pan", "tableware", "PotFactory", 10, 6000),
    Factory("cutlery", "tableware", "ForkFactory", 4, 4000),
    Factory("cutlery", "tableware", "SpoonFactory", 4, 4000),
    Factory("vase", "table_decorations", "VaseFactory", 24, 8000),
    Factory("books", "table_decorations", "BookStackFactory", 18, 5000),
    Factory("bookrow", "table_decorations", "BookColumnFactory", 18, 5000),
    Factory("microwave", "appliances", "MicrowaveFactory", 6, 6000),
    Factory("fridge", "appliances", "BeverageFridgeFactory", 5, 8000),
    Factory("dishwasher", "appliances", "DishwasherFactory", 5, 8000),
    Factory("monitor", "appliances", "MonitorFactory", 10, 6000),
    Factory("tv", "appliances", "TVFactory", 8, 6000),
    Factory("mirror", "wall_decorations", "MirrorFactory", 5, 3000),
    Factory("door", "elements.doors", "PanelDoorFactory", 12, 6000),
    Factory("door", "elements.doors", "LouverDoorFactory", 5, 6000),
    Factory("towel", "clothes", "TowelFactory", 8, 8000),
    Factory("blanket", "clothes", "BlanketFactory", 6, 9000),
    Factory("garment", "clothes", "ShirtFactory", 6, 8000),
    Factory("toilet", "bathroom", "ToiletFactory", 8, 10000),
    Factory("bathtub", "bathroom", "BathtubFactory", 8, 8000),
    Factory("sink", "bathroom", "StandingSinkFactory", 8, 10000),
    Factory("fern", "small_plants", "FernFactory", 10, 24000, 300.0),
    Factory("houseplant", "small_plants", "SnakePlantFactory", 8, 12000, 300.0),
    Factory("houseplant", "small_plants", "SpiderPlantFactory", 8, 16000, 300.0),
    Factory("succulent", "small_plants", "SucculentFactory", 8, 15000, 300.0),
    Factory("agave", "monocot", "AgaveMonocotFactory", 6, 12000, 300.0),
    Factory("tallgrass", "monocot", "GrassesMonocotFactory", 6, 12000, 300.0),
    Factory("tallgrass", "monocot", "WheatMonocotFactory", 4, 14000, 300.0),
    Factory("flower", "grassland", "FlowerPlantFactory", 10, 8000, 300.0),
    Factory("flower", "grassland", "DandelionFactory", 5, 8000, 300.0),
    Factory("mushroom", "mushroom", "MushroomFactory", 6, 8000, 300.0),
    Factory("cactus", "cactus", "PrickyPearCactusFactory", 5, 15000, 300.0),
    Factory("bush", "trees", "BushFactory", 14, 40000, 360.0),
    Factory("animal", "creatures.herbivore", "HerbivoreFactory", 12, 30000, 300.0),
    Factory("animal", "creatures.carnivore", "CarnivoreFactory", 10, 30000, 300.0),
    Factory("bird", "creatures.bird", "BirdFactory", 8, 25000, 300.0),
)

TEXTURES = {
    "grass": 8, "litter": 6, "soil": 5, "gravel": 5, "sand": 3, "asphalt": 5, "snow": 2, "rock": 6, "bark": 6,
    "brick": 9, "blocks": 5, "cobbles": 5, "slabs": 6, "plaster": 5, "concrete": 4, "tiles": 7, "wood": 8, "planks": 8,
    "parquet": 4, "carpet": 5, "rooftiles": 4, "weave": 5, "plaid": 6, "stripes": 6, "print": 6, "knit": 4, "art": 24,
    "paper": 12,
}  # fmt: skip
SKIES = 30
BODIES = 400

_TEXTURE_LIMIT_S = 300.0
_BODY_LIMIT_S = 900.0  # the first one waits for Anny's own cache


@dataclass(frozen=True)
class Item:
    """One thing of the library.

    Attributes:
        kind: the job that makes it: ``asset``, ``texture``, ``sky`` or ``body``.
        category: what the worlds ask for.
        name: unique; its file's name without suffix.
        job: what the generator needs to know beside the file.
        limit_s: the most that it may take.
    """

    kind: str
    category: str
    name: str
    job: dict[str, Any]
    limit_s: float

    @property
    def file_name(self) -> str:
        """Relative to the library's folder."""
        return f"{self.kind}/{self.name}{ {'asset': '.blend', 'body': '.npz'}.get(self.kind, '.png') }"


def library_items(scale: float, seed: int) -> Iterator[Item]:
    """All things of a library.

    Args:
        scale: 1 for a full one; of each kind there is at least one.
        seed: of the first object of each factory.
    """
    yield from _in_turns([list(_assets(factory, scale, seed)) for factory in FACTORIES])
    for kind, count in TEXTURES.items():
        for number in range(ceil(count * scale)):
            job = {"texture": kind, "seed": seed + number}
            yield Item("texture", kind, f"{kind}-{number:02d}", job, _TEXTURE_LIMIT_S)
    for number in range(ceil(SKIES * scale)):
        yield Item("sky", "sky", f"sky-{number:02d}", {"seed": seed + number}, _TEXTURE_LIMIT_S)
    for number in range(ceil(BODIES * scale)):
        yield Item("body", "body", f"body-{number:03d}", {"seed": seed + number}, _BODY_LIMIT_S)


def _assets(factory: Factory, scale: float, seed: int) -> Iterator[Item]:
    for number in range(ceil(factory.count * scale)):
        job = {
            "module": factory.module,
            "factory": factory.name,
            "seed": seed + number,
            "max_faces": factory.max_faces,
        }
        yield Item("asset", factory.category, f"{factory.name}-{number:02d}", job, factory.limit_s)


def _in_turns(columns: list[list[Item]]) -> Iterator[Item]:
    """The first of each, then the second of each: a library that isn't finished has some of everything."""
    for row in range(max(map(len, columns))):
        for column in columns:
            yield from column[row : row + 1]
