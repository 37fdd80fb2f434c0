"""Drawn scenes: rooms, streets, terrain, tables, figures, thin things and close-ups, drawn with exact depth.

From description to picture: ``scene`` holds what there is, filled by one builder per world (``rooms`` ...); ``raster``
finds which surface each pixel shows and its inverse depth; ``shading`` lights it; ``photo`` makes a photograph of it.
``worlds`` lists the builders and goes all the way.
"""

from midas.scenes.worlds import WORLDS, DrawnPicture, render

__all__ = ["WORLDS", "DrawnPicture", "render"]
