"""A page that shows a GLB file: one HTML file that holds it and three.js, opened from the disk, with no network."""

from __future__ import annotations

import base64
import html
from importlib import resources


def page_of(glb: bytes, title: str) -> bytes:
    """The bytes of an HTML file that shows a GLB file.

    Args:
        glb: a GLB file of a picture's scene, with the camera at the origin.
        title: of the page.
    """
    here = resources.files(__name__)
    page = (here / "page.html").read_text(encoding="utf-8")
    page = page.replace("{{title}}", html.escape(title))
    parts = {
        "{{three}}": (here / "three.min.js").read_text(encoding="utf-8"),
        "{{viewer}}": (here / "viewer.js").read_text(encoding="utf-8"),
        "{{glb}}": base64.b64encode(glb).decode("ascii"),
    }
    for mark, text in parts.items():
        page = page.replace(mark, text, 1)
    return page.encode("utf-8")
