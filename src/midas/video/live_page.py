"""The page of ``midas live``: a small server on this machine, and what a browser shows of it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from midas.errors import ConfigError, MidasError
from midas.maps.colormaps import COLORMAPS, colormap_table
from midas.pictures.reading import read_image
from midas.video.live import Grabbed, LiveView

_BOUNDARY = "midas-frame"
_MOST_PICTURE_BYTES = 16 << 20
_LOCAL_NAMES = ("127.0.0.1", "localhost", "[::1]")

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>midas live</title>
<meta name="viewport" content="width=device-width">
<style>body{font:15px system-ui;margin:0;background:#111;color:#ddd}
img{width:100%%;display:block;background:#000;min-height:8em}
p{margin:.6em}button,select,a{font:inherit;margin-right:.6em;color:inherit;background:#333;border:0;padding:.3em .7em;
border-radius:.3em;text-decoration:none}</style>
<img id="view" alt="picture and depth">
<p><button id="pause">Pause</button><a href="/snapshot.jpg" download="midas.jpg">Snapshot</a>
<select id="colors" aria-label="colour map">%s</select><button id="own">This browser's camera</button>
<span id="figures"></span></p>
<script>
const $=id=>document.getElementById(id);let paused=false;
// The page is loaded before there is a picture: a stream that waits for one would leave it loading.
addEventListener("load",()=>setTimeout(()=>{$("view").src="/stream"}));
$("pause").onclick=async()=>{paused=!paused;await fetch("/pause?on="+(paused?1:0),{method:"POST"});
 $("pause").textContent=paused?"Go on":"Pause"};
$("colors").onchange=e=>fetch("/colormap?name="+e.target.value,{method:"POST"});
setInterval(async()=>{const f=await(await fetch("/figures")).json();
 $("figures").textContent=f.problem||
 `${f.rate_hz??"–"} per second · ${f.age_ms??"–"} ms old · ${f.dropped} dropped`},500);
$("own").onclick=async()=>{
 const video=document.createElement("video");
 video.srcObject=await navigator.mediaDevices.getUserMedia({video:{width:640,height:480}});await video.play();
 const canvas=document.createElement("canvas");canvas.width=video.videoWidth;canvas.height=video.videoHeight;
 $("own").textContent="Camera on";
 for(;;){canvas.getContext("2d").drawImage(video,0,0);
  const picture=await new Promise(done=>canvas.toBlob(done,"image/jpeg",.85));
  const answer=await fetch("/map",{method:"POST",body:picture});
  if(answer.ok){const old=$("view").src;$("view").src=URL.createObjectURL(await answer.blob());
   if(old.startsWith("blob:"))URL.revokeObjectURL(old)}
  await new Promise(requestAnimationFrame)}};
</script></html>"""


class LiveServer:
    """Serves a view to browsers of this machine, until it is closed.

    Args:
        view: what is shown.
        port: 0 for any that is free.

    Attributes:
        address: of the page.

    Raises:
        ConfigError: the port is taken.
    """

    def __init__(self, view: LiveView, port: int) -> None:
        try:
            self._server = _Server(("127.0.0.1", port), _Handler)
        except OSError as error:
            raise ConfigError(f"port {port} can't be used: {error.strerror}; choose another with --port") from error
        self._server.view = view
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}/"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="midas-page", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Let go of the port."""
        self._server.ended.set()
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    view: LiveView

    def __init__(self, *arguments: Any) -> None:
        self.ended = threading.Event()
        super().__init__(*arguments)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = 20
    disable_nagle_algorithm = True  # else a body waits for its head to be acknowledged: 40 ms of each map

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""

    def do_GET(self) -> None:
        """The page, the stream, a snapshot, the figures."""
        self._answer(
            {"/": self._page, "/stream": self._stream, "/snapshot.jpg": self._snapshot, "/figures": self._figures}
        )

    def do_POST(self) -> None:
        """Pause, colour map, and pictures of the browser's own camera."""
        self._answer({"/pause": self._pause, "/colormap": self._colormap, "/map": self._map})

    def _answer(self, routes: dict[str, Callable[[], None]]) -> None:
        # A page of elsewhere, whose name leads here, has no business with the camera.
        name = (self.headers.get("Host") or "").rpartition(":")[0] or self.headers.get("Host")
        origin = self.headers.get("Origin")
        foreign = origin is not None and urlsplit(origin).netloc != self.headers.get("Host")
        route = routes.get(urlsplit(self.path).path)
        with suppress(ConnectionError, TimeoutError):  # the browser has gone
            if name not in _LOCAL_NAMES or foreign:
                self._send(403, "text/plain", b"for this machine only")
            elif route is None:
                self._send(404, "text/plain", b"not here")
            else:
                route()

    def _send(self, status: int, kind: str, data: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(data)

    def _page(self) -> None:
        choices = "".join(f"<option>{name}</option>" for name in COLORMAPS)
        self._send(200, "text/html; charset=utf-8", (_PAGE % choices).encode())

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={_BOUNDARY}")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        count = 0
        while not self.server.ended.is_set():
            newest = self.server.view.shown.after(count, 0.5)
            if newest is not None:
                count = newest[0]
                data = newest[1].jpeg
                head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
                self.wfile.write(head.encode() + data + b"\r\n")

    def _snapshot(self) -> None:
        newest = self.server.view.shown.after(0, 5.0)
        if newest is None:
            self._send(503, "text/plain", b"no picture yet")
        else:
            self._send(200, "image/jpeg", newest[1].jpeg)

    def _figures(self) -> None:
        self._send(200, "application/json", json.dumps(self.server.view.figures).encode())

    def _pause(self) -> None:
        self.server.view.paused = self._query("on") == "1"
        self._send(200, "text/plain", b"")

    def _colormap(self) -> None:
        try:
            colormap_table(self._query("name"))
        except MidasError as error:
            self._send(400, "text/plain", str(error).encode())
            return
        self.server.view.colormap = self._query("name")
        self._send(200, "text/plain", b"")

    def _map(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > _MOST_PICTURE_BYTES:
            self.close_connection = True
            self._send(413, "text/plain", b"expected a picture of at most 16 MB")
            return
        try:
            picture = read_image(self.rfile.read(int(length)))
            shown = self.server.view.show(Grabbed(picture, time.monotonic()))
        except MidasError as error:
            self._send(400, "text/plain", str(error).encode())
            return
        self._send(200, "image/jpeg", shown.jpeg)

    def _query(self, name: str) -> str:
        return parse_qs(urlsplit(self.path).query).get(name, [""])[0]
