"""Evaluation protocols as data: what is cut off, where the alignment happens, what is measured.

The same network gets very different figures by different rules, so that no figure is printed without the name of its
protocol. The first six are the zero-shot benchmarks of the MiDaS paper (Ranftl et al., TPAMI 2022, section 6), which
the DPT paper and the MiDaS 3.1 report kept. Variants of other papers have names of their own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Literal

from midas.errors import ConfigError, UnsuitableProtocolError
from midas.metrics import DISPARITY_METRICS, EDGE_METRICS, METRICS, PAIR_METRICS, Metric
from midas.pictures.preprocess import ResizeRule

Space = Literal["inverse_depth", "depth", "disparity"]
Averaging = Literal["pictures", "pixels"]
FigureKind = Literal["depth", "disparity", "pairs"]

MIDAS = "Ranftl et al. 2022 (MiDaS), section 6"


@dataclass(frozen=True)
class Protocol:
    """How predictions are compared with measured depth.

    Each picture is aligned on its own over its valid pixels. The aligned prediction becomes depth and is capped; errors
    are taken in depth. Figures are means over pictures. Where the target's zero is unknown there is no depth, and
    errors are taken in disparity (``space``).

    Attributes:
        name: printed beside every figure.
        cap_m: predictions are cut to this depth in metres, and targets at or beyond it are left out; None where the
            target has no metric scale.
        source: where the rules are published.
        headline: the metric that the source reports.
        metrics: those that are measured if nothing else is asked for; the headline is one of them.
        pairs: the target is an order of pairs of points, not a map: nothing is aligned or capped.
        pictures: how many the published figures are over; None if that is not fixed.
        alignment: name in `midas.alignment.ALIGNMENTS`.
        space: whether the alignment is found in inverse depth, or in depth after inverting the prediction;
            ``disparity`` where the zero is unknown: aligned and measured in disparity, nothing is inverted or capped.
        minimum_m: targets at or below this depth are left out, and predictions are cut to it.
        crop: name in `midas.evaluation.crops.CROPS`.
        resize: which side of the network's input meets its target size; None leaves each model its own rule.
        averaging: over pictures, or weighted by their number of valid pixels.
        fit_positive: scale and shift are found where the prediction is above 0 only, as far as there are such pixels:
            what a last ReLU cut off says nothing of either.
        baselines: its figures say little without those of the best plane and the best constant beside them.
        in_metres: depths have a unit; without one there are ratios alone.
    """

    name: str
    cap_m: float | None
    source: str = "this project"
    headline: str = "delta1_outliers"
    metrics: tuple[str, ...] = ("delta1_outliers", "abs_rel", "rmse", "log10_error")
    pairs: bool = False
    pictures: int | None = None
    alignment: str = "least_squares"
    space: Space = "inverse_depth"
    minimum_m: float = 0.0
    crop: str = "none"
    resize: ResizeRule | None = None
    averaging: Averaging = "pictures"
    fit_positive: bool = False
    baselines: bool = False
    in_metres: bool = True

    @property
    def kind(self) -> FigureKind:
        """What its figures are figures of."""
        if self.pairs:
            return "pairs"
        return "disparity" if self.space == "disparity" else "depth"

    @property
    def needs_zero(self) -> bool:
        """The target's disparity 0 must be infinitely far: errors are ratios or differences of depth."""
        return self.kind == "depth"

    @property
    def needs_metres(self) -> bool:
        """Its range of depths is in metres."""
        return self.cap_m is not None or self.minimum_m > 0

    @property
    def known_metrics(self) -> dict[str, Metric]:
        """What can be measured by these rules, by name."""
        if self.kind == "depth":
            known = METRICS | EDGE_METRICS if self.space == "inverse_depth" else METRICS
            return {name: metric for name, metric in known.items() if self.in_metres or metric.unit != "m"}
        return DISPARITY_METRICS if self.kind == "disparity" else PAIR_METRICS

    @property
    def label(self) -> str:
        """The name with what matters most, for tables."""
        if not self.needs_zero:
            return self.name
        return f"{self.name}, no cap" if self.cap_m is None else f"{self.name}, cap {self.cap_m:g} m"


