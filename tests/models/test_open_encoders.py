"""The DPT decoder on encoders that no published network has."""

from __future__ import annotations

from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file

from midas.errors import ModelError
from midas.models import create_model
from midas.models.factory import create_untrained
from midas.models.open_spec import open_spec

ENCODERS = [
    "resnet50",
    "mobilenetv3_large_100",
    "tf_efficientnet_lite0",
    "convnext_atto",
    "vit_tiny_patch16_224",
    "vit_small_patch14_dinov2",
    "vit_small_patch16_dinov3",
    "swin_tiny_patch4_window7_224",
]


@pytest.mark.parametrize("encoder", ENCODERS)
def test_any_encoder_of_timm_gives_a_depth_network(encoder: str) -> None:
    network = create_model(encoder=encoder, weights=None, features=16)
    size = (
        network.input_spec.size
        if network.input_spec.fixed
        else tuple(count * network.input_spec.multiple for count in (3, 5))
    )
    with torch.inference_mode():
        disparity = network(torch.randn(1, 3, *size))
    assert disparity.shape == (1, *size)
    assert bool(torch.isfinite(disparity).all())


@pytest.mark.parametrize("encoder", ["resnet18", "vit_tiny_patch16_224"])
def test_every_parameter_of_it_learns(encoder: str) -> None:
    torch.manual_seed(0)
    network = create_model(encoder=encoder, weights=None, features=16).train()
    network(torch.randn(2, 3, 64, 96)).sum().backward()
    assert [key for key, parameter in network.named_parameters() if parameter.grad is None] == []


def test_its_own_weights_load_back() -> None:
    first = create_model(encoder="resnet18", weights=None, features=16)
    second = create_model(encoder="resnet18", weights=first.state_dict(), features=16)
    pixels = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        assert torch.equal(first(pixels), second(pixels))


def test_pictures_are_normalised_as_the_encoder_was_trained() -> None:
    assert open_spec("resnet18").input.mean == pytest.approx((0.485, 0.456, 0.406))
    assert open_spec("vit_tiny_patch16_224").input.mean == pytest.approx((0.5, 0.5, 0.5))


@pytest.mark.parametrize("encoder", ["no_such_network", "resnet51"])
def test_an_encoder_that_timm_does_not_know_is_refused(encoder: str) -> None:
    with pytest.raises(ModelError, match="timm gives no feature maps"):
        create_model(encoder=encoder, weights=None)


def test_a_name_and_an_encoder_together_are_refused() -> None:
    with pytest.raises(ModelError, match="not both"):
        create_model("midas_nano_256", encoder="resnet18")
    with pytest.raises(ModelError, match="not both"):
        create_model()


@pytest.mark.parametrize("timm_name", ["beit_base_patch16_384", "resnext101_32x8d"])
def test_a_classifier_of_timm_starts_the_encoder_of_a_published_network(timm_name: str, tmp_path: Path) -> None:
    model = {"beit_base_patch16_384": "dpt_beit_base_384", "resnext101_32x8d": "midas_v21_384"}[timm_name]
    classifier = timm.create_model(timm_name, pretrained=False)
    save_file(classifier.state_dict(), tmp_path / "classifier.safetensors")
    network = create_untrained(model, tmp_path / "classifier.safetensors")
    ours = network.encoder.state_dict()
    same = [name for name in classifier.state_dict() if f"network.{name}" in ours]
    assert len(same) > 100
    assert all(torch.equal(ours[f"network.{name}"], classifier.state_dict()[name]) for name in same)
