"""Predictor: image → preprocess → backend → DepthMap; ``midas.loading`` makes one from a name or a file."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from copy import copy
from dataclasses import replace
from numbers import Integral
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from PIL import Image

from midas.arrays import Array, Float32
from midas.backends import Backend
from midas.backends.identity import calibration_of, kind_of, resized_rule
from midas.errors import ConfigError, ImageError, MidasError, ModelError, net
from midas.maps.depth_map import DepthMap
from midas.maps.emptiness import warn_of_emptiness
from midas.maps.guided import guide_of
from midas.maps.kinds import METRIC, RELATIVE_DISPARITY
from midas.maps.resize import GUIDED, Interpolation, resize_map, unguided
from midas.models.specs import ModelSpec
from midas.pictures.preprocess import InputSpec, Preprocess, Restoration
from midas.pictures.reading import DEFAULT_MAX_PIXELS, ImageSource, name_of, read_image, read_reduced
from midas.pipeline import MAX_BATCH, MAX_THREADS, group_alike, run_ahead
from midas.tiling import DEFAULT_OVERLAP, Tiling, finer_input, predict_tiles
from midas.tiling.prepared import Prepared

# What can be gone through, and yet is one picture.
_ONE_PICTURE = (str, os.PathLike, bytes, bytearray, memoryview, np.ndarray, Image.Image)

_Read = tuple[ImageSource, Prepared | MidasError]


class Predictor:
    """A model, ready to turn pictures into depth maps. Several threads may use it at the same time.

    Attributes:
        name: the model's name.
        input: how a picture becomes the network's input.
        backend: what runs the network.
        spec: the model's row in the model table; None for a file that the table doesn't know.
        tiling: how large pictures are refined in tiles; None to predict each in one piece.
        kind: what the values of its maps are: relative disparity but for a few models.
        warns_of_emptiness: whether a map of next to nothing but zeros is warned of.
        show_tiles: called, where it is set, with the number of a picture's finished tiles and that of all.
        network_kind, calibration: what the network gives, and what makes metres of it.
    """

    def __init__(
        self,
        name: str,
        input: InputSpec,
        backend: Backend,
        spec: ModelSpec | None = None,
        tiling: Tiling | None = None,
    ) -> None:
        self.name = name
        self.input = input
        self.backend = backend
        self.spec = spec
        self.tiling = tiling
        self.network_kind = kind_of(backend, spec)
        self.calibration = calibration_of(backend, name)
        self.kind = self.network_kind if self.calibration is None else METRIC
        self.warns_of_emptiness = True
        self.show_tiles: Callable[[int, int], None] | None = None
        self._preprocess = Preprocess(input)

    def __repr__(self) -> str:
        height, width = self.input.size
        fitted = f", {self.calibration}" if self.calibration else ""
        tiled = f", tile {self.tiling.zoom}" if self.tiling else ""
        return f"Predictor({self.name}, {type(self.backend).__name__}, {width}x{height}, {self.kind}{tiled}{fitted})"

    def tiled(self, zoom: int, *, overlap: float = DEFAULT_OVERLAP, size: int | None = None) -> Predictor:
        """The same model for large pictures: the layout from the whole picture, finer detail from overlapping tiles.

        The network runs once for the whole picture and about ``(zoom + 1)²`` times for tiles. A picture that hasn't
        the pixels for it gets a smaller zoom, or no tiles.

        Args:
            zoom: how many times as many pixels the network sees along each side, from 1 (no tiles) to 8.
            overlap: the share of a tile's side that it has in common with the next one at least.
            size: shorter side of the network's input for a tile, in pixels; None for that of the whole picture. Larger
                tiles are fewer and see more of the scene.

        Raises:
            ConfigError: a value out of range, or a ``size`` that the network doesn't take.
        """
        if size is not None:
            resized_rule(self.input, size, self.name)  # refuses now what it would refuse at the first picture
        return Predictor(self.name, self.input, self.backend, self.spec, Tiling(zoom, overlap, size))

    def growing_by(self, interpolation: Restoration) -> Predictor:
        """The same model, whose maps become as large as their pictures in another way where a call doesn't say.

        Args:
            interpolation: ``"guided"``, ``"cubic"`` or ``"aligned_linear"``.

        Raises:
            ConfigError: there is no such one.
        """
        other = copy(self)
        other.input = replace(self.input, restore=interpolation)
        return other

    def __call__(
        self,
        image: ImageSource,
        *,
        interpolation: Interpolation | None = None,
        max_pixels: int = DEFAULT_MAX_PIXELS,
        full_decode: bool = False,
        strict: bool = False,
    ) -> DepthMap:
        """Predict the relative disparity of one picture, at its own size.

        Args:
            image: path, bytes, file object, PIL image, or uint8 RGB array (H, W, 3).
            interpolation: how the map becomes as large as the picture; None is the model's own way, ``input.restore``.
            max_pixels: a picture with more is refused.
            full_decode: as for ``prepare``.
            strict: as for ``prepare``.

        Raises:
            ImageError: the picture can't be read.
            ModelError: the network can't run, or gives numbers that are not finite.
        """
        prepared = self.prepare(
            image, interpolation=interpolation, max_pixels=max_pixels, full_decode=full_decode, strict=strict
        )
        return self.infer(prepared, interpolation=interpolation)

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
        """The first half of a prediction: read a picture and make it the network's input.

        Args:
            image: as for a call.
            interpolation: as for a call; ``"guided"`` keeps a copy of the picture, at most four times the map's sides.
            max_pixels: a picture with more is refused.
            keep_image: whether the result holds the picture too.
            full_decode: whether a large JPEG file is decoded at its full size although ``input.decoding_size`` will do.
            strict: whether a JPEG file that lacks the last of its data is refused; otherwise it is filled up, with a
                ``DamageWarning``, where no more than 2 % are missing.

        Raises:
            ImageError: the picture can't be read.
        """
        source = Path(image).name if isinstance(image, str | os.PathLike) else None
        with net(f"{name_of(image)} can't be made the network's input", ImageError):
            # Tiles look at the picture's own pixels.
            if full_decode or keep_image or self.tiling is not None:
                picture = read_image(image, max_pixels=max_pixels, strict=strict)
                finer = None if self.tiling is None else finer_input(picture, self.input, self.tiling)
                kept, size = picture if keep_image else None, (picture.shape[0], picture.shape[1])
                prepared = Prepared(self._preprocess(picture), size, source, kept, finer)
            else:
                picture, size = read_reduced(image, self.input.decoding_size, max_pixels=max_pixels, strict=strict)
                prepared = Prepared(self._preprocess(picture, size), size, source, None)
            guided = (interpolation or self.input.restore) == GUIDED
            return replace(prepared, guide=guide_of(picture, prepared.network_size)) if guided else prepared

    def infer(self, prepared: Prepared, *, interpolation: Interpolation | None = None) -> DepthMap:
        """The second half of a prediction: run the network and bring its output to the picture's size.

        Raises:
            ModelError: the network can't run, or gives numbers that are not finite.
        """
        (outcome,) = self.infer_batch([prepared], interpolation=interpolation)
        if isinstance(outcome, MidasError):
            raise outcome
        return outcome

    def infer_batch(
        self, batch: Sequence[Prepared], *, interpolation: Interpolation | None = None, at_once: int = 1
    ) -> list[DepthMap | MidasError]:
        """The second half of several predictions, in one run of the network.

        Args:
            batch: pictures whose inputs have one size; their own sizes may differ.
            interpolation: as for a call.
            at_once: how many tiles of a picture go through the network together.

        Returns:
            For each picture its depth map, or why it has none.

        Raises:
            ConfigError: the inputs are of several sizes.
        """
        inputs = [prepared.pixels for prepared in batch]
        sizes = {pixels.shape for pixels in inputs}
        if len(sizes) > 1:
            raise ConfigError(f"the inputs of a batch have the shapes {sorted(sizes)}; expected one shape for all")
        if not inputs:
            return []
        size = "x".join(map(str, inputs[0].shape[2:]))
        try:
            with net(f"{self.name} can't run on {len(inputs)} x {size} pixels", ModelError, "try a smaller size"):
                disparities = self.backend(inputs[0] if len(inputs) == 1 else np.concatenate(inputs))
        except MidasError as error:
            if len(batch) == 1:
                return [error]
            # What is wrong may be one of them, or their number.
            alone = [self.infer_batch([each], interpolation=interpolation, at_once=at_once) for each in batch]
            return [outcome for (outcome,) in alone]
        pairs = zip(disparities, batch, strict=True)
        return [self._depth_map(disparity, prepared, interpolation, at_once) for disparity, prepared in pairs]

    def _depth_map(
        self, disparity: Float32[Array, "h w"], prepared: Prepared, interpolation: Interpolation | None, at_once: int
    ) -> DepthMap | MidasError:
        if not np.isfinite(disparity).all():
            return ModelError(
                f"{self.name} gives numbers that are not finite for {prepared.source or 'this picture'} at an input of "
                f"{'x'.join(map(str, disparity.shape))}; try another size"
            )
        if self.network_kind == RELATIVE_DISPARITY and self.warns_of_emptiness:
            warn_of_emptiness(disparity, self.name, prepared.source)
        try:
            with net(f"{prepared.source or 'this picture'} gets no map of its size", ModelError):
                if prepared.finer is not None:
                    disparity = predict_tiles(
                        disparity, prepared.finer, self.backend, at_once=at_once, show=self.show_tiles
                    )
                # Whoever prepared it without the picture, and asks for no rule, has no use for finer edges.
                own = unguided(self.input.restore) if prepared.guide is None else self.input.restore
                values = resize_map(disparity, prepared.size, interpolation or own, prepared.guide)
                found = DepthMap(values, self.name, prepared.source, self.network_kind)
                return found if self.calibration is None else found.in_metres(self.calibration)
        except MidasError as error:
            return error

    def stream(
        self,
        sources: Iterable[ImageSource] | ImageSource,
        *,
        workers: int = 2,
        batch: int = 1,
        on_error: Callable[[ImageSource, MidasError], None] | None = None,
        interpolation: Interpolation | None = None,
        max_pixels: int = DEFAULT_MAX_PIXELS,
        full_decode: bool = False,
        strict: bool = False,
    ) -> Generator[DepthMap, None, None]:
        """Predict many pictures of any sizes, in order, reading ahead while the network runs.

        At most ``workers + 2 * batch - 1`` pictures are ahead of the consumer, each as small as the network's input, or
        four times that on each side to guide the enlargement, so that memory stays flat however many there are.

        Args:
            sources: pictures as for a call; drawn as needed, in the consumer's thread. One alone will do.
            workers: number of threads that read.
            batch: how many pictures, or tiles of a picture, go through the network at once, where neighbours have
                inputs of one size; a graphics card gains from that, a processor hardly does.
            on_error: called with a picture that failed and why; the picture is then left out. None raises instead, in
                the failed picture's turn.
            interpolation: as for a call.
            max_pixels: as for a call.
            full_decode: as for ``prepare``.
            strict: as for ``prepare``.

        Yields:
            One depth map per picture. When the iterator is closed, its threads end.

        Raises:
            ImageError: a picture can't be read, and there is no ``on_error``.
            ModelError: the network fails, and there is no ``on_error``.
            ConfigError: ``workers`` or ``batch`` is less than 1, or more than 512 or 1024; or ``sources`` are no
                pictures.
        """
        pictures = _pictures_of(sources)
        for name, value, most in (("workers", workers, MAX_THREADS), ("batch", batch, MAX_BATCH)):
            if not isinstance(value, Integral) or not 1 <= value <= most:
                raise ConfigError(f"{name} is {value}; expected a whole number from 1 to {most}")

        if not (on_error is None or callable(on_error)):
            raise ConfigError(f"on_error is a {type(on_error).__name__}; expected a function, or None")

        def read(source: ImageSource) -> _Read:
            try:
                prepared = self.prepare(
                    source, interpolation=interpolation, max_pixels=max_pixels, full_decode=full_decode, strict=strict
                )
                return source, prepared
            except MidasError as error:
                return source, error

        with closing(run_ahead(read, pictures, workers=workers, waiting=batch)) as stage:
            for group in group_alike((future.result() for future in stage), _input_shape, most=batch):
                for (source, _), outcome in zip(group, self._outcomes(group, interpolation, batch), strict=True):
                    if isinstance(outcome, DepthMap):
                        yield outcome
                    elif on_error is None:
                        raise outcome
                    else:
                        on_error(source, outcome)

    def video(
        self, clip: str | Path | BinaryIO, *, start_s: float = 0.0, end_s: float | None = None, **settings: Any
    ) -> Generator[DepthMap, None, None]:
        """Predict a film, steady from frame to frame; a map's ``time_s`` says when it is shown. Memory stays flat.

        Args:
            clip: whatever FFmpeg decodes, as a path, a URL or an open file; or a folder of pictures.
            start_s: the first frame is shown at this second or after it.
            end_s: the last one before this second; None for the film's end.
            settings: further fields of ``midas.video.FilmSettings``, such as ``steady``.

        Yields:
            One depth map per frame. When the iterator is closed, its threads end.

        Raises MidasError as ``midas.video.film_maps`` does.
        """
        from midas.video.job import FilmSettings, film_maps  # which needs PyAV

        return film_maps(self, clip, FilmSettings(start_s=start_s, end_s=end_s, **settings))

    def _outcomes(
        self, group: Sequence[_Read], interpolation: Interpolation | None, at_once: int
    ) -> Sequence[DepthMap | MidasError]:
        """What becomes of pictures of which all are ready, or none is."""
        ready = [prepared for _, prepared in group if isinstance(prepared, Prepared)]
        failed = [error for _, error in group if isinstance(error, MidasError)]
        return failed or self.infer_batch(ready, interpolation=interpolation, at_once=at_once)


def _pictures_of(sources: Iterable[ImageSource] | ImageSource) -> Iterable[ImageSource]:
    """The pictures of a stream; one alone is a stream of one."""
    pictures = cast(Iterable[ImageSource], [sources] if isinstance(sources, _ONE_PICTURE) else sources)
    if not isinstance(pictures, Iterable):
        raise ConfigError(f"a {type(sources).__name__} is neither a picture nor a sequence of pictures")
    return pictures


def _input_shape(read: _Read) -> tuple[int, ...] | None:
    return read[1].pixels.shape if isinstance(read[1], Prepared) else None
