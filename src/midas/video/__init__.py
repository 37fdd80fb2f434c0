"""Films and cameras: maps that are steady from frame to frame. Films themselves need ``midas-depth[video]``."""

from midas.video.gauges import Gauge
from midas.video.job import FilmReport, FilmSettings, film_maps, write_film
from midas.video.steady import STEADY_MODES, Steady, SteadyMode
from midas.video.values import read_values

__all__ = [
    "STEADY_MODES",
    "FilmReport",
    "FilmSettings",
    "Gauge",
    "Steady",
    "SteadyMode",
    "film_maps",
    "read_values",
    "write_film",
]
