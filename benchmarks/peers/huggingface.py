"""Peer: the depth-estimation pipeline of Hugging Face's transformers, as its documentation shows it.

Nothing is downloaded: the networks are built from their configurations, with random weights, which cost the same time.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image


def make(name: str) -> Callable[[np.ndarray], np.ndarray]:
    """A prediction by the pipeline: the map at the picture's size, and the picture of it that it always makes.

    Args:
        name: "dpt-large" or "depth-anything-v2-small".
    """
    from transformers import pipeline

    model, processor = {"dpt-large": dpt_large, "depth-anything-v2-small": depth_anything_v2_small}[name]()
    estimate = pipeline("depth-estimation", model=model.eval(), image_processor=processor, device="cpu")
    return lambda image: estimate(Image.fromarray(image))["predicted_depth"].numpy()


def dpt_large() -> tuple[object, object]:
    """Intel/dpt-large."""
    from transformers import DPTConfig, DPTForDepthEstimation, DPTImageProcessor

    config = DPTConfig(
        hidden_size=1024, num_hidden_layers=24, num_attention_heads=16, intermediate_size=4096, image_size=384,
        patch_size=16, backbone_out_indices=[5, 11, 17, 23], neck_hidden_sizes=[256, 512, 1024, 1024],
        reassemble_factors=[4, 2, 1, 0.5], fusion_hidden_size=256, readout_type="project",
    )  # fmt: skip
    return DPTForDepthEstimation(config), DPTImageProcessor(size={"height": 384, "width": 384})


def depth_anything_v2_small() -> tuple[object, object]:
    """depth-anything/Depth-Anything-V2-Small-hf."""
    from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation, Dinov2Config, DPTImageProcessor

    backbone = Dinov2Config(
        hidden_size=384, num_hidden_layers=12, num_attention_heads=6, image_size=518, patch_size=14,
        out_features=["stage3", "stage6", "stage9", "stage12"], reshape_hidden_states=False, apply_layernorm=True,
    )  # fmt: skip
    config = DepthAnythingConfig(
        backbone_config=backbone, reassemble_hidden_size=384, patch_size=14, neck_hidden_sizes=[48, 96, 192, 384],
        reassemble_factors=[4, 2, 1, 0.5], fusion_hidden_size=64, head_in_index=-1, head_hidden_size=32,
    )  # fmt: skip
    processor = DPTImageProcessor(
        size={"height": 518, "width": 518}, keep_aspect_ratio=True, ensure_multiple_of=14,
        image_mean=[0.485, 0.456, 0.406], image_std=[0.229, 0.224, 0.225],
    )  # fmt: skip
    return DepthAnythingForDepthEstimation(config), processor
