"""One side of a duel: a process that calls a function for a while whenever it is told to, and says how long it took.

    python contestant.py MODULE:CALLABLE PICTURE.npy [SETTINGS]

It needs nothing but NumPy, so that a rival may live in an environment of its own. The callable takes the picture, RGB
uint8 (H, W, 3). With SETTINGS, a JSON object, it is called with them first and gives the callable that does. Each line
on standard input is a number of seconds, for which the function is called again and again, at least once; each line of
standard output is the median time of a call in milliseconds. The first one comes unasked and is the time of import and
first call.
"""

from __future__ import annotations

import importlib
import json
import os
import statistics
import sys
import time

import numpy as np


def main(target: str, picture_path: str, settings: str | None = None) -> None:
    """Answer until standard input ends."""
    # Whatever the callable prints mustn't come between the answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    picture = np.load(picture_path)
    start = time.perf_counter()
    module, _, name = target.partition(":")
    function = getattr(importlib.import_module(module), name)
    if settings is not None:
        function = function(**json.loads(settings))
    function(picture)
    times = [time.perf_counter() - start]
    while True:
        answers.write(f"{statistics.median(times) * 1e3}\n")
        answers.flush()
        line = sys.stdin.readline()
        if not line:
            return
        times = []
        begin = time.perf_counter()
        while not times or time.perf_counter() - begin < float(line):
            start = time.perf_counter()
            function(picture)
            times.append(time.perf_counter() - start)


if __name__ == "__main__":
    # In place of this file's folder, whose modules are none of the rival's business.
    sys.path[0] = os.getcwd()  # noqa: PTH109
    main(*sys.argv[1:])
