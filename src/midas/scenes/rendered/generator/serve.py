"""The loop: a job in, an answer out."""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

Job = Mapping[str, Any]

# Each job's module is imported when the first such job comes: bodies need torch, scenes need Blender, neither both.
JOBS = {
    "trial": ("generator.trial", "shoot_trial"),
    "scene": ("generator.shoot", "shoot_scene"),
    "asset": ("generator.build_assets", "build_asset"),
    "texture": ("generator.textures", "build_texture"),
    "sky": ("generator.cloud_images", "build_sky"),
    "body": ("generator.build_bodies", "build_body"),
}


def serve() -> None:
    """Answer jobs until standard input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    # Blender and its add-ons write to standard output as they like.
    os.dup2(2, 1)
    for line in sys.stdin:
        answers.write(json.dumps(answer(json.loads(line))) + "\n")
        answers.flush()


def answer(job: Job) -> dict[str, Any]:
    """Do one job. This is the generator's net: whatever goes wrong with one job is told in its answer."""
    began = time.monotonic()
    try:
        module, name = JOBS[job["do"]]
        work: Callable[[Job], dict[str, Any]] = getattr(import_module(module), name)
        reply = work(job)
    except Exception as error:  # noqa: BLE001
        traceback.print_exc()
        reply = {"error": f"{type(error).__name__}: {error}".splitlines()[0]}
    return reply | {"seconds": time.monotonic() - began}
