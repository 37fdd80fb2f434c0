"""Which model a weight file belongs to."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from midas.errors import WeightsError
from midas.models import create_model
from midas.models.identification import identify


def save(path: Path, model: str, metadata: dict[str, str] | None = None) -> Path:
    save_file(create_model(model, weights=None).state_dict(), path, metadata)
    return path


@pytest.mark.parametrize(
    "model", ["midas_nano_256", "midas_v21_small_256", "dpt_swin2_tiny_256", "zipdepth_base", "zipdepth_base_npu"]
)
def test_names_and_shapes_of_tensors_tell_the_model(model: str, tmp_path: Path) -> None:
    assert identify(save(tmp_path / "weights.safetensors", model)) == model


def test_metadata_tell_it_where_the_tensors_can_not(tmp_path: Path) -> None:
    """Both versions of Depth Anything have the same tensors."""
    anonymous = save(tmp_path / "weights.safetensors", "depth_anything_v1_vits")
    with pytest.raises(WeightsError, match=r"depth_anything_v2_vits and .*name the model"):
        identify(anonymous)
    named = save(tmp_path / "named.safetensors", "depth_anything_v1_vits", {"midas.name": "depth_anything_v1_vits"})
    assert identify(named) == "depth_anything_v1_vits"


def test_a_published_file_name_tells_it(tmp_path: Path) -> None:
    path = tmp_path / "depth_anything_vits14.pth"
    torch.save(create_model("depth_anything_v1_vits", weights=None).state_dict(), path)
    assert identify(path) == "depth_anything_v1_vits"


def test_the_weights_of_no_model_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    save_file({"reassemble.projections.0.0.weight": torch.zeros(7, 7, 3, 3)}, path)
    with pytest.raises(WeightsError, match="fits no model"):
        identify(path)
