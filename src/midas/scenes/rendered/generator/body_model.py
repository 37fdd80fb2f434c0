"""Anny's body model: shape and pose to points, and which points and faces belong to what."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import anny
import numpy as np
import torch
from generator.body_pose import Pose

# MakeHuman's mesh: ranges of points of the body itself and of the forms that lie about it, from which clothes are cut.
BODY = slice(0, 13380)
TIGHTS = slice(15328, 18002)
SKIRT = slice(18002, 18722)
HAIR = slice(18722, 19150)


@dataclass(frozen=True)
class Template:
    """What all bodies share.

    Attributes:
        model: Anny's module.
        labels: of its bones.
        quads: (n, 4) corners of all faces, triangles with the last corner twice.
        group: name of each face's part.
        weights: (points, bones).
    """

    model: Any
    labels: list[str]
    quads: np.ndarray
    group: np.ndarray
    weights: np.ndarray

    def weight(self, *prefixes: str) -> np.ndarray:
        """How much each point hangs on bones whose names begin so."""
        chosen = [k for k, label in enumerate(self.labels) if label.startswith(prefixes)]
        return self.weights[:, chosen].sum(axis=1)

    def on_faces(self, values: np.ndarray) -> np.ndarray:
        """Mean over each face's corners."""
        return values[self.quads].mean(axis=1)


@lru_cache(maxsize=1)
def template() -> Template:
    """Load the model. Its first load in a fresh environment takes minutes, in which Anny fills its cache."""
    model = anny.create_fullbody_model(
        rig="default",
        topology="default",
        remove_unattached_vertices=False,
        all_phenotypes=True,
        pose_parameterization="local-bone",
    )
    weights = model.dense_vertex_bone_weights
    weights = weights() if callable(weights) else weights
    quads, group = _faces(Path(anny.__file__).parent / "data/mpfb2/3dobjs/base.obj")
    return Template(model, list(model.bone_labels), quads, group, weights.detach().numpy())


def _faces(path: Path) -> tuple[np.ndarray, np.ndarray]:
    quads, group, name = [], [], ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("g "):
            name = line.split()[1]
        elif line.startswith("f "):
            corners = [int(part.split("/")[0]) - 1 for part in line.split()[1:]]
            quads.append(corners if len(corners) == 4 else [*corners, corners[-1]])
            group.append(name)
    return np.array(quads), np.array(group)


def posed(shape: dict[str, float], pose: Pose) -> tuple[np.ndarray, np.ndarray]:
    """Points at rest and in the pose, metres."""
    parts = template()
    phenotype = {key: torch.tensor([float(value)]) for key, value in shape.items()}
    with torch.no_grad():
        rest = parts.model(phenotype_kwargs=phenotype)["rest_bone_poses"][0].numpy()[:, :3, :3]
        turns = torch.eye(4).repeat(1, len(parts.labels), 1, 1)
        for bone, rotation in pose.items():
            if bone in parts.labels:
                number = parts.labels.index(bone)
                turns[0, number, :3, :3] = torch.tensor(rest[number].T @ rotation @ rest[number], dtype=torch.float32)
        made = parts.model(pose_parameters=turns, phenotype_kwargs=phenotype)
    return made["rest_vertices"][0].numpy().astype(np.float64), made["vertices"][0].numpy().astype(np.float64)
