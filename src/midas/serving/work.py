"""The work of one request, in a thread: bytes of a picture in, the bytes of an answer out."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from midas.alignment import align_from_points, align_from_range
from midas.arrays import Array, Float32
from midas.errors import net
from midas.geometry import Camera
from midas.maps.aligned_depth import AlignedDepth
from midas.maps.depth_map import DepthMap
from midas.maps.formats import encode_map
from midas.maps.kinds import METRIC
from midas.maps.metres import points_of_map
from midas.maps.value_range import ValueRange
from midas.pictures.lens import read_lens
from midas.predictor import Predictor
from midas.serving.answers import GLB, JSON, AnswerForm, model_headers
from midas.serving.batching import Batches
from midas.serving.problems import ProblemError, ServingError
from midas.serving.query import DepthQuery
from midas.tiling.prepared import Prepared

# The largest code of the formats that hold codes in place of values.
_LARGEST_CODES = {"png16": 65535, "png8": 255}

_PERCENTS = (1, 5, 25, 50, 75, 95, 99)


@dataclass(frozen=True)
class Order:
    """What a request asks for.

    Attributes:
        data: the picture's file.
        predictor: the model, at the size that was asked for.
        form: of the answer.
        query: all else.
        max_pixels: a picture with more is refused.
    """

    data: bytes = field(repr=False)
    predictor: Predictor
    form: AnswerForm
    query: DepthQuery
    max_pixels: int


@dataclass(frozen=True)
class Answer:
    """What came of it.

    Attributes:
        body: the file.
        headers: what they say of it.
        seconds: of each stage.
        pixels: of the picture.
    """

    body: bytes = field(repr=False)
    headers: dict[str, str]
    seconds: dict[str, float]
    pixels: int


def work(order: Order, batches: Batches) -> Answer:
    """Predict a picture and encode its map: the bytes are those of ``midas predict - --format FORM``.

    Raises:
        ImageError: the data are no picture, or too large a one.
        ProblemError, AlignmentError: what is asked for doesn't go with this picture.
        ModelError: the network can't run on it.
        ServingError: anything else.
    """
    with net("the request can't be answered", ServingError):
        seconds: dict[str, float] = {}
        with timed(seconds, "decode"):
            prepared = order.predictor.prepare(
                order.data, max_pixels=order.max_pixels, keep_image=order.form.shows_image
            )
        picture = prepared.size
        prepared = replace(prepared, size=_map_size(order, prepared))
        with timed(seconds, "infer"):
            depth_map = batches.infer(order.predictor, prepared)
        with timed(seconds, "encode"):
            result = _metres(depth_map, order.query, picture) if order.query.wants_metres else depth_map
            body = _encoded(result, order, prepared, picture)
        return Answer(body, _headers(result, order.form), seconds, picture[0] * picture[1])


@contextmanager
def timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    """Note how long a stage takes, in seconds."""
    start = time.perf_counter()
    yield
    seconds[stage] = time.perf_counter() - start


def _map_size(order: Order, prepared: Prepared) -> tuple[int, int]:
    size = order.query.size_of_map(prepared.size, prepared.network_size)
    if size[0] * size[1] > order.max_pixels:
        raise ProblemError(
            422, f"a map of {size[1]}x{size[0]} has too many pixels; expected a map-size of at most {order.max_pixels}"
        )
    return size


def _metres(depth_map: DepthMap, query: DepthQuery, picture: tuple[int, int]) -> AlignedDepth:
    if query.known:
        alignment = align_from_points(depth_map.values, points_of_map(query.points, picture, depth_map.size))
    else:
        alignment = align_from_range(depth_map.values, query.near or 0.0, query.far_m)
    return depth_map.aligned(alignment.scale, alignment.shift)


def _encoded(result: DepthMap | AlignedDepth, order: Order, prepared: Prepared, picture: tuple[int, int]) -> bytes:
    if order.form.name == JSON:
        return _json_of(result, picture)
    if order.form.name == GLB:
        # What isn't known is assumed, and called so in the file, as by `midas cloud --shift assumed`.
        fov_deg = order.query.fov
        camera = Camera.of_lens(read_lens(order.data)) if fov_deg is None else Camera.from_fov(fov_deg, picture)
        return result.mesh(camera, prepared.image).to_glb()
    return encode_map(
        result.values,
        order.form.name,
        metadata=result.metadata,
        kind=result.kind,
        image=prepared.image,
        colormap=order.query.colormap,
    )


def _headers(result: DepthMap | AlignedDepth, form: AnswerForm) -> dict[str, str]:
    """What the answer is: by which model, what its values are, and what its codes stand for."""
    headers = {
        **model_headers(result.model, result.kind),
        "X-Midas-Size": f"{result.size[1]}x{result.size[0]}",
        "Content-Disposition": f'inline; filename="depth{form.tag}{form.suffix}"',
    }
    if form.name in _LARGEST_CODES:
        value_range = ValueRange.of(result.values)
        headers["X-Midas-Scale"] = repr(value_range.step(_LARGEST_CODES[form.name]))
        headers["X-Midas-Offset"] = repr(value_range.low)
    if isinstance(result, AlignedDepth):
        headers["X-Midas-Alignment-Scale"] = repr(float(result.scale))
        headers["X-Midas-Alignment-Shift"] = repr(float(result.shift))
    return headers


def _json_of(result: DepthMap | AlignedDepth, picture: tuple[int, int]) -> bytes:
    values = result.values
    known = values[np.isfinite(values)]  # what is infinitely far is counted, and no distance
    statistics = {
        "model": result.model,
        "kind": result.kind,
        "unit": "metre" if result.kind == METRIC else None,
        "picture_size": list(picture),
        "size": list(result.size),
        **_summary_of(known),
        "infinite": values.size - known.size,
    }
    if isinstance(result, AlignedDepth):
        statistics["alignment"] = {"scale": float(result.scale), "shift": float(result.shift)}
    return json.dumps(statistics, allow_nan=False).encode()


def _summary_of(known: Float32[Array, " N"]) -> dict[str, Any]:
    if not known.size:
        return {"min": None, "max": None, "mean": None, "percentiles": dict.fromkeys(map(str, _PERCENTS))}
    percentiles = zip(_PERCENTS, np.percentile(known, _PERCENTS), strict=True)
    return {
        "min": float(known.min()),
        "max": float(known.max()),
        "mean": float(known.mean(dtype=np.float64)),
        "percentiles": {str(percent): float(value) for percent, value in percentiles},
    }
