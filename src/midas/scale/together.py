"""Processes that learn together on a Ray cluster: Ray Train starts them, as ``torchrun`` does on machines of one's own.

Ray places them, tells each its rank by the variables that ``torchrun`` sets, joins them, and begins all of them again
when one is lost. What it would keep of a run besides, checkpoints among it, the run's own folder has already.
"""

from __future__ import annotations

import os
import tempfile
import time
import uuid
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from midas.errors import ConfigError, MidasError, TrainingError, net
from midas.scale.engine import Engine
from midas.scale.on_ray import Pool, connected, pools_for
from midas.scale.share import CORES_PER_WORKER

RESTARTS = 3
"""So often all are begun again after one was lost, as ``--max-restarts 3`` of ``torchrun``."""

_LAST_WORDS_S = 1.0  # what processes say takes a moment to arrive, and a cluster that has ended says no more

# Its own words would stand between those of the run, and processes keep to the folder that the command was given in.
_QUIET = {"RAY_CHDIR_TO_TRIAL_DIR": "0", "RAY_TRAIN_ENABLE_PRINT_PATCH": "0", "RAY_TRAIN_METRICS_ENABLED": "0"}


def run_together(work: Callable[[], object], engine: Engine, folder: Path, restarts: int = RESTARTS) -> None:
    """Do something in several processes at once that form a process group of PyTorch's.

    There is one process for each graphics card of the cluster, or where it has none for every four cores; the engine
    may wish for fewer, or for other cores.

    Args:
        work: called once in each process, and once more after each restart; can be pickled.
        engine: the cluster, and how many.
        folder: that all machines see; Ray keeps notes of its own there while it runs.
        restarts: how often a lost process may begin all of them again.

    Raises:
        ConfigError: there is no room for as many.
        MidasError: what the work raised in a process, or why the processes can't be begun or keep dying.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with connected(engine, heard=True) as ray, tempfile.TemporaryDirectory(prefix=".ray-", dir=folder) as notes:
        pool = _room_for([node["Resources"] for node in ray.nodes() if node["Alive"]], engine)
        with net("the cluster gave the training up", TrainingError, "the same command goes on"):
            while not _is_done(_Process(work, str(Path.cwd())), pool, notes, last=not restarts):
                restarts -= 1
        time.sleep(_LAST_WORDS_S)


def _room_for(nodes: Sequence[dict[str, float]], engine: Engine) -> Pool:
    """As many processes as are wished for, as wide as there is room for then."""
    narrower = engine.workers is not None and engine.cores is None
    for cores in range(CORES_PER_WORKER, 0, -1) if narrower else [engine.cores]:
        (pool,) = pools_for(nodes, replace(engine, one_kind=True, cores=cores))
        if engine.workers in (None, pool.workers):
            return pool
    raise ConfigError(f"the cluster has room for {pool.workers} processes, not for {engine.workers}")


def _is_done(process: Callable[[], None], pool: Pool, notes: str, *, last: bool) -> bool:
    """Whether the processes have come to their end; False where one was lost, and all are to begin again.

    Ray would begin them again for whatever they raise: for settings that are wrong, too.
    """
    os.environ.update(_QUIET)
    import ray.train
    from ray.train.torch import TorchTrainer

    train: Any = ray.train  # what it holds depends on an environment variable, by which types don't go
    each = {"CPU": pool.cpus} | ({"GPU": pool.gpus} if pool.gpus else {})
    variables = {**_QUIET} | ({"OMP_NUM_THREADS": str(pool.share.cores)} if pool.share.cores else {})
    trainer = TorchTrainer(
        process,
        scaling_config=train.ScalingConfig(
            num_workers=pool.workers, use_gpu=bool(pool.gpus), resources_per_worker=each
        ),
        run_config=train.RunConfig(
            name=uuid.uuid4().hex,  # of a name that it knows it would take up what it kept
            storage_path=notes,
            worker_runtime_env={"env_vars": variables},
        ),
    )
    try:
        trainer.fit()
    except train.WorkerGroupError as error:
        reasons = list(error.worker_failures.values())
        ours = [reason for reason in reasons if isinstance(reason, MidasError)]
        if ours and (last or len(ours) == len(reasons)):
            raise ours[0] from error
        if last:
            raise
        warnings.warn("a process of the training was lost; all of them begin again", RuntimeWarning, stacklevel=2)
        return False
    return True


class _Process:
    """What each process does: the work, in the folder that the command was given in."""

    def __init__(self, work: Callable[[], object], folder: str) -> None:
        self._work, self._folder = work, folder

    def __call__(self) -> None:
        with net(f"{self._folder} isn't there", TrainingError, "all machines need the folder that the run is in"):
            os.chdir(self._folder)
        self._work()
