"""Published tables of zero-shot errors, as data: what authors say of their networks, and one of small networks."""

from __future__ import annotations

from dataclasses import dataclass

# The order of the papers; the official README has TUM before KITTI and NYU.
BENCHMARKS = ("diw", "eth3d", "sintel", "kitti", "nyu", "tum")


@dataclass(frozen=True)
class PublishedRow:
    """One line of the table: WHDR %, AbsRel, AbsRel, and three times the share of pixels beyond 1.25 in %.

    Attributes:
        model: name in our model table, or in the paper where we have no such network.
        figures: one per benchmark, lower is better.
        source: the table that they are from.
        input: at which size, where it isn't the model's own.
        trained_on: benchmarks that the network was trained on, so that their figures are not zero-shot.
    """

    model: str
    figures: tuple[float, float, float, float, float, float]
    source: str
    input: str = ""
    trained_on: tuple[str, ...] = ()


_README, _DPT, _MIDAS = "official README, MiDaS 3.1", "DPT paper, table 1", "MiDaS paper"
_BOTH = ("kitti", "nyu")

PUBLISHED: tuple[PublishedRow, ...] = (
    PublishedRow("dpt_beit_large_512", (11.37, 0.0659, 0.2366, 11.56, 1.86, 6.13), _README, "height 512", _BOTH),
    PublishedRow("dpt_beit_large_512", (11.21, 0.0614, 0.2090, 5.00, 1.90, 6.46), _README, "512 square", _BOTH),
    PublishedRow("dpt_beit_large_512", (12.45, 0.0681, 0.2176, 6.28, 2.16, 6.13), _README, "384 square", _BOTH),
    PublishedRow("dpt_beit_large_384", (12.39, 0.0667, 0.2545, 9.84, 2.21, 7.17), _README, "", _BOTH),
    PublishedRow("dpt_beit_base_384", (11.59, 0.0967, 0.2901, 26.60, 3.91, 9.88), _README, "", _BOTH),
    PublishedRow("dpt_swin2_large_384", (11.06, 0.0732, 0.2442, 5.84, 2.92, 8.87), _README, "", _BOTH),
    PublishedRow("dpt_swin2_base_384", (10.95, 0.0790, 0.2404, 5.97, 3.28, 8.93), _README, "", _BOTH),
    PublishedRow("dpt_swin2_tiny_256", (12.11, 0.1106, 0.2868, 10.13, 5.55, 13.43), _README, "", _BOTH),
    PublishedRow("dpt_swin_large_384", (11.26, 0.0853, 0.2428, 6.60, 3.34, 8.74), _README, "", _BOTH),
    PublishedRow("dpt_next_vit_large_384", (10.31, 0.0954, 0.2295, 6.89, 3.47, 9.21), _README, "", _BOTH),
    PublishedRow("dpt_levit_224", (13.14, 0.1206, 0.3148, 15.27, 8.64, 18.21), _README, "", _BOTH),
    PublishedRow("dpt_large_384", (10.82, 0.089, 0.270, 8.46, 8.32, 9.97), _DPT),
    PublishedRow("dpt_hybrid_384", (11.06, 0.093, 0.274, 11.56, 8.69, 10.89), _DPT),
    PublishedRow("midas_v21_384", (12.95, 0.116, 0.329, 16.08, 8.71, 12.51), _DPT),
    PublishedRow("midas_v21_small_256", (13.44, 0.134, 0.337, 29.27, 13.43, 14.53), "official README"),
    PublishedRow("MiDaS v2 large", (12.27, 0.129, 0.327, 23.90, 9.55, 14.29), f"{_MIDAS}, table 9"),
    PublishedRow("MiDaS v2 small", (12.48, 0.155, 0.330, 21.81, 15.73, 17.00), _MIDAS),
    PublishedRow("ReDWeb only, ResNeXt-101", (14.59, 0.151, 0.349, 27.95, 18.74, 21.69), _MIDAS),
)


