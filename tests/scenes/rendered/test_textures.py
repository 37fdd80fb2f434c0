"""The generator's textures and colours, which need no Blender."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from midas.scenes.rendered.environment import GENERATOR
from midas.scenes.rendered.library_plan import FACTORIES, TEXTURES, library_items

pytest.importorskip("scipy")

# Pictures to hang; they don't repeat.
PICTURES = {"art", "paper"}


@pytest.fixture
def generator(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Imports a module of the generator as its own process does."""
    monkeypatch.syspath_prepend(str(GENERATOR.parent))
    return lambda name: import_module(f"generator.{name}")


def test_the_library_makes_every_kind_of_texture(generator: Any) -> None:
    assert set(generator("textures").KINDS) == set(TEXTURES)


def test_the_generator_knows_every_job_of_the_library(generator: Any) -> None:
    assert {item.kind for item in library_items(0.001, 0)} <= set(generator("serve").JOBS)


@pytest.mark.parametrize("kind", ["brick", "gravel", "rock", "planks", "weave", "plaster"])
def test_a_texture_repeats_without_a_seam(generator: Any, tmp_path: Path, kind: str) -> None:
    file = tmp_path / "texture.png"
    generator("textures").build_texture({"texture": kind, "seed": 3, "file": str(file)})
    image = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
    assert image.shape == (512, 512, 4)
    pixels = image.astype(float)
    for axis in (0, 1):
        steps = np.abs(np.diff(pixels, axis=axis)).mean(axis=(1 - axis, 2))
        seam = np.abs(np.take(pixels, 0, axis) - np.take(pixels, -1, axis)).mean()
        assert seam <= 1.1 * steps.max()


def test_the_same_seed_makes_the_same_texture(generator: Any, tmp_path: Path) -> None:
    for name in ("a", "b"):
        generator("textures").build_texture({"texture": "plaid", "seed": 1, "file": str(tmp_path / f"{name}.png")})
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_a_lamp_is_the_redder_the_cooler(generator: Any) -> None:
    blue_to_red = [colour[2] / colour[0] for colour in map(generator("palette").kelvin, (2000, 3000, 4500, 6500))]
    assert blue_to_red == sorted(blue_to_red)
    assert blue_to_red[-1] == pytest.approx(1, abs=0.1)


def test_what_the_worlds_ask_of_the_library_is_in_it() -> None:
    tree = ast.parse((GENERATOR / "furnishing.py").read_text(encoding="utf-8"))
    tables = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in ("SMALL", "KITCHEN", "DESK", "DINING")
    }
    built_here = {"plant", "fruit", "paper"}
    assert {kind for kinds in tables.values() for kind in kinds} - built_here <= {each.category for each in FACTORIES}
