"""Narrows the coarsest level of the embedded model's decoder, as its card says.

    python benchmarks/narrow_level.py WIDE -o NARROW.safetensors [--wide 128] [--samples 4200] [--steps 2500]

The wide network is one whose coarsest level has --wide channels, all else as in the model table; the narrow one is
the table's. The channels that the coarsest block's projection uses most are kept, and the narrow branch then learns to
give what the wide one gives on the encoder's maps of training samples. Nothing else changes.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.utils.data import DataLoader

from midas.datasets.mixture import Augmentation, EpochPlan, TrainingMixture, collate
from midas.datasets.transforms import PhotometricJitter
from midas.models.building import build
from midas.models.network import DepthNetwork
from midas.models.weights import write_safetensors
from midas.models.zoo import DEFAULT_MODEL, find_model
from midas.training.config import read_config
from midas.training.sources import open_sets

Pair = tuple[Tensor, Tensor]
CONFIG = "configs/midas_nano_256.toml"
BATCH, RATE, HELD_OUT_EVERY = 32, 3e-3, 40


def main() -> None:
    """Narrow and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--wide", type=int, default=128)
    parser.add_argument("--samples", type=int, default=4200)
    parser.add_argument("--steps", type=int, default=2500)
    options = parser.parse_args()
    torch.manual_seed(0)
    spec = find_model(DEFAULT_MODEL)
    widths = (*spec.decoder.features[:-1], options.wide)
    wide = build(replace(spec, decoder=replace(spec.decoder, features=widths))).eval()
    wide.load_state_dict({name: tensor.float() for name, tensor in load_file(options.weights).items()})
    narrow = build(spec).eval()
    narrow.load_state_dict(kept_channels(wide, narrow))
    pairs = branch_pairs(wide, options.samples)
    held_out, seen = pairs[::HELD_OUT_EVERY], [pair for at, pair in enumerate(pairs) if at % HELD_OUT_EVERY]
    print(f"share of variance not explained: {unexplained(narrow, held_out):.5f} at the start")
    learn(narrow, seen, options.steps)
    print(f"share of variance not explained: {unexplained(narrow, held_out):.5f} at the end")
    # What ships is stored in half precision; counts of batches stay whole numbers.
    state = {name: each.half() if each.is_floating_point() else each for name, each in narrow.state_dict().items()}
    write_safetensors(state, options.output, {"midas.name": spec.name})


def branch(network: DepthNetwork, coarsest: Tensor) -> Tensor:
    """What the coarsest level hands to the next finer one, before it is enlarged."""
    block = network.decoder.blocks[-1]
    enlarged: Tensor = block.project(block.refine(network.reassemble.projections[-1](coarsest)))
    return enlarged


def kept_channels(wide: DepthNetwork, narrow: DepthNetwork) -> dict[str, Tensor]:
    """The wide network's weights without the channels that its coarsest projection uses least."""
    use = wide.decoder.blocks[-1].project[0].weight[:, :, 0, 0].norm(dim=0)
    scale = wide.reassemble.projections[-1][1].weight.abs()
    own = narrow.state_dict()
    state = {}
    for name, tensor in wide.state_dict().items():
        for axis, (have, want) in enumerate(zip(tensor.shape, own[name].shape, strict=True)):
            if have != want:
                kept = torch.argsort(use * scale, descending=True)[:want].sort().values
                tensor = tensor.index_select(axis, kept)
        state[name] = tensor
    return state


def branch_pairs(wide: DepthNetwork, samples: int) -> list[Pair]:
    """The encoder's coarsest maps of training samples, and what the wide branch makes of them, in batches."""
    data = read_config(CONFIG).data
    mixture = TrainingMixture(
        open_sets(data)[0],
        Augmentation(data.sizes, data.min_crop_share, PhotometricJitter(), rotation_deg=data.rotation_deg),
        wide.input_spec,
        EpochPlan(samples, BATCH),
        seed=11,
        epoch=0,
    )
    pairs = []
    with torch.no_grad():
        for item in DataLoader(mixture, batch_size=BATCH, num_workers=1, collate_fn=collate):
            coarsest = wide.encoder(item.pixels)[-1].feature
            pairs.append((coarsest.bfloat16().clone(), branch(wide, coarsest)))
    return pairs


def learn(narrow: DepthNetwork, pairs: Sequence[Pair], steps: int) -> None:
    """Fit the narrow branch; its batch normalisations keep their statistics for the last sixth of the steps."""
    block = narrow.decoder.blocks[-1]
    parts = nn.ModuleList([narrow.reassemble.projections[-1], block.refine, block.project])
    optimizer = torch.optim.AdamW(parts.parameters(), lr=RATE, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps, pct_start=0.05)
    rng = np.random.default_rng(0)
    for step in range(steps):
        parts.train(step < 0.85 * steps)
        coarsest, given = pairs[int(rng.integers(len(pairs)))]
        loss = (branch(narrow, coarsest.float()) - given).square().mean() / given.var()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    narrow.eval()


def unexplained(narrow: DepthNetwork, pairs: Sequence[Pair]) -> float:
    """Squared error of the narrow branch over the variance of the wide one's output."""
    with torch.inference_mode():
        error = sum(float((branch(narrow, coarsest.float()) - given).square().sum()) for coarsest, given in pairs)
        spread = sum(float((given - given.mean((0, 2, 3), keepdim=True)).square().sum()) for _, given in pairs)
    return error / spread


if __name__ == "__main__":
    main()
