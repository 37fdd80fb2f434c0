"""The large networks on a graphics card: ours against eager float32 and against transformers, in one run.

    python benchmarks/gpu.py [--seconds 1.5] [--compile] [--json FILE]

Weights are random: speed does not depend on their values. Ours runs encoder and decoder in half precision and the head
in float32, channels last, recorded once as a CUDA graph, or compiled with --compile. Transformers is the network behind
its depth-estimation pipeline, built from its configuration. Times are medians of synchronised calls with the input on
the card; the share is of the card's own rate in a large bfloat16 product, measured in the same run.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from midas.models.factory import create_model
from midas.models.network import DepthNetwork
from midas.models.zoo import find_model

NETWORKS = ("dpt_large_384", "dpt_beit_large_512", "depth_anything_v2_vitl")
BATCHES = (1, 8, 32)
PRODUCT_SIDE = 8192


@dataclass
class Figure:
    """One line of the table.

    Attributes:
        network, program, precision, batch: what ran.
        milliseconds: median of a call.
        images_per_s: of the median.
        peak_share: of the measured rate of the card in bfloat16.
        difference: mean |a - b| over the range of b, b from ours in eager float32; None for other weights.
    """

    network: str
    program: str
    precision: str
    batch: int
    milliseconds: float
    images_per_s: float
    peak_share: float
    difference: float | None = None


class Halved(nn.Module):
    """A network whose encoder and decoder hold half-precision weights, so that no call has to cast them."""

    def __init__(self, network: DepthNetwork, dtype: torch.dtype) -> None:
        super().__init__()
        self.network = network
        self.dtype = dtype
        for part in (network.encoder, network.reassemble, network.decoder):
            part.to(dtype)

    def forward(self, pixels: Tensor) -> Tensor:
        """As the network's own."""
        network = self.network
        feature = network.decoder(network.reassemble(network.encoder(pixels.to(self.dtype))))
        disparity: Tensor = network.head(feature.float())
        return disparity


def main() -> None:
    """Measure and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=1.5, help="measured per line")
    parser.add_argument("--compile", action="store_true", help="torch.compile instead of CUDA graphs")
    parser.add_argument("--json", help="also write the lines there")
    options = parser.parse_args()
    peak = measured_peak()
    print(
        f"{torch.cuda.get_device_name()}, torch {torch.__version__}: {peak / 1e12:.0f} TFLOP/s in bfloat16\n",
        flush=True,
    )
    print("| network | program | precision | batch | ms | images/s | share of peak, % | difference, % |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    figures = []
    for name in NETWORKS:
        for figure in network_figures(name, peak, options.seconds, compiled=options.compile):
            figures.append(figure)
            difference = "" if figure.difference is None else f"{100 * figure.difference:.2f}"
            print(
                f"| {name} | {figure.program} | {figure.precision} | {figure.batch} | {figure.milliseconds:.2f} "
                f"| {figure.images_per_s:.0f} | {100 * figure.peak_share:.0f} | {difference} |",
                flush=True,
            )
    if options.json:
        Path(options.json).write_text(json.dumps([asdict(figure) for figure in figures], indent=1), encoding="utf-8")


def measured_peak() -> float:
    """Operations per second of a large bfloat16 matrix product."""
    a, b = (torch.randn(PRODUCT_SIDE, PRODUCT_SIDE, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    return 2 * PRODUCT_SIDE**3 / median_seconds(lambda: a @ b, 1.0)


def median_seconds(call: Callable[[], object], seconds: float) -> float:
    """Median time of a synchronised call, after five that don't count."""
    for _ in range(5):
        call()
    torch.cuda.synchronize()
    times: list[float] = []
    begin = time.perf_counter()
    while time.perf_counter() - begin < seconds or len(times) < 5:
        start = time.perf_counter()
        call()
        torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


