"""What the benchmark needs PyTorch for: counts, peaks of other formats and devices, and random weights."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from midas.backends.torch_devices import find_device, find_dtype
from midas.bench.cases import FLOAT32
from midas.bench.picture import draw_picture
from midas.errors import ModelError
from midas.export.onnx import export_onnx
from midas.models import create_model
from midas.models.branches import merge_branches
from midas.models.network import DepthNetwork
from midas.models.onnx_names import INPUT_KEY, NAME_KEY
from midas.models.weights import write_safetensors
from midas.models.zoo import find_model
from midas.pictures.preprocess import Preprocess

_DTYPES = {FLOAT32: torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}

# The share of the output that the last ReLU cuts off: some, as in trained networks, not all.
_CLIPPED = 0.05


@dataclass(frozen=True)
class MatrixProduct:
    """How to multiply two square matrices in one number format on one device.

    Attributes:
        multiply: size → a product to be called at will, which waits for its result.
        on_processor: whether it is the processor that multiplies.
    """

    multiply: Callable[[int], Callable[[], object]]
    on_processor: bool


def matrix_products(device: str) -> dict[str, MatrixProduct]:
    """One per number format that this device multiplies in.

    Raises:
        ModelError: there is no such device.
    """
    found = find_device(device)
    on_processor = found.type == "cpu"

    def maker(dtype: torch.dtype) -> Callable[[int], Callable[[], object]]:
        def prepare(size: int) -> Callable[[], object]:
            left, right = (torch.randn(size, size).to(found, dtype) for _ in range(2))

            def multiply() -> None:
                torch.mm(left, right)
                if not on_processor:
                    getattr(torch, found.type).synchronize()

            return multiply

        return prepare

    products = {}
    for name, dtype in _DTYPES.items():
        with suppress(ModelError):  # no such format here, and therefore no bound
            find_dtype(name, found)
            products[name] = MatrixProduct(maker(dtype), on_processor)
    return products


def device_peak_mb() -> float | None:
    """Megabytes of an NVIDIA card's memory that this process has held at most; None where it holds none."""
    held = torch.cuda.max_memory_reserved() if torch.cuda.is_available() else 0
    return held / 1e6 if held else None


def count_gmacs(name: str, size: tuple[int, int]) -> float:
    """Multiply-adds of one picture, in thousand millions, counted over convolutions and matrix products.

    Args:
        name: of the model.
        size: (height, width) of the network's input in pixels.

    Raises:
        ModelError: there is no such model, or it doesn't take this size.
    """
    with torch.device("meta"):
        network = create_model(name, weights=None)
        merge_branches(network)
        pixels = torch.zeros(1, 3, *size)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(pixels)
    return float(counter.get_total_flops()) / 2e9


def write_random_weights(name: str, folder: Path, seed: int = 0) -> tuple[Path, ...]:
    """Files of one network with random weights, the same for the same seed: safetensors, and ONNX made from it.

    Every layer is scaled so that its output has a standard deviation of 1 on a drawn picture: then no number format
    overflows or loses what a trained network would keep, and the output varies over the picture.

    Raises:
        ModelError: there is no such model, or it can't be exported.
    """
    spec = find_model(name)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = create_model(name, weights=None)
        _randomize(network, torch.from_numpy(Preprocess(spec.input)(draw_picture())))
    weights, graph = folder / f"{name}.safetensors", folder / f"{name}.onnx"
    metadata = {NAME_KEY: name, INPUT_KEY: spec.input.to_metadata()}
    write_safetensors(network.state_dict(), weights, metadata, overwrite=True)
    export_onnx(network, spec, graph, overwrite=True)
    return weights, graph


@torch.no_grad()
def _randomize(network: DepthNetwork, pixels: Tensor) -> None:
    layers = [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear)]
    last = next(module for module in reversed(list(network.head.modules())) if isinstance(module, nn.Conv2d))

    def scale(layer: nn.Conv2d | nn.ConvTranspose2d | nn.Linear, _: object, output: Tensor) -> Tensor:
        spread = output.std().clamp_min(1e-6)
        output = output / spread
        layer.weight.div_(spread)
        if layer is last and last.bias is not None:
            # `quantile` refuses maps as large as these.
            lift = -output.flatten().sort().values[int(_CLIPPED * output.numel())]
            last.bias.fill_(lift)
            output = output + lift
        return output

    for layer in layers:
        nn.init.normal_(layer.weight, std=layer.weight[0].numel() ** -0.5)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
    hooks = [layer.register_forward_hook(scale) for layer in layers]
    disparity = network(pixels)
    for hook in hooks:
        hook.remove()
    if not torch.isfinite(disparity).all() or not disparity.std() > 0:
        raise ModelError("random weights gave no map that varies; this is a slip of the benchmark: please report it")
