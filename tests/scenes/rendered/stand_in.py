"""A generator without Blender: answers jobs as the real one does, or fails as its argument says.

python stand_in.py [good | empty | flat | broken | error | slow | mute | library-errors]
python stand_in.py torn-once|dies-once FILE
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np


def view(folder: Path, number: int, seed: int, *, flat: bool) -> dict[str, object]:
    rng = np.random.default_rng((seed, number))
    depth_m = np.full((24, 32), 3.0, np.float32)
    if not flat:
        depth_m[12:] = np.linspace(3, 1, 12, dtype=np.float32)[:, None]
        depth_m[:4] = np.inf
    radiance = rng.uniform(0.05, 0.6, (24, 32, 3)).astype(np.float16)
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / f"{number:02d}.npz", radiance=radiance, depth_m=depth_m)
    return {"file": str(folder / f"{number:02d}.npz")}


def frames(job: dict[str, object]) -> dict[str, object]:
    folder, first, last = Path(str(job["folder"])), int(str(job["first"])), int(str(job["last"]))
    camera = {"pose": np.eye(4).tolist(), "intrinsics": np.eye(3).tolist()}
    views = [
        view(folder, number, int(str(job["seed"])), flat=False) | {"number": number} | camera
        for number in range(first, last)
    ]
    return {"what": "stand-in", "views": views, "seconds": 0.1}


def answer(job: dict[str, object], mode: str) -> dict[str, object]:
    if job["do"] == "move":
        if mode == "error":
            sys.exit("RuntimeError: no view of this scene was worth taking")
        return frames(job)
    if job["do"] != "scene":
        file = Path(str(job["file"]))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("made", encoding="utf-8")
        return {"size_m": [1, 1, 1], "seconds": 0.1}
    if mode == "error":
        sys.exit("ValueError: no such chair")
    count = 0 if mode == "empty" else int(str(job["views"]))
    views = [view(Path(str(job["folder"])), k, int(str(job["seed"])), flat=mode == "flat") for k in range(count)]
    if mode == "torn-once" and not Path(sys.argv[2]).exists():
        Path(sys.argv[2]).touch()
        file = Path(str(views[1]["file"]))
        file.write_bytes(file.read_bytes()[:500])
    return {"what": "stand-in", "views": views, "seconds": 0.1}


def say(reply: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(reply) + "\n")
    sys.stdout.flush()


def main() -> None:
    mode = sys.argv[1] if len(sys.argv) > 1 else "good"
    if mode == "broken":
        sys.exit("ImportError: no module named bpy")
    say({"ready": True})
    for line in sys.stdin:
        job = json.loads(line)
        if mode == "slow":
            time.sleep(60)
        if mode == "mute":
            sys.exit(1)
        if mode == "dies-once" and not Path(sys.argv[2]).exists():
            Path(sys.argv[2]).touch()
            sys.exit("Segmentation fault")
        if mode == "library-errors" and job["do"] == "asset":
            sys.exit("ValueError: nothing to see")
        say(answer(job, mode))


if __name__ == "__main__":
    main()
