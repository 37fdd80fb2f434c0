"""Arguments of a wrong type are answered by errors of ours, which say what was expected.

In a process of its own: in this one every call's types are checked by the tests themselves, before ours are asked.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.tiny_model import write_tiny_model

import midas.errors

# A call, and a word of what its error says was expected.
CALLS = {
    "predictor(3)": "a path",
    "predictor(['a.jpg'])": "a path",
    "predictor(picture, interpolation=3)": "cubic",
    "list(predictor.stream(3))": "sequence of pictures",
    "list(predictor.stream(None))": "sequence of pictures",
    "list(predictor.stream([], workers='2'))": "whole number",
    "list(predictor.stream([], batch=1.5))": "whole number",
    "list(predictor.stream([], on_error=3))": "a function",
    "predictor.tiled('2')": "whole number",
    "predictor.tiled(2, overlap='a')": "a share",
    "midas.load(3)": "os.PathLike",
    "midas.load(size='256')": "whole number",
    "midas.load(threads='2')": "whole number",
    "midas.load(backend=None)": "onnxruntime",
    "DepthMap('map')": "could not convert",
    "DepthMap(np.zeros((2, 2, 3)))": "two axes",
    "DepthMap(values, model=3)": "a text",
    "DepthMap(values, kind='parallax')": "metric",
    "AlignedDepth('map', 1.0, 0.0)": "could not convert",
    "depth_map.aligned(None)": "two numbers",
    "depth_map.aligned([1, 2])": "two numbers",
    "depth_map.aligned(1.0, 0.0, max_depth_m='far')": "positive number",
    "depth_map.resized(5)": "two whole numbers",
    "depth_map.resized('5x5')": "two whole numbers",
    "depth_map.resized((5.5, 5))": "two whole numbers",
    "depth_map.resized((5, 5), ['cubic'])": "cubic",
    "depth_map.colorize(['turbo'])": "inferno",
    "depth_map.colorize('turbo', 5)": "two rising numbers",
    "depth_map.cloud('camera')": "Camera",
    "depth_map.mesh(None)": "Camera",
    "depth_map.save(3)": "pathlib.Path",
    "depth_map.save('a.png', ['color'])": "png16",
    "depth_map.save('a.png', 'side-by-side', image='photo.jpg')": "uint8",
    "depth_map.aligned(1.0, 0.0).save(None)": "pathlib.Path",
    "DepthMap.load(3)": "pathlib.Path",
    "AlignedDepth.load(None)": "pathlib.Path",
    "align_from_points('map', points)": "a depth map",
    "align_from_points([[1, 2], [3, 4]], points)": "a depth map",
    "align_from_points({'values': values}, points)": "a depth map",
    "align_from_points(depth_map, 3)": "(row, column, depth in metres)",
    "align_from_points(depth_map, 'ab')": "(row, column, depth in metres)",
    "align_from_points(depth_map, [(0, 0), (1, 1)])": "(row, column, depth in metres)",
    "align_from_points(depth_map, [(0.5, 0, 1.0), (1, 1, 2.0)])": "(row, column, depth in metres)",
    "align_from_range(depth_map, None, 2)": "two numbers of metres",
    "align_from_range('map', 1, 2)": "a depth map",
    "align_least_squares(values, values, weights='one')": "an array of numbers",
    "ServeOptions(models='midas_nano_256')": "a tuple of texts",
    "ServeOptions(models=(1,))": "a tuple of texts",
    "ServeOptions(keys=(b'bytes',))": "a tuple of texts",
    "ServeOptions(cors_origins='https://a.example')": "a tuple of texts",
    "ServeOptions(batch='8')": "a whole number",
    "ServeOptions(batch_wait_s='4')": "a number of seconds",
    "ServeOptions(limits={'pixels': 5})": "expected Limits",
    "Limits(pixels='5')": "a whole number",
    "Limits(pixels=None)": "a whole number",
    "Limits(pixels=True)": "a whole number",
    "Limits(pixels=1.5)": "a whole number",
    "Limits(pixels=float('inf'))": "a whole number",
    "Limits(queue_s='2')": "a number",
    "Engine('local', workers='2')": "whole number",
    "Engine('local', cores=1.5)": "whole number",
    "Engine('ray', gpu_share='half')": "a number above 0",
    "Engine(3)": "auto, local, ray",
    "Recipe(size='256')": "a whole number",
    "Recipe(strict=1)": "True or False",
    "Recipe(formats='png16')": "a tuple of names",
    "Recipe(map_size=3)": "a text",
} | {
    f"ALIGNMENTS[{name!r}]({arguments})": word
    for name in ("least_squares", "scale", "median", "median_mad", "robust")
    for arguments, word in (
        ("'map', values", "a depth map"),
        ("None, None", "a depth map"),
        ("depth_map, depth_map", "an array of numbers"),
        ("depth_map, [[1, 2]]", "an array of numbers"),
        ("depth_map, values, 'all'", "truth values"),
        ("depth_map, values, values", "truth values"),
    )
}  # fmt: skip

PROGRAM = """
import json, sys
import numpy as np
import midas
from midas import DepthMap
from midas.alignment import ALIGNMENTS, align_from_points, align_from_range, align_least_squares
from midas.maps.depth_map import AlignedDepth
from midas.serving.limits import Limits, ServeOptions
from midas.scale.engine import Engine
from midas.scale.settings import Recipe

predictor = midas.load(sys.argv[1])
picture = np.zeros((48, 64, 3), np.uint8)
values = np.linspace(1, 2, 600, dtype=np.float32).reshape(20, 30)
depth_map, points = DepthMap(values), [(0, 0, 1.0), (1, 1, 2.0)]
said = {}
for call in json.load(sys.stdin):
    try:
        eval(call)
    except Exception as error:
        said[call] = type(error).__name__, str(error)
print(json.dumps(said))
"""


def test_a_wrong_type_is_an_error_of_ours_that_says_what_was_expected(tmp_path: Path) -> None:
    model = write_tiny_model(tmp_path / "tiny.onnx")
    command = [sys.executable, "-c", PROGRAM, str(model)]
    finished = subprocess.run(
        command, input=json.dumps([*CALLS]), cwd=tmp_path, capture_output=True, text=True, check=True
    )
    said = json.loads(finished.stdout)
    ours = {name for name, value in vars(midas.errors).items() if isinstance(value, type)}
    wrong = {
        call: said.get(call, "no error")
        for call, word in CALLS.items()
        if call not in said or said[call][0] not in ours or word not in said[call][1]
    }
    assert wrong == {}
    assert [*tmp_path.iterdir()] == [model]