def _paper(name: str, cap_m: float | None, headline: str, pictures: int, resize: ResizeRule) -> Protocol:
    return Protocol(name, cap_m, MIDAS, headline, pictures=pictures, resize=resize)


_NYU = _paper("nyu", 10.0, "delta1_outliers", 654, "upper_bound")
_KITTI = _paper("kitti", 80.0, "delta1_outliers", 161, "lower_bound")
_DEPTH_METRICS = ("abs_rel", "delta1_accuracy", "rmse", "log10_error")
# Eigen et al. 2014 and those who followed: depth itself, scaled by the ratio of medians.
_EIGEN = replace(
    _KITTI, source="Garg et al. 2016; Eigen et al. 2014", headline="abs_rel", metrics=_DEPTH_METRICS, pictures=652,
    alignment="median", space="depth", minimum_m=1e-3, resize=None,
)  # fmt: skip
_MARIGOLD = replace(
    _EIGEN, source="Ke et al. 2024 (Marigold), affine-invariant depth", alignment="least_squares", pictures=None
)
# The table of small networks in the ZipDepth paper: Marigold's sets, crops and caps, least squares in inverse depth,
# as the authors' program measures it. That cuts aligned disparities at 1e-3 and then depths at the caps; the caps are
# nearer than 1e3 m, so that theirs is the cut that shows.
_MARIGOLD_INVERSE = replace(
    _MARIGOLD, source="ZipDepth, arXiv 2607.08771, on Marigold's sets", space="inverse_depth",
    metrics=("abs_rel", "delta1_accuracy", "delta1_outliers", "rmse"), fit_positive=True,
)  # fmt: skip

PROTOCOLS: dict[str, Protocol] = {
    protocol.name: protocol
    for protocol in (
        # The six of the paper.
        Protocol("diw", None, MIDAS, "whdr", ("whdr",), pairs=True, pictures=74_441, resize="upper_bound"),
        _paper("eth3d", 72.0, "abs_rel", 454, "upper_bound"),
        _paper("sintel", 72.0, "abs_rel", 1064, "upper_bound"),
        _KITTI,
        _NYU,
        _paper("tum", 10.0, "delta1_outliers", 1815, "upper_bound"),
        # Order of points, as Depth Anything V2 proposes it.
        Protocol("da2k", None, "Yang et al. 2024 (Depth Anything V2)", "pair_accuracy", ("pair_accuracy",), pairs=True),
        # Variants that other papers use on the same sets.
        replace(_NYU, name="nyu_eigen_crop", source="Eigen et al. 2014", crop="nyu_eigen"),
        replace(_NYU, name="nyu_no_cap", source="for comparison", cap_m=1e3),
        replace(_NYU, name="nyu_depth_space", source="for comparison", space="depth"),
        replace(_NYU, name="nyu_median", source="for comparison", alignment="median"),
        replace(_NYU, name="nyu_robust", source="for comparison", alignment="robust"),
        replace(_NYU, name="nyu_pooled", source="for comparison", averaging="pixels"),
        replace(_MARIGOLD, name="nyu_marigold", cap_m=10.0, crop="nyu_eigen", pictures=654),
        replace(_EIGEN, name="kitti_garg", crop="garg"),
        replace(_EIGEN, name="kitti_eigen_crop", crop="kitti_eigen"),
        replace(_MARIGOLD, name="kitti_marigold", crop="kitti_benchmark"),
        # Further sets, by protocols that are published for them.
        replace(_MARIGOLD, name="eth3d_marigold", cap_m=1e3, pictures=454),
        replace(_MARIGOLD, name="scannet_marigold", cap_m=10.0, pictures=800),
        replace(_MARIGOLD, name="diode_marigold", cap_m=350.0, minimum_m=0.6, pictures=771),
        replace(_MARIGOLD_INVERSE, name="nyu_marigold_inverse", cap_m=10.0, crop="nyu_eigen", pictures=654),
        replace(_MARIGOLD_INVERSE, name="kitti_marigold_inverse", crop="kitti_benchmark_eigen", pictures=652),
        replace(_MARIGOLD_INVERSE, name="kitti_marigold_inverse_crop", source="for comparison", crop="kitti_benchmark"),
        replace(_MARIGOLD_INVERSE, name="eth3d_marigold_inverse", cap_m=60.0, minimum_m=1e-5, pictures=454),
        replace(_MARIGOLD_INVERSE, name="scannet_marigold_inverse", cap_m=10.0, pictures=800),
        replace(_MARIGOLD_INVERSE, name="diode_marigold_inverse", cap_m=80.0, minimum_m=0.6, pictures=771),
        # Pictures that are the inside of Eigen's window already, as the corpus has those of NYU.
        replace(_MARIGOLD_INVERSE, name="indoor_marigold_inverse", cap_m=10.0),
        Protocol("diode", 50.0, "by the rules of the MiDaS paper", "abs_rel"),
        Protocol("ibims1", 50.0, "Koch et al. 2018 (iBims-1), aligned as in the MiDaS paper", "abs_rel"),
        Protocol("scannet", 10.0, "by the rules of the MiDaS paper", "delta1_outliers"),
        Protocol("middlebury2014", None, "by the rules of the MiDaS paper", "abs_rel"),
        Protocol("booster", None, "by the rules of the MiDaS paper", "abs_rel"),
        # Any other set in the corpus format, by its domain.
        Protocol("indoor", 10.0),
        Protocol("outdoor", 80.0),
        Protocol("relative", None, metrics=("delta1_outliers", "abs_rel", "log10_error"), in_metres=False),
        # Drawn scenes, whose depth is exact up to the pixel, so that edges can be measured.
        Protocol(
            "synthetic",
            80.0,
            headline="boundary_f1",
            metrics=("boundary_f1", "flying_pixels", "delta1_outliers", "abs_rel"),
        ),
        # Where the disparity is known up to scale and shift, which leaves no depth to take ratios of.
        Protocol(
            "affine",
            None,
            headline="range_error",
            metrics=("range_error", "order_accuracy"),
            space="disparity",
            baselines=True,
        ),
    )
}

