"""How much `midas evaluate` costs beside the network alone: reading, alignment and metrics should hide behind it.

    python benchmarks/evaluation_speed.py SET [--model NAME] [--limit N] [--runs 3]

SET is a folder in the corpus format. The network alone and the whole evaluation run in turns.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from statistics import median

import midas
from midas.evaluation.candidates import ModelCandidate
from midas.evaluation.runs import Benchmark, open_benchmark, run
from midas.evaluation.scoring import score, usable


def main() -> None:
    """Print medians and their ratio, and what each stage takes alone."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path, metavar="SET")
    parser.add_argument("--model", default="midas_nano_256")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    benchmark = open_benchmark("corpus", arguments.set)
    candidate = ModelCandidate(midas.load(arguments.model))
    count = min(arguments.limit or len(benchmark.reader), len(benchmark.reader))
    network_s, whole_s, stages = [], [], {}
    for _ in range(arguments.runs):
        stages = stages_s(candidate, benchmark, count)
        network_s.append(stages["network"])
        start = time.perf_counter()
        result = run(candidate, benchmark, limit=count)
        whole_s.append(time.perf_counter() - start)
    print(f"{count} pictures, delta1_outliers {result.delta1_outliers:.2f} %")
    for stage, seconds in stages.items():
        print(f"{stage:>10} alone {seconds:6.2f} s")
    ratio = median(whole_s) / median(network_s)
    print(f"evaluation {median(whole_s):.2f} s, network {median(network_s):.2f} s: ratio {ratio:.2f}")


def stages_s(candidate: ModelCandidate, benchmark: Benchmark, count: int) -> dict[str, float]:
    """Seconds that each stage takes, one after the other."""
    seconds = dict.fromkeys(("read", "prepare", "network", "resize", "measure"), 0.0)

    def timed(stage: str, start: float) -> float:
        now = time.perf_counter()
        seconds[stage] += now - start
        return now

    for index in range(count):
        now = time.perf_counter()
        sample = benchmark.reader[index]
        now = timed("read", now)
        prepared = candidate.prepare(sample)
        now = timed("prepare", now)
        given = candidate.run(prepared)
        now = timed("network", now)
        protocol = benchmark.protocol
        prediction = given.comparable(sample.mask.shape, protocol)
        now = timed("resize", now)
        score(prediction, sample, usable(sample, protocol), protocol, protocol.metrics)
        timed("measure", now)
    return seconds


if __name__ == "__main__":
    main()