@torch.inference_mode()
def network_figures(name: str, peak: float, seconds: float, *, compiled: bool) -> list[Figure]:
    """All lines of one network."""
    spec = find_model(name)
    height, width = spec.input.size
    torch.manual_seed(0)
    network = create_model(name, weights=None).cuda()
    inputs = {batch: torch.rand(batch, 3, height, width, device="cuda") * 4 - 2 for batch in BATCHES}
    reference = network(inputs[1])
    flops = 2e9 * spec.gmacs

    def line(program: str, precision: str, batch: int, call: Callable[[], object], like: Tensor | None) -> Figure:
        taken = median_seconds(call, seconds)
        difference = None
        if like is not None:
            difference = float((like.float() - reference).abs().mean() / (reference.max() - reference.min()))
        return Figure(
            name, program, precision, batch, 1e3 * taken, batch / taken, batch * flops / taken / peak, difference
        )

    figures = [line("midas eager", "float32", batch, lambda b=batch: network(inputs[b]), None) for batch in BATCHES]
    rival = transformers_network(name)
    if rival is not None:
        for precision, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
            cast = rival.to(dtype)
            for batch in BATCHES:
                pixels = inputs[batch].to(dtype)
                figures.append(line("transformers", precision, batch, lambda r=cast, p=pixels: r(p), None))
        del rival
    for precision, dtype in (("bfloat16", torch.bfloat16), ("float16", torch.float16)):
        halved = Halved(create_like(network, name), dtype).eval().to(memory_format=torch.channels_last)
        for batch in BATCHES:
            pixels = inputs[batch].contiguous(memory_format=torch.channels_last)
            if compiled:
                fast = torch.compile(halved, mode="max-autotune-no-cudagraphs" if batch > 1 else "reduce-overhead")
                call: Callable[[], Tensor] = lambda f=fast, p=pixels: f(p)  # noqa: E731
            else:
                call = recorded(halved, pixels)
            like = call() if batch == 1 else None
            figures.append(line("midas compiled" if compiled else "midas graph", precision, batch, call, like))
        del halved
    torch.cuda.empty_cache()
    return figures


def create_like(network: DepthNetwork, name: str) -> DepthNetwork:
    """Another network of the same weights."""
    copy = create_model(name, weights=None).cuda()
    copy.load_state_dict(network.state_dict())
    return copy


def recorded(network: nn.Module, pixels: Tensor) -> Callable[[], Tensor]:
    """A call as a CUDA graph."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            network(pixels)
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        disparity: Tensor = network(pixels)

    def replay() -> Tensor:
        graph.replay()
        return disparity

    return replay


def transformers_network(name: str) -> nn.Module | None:
    """The network that transformers' pipeline would run, with random weights; None where it has none."""
    try:
        import transformers as hf
    except ImportError:
        return None
    if name == "dpt_large_384":
        config = hf.DPTConfig(
            hidden_size=1024, num_hidden_layers=24, num_attention_heads=16, intermediate_size=4096,
            backbone_out_indices=[5, 11, 17, 23], neck_hidden_sizes=[256, 512, 1024, 1024], image_size=384,
        )  # fmt: skip
        return hf.DPTForDepthEstimation(config).cuda().eval()
    if name == "depth_anything_v2_vitl":
        backbone = hf.Dinov2Config(
            hidden_size=1024, num_hidden_layers=24, num_attention_heads=16, image_size=518, patch_size=14,
            out_indices=[5, 12, 18, 24], reshape_hidden_states=False, apply_layernorm=True,
        )  # fmt: skip
        config = hf.DepthAnythingConfig(
            backbone_config=backbone, reassemble_hidden_size=1024, neck_hidden_sizes=[256, 512, 1024, 1024],
            fusion_hidden_size=256,
        )  # fmt: skip
        return hf.DepthAnythingForDepthEstimation(config).cuda().eval()
    backbone = hf.BeitConfig(
        hidden_size=1024, num_hidden_layers=24, num_attention_heads=16, intermediate_size=4096, image_size=512,
        use_relative_position_bias=True, reshape_hidden_states=False, out_indices=[6, 12, 18, 24],
    )  # fmt: skip
    config = hf.DPTConfig(
        backbone_config=backbone, backbone=None, hidden_size=1024, neck_hidden_sizes=[256, 512, 1024, 1024],
        image_size=512, is_hybrid=False, readout_type="project",
    )  # fmt: skip
    return hf.DPTForDepthEstimation(config).cuda().eval()


if __name__ == "__main__":
    main()
