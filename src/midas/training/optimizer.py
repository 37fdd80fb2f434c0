"""AdamW with a lower rate for the pretrained encoder, and its schedule."""

from __future__ import annotations

import math

from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

from midas.models.network import DepthNetwork
from midas.training.config import OptimizerSettings


def build_optimizer(network: DepthNetwork, settings: OptimizerSettings) -> AdamW:
    """Two learning rates, each with and without weight decay: norms and biases are not decayed, frozen parts absent."""
    encoder = list(network.encoder.parameters())
    decoder = [
        parameter for part in (network.reassemble, network.decoder, network.head) for parameter in part.parameters()
    ]
    groups = [
        {"params": [each for each in parameters if each.requires_grad and (each.ndim > 1) == decayed], "lr": rate,
         "weight_decay": settings.weight_decay if decayed else 0.0}
        for parameters, rate in ((encoder, settings.encoder_rate), (decoder, settings.decoder_rate))
        for decayed in (True, False)
    ]  # fmt: skip
    return AdamW(groups, betas=(0.9, 0.999), fused=True)


def build_schedule(optimizer: AdamW, settings: OptimizerSettings, steps: int) -> LambdaLR:
    """Linear warm-up, then half a cosine down to zero at the last step."""
    warmup = max(round(steps * settings.warmup_share), 1)

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        return 0.5 * (1.0 + math.cos(math.pi * min((step - warmup) / max(steps - warmup, 1), 1.0)))

    return LambdaLR(optimizer, factor)
