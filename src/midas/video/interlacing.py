"""Interlaced frames: two half pictures of different moments become whole ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


class Deinterlacer:
    """Lets whole frames pass, and from the first interlaced one on puts all through FFmpeg's ``yadif``.

    Args:
        av: PyAV.
    """

    def __init__(self, av: Any) -> None:
        self._av = av
        self._graph: Any = None
        self._shape: tuple[Any, ...] = ()

    def feed(self, frame: Any) -> Iterator[Any]:
        """Take a decoded frame; give those that are whole by now."""
        if self._graph is None and not frame.interlaced_frame:
            yield frame
            return
        shape = (frame.width, frame.height, frame.format.name)
        if shape != self._shape:
            yield from self.flush()
            self._graph, self._shape = self._new_graph(frame), shape
        self._graph.push(frame)
        yield from self._ready()

    def flush(self) -> Iterator[Any]:
        """Give what is left."""
        if self._graph is not None:
            self._graph.push(None)
            yield from self._ready()
            self._graph, self._shape = None, ()

    def _ready(self) -> Iterator[Any]:
        while True:
            try:
                yield self._graph.pull()
            except (self._av.error.BlockingIOError, self._av.error.EOFError):
                return

    def _new_graph(self, frame: Any) -> Any:
        graph = self._av.filter.Graph()
        source = graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base
        )
        deinterlace = graph.add("yadif", "mode=send_frame:deint=interlaced")
        sink = graph.add("buffersink")
        source.link_to(deinterlace)
        deinterlace.link_to(sink)
        graph.configure()
        return graph