def published_markdown() -> str:
    """The table in Markdown; an asterisk marks what is not zero-shot."""
    lines = ["| model | DIW | ETH3D | Sintel | KITTI | NYU | TUM | source |", "|---|---|---|---|---|---|---|---|"]
    for row in PUBLISHED:
        name = f"`{row.model}`" if "_" in row.model else row.model
        label = f"{name}, {row.input}" if row.input else name
        lines.append(f"| {label} | {' | '.join(_cells(row))} | {row.source} |")
    return "\n".join(lines)


def _cells(row: PublishedRow) -> list[str]:
    cells = []
    for benchmark, figure in zip(BENCHMARKS, row.figures, strict=True):
        text = f"{figure:.4f}".rstrip("0") if figure < 1 else f"{figure:.2f}"
        cells.append(text + ("*" if benchmark in row.trained_on else ""))
    return cells


# The sets of the table of small networks, in its order: names of the members of `marigold_inverse`.
SMALL_BENCHMARKS = ("nyu", "kitti", "eth3d", "scannet", "diode")
SMALL_SOURCE = "ZipDepth paper, arXiv 2607.08771"

_Pair = tuple[float, float]


@dataclass(frozen=True)
class SmallNetworkRow:
    """One line of the table of small networks: AbsRel and the share within 1.25, both in %.

    Attributes:
        model: as the paper names it.
        parameters_m: millions of them.
        figures: one pair per benchmark; None where the paper has none.
        retrained: by the authors of the table, on the 14.1 million pseudo-labelled pictures that their own network had.
    """

    model: str
    parameters_m: float
    figures: tuple[_Pair | None, ...]
    retrained: bool = False


# fmt: off
SMALL_NETWORKS: tuple[SmallNetworkRow, ...] = (
    SmallNetworkRow("ZipDepth", 6.1, ((8.4, 93.3), (12.3, 86.4), (10.0, 92.2), (8.8, 92.1), (22.6, 73.9))),
    SmallNetworkRow("Lite-Mono", 8.3, ((8.7, 92.7), (10.9, 89.5), (8.7, 93.6), (9.6, 90.2), (22.4, 72.9)), True),
    SmallNetworkRow("GuideDepth", 5.8, ((9.2, 91.8), (14.9, 80.6), (10.2, 91.9), (9.6, 90.5), (22.7, 72.4)), True),
    SmallNetworkRow("FastDepth", 4.0, ((10.3, 89.8), (16.8, 74.3), (12.3, 87.2), (11.0, 87.6), (23.4, 71.0)), True),
    SmallNetworkRow("PyDNet", 1.9, ((11.4, 87.1), (12.9, 84.9), (10.4, 90.6), (11.7, 85.8), (23.4, 70.8)), True),
    SmallNetworkRow("MiDaS v2.1 small", 21.3, ((11.5, 86.8), (25.9, 54.3), (13.4, 83.7), (10.8, 87.9), (24.2, 71.1))),
    SmallNetworkRow("DPT hybrid", 123.0, ((9.3, 91.5), (13.2, 84.2), None, None, None)),
    SmallNetworkRow("DPT large", 344.0, ((9.1, 91.9), (11.0, 88.2), (9.0, 92.8), (8.4, 93.1), (21.6, 74.4))),
    SmallNetworkRow("Depth Anything V2 S", 24.8, ((6.1, 96.2), (8.4, 93.4), (6.3, 96.7), (5.2, 97.2), (21.4, 75.9))),
)
# fmt: on


def small_networks_markdown() -> str:
    """The table of small networks in Markdown; a dagger marks those that its authors trained anew."""
    lines = [
        "| model | parameters | NYU | KITTI | ETH3D | ScanNet | DIODE | source |",
        "|---|---:|---|---|---|---|---|---|",
    ]
    for row in SMALL_NETWORKS:
        figures = (" / ".join(map(str, pair)) if pair else "–" for pair in row.figures)
        name = f"{row.model}†" if row.retrained else row.model
        lines.append(f"| {name} | {row.parameters_m:g} M | {' | '.join(figures)} | {SMALL_SOURCE} |")
    return "\n".join(lines)
