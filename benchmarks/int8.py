"""Ways to quantise the built-in model: how far each departs from float32 on pictures, and what it saves.

    python benchmarks/int8.py --calibration DIR --pictures DIR [VARIANT ...]

The difference is the mean over all pixels, in units of the range of the output, averaged over the pictures. Time is
that of the processor for one picture on one thread, in turn with the others, so that a busy machine disturbs it little.
"""

from __future__ import annotations

import argparse
import dataclasses
import logging
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationMethod, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

import midas.assets
from midas.export.onnx import open_onnx
from midas.export.pictures import read_pictures
from midas.models.zoo import find_model
from midas.pictures.preprocess import Preprocess

SPEC = find_model("midas_nano_256")
MODEL = Path(midas.assets.__file__).with_name("midas_nano_256.onnx")
STEM = ("/encoder/network/conv_stem", "/encoder/network/bn1")
HEAD = ("/head",)

# Variant → what is left in float32, and what differs from `midas.export.quantize`.
VARIANTS: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "as exported": (SPEC.float_parts, {}),
    "all": ((), {}),
    "per tensor": ((), {"per_channel": False}),
    "symmetric": ((), {"activation_type": QuantType.QInt8, "extra_options": {"ActivationSymmetric": True}}),
    "moving average": ((), {"extra_options": {"CalibMovingAverage": True}}),
    "head in float": (HEAD, {}),
    "stem and head in float": (STEM + HEAD, {}),
    "percentile 99.9": (
        STEM + HEAD,
        {"calibrate_method": CalibrationMethod.Percentile, "extra_options": {"CalibPercentile": 99.9}},
    ),
    "entropy": (STEM + HEAD, {"calibrate_method": CalibrationMethod.Entropy}),
    "decoder and head only": (("/encoder",), {}),
}


class Inputs:
    """Calibration inputs, as ONNX Runtime asks for them."""

    def __init__(self, inputs: list[np.ndarray]) -> None:
        self.rest = iter(inputs)

    def get_next(self) -> dict[str, np.ndarray] | None:
        """The next one."""
        pixels = next(self.rest, None)
        return None if pixels is None else {"pixels": pixels}


def main() -> None:
    """Quantise, compare, time, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("variants", nargs="*", default=list(VARIANTS), metavar="VARIANT", help=", ".join(VARIANTS))
    parser.add_argument("--calibration", type=Path, required=True, help="pictures that ranges are taken from")
    parser.add_argument("--pictures", type=Path, required=True, help="others, to compare on")
    parser.add_argument("--count", type=int, default=48, help="of each kind of picture, at most")
    parser.add_argument("--runs", type=int, default=50, help="timed runs of each variant")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    # One shape: the calibrators that keep histograms take no other.
    preprocess = Preprocess(dataclasses.replace(SPEC.input, size=(256, 352), keep_aspect=False))
    inputs = [preprocess(picture) for picture in read_pictures(options.calibration, options.count)]
    judged = [preprocess(picture) for picture in read_pictures(options.pictures, options.count)]
    reference = open_onnx(MODEL, threads=1)
    expected = [reference(pixels) for pixels in judged]
    runs = {"float32": reference}
    with tempfile.TemporaryDirectory() as folder:
        folded = Path(folder) / "folded.onnx"
        quant_pre_process(str(MODEL), str(folded), skip_symbolic_shape=True)
        names = [node.name for node in onnx.load(folded).graph.node]
        for variant in options.variants:
            kept, changes = VARIANTS[variant]
            settings = {"per_channel": True, "activation_type": QuantType.QUInt8, "weight_type": QuantType.QInt8}
            excluded = [name for name in names if name.startswith(kept)]
            target = Path(folder) / "quantised.onnx"
            quantize_static(str(folded), str(target), Inputs(inputs), nodes_to_exclude=excluded, **(settings | changes))
            runs[variant] = open_onnx(target.read_bytes(), threads=1)
    seconds: dict[str, list[float]] = {variant: [] for variant in runs}
    for _ in range(options.runs):
        for variant, run in runs.items():
            start = time.process_time()
            run(judged[0])
            seconds[variant].append(time.process_time() - start)
    print("| variant | mean difference, % | times as fast |\n|---|---|---|")
    for variant, run in runs.items():
        differences = [
            np.abs(run(pixels) - truth).mean() / np.ptp(truth) for pixels, truth in zip(judged, expected, strict=True)
        ]
        ratio = np.median(seconds["float32"]) / np.median(seconds[variant])
        print(f"| {variant} | {100 * float(np.mean(differences)):.2f} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