# Domains, as dataset.json names them, whose depths reach beyond a room.
OUTDOOR_DOMAINS = frozenset({"driving", "outdoor", "outdoor building + trees"})

# Names that stand for one protocol per set: by the set's benchmark, or the domain of a set in the corpus format.
FAMILIES: dict[str, dict[str, str]] = {
    "marigold_inverse": {
        "nyu": "nyu_marigold_inverse",
        "kitti": "kitti_marigold_inverse",
        "eth3d": "eth3d_marigold_inverse",
        "scannet": "scannet_marigold_inverse",
        "diode": "diode_marigold_inverse",
        "indoor": "indoor_marigold_inverse",
        "driving": "kitti_marigold_inverse",
    },
}


def find_protocol(name: str, kind_of_set: str | None = None) -> Protocol:
    """The protocol of that name.

    Args:
        name: of a protocol, or of a family of them.
        kind_of_set: the benchmark's name, or the domain of a set in the corpus format, by which a family has its
            members.

    Raises:
        ConfigError: there is none.
        UnsuitableProtocolError: the family has no rules for such a set.
    """
    if name in FAMILIES:
        members = FAMILIES[name]
        if kind_of_set not in members:
            rules = ", ".join(f"{member} ({PROTOCOLS[chosen].label})" for member, chosen in members.items())
            raise UnsuitableProtocolError(f"{name} has rules for {rules}; none for {kind_of_set or 'no set at all'}")
        return PROTOCOLS[members[kind_of_set]]
    if name not in PROTOCOLS:
        known = (*PROTOCOLS, *FAMILIES)
        near = get_close_matches(name, known, n=1)
        answer = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known)}"
        raise ConfigError(f"no protocol is called {name!r}; {answer}")
    return PROTOCOLS[name]


def protocol_for(domain: str, *, metric: bool, shift_known: bool = True) -> Protocol:
    """The protocol for a set in the corpus format.

    Args:
        domain: as its ``dataset.json`` names it.
        metric: the target is known in 1/metre; ``relative`` where it isn't, else the domain decides.
        shift_known: disparity 0 is infinitely far; ``affine`` where it isn't.
    """
    if not shift_known:
        return PROTOCOLS["affine"]
    if not metric:
        return PROTOCOLS["relative"]
    return PROTOCOLS["outdoor" if domain in OUTDOOR_DOMAINS else "indoor"]
