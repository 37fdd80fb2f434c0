"""Resizing, normalisation and the way back to the picture's size as part of an ONNX graph.

The graph then takes RGB, 0 to 255, as uint8 (H, W, 3) of any size, and gives float32 (H, W): whoever has a runtime for
ONNX needs nothing else. It is put together from text, a line per step, in the order of `midas.pictures.preprocess`.
"""

from __future__ import annotations

from collections.abc import Iterable

import onnx
from onnx import compose, parser

from midas.models.onnx_names import IMAGE_NAME, INPUT_NAME, OUTPUT_NAME
from midas.pictures.preprocess import MAX_ELONGATION, InputSpec

_NETWORK = "network/"
_FLOAT, _INT64, _DOUBLE = (onnx.TensorProto.FLOAT, onnx.TensorProto.INT64, onnx.TensorProto.DOUBLE)

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

# The enlargement of the map is the same in all graphs, and so is the reduction of pictures that are read cubically.
_CUBIC = 'Resize <mode = "cubic", coordinate_transformation_mode = "half_pixel", cubic_coeff_a = -0.75>'

_RESAMPLE_CUBIC = f"""
  planes = Transpose <perm = [2, 0, 1]> ({{image}})
  batch = Unsqueeze (planes, zero)
  values = Cast <to = {_FLOAT}> (batch)
  ahead = Constant <value_ints = [1, 3]> ()
  sizes = Concat <axis = 0> (ahead, size)
  resized = {_CUBIC} (values, , , sizes)
"""

# Pillow resamples one axis after the other, columns first, and rounds to 8 bits after each, halves upwards.
_RESAMPLE_PILLOW = f"""
  planes = Transpose <perm = [2, 0, 1]> ({{image}})
  batch = Unsqueeze (planes, zero)
  values = Cast <to = {_FLOAT}> (batch)
  ahead = Constant <value_ints = [1, 3]> ()
  height = Gather (picture_size, zero)
  width = Gather (size, one)
  narrow_sizes = Concat <axis = 0> (ahead, height, width)
  sizes = Concat <axis = 0> (ahead, size)
  black = Constant <value_float = 0.0> ()
  white = Constant <value_float = 255.0> ()
  narrow = {{pillow}} (values, , , narrow_sizes)
  half = Constant <value_float = 0.5> ()
  narrow_raised = Add (narrow, half)
  narrow_rounded = Floor (narrow_raised)
  narrow_clipped = Clip (narrow_rounded, black, white)
  small = {{pillow}} (narrow_clipped, , , sizes)
  small_raised = Add (small, half)
  small_rounded = Floor (small_raised)
  resized = Clip (small_rounded, black, white)
"""
_PILLOW = (
    'Resize <mode = "cubic", coordinate_transformation_mode = "half_pixel", cubic_coeff_a = -0.5, antialias = 1, '
    "exclude_outside = 1>"
)

# No mode of Resize averages all pixels under a sample as OpenCV does. Written as two products of matrices, the first of
# which takes the rows of the whole picture.
_RESAMPLE_AREA = f"""
  larger = Greater (network_sides, sides)
  larger_number = Cast <to = {_INT64}> (larger)
  larger_side = ReduceMax <keepdims = 0> (larger_number)
  grows = Cast <to = {onnx.TensorProto.BOOL}> (larger_side)
{{rows}}
{{columns}}
  values = Cast <to = {_FLOAT}> ({{image}})
  as_table = Constant <value_ints = [0, -1]> ()
  table = Reshape (values, as_table)
  shrunk = MatMul (rows_weights, table)
  as_picture = Constant <value_ints = [0, -1, 3]> ()
  low = Reshape (shrunk, as_picture)
  low_planes = Transpose <perm = [2, 0, 1]> (low)
  across = Transpose <perm = [1, 0]> (columns_weights)
  planes = MatMul (low_planes, across)
  resized = Unsqueeze (planes, zero)
"""

