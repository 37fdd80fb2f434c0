"""Resizing, normalisation and the way back to the picture's size as part of an ONNX graph.

The graph then takes RGB, 0 to 255, as uint8 (H, W, 3) of any size, and gives float32 (H, W): whoever has a runtime for
ONNX needs nothing else. It is put together from text, a line per step, in the order of `midas.pictures.preprocess`.
"""

from __future__ import annotations

from collections.abc import Iterable

import onnx
from onnx import compose, parser

from midas.export.resampling_text import CUBIC_RESIZE, resample_text
from midas.models.onnx_names import IMAGE_NAME, INPUT_NAME, OUTPUT_NAME
from midas.pictures.preprocess import MAX_ELONGATION, InputSpec, Restoration

_NETWORK = "network/"
_INT64, _DOUBLE = (onnx.TensorProto.INT64, onnx.TensorProto.DOUBLE)

_PREPARE = """
prepare (uint8[H, W, 3] {image}) => (float[1, 3, h, w] pixels, int64[2] picture_size)
{{
  zero = Constant <value_ints = [0]> ()
  one = Constant <value_ints = [1]> ()
  picture_size = Shape <start = 0, end = 2> ({image})
  sides = Cast <to = {double}> (picture_size)
{size}
{resample}
  gain = Constant <value = float[1, 3, 1, 1] {{{gain}}}> ()
  offset = Constant <value = float[1, 3, 1, 1] {{{offset}}}> ()
  scaled = Mul (resized, gain)
  pixels = Add (scaled, offset)
}}
"""

# `InputSpec.network_size`, in the same float64 arithmetic; Round goes half to even, as Python does.
_SIZE = """
  target = Constant <value = double[2] {{{target}}}> ()
  multiple = Constant <value = double {{{multiple}}}> ()
  fewest = Constant <value = double {{1.0}}> ()
  most = Constant <value = double[2] {{{most}}}> ()
  scales = Div (target, sides)
{scale}
  wanted = Mul (scale, sides)
  exact = Div (wanted, multiple)
  nearest = Round (exact)
{bound}
  enough = Max (multiples, fewest)
  legal = Min (enough, most)
  network_sides = Mul (legal, multiple)
  size = Cast <to = {int64}> (network_sides)
"""

_SCALE = {
    "lower_bound": "  scale = ReduceMax <keepdims = 1> (scales)",
    "upper_bound": "  scale = ReduceMin <keepdims = 1> (scales)",
    "minimal": """
  from_one = Sub (fewest, scales)
  change = Abs (from_one)
  vertical_change = Gather (change, zero)
  horizontal_change = Gather (change, one)
  vertical_scale = Gather (scales, zero)
  horizontal_scale = Gather (scales, one)
  horizontal_is_nearer = Less (horizontal_change, vertical_change)
  scale = Where (horizontal_is_nearer, horizontal_scale, vertical_scale)
""",
}

_BOUND = {
    "lower_bound": """
  rounded = Mul (nearest, multiple)
  beyond = Less (rounded, target)
  other = Ceil (exact)
  multiples = Where (beyond, other, nearest)
""",
    "upper_bound": """
  rounded = Mul (nearest, multiple)
  beyond = Greater (rounded, target)
  other = Floor (exact)
  multiples = Where (beyond, other, nearest)
""",
    "minimal": "  multiples = Identity (nearest)",
}

# How maps grow. Guided filtering would take a dozen of operators, which not every runtime has.
_ENLARGE: dict[Restoration, str] = {
    "cubic": CUBIC_RESIZE,
    "guided": CUBIC_RESIZE,
    "aligned_linear": 'Resize <mode = "linear", coordinate_transformation_mode = "align_corners">',
}

_RESTORE = f"""
restore (float[1, h, w] small_map, int64[2] restored_size) => (float[H, W] {OUTPUT_NAME})
{{{{
  channel = Constant <value_ints = [0]> ()
  around = Constant <value_ints = [0, 1]> ()
  both = Constant <value_ints = [1, 1]> ()
  one_channel = Unsqueeze (small_map, channel)
  restored_sizes = Concat <axis = 0> (both, restored_size)
  large = {{resize}} (one_channel, , , restored_sizes)
  {OUTPUT_NAME} = Squeeze (large, around)
}}}}
"""


def with_pre_post(network: onnx.ModelProto, spec: InputSpec) -> onnx.ModelProto:
    """The graph that takes a picture as it is and gives a map of its size.

    Args:
        network: pixels (1, 3, h, w) → disparity (1, h, w), under this package's names.
        spec: how a picture becomes these pixels.

    Returns:
        ``image``, uint8 (H, W, 3), RGB, of any size → ``disparity``, float32 (H, W).
    """
    inner = compose.add_prefix(network, _NETWORK)
    before = _parsed(_prepare_text(spec), network)
    after = _parsed(_RESTORE.format(resize=_ENLARGE[spec.restore]), network)
    opened = compose.merge_models(before, inner, io_map=[("pixels", f"{_NETWORK}{INPUT_NAME}")])
    ends = [(f"{_NETWORK}{OUTPUT_NAME}", "small_map"), ("picture_size", "restored_size")]
    return compose.merge_models(opened, after, io_map=ends)


def _parsed(text: str, network: onnx.ModelProto) -> onnx.ModelProto:
    opsets = ", ".join(f'"{opset.domain}" : {opset.version}' for opset in network.opset_import)
    return parser.parse_model(f"<ir_version: {network.ir_version}, opset_import: [{opsets}]>{text}")


def _prepare_text(spec: InputSpec) -> str:
    return _PREPARE.format(
        image=IMAGE_NAME,
        double=_DOUBLE,
        size=_size_text(spec),
        resample=resample_text(spec),
        gain=_numbers(1 / (255 * std) for std in spec.std),
        offset=_numbers(-mean / std for mean, std in zip(spec.mean, spec.std, strict=True)),
    )


def _size_text(spec: InputSpec) -> str:
    if not spec.keep_aspect:  # each side meets its target, whatever the picture
        height, width = spec.network_size(spec.size)
        return (
            f"  network_sides = Constant <value = double[2] {{{float(height)}, {float(width)}}}> ()\n"
            f"  size = Constant <value_ints = [{height}, {width}]> ()"
        )
    return _SIZE.format(
        target=_numbers(spec.size),
        multiple=float(spec.multiple),
        most=_numbers(MAX_ELONGATION * side // spec.multiple for side in spec.size),
        scale=_SCALE[spec.resize],
        bound=_BOUND[spec.resize],
        int64=_INT64,
    )


def _numbers(values: Iterable[float | int]) -> str:
    return ", ".join(repr(float(value)) for value in values)
