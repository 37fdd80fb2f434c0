"""What the original code gives on deterministic weights: manifests and outputs, kept outside this repository."""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch

from midas.models import create_model
from midas.models.network import DepthNetwork

_SHARED = Path(__file__).parents[3] / "shared"
_FIRST = Path(os.environ.get("MIDAS_PARITY", _SHARED / "parity"))
# The first one holds the tools for all.
FOLDERS = (_FIRST, _FIRST.with_name("parity_zipdepth"))

LARGEST_DIFFERENCE = 1e-4
NOISE_FACTOR = 5  # where float32 itself is not as exact as that


def is_there() -> bool:
    """Whether the fixtures are at hand, those of the first folder at least."""
    return (FOLDERS[0] / "fill.py").is_file()


def names() -> list[str]:
    """Every network that has a manifest."""
    return sorted(path.stem for folder in FOLDERS for path in (folder / "manifest").glob("*.json"))


def folder_of(name: str) -> Path:
    """The folder that holds the fixtures of a network; the first one for those that nobody has."""
    return next((folder for folder in FOLDERS if (folder / "manifest" / f"{name}.json").is_file()), FOLDERS[0])


def manifest(name: str) -> dict[str, Any]:
    """What the published checkpoint of a network holds."""
    path = folder_of(name) / "manifest" / f"{name}.json"
    described: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return described


def published_state(name: str, *, with_derived: bool = True) -> dict[str, np.ndarray]:
    """The published checkpoint, every tensor filled by a function of its name."""
    state: dict[str, np.ndarray] = _module("fill").build_state_dict(manifest(name), include_derived=with_derived)
    return state


def model_name(name: str) -> str:
    """The model of our table whose network these weights are of; Hugging Face's form is found by its keys."""
    return str(manifest(name).get("official_pair", name))


def filled_network(name: str) -> DepthNetwork:
    """Our network under the filled weights."""
    return create_model(model_name(name), weights=published_state(name))


def inputs(name: str) -> list[dict[str, Any]]:
    """The inputs of a network: id, size, seed, batch."""
    listed: list[dict[str, Any]] = manifest(name)["inputs"]
    return listed


def make_input(item: dict[str, Any]) -> torch.Tensor:
    """Pixels (B, 3, H, W) of one input."""
    return torch.from_numpy(_module("fill").make_input(*item["size"], seed=item["seed"], batch=item["batch"]))


def difference(name: str, item: dict[str, Any], network: torch.nn.Module) -> float:
    """Largest difference from the original's output, in units of that output's standard deviation."""
    with torch.inference_mode():
        output = network(make_input(item)).numpy()
    with np.load(folder_of(name) / "expected" / f"{name}.npz") as expected:
        return float(_module("check").compare(output, expected, item["id"]))


def bound(name: str, item: dict[str, Any]) -> float:
    """What the difference may be."""
    noise = (manifest(name).get("float32_noise") or {}).get(item["id"], 0.0)
    return max(LARGEST_DIFFERENCE, NOISE_FACTOR * float(noise))


def _module(name: str) -> ModuleType:
    if str(FOLDERS[0]) not in sys.path:
        sys.path.append(str(FOLDERS[0]))
    return import_module(name)
