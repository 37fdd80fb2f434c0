"""Predictor: image → preprocess → backend → DepthMap; ``load`` makes one from a name or a file."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from midas.arrays import Array, Float32, UInt8
from midas.assets import asset_path
from midas.backends import AUTO, Backend, open_backend
from midas.depth_map import DepthMap
from midas.errors import ConfigError, MidasError, ModelError
from midas.images import DEFAULT_MAX_PIXELS, ImageSource, read_image
from midas.models.onnx_names import INPUT_KEY, NAME_KEY
from midas.models.specs import ModelSpec
from midas.models.zoo import DEFAULT_MODEL, MODELS, find_model
from midas.pipeline import run_ahead
from midas.preprocess import InputSpec, Preprocess
from midas.resize import Interpolation, resize_map

MODEL_SUFFIX = ".onnx"
LAB_SUFFIXES = (".safetensors", ".pt", ".pth", ".ckpt")


def list_models() -> list[str]:
    """The names that ``load`` accepts."""
    return list(MODELS)


def load(
    name_or_path: str | Path = DEFAULT_MODEL,
    *,
    backend: str = AUTO,
    device: str = AUTO,
    precision: str = AUTO,
    size: int | None = None,
    threads: int | None = None,
) -> Predictor:
    """Make a model ready to predict.

    Args:
        name_or_path: a name that ``list_models`` gives, or the path of an ONNX file that this package exported.
        backend: what runs the network: ``"onnxruntime"``, or ``"auto"``.
        device: where: ``"cpu"``, or ``"auto"``.
        precision: in which number format: ``"float32"``, or ``"auto"``.
        size: shorter side of the network's input in pixels, rounded to what the network takes; None is the model's
            own. Larger shows more detail and takes longer.
        threads: number of threads for one picture; None is one per physical core.

    Raises:
        ModelError: no such model, a file that is none, or a backend, device or precision that there isn't.
        ConfigError: ``size`` is not a positive whole number.
    """
    model_path, spec = _locate(name_or_path)
    network = open_backend(model_path, backend=backend, device=device, precision=precision, threads=threads)
    input_spec = spec.input if spec else _described_input(network, model_path)
    if size is not None:
        input_spec = input_spec.with_size(size)
    name = spec.name if spec else network.metadata.get(NAME_KEY, model_path.stem)
    return Predictor(name, input_spec, network, spec)


@dataclass(frozen=True, eq=False)
class Prepared:
    """A picture made ready for the network.

    Attributes:
        pixels: the network's input.
        size: (height, width) of the picture, in pixels.
        source: the picture's file name, if it has one.
        image: the picture itself, RGB, where it was asked to be kept.
    """

    pixels: Float32[Array, "1 3 h w"]
    size: tuple[int, int]
    source: str | None
    image: UInt8[Array, "H W 3"] | None


class Predictor:
    """A model, ready to turn pictures into depth maps. Several threads may use it at the same time.

    Attributes:
        name: the model's name.
        input: how a picture becomes the network's input.
        backend: what runs the network.
        spec: the model's row in the model table; None for a file.
    """

    def __init__(self, name: str, input: InputSpec, backend: Backend, spec: ModelSpec | None = None) -> None:
        self.name = name
        self.input = input
        self.backend = backend
        self.spec = spec
        self._preprocess = Preprocess(input)

    def __call__(
        self, image: ImageSource, *, interpolation: Interpolation = "cubic", max_pixels: int = DEFAULT_MAX_PIXELS
    ) -> DepthMap:
        """Predict the relative disparity of one picture, at its own size.

        Args:
            image: path, bytes, file object, PIL image, or uint8 RGB array (H, W, 3).
            interpolation: how the network's output becomes as large as the picture.
            max_pixels: a picture with more is refused.

        Raises:
            ImageError: the picture can't be read.
            ModelError: the network can't run, or gives numbers that are not finite.
        """
        return self.infer(self.prepare(image, max_pixels=max_pixels), interpolation=interpolation)

    def prepare(
        self, image: ImageSource, *, max_pixels: int = DEFAULT_MAX_PIXELS, keep_image: bool = False
    ) -> Prepared:
        """The first half of a prediction: read a picture and make it the network's input.

        Args:
            image: as for a call.
            max_pixels: a picture with more is refused.
            keep_image: whether the result holds the picture too.

        Raises:
            ImageError: the picture can't be read.
        """
        picture = read_image(image, max_pixels=max_pixels)
        source = Path(image).name if isinstance(image, str | os.PathLike) else None
        return Prepared(self._preprocess(picture), picture.shape[:2], source, picture if keep_image else None)

    def infer(self, prepared: Prepared, *, interpolation: Interpolation = "cubic") -> DepthMap:
        """The second half of a prediction: run the network and bring its output to the picture's size.

        Raises:
            ModelError: the network can't run, or gives numbers that are not finite.
        """
        disparity = self.backend(prepared.pixels)[0]
        if not np.isfinite(disparity).all():
            raise ModelError(
                f"{self.name} gives numbers that are not finite for {prepared.source or 'this picture'} at an input of "
                f"{'x'.join(map(str, disparity.shape))}; try another size"
            )
        return DepthMap(resize_map(disparity, prepared.size, interpolation), self.name, prepared.source)

    def stream(
        self,
        sources: Iterable[ImageSource],
        *,
        workers: int = 2,
        on_error: Callable[[ImageSource, MidasError], None] | None = None,
        interpolation: Interpolation = "cubic",
        max_pixels: int = DEFAULT_MAX_PIXELS,
    ) -> Generator[DepthMap, None, None]:
        """Predict many pictures of any sizes, in order, reading ahead while the network runs.

        At most ``workers + 1`` pictures are ahead of the consumer, each as small as the network's input, so that
        memory stays flat however many there are.

        Args:
            sources: pictures as for a call; drawn as needed, in the consumer's thread.
            workers: number of threads that read.
            on_error: called with a picture that failed and why; the picture is then left out. None raises instead, in
                the failed picture's turn.
            interpolation: as for a call.
            max_pixels: as for a call.

        Yields:
            One depth map per picture. When the iterator is closed, its threads end.

        Raises:
            ImageError: a picture can't be read, and there is no ``on_error``.
            ModelError: the network fails, and there is no ``on_error``.
            ConfigError: ``workers`` is less than 1.
        """
        if workers < 1:
            raise ConfigError(f"workers is {workers}; expected a whole number >= 1")

        def read(source: ImageSource) -> tuple[ImageSource, Prepared | MidasError]:
            try:
                return source, self.prepare(source, max_pixels=max_pixels)
            except MidasError as error:
                return source, error

        with closing(run_ahead(read, sources, workers=workers)) as stage:
            for future in stage:
                source, prepared = future.result()
                try:
                    depth_map = self._infer_or_raise(prepared, interpolation)
                except MidasError as error:
                    if on_error is None:
                        raise
                    on_error(source, error)
                else:
                    yield depth_map

    def _infer_or_raise(self, prepared: Prepared | MidasError, interpolation: Interpolation) -> DepthMap:
        if isinstance(prepared, MidasError):
            raise prepared
        return self.infer(prepared, interpolation=interpolation)


def _locate(name_or_path: str | Path) -> tuple[Path, ModelSpec | None]:
    """The model file of a name, with its row of the table; or the path itself, which has none."""
    if not _is_path(name_or_path):
        spec = find_model(str(name_or_path))
        return asset_path(f"{spec.name}.onnx"), spec
    path = Path(name_or_path)
    if path.suffix.lower() in LAB_SUFFIXES:
        raise ModelError(
            f"{path} holds weights for training: with midas-depth[lab], midas.models.create_model(name, weights=...) "
            f"loads them and `midas export` turns them into the {MODEL_SUFFIX} file that is expected here"
        )
    if not path.is_file():
        raise ModelError(f"there is no model file {path}; expected an {MODEL_SUFFIX} file, or one of {list_models()}")
    return path, None


def _is_path(name_or_path: str | Path) -> bool:
    # A name of the table wins over a file that happens to lie around under the same name.
    if isinstance(name_or_path, Path):
        return True
    path = Path(name_or_path)
    return name_or_path not in MODELS and (path.suffix != "" or len(path.parts) > 1 or path.exists())


def _described_input(network: Backend, model_path: Path) -> InputSpec:
    text = network.metadata.get(INPUT_KEY)
    if text is None:
        raise ModelError(
            f"{model_path} doesn't say how a picture becomes its input (metadata {INPUT_KEY!r}); "
            "expected a file that `midas export` wrote"
        )
    return InputSpec.from_metadata(text)
