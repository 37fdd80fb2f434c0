"""Peer: ONNX Runtime with its defaults on a plain export, as one writes it in ten lines. Needs no midas."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import onnxruntime


def make(
    path: str, size: list[int], mean: list[float], std: list[float], area: bool
) -> Callable[[np.ndarray], np.ndarray]:
    """A prediction around a session.

    Args:
        path: the ONNX file.
        size: (height, width) of its input for the picture of this run.
        mean, std: of the normalisation.
        area: whether the picture is averaged on the way down, as the embedded model wants it; else bicubic.
    """
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    input_name = session.get_inputs()[0].name
    flag = cv2.INTER_AREA if area else cv2.INTER_CUBIC

    def predict(image: np.ndarray) -> np.ndarray:
        pixels = cv2.resize(image.astype(np.float32) / 255, (size[1], size[0]), interpolation=flag)
        pixels = (pixels - np.float32(mean)) / np.float32(std)
        (disparity,) = session.run(None, {input_name: np.ascontiguousarray(pixels.transpose(2, 0, 1))[None]})
        return cv2.resize(np.squeeze(disparity), (image.shape[1], image.shape[0]), interpolation=cv2.INTER_CUBIC)

    return predict
