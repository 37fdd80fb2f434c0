"""How pictures are resampled inside an ONNX graph: the rules of `midas.pictures.resampling`, as text."""

from __future__ import annotations

from onnx import TensorProto

from midas.models.onnx_names import IMAGE_NAME
from midas.pictures.preprocess import InputSpec

_FLOAT, _INT64, _DOUBLE, _BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.DOUBLE, TensorProto.BOOL

# Of maps that grow, and of pictures that are read cubically.
CUBIC_RESIZE = 'Resize <mode = "cubic", coordinate_transformation_mode = "half_pixel", cubic_coeff_a = -0.75>'

_RESAMPLE_CUBIC = f"""
  planes = Transpose <perm = [2, 0, 1]> ({{image}})
  batch = Unsqueeze (planes, zero)
  values = Cast <to = {_FLOAT}> (batch)
  ahead = Constant <value_ints = [1, 3]> ()
  sizes = Concat <axis = 0> (ahead, size)
  resized = {CUBIC_RESIZE} (values, , , sizes)
"""

# OpenCV's way with 8 bits: weights of 11 bits, columns first; what would not fit into its whole numbers is cut off.
_RESAMPLE_LINEAR = f"""
{{rows}}
{{columns}}
  top_rows = Gather <axis = 0> ({{image}}, rows_first)
  bottom_rows = Gather <axis = 0> ({{image}}, rows_second)
{{top}}
{{bottom}}
  middle = Add (top_share, bottom_share)
  two = Constant <value = double {{{{2.0}}}}> ()
  four = Constant <value = double {{{{4.0}}}}> ()
  raised = Add (middle, two)
  quarter = Div (raised, four)
  levels = Floor (quarter)
  low = Cast <to = {_FLOAT}> (levels)
  low_planes = Transpose <perm = [2, 0, 1]> (low)
  resized = Unsqueeze (low_planes, zero)
"""

# The two pixels of each sample along an axis, and their weights as multiples of 1/2048.
_LINEAR_WEIGHTS = """
  {axis}_length = Gather (sides, {index})
  {axis}_count = Gather (network_sides, {index})
  {axis}_ratio = Div ({axis}_count, {axis}_length)
  {axis}_unit = Constant <value = double {{1.0}}> ()
  {axis}_nought = Constant <value = double {{0.0}}> ()
  {axis}_half = Constant <value = double {{0.5}}> ()
  {axis}_precision = Constant <value = double {{2048.0}}> ()
  {axis}_step = Div ({axis}_unit, {axis}_ratio)
  {axis}_count_scalar = Squeeze ({axis}_count, zero)
  {axis}_samples = Range ({axis}_nought, {axis}_count_scalar, {axis}_unit)
  {axis}_middle = Add ({axis}_samples, {axis}_half)
  {axis}_scaled = Mul ({axis}_middle, {axis}_step)
  {axis}_exact = Sub ({axis}_scaled, {axis}_half)
  {axis}_short = Cast <to = {float}> ({axis}_exact)
  {axis}_centre = Cast <to = {double}> ({axis}_short)
  {axis}_floor = Floor ({axis}_centre)
  {axis}_x = Sub ({axis}_centre, {axis}_floor)
  {axis}_last = Sub ({axis}_length, {axis}_unit)
  {axis}_before = Less ({axis}_floor, {axis}_nought)
  {axis}_behind = GreaterOrEqual ({axis}_floor, {axis}_last)
  {axis}_outside = Or ({axis}_before, {axis}_behind)
  {axis}_share = Where ({axis}_outside, {axis}_nought, {axis}_x)
  {axis}_inside = Max ({axis}_floor, {axis}_nought)
  {axis}_lower = Min ({axis}_inside, {axis}_last)
  {axis}_next = Add ({axis}_lower, {axis}_unit)
  {axis}_upper = Min ({axis}_next, {axis}_last)
  {axis}_first = Cast <to = {int64}> ({axis}_lower)
  {axis}_second = Cast <to = {int64}> ({axis}_upper)
  {axis}_rest = Sub ({axis}_unit, {axis}_share)
  {axis}_of_first = Mul ({axis}_rest, {axis}_precision)
  {axis}_of_second = Mul ({axis}_share, {axis}_precision)
  {axis}_rounded_first = Round ({axis}_of_first)
  {axis}_rounded_second = Round ({axis}_of_second)
  {axis}_first_weights = Unsqueeze ({axis}_rounded_first, {shape})
  {axis}_second_weights = Unsqueeze ({axis}_rounded_second, {shape})
"""

# One row of pixels above or below the samples, at the samples' columns, and its share of the samples.
_LINEAR_ROW = """
  {row}_left = Gather <axis = 1> ({row}_rows, columns_first)
  {row}_right = Gather <axis = 1> ({row}_rows, columns_second)
  {row}_left_values = Cast <to = {double}> ({row}_left)
  {row}_right_values = Cast <to = {double}> ({row}_right)
  {row}_left_part = Mul ({row}_left_values, columns_first_weights)
  {row}_right_part = Mul ({row}_right_values, columns_second_weights)
  {row}_sum = Add ({row}_left_part, {row}_right_part)
  {row}_sixteen = Constant <value = double {{16.0}}> ()
  {row}_fraction = Div ({row}_sum, {row}_sixteen)
  {row}_cut = Floor ({row}_fraction)
  {row}_weighted = Mul ({row}_cut, {weights})
  {row}_scale = Constant <value = double {{65536.0}}> ()
  {row}_scaled = Div ({row}_weighted, {row}_scale)
  {row}_share = Floor ({row}_scaled)
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
  grows = Cast <to = {_BOOL}> (larger_side)
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


def resample_text(spec: InputSpec) -> str:
    """The lines by which a picture of any size becomes ``resized``, float (1, 3, h, w), from 0 to 255.

    They take the picture, its ``sides`` (H, W) and the network's ``network_sides`` (h, w) in float64, ``size`` and
    ``picture_size``, which are the same numbers in int64, and the constants ``zero`` and ``one``.
    """
    if spec.interpolation == "cubic":
        return _RESAMPLE_CUBIC.format(image=IMAGE_NAME)
    if spec.interpolation == "opencv_linear":
        return _linear_text()
    if spec.interpolation == "pillow_cubic":
        return _RESAMPLE_PILLOW.format(image=IMAGE_NAME, pillow=_PILLOW)
    rows = _AREA_WEIGHTS.format(axis="rows", index="zero", float=_FLOAT)
    columns = _AREA_WEIGHTS.format(axis="columns", index="one", float=_FLOAT)
    return _RESAMPLE_AREA.format(image=IMAGE_NAME, rows=rows, columns=columns)


def _linear_text() -> str:
    kinds = {"float": _FLOAT, "double": _DOUBLE, "int64": _INT64}
    behind = "  behind_columns = Constant <value_ints = [1]> ()\n  behind_rows = Constant <value_ints = [1, 2]> ()\n"
    return behind + _RESAMPLE_LINEAR.format(
        image=IMAGE_NAME,
        rows=_LINEAR_WEIGHTS.format(axis="rows", index="zero", shape="behind_rows", **kinds),
        columns=_LINEAR_WEIGHTS.format(axis="columns", index="one", shape="behind_columns", **kinds),
        top=_LINEAR_ROW.format(row="top", weights="rows_first_weights", double=_DOUBLE),
        bottom=_LINEAR_ROW.format(row="bottom", weights="rows_second_weights", double=_DOUBLE),
    )
