"""Peer: float32 PyTorch, eager, step by step as the official MiDaS and DPT code runs a network.

The official code needs PyTorch and timm of its time. The network here is this package's, which has the official
network's layers and numbers (tests/parity); around it stand the official steps: float64 picture, OpenCV, bicubic
enlargement by PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import torch

from midas.models import create_model


def make(model: str, weights: str) -> Callable[[np.ndarray], np.ndarray]:
    """A prediction as the official `run.py` makes it.

    Args:
        model: name from the model table.
        weights: a file, or "pretrained".
    """
    network = create_model(model, weights=weights)
    spec = network.input_spec
    flag = cv2.INTER_AREA if spec.interpolation == "area" else cv2.INTER_CUBIC

    @torch.no_grad()
    def predict(image: np.ndarray) -> np.ndarray:
        height, width = spec.network_size(image.shape[:2])
        pixels = cv2.resize(image / 255.0, (width, height), interpolation=flag)
        pixels = (pixels - spec.mean) / spec.std
        sample = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)).astype(np.float32)).unsqueeze(0)
        disparity = network(sample).unsqueeze(1)
        whole = torch.nn.functional.interpolate(disparity, size=image.shape[:2], mode="bicubic", align_corners=False)
        return whole.squeeze().cpu().numpy()

    return predict
