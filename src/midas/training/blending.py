"""Weights between those that a run starts from and those that it has learnt.

Fine-tuning on few pictures takes a network away from all others. On the straight line between the two sets of weights
lie networks that have most of what was learnt and have forgotten little (Wortsman et al. 2022, "Robust fine-tuning of
zero-shot models").
"""

from __future__ import annotations

import copy

import torch

from midas.models.network import DepthNetwork


class Blend:
    """A network whose weights are a mean of those of the start and of another.

    Args:
        start: with the weights that the run starts from.
        share: of the start, from 0, which leaves the other as it is.
    """

    def __init__(self, start: DepthNetwork, share: float) -> None:
        self.share = share
        self._start = {name: value.clone() for name, value in start.state_dict().items()} if share else {}
        self._mixed = copy.deepcopy(start).requires_grad_(False) if share else start

    def __call__(self, network: DepthNetwork) -> DepthNetwork:
        """The mean with a network's weights; the same object at every call. Whole numbers are the network's own."""
        if not self.share:
            return network
        with torch.no_grad():
            new = network.state_dict()
            for name, value in self._mixed.state_dict().items():
                learnt = new[name]
                value.copy_(torch.lerp(learnt, self._start[name], self.share) if value.is_floating_point() else learnt)
        return self._mixed
