"""A ``Predictor`` from a model's name or file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np

from midas.backends import AUTO
from midas.backends.identity import open_model, resized_rule
from midas.errors import ConfigError, ImageError, MidasError, ModelError, net
from midas.maps.depth_map import DepthMap
from midas.maps.resize import Interpolation, resize_map
from midas.models.zoo import DEFAULT_MODEL, MODELS
from midas.pictures.reading import DEFAULT_MAX_PIXELS, ImageSource, read_image
from midas.predictor import Predictor
from midas.tiling import DEFAULT_OVERLAP
from midas.tiling.prepared import Prepared


def list_models() -> list[str]:
    """The names that ``load`` accepts."""
    return list(MODELS)


def load(
    name_or_path: str | Path = DEFAULT_MODEL,
    *,
    weights: str | Path | None = None,
    backend: str = AUTO,
    device: str = AUTO,
    precision: str = AUTO,
    size: int | None = None,
    threads: int | None = None,
    offline: bool | None = None,
) -> Predictor:
    """Make a model ready to predict.

    Args:
        name_or_path: a name that ``list_models`` gives, or the path of a file: an ONNX file that this package exported
            or that the model table knows by its name, or weights of a model of the table (``midas-depth[lab]``).
        weights: a file for the model of that name, in place of its own.
        backend: what runs the network: ``"onnxruntime"``, ``"openvino"``, ``"torch"``, ``"torch-compile"``; ``"auto"``
            for the fastest that is known to be exact enough, or ``"quick"`` for the one that has a first picture done
            soonest; ``midas.backends.choice`` states the rules and the measured reasons.
        device: where: ``"cpu"``; with torch also ``"cuda"``, ``"cuda:1"``, ``"mps"``, ``"xpu"``; or ``"auto"``.
        precision: in which number format: ``"float32"``, ``"bfloat16"``, ``"float16"``, as far as backend and device
            have it; ``"auto"`` is float32, or bfloat16 for networks whose maps depart by less than 1 % of their range.
        size: shorter side of the network's input in pixels, rounded to what the network takes; None is the model's
            own. Larger shows more detail and takes longer.
        threads: number of threads for one picture; None is one per physical core.
        offline: whether nothing may be downloaded; None lets the environment say.

    Raises:
        ModelError: no such model, a file that is none, or a backend, device or precision that there isn't.
        WeightsError: weights that can't be had, are damaged, or don't fit the model.
        MissingExtraError: the model needs packages that are not installed.
        ConfigError: ``size`` is not a whole number from 1 to 4096, or not one that the network takes.
    """
    with net(f"{weights or name_or_path} can't be made ready", ModelError, "try another file, back end or device"):
        opened = open_model(
            name_or_path,
            weights=weights,
            backend=backend,
            device=device,
            precision=precision,
            threads=threads,
            offline=offline,
        )
        if getattr(opened.network, "takes_pictures", False):
            if size is not None:
                raise ModelError(f"{opened.name} resizes pictures itself, to its own size; leave the size out")
            return WholePredictor(opened.name, opened.input, opened.network, opened.spec)
        rule = opened.input if size is None else resized_rule(opened.input, size, opened.name)
        return Predictor(opened.name, rule, opened.network, opened.spec)


class WholePredictor(Predictor):
    """A model from a file that takes pictures as they are and gives maps of their size, one at a time."""

    def prepare(
        self,
        image: ImageSource,
        *,
        interpolation: Interpolation | None = None,
        max_pixels: int = DEFAULT_MAX_PIXELS,
        keep_image: bool = False,
        full_decode: bool = False,
        strict: bool = False,
    ) -> Prepared:
        """Read a picture; arguments and errors are those of ``Predictor.prepare``."""
        with net("the picture can't be read", ImageError):
            picture = read_image(image, max_pixels=max_pixels, strict=strict)
        source = Path(image).name if isinstance(image, str | os.PathLike) else None
        size = (picture.shape[0], picture.shape[1])
        # Says how large the network's input will be; the file makes it itself.
        unread = np.broadcast_to(np.float32(0), (1, 3, *self.input.network_size(size)))
        return Prepared(unread, size, source, picture)

    def tiled(self, zoom: int, *, overlap: float = DEFAULT_OVERLAP, size: int | None = None) -> Predictor:
        """Not to be had.

        Raises:
            ConfigError: always.
        """
        raise ConfigError(f"{self.name} resizes pictures itself; for tiles, export without --with-pre-post")

    def infer_batch(
        self, batch: Sequence[Prepared], *, interpolation: Interpolation | None = None, at_once: int = 1
    ) -> list[DepthMap | MidasError]:
        """As ``Predictor.infer_batch``; the file's own way to the picture's size comes before ``interpolation``."""
        return [self._whole(each, interpolation) for each in batch]

    def _whole(self, prepared: Prepared, interpolation: Interpolation | None) -> DepthMap | MidasError:
        try:
            with net(f"{self.name} can't run on {prepared.source or 'this picture'}", ModelError):
                values = cast(Any, self.backend).on_picture(prepared.image)
                if not np.isfinite(values).all():
                    raise ModelError(f"{self.name} gives numbers that are not finite; try another file")
                if values.shape != prepared.size:
                    values = resize_map(values, prepared.size, interpolation or self.input.restore, prepared.image)
                found = DepthMap(values, self.name, prepared.source, self.network_kind)
                return found if self.calibration is None else found.in_metres(self.calibration)
        except MidasError as error:
            return error
