"""Options that say which lens took the pictures."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from midas.cli.terminal import tell
from midas.errors import ImageError
from midas.lenses.choice import PROJECTIONS, looks_panoramic, predictor_for
from midas.lenses.distortion import Distortion
from midas.predictor import Predictor


def _known_projection(name: str | None) -> str | None:
    if name is not None and name not in PROJECTIONS:
        raise typer.BadParameter(f"{name!r} is none of {', '.join(PROJECTIONS)}")
    return name


ProjectionOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        callback=_known_projection,
        help=f"Of wide lenses: {', '.join(PROJECTIONS)}. Overlapping views are predicted and joined; "
        "the values are then inverse distance along the ray.",
    ),
]
FovOption = Annotated[
    float | None,
    typer.Option(metavar="DEGREES", help="Horizontal angle of view: of a fisheye, by default 180; of --distortion."),
]
DistortionOption = Annotated[
    str | None,
    typer.Option(
        metavar="K1,K2,P1,P2,K3", help="Distortion of the lens as OpenCV counts it, undone for the network and redone."
    ),
]

# Of a large folder the first ones tell; a look at each would cost as much as a prediction.
_LOOKED_AT = 20


def predictor_of_lens(
    plain: Predictor, projection: str | None, fov_deg: float | None, distortion: str | None
) -> Predictor:
    """The predictor for what the options say."""
    return predictor_for(
        plain,
        projection=projection,  # type: ignore[arg-type]
        fov_deg=fov_deg,
        distortion=None if distortion is None else _distortion(distortion),
    )


def hint_at_panoramas(sources: Sequence[Path]) -> None:
    """Offer the option to those who have panoramas and don't use it."""
    for source in sources[:_LOOKED_AT]:
        with suppress(ImageError):  # which its prediction tells
            reason = looks_panoramic(source)
            if reason:
                tell(f"midas: {source} may be a panorama, {reason}: try --projection equirectangular")
                return


def _distortion(text: str) -> Distortion:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if not 1 <= len(numbers) <= 5:
        raise typer.BadParameter(f"{text!r}: expected K1,K2,P1,P2,K3, such as -0.28,0.07,0,0,0")
    return Distortion(*numbers)