# The weights of `midas.pictures.preprocess`: those of its _area where no side grows, else those of its _linear.
_AREA_WEIGHTS = """
  {axis}_length = Gather (sides, {index})
  {axis}_count = Gather (network_sides, {index})
  {axis}_ratio = Div ({axis}_count, {axis}_length)
  {axis}_unit = Constant <value = double {{1.0}}> ()
  {axis}_nought = Constant <value = double {{0.0}}> ()
  {axis}_step = Div ({axis}_unit, {axis}_ratio)
  {axis}_length_scalar = Squeeze ({axis}_length, zero)
  {axis}_count_scalar = Squeeze ({axis}_count, zero)
  {axis}_samples = Range ({axis}_nought, {axis}_count_scalar, {axis}_unit)
  {axis}_sample = Unsqueeze ({axis}_samples, one)
  {axis}_pixel = Range ({axis}_nought, {axis}_length_scalar, {axis}_unit)
  {axis}_next_pixel = Add ({axis}_pixel, {axis}_unit)
  {axis}_begin = Mul ({axis}_sample, {axis}_step)
  {axis}_far_end = Add ({axis}_begin, {axis}_step)
  {axis}_end = Min ({axis}_far_end, {axis}_length)
  {axis}_right = Min ({axis}_next_pixel, {axis}_end)
  {axis}_left = Max ({axis}_pixel, {axis}_begin)
  {axis}_overlap = Sub ({axis}_right, {axis}_left)
  {axis}_sliver = Constant <value = double {{0.001}}> ()
  {axis}_counts = Greater ({axis}_overlap, {axis}_sliver)
  {axis}_share = Where ({axis}_counts, {axis}_overlap, {axis}_nought)
  {axis}_interval = Sub ({axis}_end, {axis}_begin)
  {axis}_area = Div ({axis}_share, {axis}_interval)
  {axis}_start = Floor ({axis}_begin)
  {axis}_after_start = Add ({axis}_start, {axis}_unit)
  {axis}_after_sample = Add ({axis}_sample, {axis}_unit)
  {axis}_border = Mul ({axis}_after_start, {axis}_ratio)
  {axis}_beyond = Sub ({axis}_after_sample, {axis}_border)
  {axis}_positive = Max ({axis}_beyond, {axis}_nought)
  {axis}_whole = Floor ({axis}_positive)
  {axis}_x = Sub ({axis}_positive, {axis}_whole)
  {axis}_rest = Sub ({axis}_unit, {axis}_x)
  {axis}_last = Sub ({axis}_length, {axis}_unit)
  {axis}_second = Min ({axis}_after_start, {axis}_last)
  {axis}_at_start = Equal ({axis}_pixel, {axis}_start)
  {axis}_at_second = Equal ({axis}_pixel, {axis}_second)
  {axis}_of_start = Where ({axis}_at_start, {axis}_rest, {axis}_nought)
  {axis}_of_second = Where ({axis}_at_second, {axis}_x, {axis}_nought)
  {axis}_linear = Add ({axis}_of_start, {axis}_of_second)
  {axis}_chosen = Where (grows, {axis}_linear, {axis}_area)
  {axis}_weights = Cast <to = {float}> ({axis}_chosen)
"""

_RESTORE = f"""
restore (float[1, h, w] small_map, int64[2] restored_size) => (float[H, W] {OUTPUT_NAME})
{{
  channel = Constant <value_ints = [0]> ()
  around = Constant <value_ints = [0, 1]> ()
  both = Constant <value_ints = [1, 1]> ()
  one_channel = Unsqueeze (small_map, channel)
  restored_sizes = Concat <axis = 0> (both, restored_size)
  large = {_CUBIC} (one_channel, , , restored_sizes)
  {OUTPUT_NAME} = Squeeze (large, around)
}}
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
    after = _parsed(_RESTORE, network)
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
        resample=_resample_text(spec),
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


def _resample_text(spec: InputSpec) -> str:
    if spec.interpolation == "cubic":
        return _RESAMPLE_CUBIC.format(image=IMAGE_NAME)
    if spec.interpolation == "pillow_cubic":
        return _RESAMPLE_PILLOW.format(image=IMAGE_NAME, pillow=_PILLOW)
    rows = _AREA_WEIGHTS.format(axis="rows", index="zero", float=_FLOAT)
    columns = _AREA_WEIGHTS.format(axis="columns", index="one", float=_FLOAT)
    return _RESAMPLE_AREA.format(image=IMAGE_NAME, rows=rows, columns=columns)


def _numbers(values: Iterable[float | int]) -> str:
    return ", ".join(repr(float(value)) for value in values)
