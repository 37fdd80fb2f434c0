"""What an exported ONNX file calls its input and output, and the metadata by which it says what it is."""

from __future__ import annotations

INPUT_NAME = "pixels"
OUTPUT_NAME = "disparity"
# The input of a file that takes pictures as they are (`--with-pre-post`).
IMAGE_NAME = "image"

# The model's name, its `InputSpec` as JSON, the licence of its weights, and the kind of its values.
NAME_KEY = "midas.name"
INPUT_KEY = "midas.input"
LICENCE_KEY = "midas.licence"
KIND_KEY = "midas.kind"
