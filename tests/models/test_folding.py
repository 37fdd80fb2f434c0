"""Folding batch normalisation away leaves a network's numbers as they are."""

from __future__ import annotations

import pytest
import torch
from timm.layers.norm_act import BatchNormAct2d
from torch import Tensor, nn

from midas.models import create_model
from midas.models.folding import fold_batch_norm
from midas.models.network import DepthNetwork
from midas.pictures.preprocess import InputSpec


class Twice(nn.Module):
    """One convolution before two normalisations: neither can be folded into it."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, 1, 1)
        self.first, self.second = nn.BatchNorm2d(1), nn.BatchNorm2d(1)

    def forward(self, pixels: Tensor) -> Tensor:
        feature = self.convolution(pixels)
        disparity: Tensor = self.first(feature) + self.second(feature)
        return disparity


def network_of(encoder: nn.Module) -> DepthNetwork:
    spec = InputSpec(size=(32, 32), multiple=1)
    return with_statistics(DepthNetwork(encoder, nn.Identity(), nn.Identity(), nn.Flatten(1, 2), input_spec=spec))


def with_statistics(network: DepthNetwork) -> DepthNetwork:
    """The network as if it had been trained: no normalisation is the identity."""
    torch.manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor in filter(torch.is_tensor, (module.weight, module.running_var)):
                nn.init.uniform_(tensor, 0.5, 1.5)
            for tensor in filter(torch.is_tensor, (module.bias, module.running_mean)):
                nn.init.normal_(tensor, std=0.1)
    return network.eval()


@torch.no_grad()
def folded_and_difference(network: DepthNetwork, pixels: Tensor) -> tuple[int, float]:
    expected = network(pixels)
    folded = fold_batch_norm(network)
    return folded, float((network(pixels) - expected).abs().max() / (expected.max() - expected.min()))


@pytest.mark.parametrize(
    "encoder",
    [
        nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 1, 1)),
        nn.Sequential(nn.Conv2d(3, 4, 1, bias=False), BatchNormAct2d(4), nn.Conv2d(4, 1, 1)),
        nn.Sequential(nn.ConvTranspose2d(3, 4, 1), nn.BatchNorm2d(4), nn.Conv2d(4, 1, 1)),
        nn.Sequential(nn.Conv2d(3, 6, 3, padding=1, groups=3), nn.BatchNorm2d(6, affine=False), nn.Conv2d(6, 1, 1)),
    ],
    ids=["plain", "with its activation", "transposed", "grouped, without weights"],
)
def test_a_normalisation_becomes_part_of_the_convolution_before_it(encoder: nn.Module) -> None:
    network = network_of(encoder)
    folded, difference = folded_and_difference(network, torch.randn(2, 3, 8, 8))
    assert (folded, difference < 1e-6) == (1, True)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in network.modules())


@pytest.mark.parametrize("encoder", [Twice(), nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 1, 1))])
def test_a_normalisation_that_has_no_convolution_for_itself_stays(encoder: nn.Module) -> None:
    assert folded_and_difference(network_of(encoder), torch.randn(1, 3, 8, 8)) == (0, 0.0)


@pytest.mark.parametrize("name", ["midas_nano_256", "midas_v21_small_256", "zipdepth_base", "zipdepth_base_npu"])
def test_all_normalisations_of_the_small_networks_go(name: str) -> None:
    network = with_statistics(create_model(name, weights=None))
    count = sum(isinstance(module, nn.BatchNorm2d) for module in network.modules())
    folded, difference = folded_and_difference(network, torch.randn(1, 3, 64, 96))
    assert folded == count
    assert difference < 1e-4
