"""Code written for the official torch.hub entry points runs on ours."""

from __future__ import annotations

import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

OFFICIAL = (
    "DPT_BEiT_B_384", "DPT_BEiT_L_384", "DPT_BEiT_L_512", "DPT_Hybrid", "DPT_Large", "DPT_LeViT_224",
    "DPT_Next_ViT_L_384", "DPT_SwinV2_B_384", "DPT_SwinV2_L_384", "DPT_SwinV2_T_256", "DPT_Swin_L_384", "MiDaS",
    "MiDaS_small", "transforms",
)  # fmt: skip
OURS = ("midas_nano_256", "zipdepth_base", "zipdepth_base_npu")


def hub_load(repository: Path, name: str, **options: object) -> object:
    return torch.hub.load(str(repository), name, source="local", **options)


def entry_points(repository: Path) -> dict[str, Callable[..., object]]:
    """What torch.hub lists: every function whose name doesn't begin with an underscore."""
    found = runpy.run_path(str(repository / "hubconf.py"))
    return {name: value for name, value in found.items() if callable(value) and not name.startswith("_")}


def test_the_entry_points_are_the_official_ones_and_those_of_the_small_networks(repository: Path) -> None:
    assert sorted(entry_points(repository)) == sorted((*OFFICIAL, *OURS))


def test_an_entry_point_says_what_it_gives(repository: Path) -> None:
    assert "ViT-L" in str(entry_points(repository)["DPT_Large"].__doc__)


@pytest.mark.parametrize(
    ("name", "transform"),
    [
        ("MiDaS_small", "small_transform"),
        ("DPT_LeViT_224", "levit_transform"),
        ("zipdepth_base_npu", "zipdepth_transform"),
    ],
)
def test_the_official_example_runs(name: str, transform: str, repository: Path) -> None:
    network = hub_load(repository, name, pretrained=False)
    prepare = getattr(hub_load(repository, "transforms"), transform)
    image = np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    with torch.no_grad():
        prediction = network(prepare(image))  # type: ignore[operator]
        full = torch.nn.functional.interpolate(
            prediction.unsqueeze(1), size=image.shape[:2], mode="bicubic", align_corners=False
        ).squeeze()
    assert full.shape == (120, 160)


@pytest.mark.parametrize(
    ("transform", "size"),
    [
        ("default_transform", (288, 384)),
        ("small_transform", (192, 256)),
        ("dpt_transform", (384, 512)),
        ("beit512_transform", (512, 672)),
        ("swin384_transform", (384, 384)),
        ("swin256_transform", (256, 256)),
        ("levit_transform", (224, 224)),
        ("zipdepth_transform", (384, 512)),
    ],
)
def test_a_transform_follows_its_model_s_rule(transform: str, size: tuple[int, int], repository: Path) -> None:
    prepare = getattr(hub_load(repository, "transforms"), transform)
    assert prepare(np.zeros((480, 640, 3), np.uint8)).shape == (1, 3, *size)


def test_a_clone_needs_no_installation(repository: Path) -> None:
    """The package is found beside hubconf.py even where none is installed."""
    program = (
        "import sys; sys.modules['midas'] = None; del sys.modules['midas'];"
        "sys.meta_path = [finder for finder in sys.meta_path if 'editable' not in repr(finder)];"
        "sys.path = [entry for entry in sys.path if not entry.endswith('src')];"
        f"sys.path.insert(0, {str(repository)!r});"
        "import hubconf, midas; print(midas.__file__)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd="/")
    assert Path(result.stdout.strip()).parent == repository / "src" / "midas"


def test_a_transform_takes_a_pil_image_as_it_takes_its_pixels(repository: Path) -> None:
    prepare = hub_load(repository, "transforms").small_transform  # type: ignore[attr-defined]
    image = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    assert torch.equal(prepare(Image.fromarray(image)), prepare(image))
