"""Design rule 13: every boundary has one net, and only nets catch broadly."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .conftest import Module

# The two places that may catch whatever is raised: `net` itself, and the command line, where errors become lines.
CATCH_BROADLY = {"midas/errors.py": ["net"], "midas/cli/__init__.py": ["invoke"]}

# Where something from outside meets us. Each enters `net`, which turns all that is raised into an error of ours.
BOUNDARIES = {
    "midas/backends/identity.py": ["open_model"],
    "midas/bench/runner.py": ["_duel"],
    "midas/bench/worker.py": ["main"],
    "midas/cli/terminal.py": ["read_standard_input"],
    "midas/datasets/reader.py": ["read_sample"],
    "midas/datasets/shards.py": ["_encoded"],
    "midas/datasets/stereo_set.py": ["add_read"],
    "midas/evaluation/evaluator.py": ["_predicted", "measure", "prepare"],
    "midas/evaluation/robustness.py": ["run_corrupted"],
    "midas/export/calibrated.py": ["write_calibrated"],
    "midas/folder.py": ["_read", "_write"],
    "midas/lenses/predictor.py": ["_outcome"],
    "midas/models/convert.py": ["convert_weights"],
    "midas/models/factory.py": ["create_model", "load_encoder"],
    "midas/models/identification.py": ["identify"],
    "midas/pictures/files.py": ["find_pictures"],
    "midas/pictures/lens.py": ["read_lens"],
    "midas/pictures/reading.py": ["_opened"],
    "midas/loading.py": ["_whole", "load", "prepare"],
    "midas/predictor.py": ["_depth_map", "infer_batch", "prepare"],
    "midas/scale/engine.py": ["made"],
    "midas/scale/insides.py": ["list_inside"],
    "midas/scale/on_ray.py": ["_run", "_session"],
    "midas/scale/opening.py": ["_in_turn"],
    "midas/scale/together.py": ["__call__", "run_together"],
    "midas/scale/worker.py": ["__call__", "write"],
    "midas/scenes/rendered/films.py": ["_take"],
    "midas/scenes/rendered/run.py": ["_finish"],
    "midas/storage/stores.py": ["_opened_store", "patiently"],
    "midas/training/distributed.py": ["batches"],
    "midas/training/sources.py": ["_open"],
    "midas/serving/envelope.py": ["__call__"],
    "midas/serving/films.py": ["_work"],
    "midas/serving/live.py": ["live_work"],
    "midas/serving/work.py": ["work"],
    "midas/training/state.py": ["_save", "load_checkpoint", "restoring"],
    "midas/video/live.py": ["_grab"],
    "midas/video/reading.py": ["__init__", "__iter__", "frame_times"],
    "midas/video/values.py": ["read_values"],
}

BROAD = {"Exception", "BaseException"}


def functions(node: ast.AST, name: str = "") -> Iterator[tuple[str, ast.AST]]:
    """Each node that stands in a function, with the innermost function's name."""
    for child in ast.iter_child_nodes(node):
        inside = child.name if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) else name
        yield inside, child
        yield from functions(child, inside)


def catches_broadly(node: ast.AST) -> bool:
    if isinstance(node, ast.ExceptHandler):
        named = {each.id for each in ast.walk(node.type) if isinstance(each, ast.Name)} if node.type else BROAD
        return bool(named & BROAD)
    suppressed = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "suppress"
    return suppressed and bool({each.id for each in ast.walk(node) if isinstance(each, ast.Name)} & BROAD)


def enters_a_net(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "net"


def test_only_the_nets_catch_broadly(modules: list[Module]) -> None:
    found = {
        module.path.as_posix(): sorted({name for name, node in functions(module.tree) if catches_broadly(node)})
        for module in modules
    }
    assert {path: names for path, names in found.items() if names} == CATCH_BROADLY


def test_the_boundaries_are_these(modules: list[Module]) -> None:
    found = {
        module.path.as_posix(): sorted({name for name, node in functions(module.tree) if enters_a_net(node)})
        for module in modules
    }
    assert {path: names for path, names in found.items() if names} == BOUNDARIES
