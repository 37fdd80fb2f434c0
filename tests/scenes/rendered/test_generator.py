"""The generator itself, where its environment exists: MIDAS_RENDER_ENVIRONMENT names its folder."""

from __future__ import annotations

import ast
import math
import os
from pathlib import Path
from random import Random

import numpy as np
import pytest

from midas.scenes.rendered.environment import GENERATOR, RenderEnvironment
from midas.scenes.rendered.run import read_view
from midas.scenes.rendered.workers import WorkerPool
from midas.scenes.rendered.worlds import WORLDS

ENVIRONMENT = RenderEnvironment(Path(os.environ.get("MIDAS_RENDER_ENVIRONMENT", "render-environment")))


@pytest.mark.slow
@pytest.mark.skipif(not ENVIRONMENT.is_ready(), reason=f"{ENVIRONMENT.folder} is no environment for rendering")
def test_a_frontal_wall_has_one_depth_whatever_the_lens(tmp_path: Path) -> None:
    job = {"do": "trial", "distance_m": 5.0, "size_px": 64, "file": str(tmp_path / "wall.npz")}
    jobs = iter([job])
    (outcome,) = WorkerPool(ENVIRONMENT.command, 1, tmp_path, limit_s=300.0).outcomes(lambda: next(jobs, None))
    assert outcome.error is None
    view = read_view(tmp_path / "wall.npz", outcome.reply["views"][0])
    assert view.depth_m.shape == (48, 64)
    assert np.abs(view.depth_m - 5.0).max() < 1e-4
    assert view.radiance.min() > 0.1


def test_every_world_has_a_builder_in_the_generator() -> None:
    tree = ast.parse((GENERATOR / "shoot.py").read_text(encoding="utf-8"))
    table = next(node.value for node in tree.body if isinstance(node, ast.Assign) and node.targets[0].id == "BUILDERS")  # type: ignore[attr-defined]
    builders = ast.literal_eval(table)
    assert set(builders) == {world.name for world in WORLDS}
    for module, function in builders.values():
        source = ast.parse((GENERATOR / f"{module.partition('.')[2]}.py").read_text(encoding="utf-8"))
        assert function in {node.name for node in source.body if isinstance(node, ast.FunctionDef)}


def test_the_package_never_imports_the_generator() -> None:
    package = GENERATOR.parents[2]
    for path in package.rglob("*.py"):
        if GENERATOR not in path.parents:
            modules = {
                name
                for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
                if isinstance(node, ast.Import | ast.ImportFrom)
                for name in [getattr(node, "module", None), *(alias.name for alias in node.names)]
                if name
            }
            assert not {
                name for name in modules if name.split(".")[0] in ("bpy", "generator") or "rendered.generator" in name
            }


def angles(tree: ast.Module) -> list[float]:
    """The bounds of each angle of view that a module gives its cameras."""
    given = [
        call.args[2]
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "Proposal" and len(call.args) > 2
    ]
    for statement in ast.walk(tree):
        if isinstance(statement, ast.Assign):
            target, value = statement.targets[0], statement.value
            both = isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)
            pairs = zip(target.elts, value.elts, strict=True) if both else [(target, value)]  # type: ignore[attr-defined]
            given += [to for name, to in pairs if getattr(name, "id", "") == "fov"]
    calls = [call for each in given for call in ast.walk(each) if isinstance(call, ast.Call)]
    bounding = [call for call in calls if getattr(call.func, "attr", getattr(call.func, "id", "")) in BOUNDING]
    return [float(each.value) for call in bounding for each in call.args if isinstance(each, ast.Constant)]


BOUNDING = ("uniform", "min", "max")


def test_cameras_see_at_the_angles_and_in_the_formats_that_the_document_names() -> None:
    document = (GENERATOR.parents[4] / "docs" / "render.md").read_text(encoding="utf-8")
    assert "from\n9:16 to 16:9, the angle of view 30 to 90°" in document
    modules = {path.stem: ast.parse(path.read_text(encoding="utf-8")) for path in GENERATOR.glob("*.py")}
    found = {name: angles(tree) for name, tree in modules.items()}
    proposing = {name for name, bounds in found.items() if bounds}
    assert proposing == {"parks", "passages", "portraits", "rooms", "squares", "streets", "tables"}
    every = [bound for bounds in found.values() for bound in bounds]
    assert (min(every), max(every)) == (30, 90)
    camera = {"Random": Random, "math": math}
    wanted = [
        node
        for node in modules["camera"].body
        if getattr(node, "name", "") in ("draw_aspect", "draw_roll")
        or (isinstance(node, ast.Assign) and node.targets[0].id == "FORMATS")  # type: ignore[attr-defined]
    ]
    exec(compile(ast.Module(wanted, []), "camera.py", "exec"), camera)
    rng = Random(0)
    aspects = [camera["draw_aspect"](rng) for _ in range(1000)]  # type: ignore[operator]
    assert (min(aspects), max(aspects)) == (9 / 16, 16 / 9)
    assert 200 < sum(aspect < 1 for aspect in aspects) < 500
    rolls = [abs(camera["draw_roll"](rng)) for _ in range(1000)]  # type: ignore[operator]
    assert sum(roll > 4 for roll in rolls) > 80, "some cameras are held askew"
    assert max(rolls) <= 12
