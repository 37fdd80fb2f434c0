"""Other lenses than those that networks have seen: panoramas, fisheyes, and distortion.

A wide picture is cut into overlapping views of an ordinary lens, each is predicted, and the maps are joined.
"""

from midas.lenses.distortion import Distortion
from midas.lenses.joining import join_views
from midas.lenses.predictor import DistortedPredictor, WidePredictor
from midas.lenses.views import View, views_of

__all__ = ["DistortedPredictor", "Distortion", "View", "WidePredictor", "join_views", "views_of"]
