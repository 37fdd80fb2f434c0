"""The generator itself, where its environment exists: MIDAS_RENDER_ENVIRONMENT names its folder."""

from __future__ import annotations

import ast
import os
from pathlib import Path

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
