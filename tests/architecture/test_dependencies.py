"""What the source imports is what pyproject.toml asks for."""

from __future__ import annotations

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import TYPE_CHECKING

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from .conftest import Module


# A program of its own, with requirements of its own.
GENERATOR = "midas/scenes/rendered/generator/"

# Modules whose packages are called otherwise.
PACKAGES = {"cv2": "opencv-python-headless", "gin": "gin-config", "mathutils": "bpy"}


def imported_packages(module: Module) -> set[str]:
    names = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(node.module or "")
    return {name.partition(".")[0] for name in names}


def normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[\s<>=!~;\[(]", name)[0]).lower()


def test_every_imported_package_is_declared(modules: list[Module], repository: Path) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked_for = project["dependencies"] + [
        requirement
        for extra, requirements in project["optional-dependencies"].items()
        if extra != "dev"
        for requirement in requirements
    ]
    declared = {normalized(requirement) for requirement in asked_for} | {"midas-depth"}
    distributions = packages_distributions()
    undeclared = {
        f"{module.path}: {package}"
        for module in modules
        if GENERATOR not in module.path.as_posix()
        for package in imported_packages(module) - sys.stdlib_module_names - {"midas"}
        if not declared & {normalized(name) for name in distributions.get(package, [package])}
    }
    assert undeclared == set()


def test_every_package_that_the_generator_imports_is_among_its_requirements(
    modules: list[Module], repository: Path
) -> None:
    folder = repository / "src" / "midas" / "scenes" / "rendered"
    required = {
        normalized(line)
        for path in folder.glob("requirements*.txt")
        for line in path.read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    }
    imported = {
        normalized(PACKAGES.get(package, package))
        for module in modules
        if GENERATOR in module.path.as_posix()
        for package in imported_packages(module) - sys.stdlib_module_names
    }
    # Bodies are made by this installation's interpreter, with the torch of the lab.
    assert imported - required == {"generator", "torch"}
