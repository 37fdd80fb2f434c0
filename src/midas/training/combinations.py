"""Settings of a run that don't go together."""

from __future__ import annotations

from midas.errors import ConfigError
from midas.training.config import TrainingConfig


def check_combinations(config: TrainingConfig) -> None:
    """Refuse settings that don't go together.

    Raises:
        ConfigError: there are some.
    """
    run = config.run
    if config.pareto is not None and run.accumulate > 1:
        raise ConfigError("run.accumulate is 1 with [pareto]: a step is found from the gradients of one batch")
    if run.strategy != "fsdp":
        return
    if config.pareto is not None:
        raise ConfigError("run.strategy is ddp with [pareto]: a step is found from whole gradients")
    if run.start_share:
        raise ConfigError("run.start_share wants whole weights on each device: run.strategy is ddp")
    if run.sync_batch_norm:
        raise ConfigError("run.sync_batch_norm wants whole layers on each device: run.strategy is ddp")
