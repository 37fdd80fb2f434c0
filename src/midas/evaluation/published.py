"""The official table of zero-shot errors, as data: what the authors say of their networks."""

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
