"""Build an object by one of Infinigen's factories and keep it as one joined, decimated mesh in a file of its own."""

from __future__ import annotations

import importlib
import random
from pathlib import Path
from typing import Any

import bpy
import gin
import infinigen.core.init
import numpy as np
from mathutils import Matrix

FACTORIES = "infinigen.assets.objects"

# Of leaves and other instances so many times the wanted faces are joined before the whole is decimated.
_INSTANCE_BUDGET = 3
_MAX_GROWTH = 2.2


def _stay_offline(addon: str, *_: Any, **__: Any) -> bool:
    """In place of Infinigen's function that would fetch add-ons of Blender from the network: there is none."""
    return False


# Some factories ask for add-ons as soon as their module is loaded, and go on without them.
infinigen.core.init.require_blender_addon = _stay_offline


def build_asset(job: dict[str, Any]) -> dict[str, Any]:
    """Build ``{"module", "factory", "seed", "max_faces", "file"}``; gives the size in metres and the number of faces.

    The file holds one object named ``asset``: its middle over the origin, standing on the ground.
    """
    gin.clear_config()
    bpy.ops.wm.read_factory_settings(use_empty=True)
    factory = getattr(importlib.import_module(f"{FACTORIES}.{job['module']}"), job["factory"])(job["seed"])
    made = factory.spawn_asset(0)
    if job.get("finalize", True):
        _finalize(factory, made)
    joined = _decimated(_joined(_parts(made), job["max_faces"], random.Random(job["seed"])), job["max_faces"])
    size = _stood_on_the_origin(joined)
    if not 0.005 < size.max() < 60:
        raise ValueError(f"the object is {size.max():.3g} m long")
    _write_alone(joined, Path(job["file"]))
    return {"size_m": [round(float(length), 4) for length in size], "faces": len(joined.data.polygons)}


def _finalize(factory: Any, made: bpy.types.Object) -> None:
    # Materials of most factories come here; some have nothing to finalise and say so by raising.
    try:
        factory.finalize_assets([made])
    except (AttributeError, NotImplementedError, KeyError, TypeError):
        return


def _parts(root: bpy.types.Object) -> list[tuple[bpy.types.Mesh, Matrix, bool]]:
    """Meshes with their placement, modifiers applied, and whether each is one of many instances."""
    bpy.context.view_layer.update()
    graph = bpy.context.evaluated_depsgraph_get()
    family, meshes = {root, *root.children_recursive}, {}
    parts = []
    for each in graph.object_instances:
        owner = each.parent.original if each.is_instance else each.object.original
        source = each.instance_object if each.is_instance else each.object
        if owner not in family or source.type not in ("MESH", "CURVE", "SURFACE", "FONT"):
            continue
        key = source.data.name if source.data else source.name
        if key not in meshes:
            meshes[key] = bpy.data.meshes.new_from_object(source, preserve_all_data_layers=True, depsgraph=graph)
        if len(meshes[key].polygons):
            parts.append((meshes[key], each.matrix_world.copy(), bool(each.is_instance)))
    if not parts:
        raise ValueError("the factory made nothing to see")
    return parts


def _joined(parts: list[tuple[bpy.types.Mesh, Matrix, bool]], max_faces: int, rng: random.Random) -> bpy.types.Object:
    instanced = sum(len(mesh.polygons) for mesh, _, instance in parts if instance)
    share = min(1.0, _INSTANCE_BUDGET * max_faces / max(instanced, 1))
    # Fewer leaves, each larger, cover as much as all of them.
    growth = Matrix.Scale(min(_MAX_GROWTH, share**-0.5), 4)
    objects = []
    for mesh, placement, instance in parts:
        if instance and share < 1 and rng.random() > share:
            continue
        made = bpy.data.objects.new("part", mesh.copy())
        made.matrix_world = placement @ growth if instance else placement
        bpy.context.scene.collection.objects.link(made)
        objects.append(made)
    bpy.ops.object.select_all(action="DESELECT")
    for made in objects:
        made.select_set(True)
    bpy.context.view_layer.objects.active = objects[0]
    bpy.ops.object.transform_apply(location=True, rotation=True, scale=True)
    if len(objects) > 1:
        bpy.ops.object.join()
    return bpy.context.view_layer.objects.active


def _decimated(joined: bpy.types.Object, max_faces: int) -> bpy.types.Object:
    faces = len(joined.data.polygons)
    if faces > max_faces:
        modifier = joined.modifiers.new("decimate", "DECIMATE")
        modifier.ratio = max_faces / faces
        bpy.ops.object.modifier_apply(modifier="decimate")
    return joined


def _stood_on_the_origin(joined: bpy.types.Object) -> np.ndarray:
    mesh = joined.data
    points = np.empty(3 * len(mesh.vertices))
    mesh.vertices.foreach_get("co", points)
    points = points.reshape(-1, 3)
    low, high = points.min(axis=0), points.max(axis=0)
    points -= [(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]]
    mesh.vertices.foreach_set("co", points.ravel())
    mesh.update()
    return high - low


def _write_alone(joined: bpy.types.Object, file: Path) -> None:
    joined.name = "asset"
    joined.parent = None
    joined.matrix_world.identity()
    for other in list(bpy.data.objects):
        if other is not joined:
            bpy.data.objects.remove(other)
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".partial.blend")
    bpy.data.libraries.write(str(partial), {joined}, fake_user=True, compress=True)
    partial.rename(file)
