"""The loop: a job in, an answer out."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

Job = Mapping[str, Any]

# Each job's module is imported when the first such job comes: bodies need torch, scenes need Blender, neither both.
JOBS = {
    "trial": ("generator.trial", "shoot_trial"),
    "scene": ("generator.shoot", "shoot_scene"),
    "move": ("generator.moves", "shoot_move"),
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
    ready = False
    for line in sys.stdin:
        job = json.loads(line)
        module, name = JOBS[job["do"]]
        work: Callable[[Job], dict[str, Any]] = getattr(import_module(module), name)
        if not ready:
            # Whatever goes wrong from now on is this job's fault, not this environment's.
            answers.write(json.dumps({"ready": True}) + "\n")
            answers.flush()
            ready = True
        began, worked = time.monotonic(), time.process_time()
        # An error ends the process: its last line says what, and Blender may be in no state to go on.
        reply = work(job)
        took = {"seconds": time.monotonic() - began, "cpu_seconds": time.process_time() - worked}
        answers.write(json.dumps(reply | took) + "\n")
        answers.flush()
