"""Cameras of browsers: picture by picture, each mapped as ``midas live`` does, steady from one to the next."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field

from midas.errors import net
from midas.pictures.reading import read_image
from midas.predictor import Predictor
from midas.serving.problems import ServingError
from midas.serving.work import Answer, timed
from midas.video.live import FrameMapper, jpeg_of

# What a camera's last frame leaves behind takes 3 MB. Of more cameras the one that was silent longest begins anew.
_MOST_CAMERAS = 16


class Cameras:
    """What is remembered of each camera that is looked through.

    Args:
        most: so many at a time; beyond, the one that asked longest ago is forgotten.
    """

    def __init__(self, most: int = _MOST_CAMERAS) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._mappers: OrderedDict[tuple[str, str], FrameMapper] = OrderedDict()

    def __len__(self) -> int:
        return len(self._mappers)

    def mapper(self, name: str, predictor: Predictor) -> FrameMapper:
        """What maps the pictures of that camera by that model; a new one where it isn't known."""
        key = (name, predictor.name)
        with self._lock:
            found = self._mappers.pop(key, None) or FrameMapper(predictor)
            self._mappers[key] = found
            while len(self._mappers) > self._most:
                self._mappers.popitem(last=False)
        return found


@dataclass(frozen=True)
class LiveOrder:
    """A picture of a camera.

    Attributes:
        data: its file.
        mapper: of the camera.
        model: headers that name the model.
        colormap: of the answer.
        max_pixels: a picture with more is refused.
    """

    data: bytes = field(repr=False)
    mapper: FrameMapper
    model: dict[str, str]
    colormap: str
    max_pixels: int


def live_work(order: LiveOrder) -> Answer:
    """The colours of a picture's map as a JPEG file of the picture's size.

    Raises:
        ImageError: the data are no picture, or too large a one.
        ModelError: the network can't run on it.
        ServingError: anything else.
    """
    seconds: dict[str, float] = {}
    with net("the picture can't be mapped", ServingError):
        with timed(seconds, "decode"):
            picture = read_image(order.data, max_pixels=order.max_pixels)
        with timed(seconds, "infer"):
            colours = order.mapper.colours(picture, order.colormap)
        with timed(seconds, "encode"):
            body = jpeg_of(colours)
    height, width = picture.shape[:2]
    return Answer(body, {**order.model, "X-Midas-Size": f"{width}x{height}"}, seconds, height * width)
