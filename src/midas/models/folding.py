"""Networks as they run: branches are merged, batch normalisation becomes part of convolutions. The same numbers."""

from __future__ import annotations

import copy
from collections import Counter

import torch
from timm.layers.norm_act import BatchNormAct2d
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from midas.models.branches import BranchedConv, NormedSum, merge_branches
from midas.models.network import DepthNetwork

_Convolution = nn.Conv2d | nn.ConvTranspose2d


# A branched convolution has one behind each of its two.
_NORMS_PER_BRANCHED = 2


def without_branches(network: DepthNetwork) -> DepthNetwork:
    """The network as files for other runtimes hold it.

    What writes them folds normalisations behind single convolutions by itself. It knows no branches and no normalised
    sums, and folds in float32, which with these shows: where a network has them, all is done here.

    Args:
        network: in evaluation mode, float32, on the CPU; stays as it is.

    Returns:
        A network with the same numbers: a copy, or this one where it has neither branches nor normalised sums.
    """
    if not any(isinstance(module, BranchedConv | NormedSum) for module in network.modules()):
        return network
    copied = copy.deepcopy(network)
    fold_batch_norm(copied)
    return copied


@torch.no_grad()
def fold_batch_norm(network: DepthNetwork) -> int:
    """Fold each batch normalisation into the convolution whose result it takes, where it takes that of one only.

    Before that, branched convolutions become one, and normalisations of sums become part of both summands.

    Args:
        network: in evaluation mode, float32, on the CPU; changed in place, and of no use for training from then on.

    Returns:
        The number of normalisations that are gone.
    """
    gone = _NORMS_PER_BRANCHED * merge_branches(network) + _fold_sums(network)
    names = {module: name for name, module in network.named_modules()}
    pairs = _find_pairs(network)
    for normalisation, convolution in pairs.items():
        _fold(convolution, normalisation)
        parent, _, own_name = names[normalisation].rpartition(".")
        # timm's holds the activation behind it too.
        rest = normalisation.act if isinstance(normalisation, BatchNormAct2d) else nn.Identity()
        setattr(network.get_submodule(parent), own_name, rest)
    return gone + len(pairs)


def _fold_sums(network: DepthNetwork) -> int:
    sums = [module for module in network.modules() if isinstance(module, NormedSum) and not module.is_folded]
    for module in sums:
        module.fold()
    return len(sums)


def _find_pairs(network: DepthNetwork) -> dict[nn.BatchNorm2d, _Convolution]:
    """Which normalisation takes the result of which convolution, as a run on a small picture shows."""
    if not any(isinstance(module, nn.BatchNorm2d) for module in network.modules()):
        return {}
    results: list[tuple[Tensor, _Convolution]] = []  # held, so that no other tensor gets the place of one
    pairs: list[tuple[nn.BatchNorm2d, _Convolution]] = []

    def note_result(module: nn.Module, _: object, result: Tensor) -> None:
        assert isinstance(module, _Convolution)
        results.append((result, module))

    def note_pair(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        assert isinstance(module, nn.BatchNorm2d)
        before = next((convolution for result, convolution in results if result is inputs[0]), None)
        if before is not None:
            pairs.append((module, before))

    hooks = [
        module.register_forward_hook(note_result) for module in network.modules() if isinstance(module, _Convolution)
    ]
    hooks += [
        module.register_forward_pre_hook(note_pair)
        for module in network.modules()
        if isinstance(module, nn.BatchNorm2d)
    ]
    try:
        network(torch.zeros(1, 3, *network.input_spec.nearest_size((1, 1))))
    finally:
        for hook in hooks:
            hook.remove()
    uses = Counter(module for pair in pairs for module in pair)
    runs = Counter(convolution for _, convolution in results)
    return {
        normalisation: convolution
        for normalisation, convolution in pairs
        if uses[normalisation] == uses[convolution] == runs[convolution] == 1
    }


def _fold(convolution: _Convolution, normalisation: nn.BatchNorm2d) -> None:
    mean, variance = normalisation.running_mean, normalisation.running_var
    if mean is None or variance is None:
        raise ValueError("a normalisation without running statistics depends on its input and can't be folded")
    # In float64: what is rounded is the product alone.
    weight, bias = fuse_conv_bn_weights(
        convolution.weight.double(), _exact(convolution.bias), mean.double(), variance.double(), normalisation.eps,
        _exact(normalisation.weight), _exact(normalisation.bias), transpose=isinstance(convolution, nn.ConvTranspose2d),
    )  # fmt: skip
    convolution.weight = nn.Parameter(weight.to(mean.dtype))
    convolution.bias = nn.Parameter(bias.to(mean.dtype))


def _exact(parameter: Tensor | None) -> Tensor | None:
    return None if parameter is None else parameter.double()
