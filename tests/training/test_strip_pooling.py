"""A strip pooling is put on a trained network without changing it, learns, and travels with the weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.training.test_training import config

import midas
from midas.errors import ConfigError
from midas.export.exporter import ExportOptions, export_network
from midas.models import create_model
from midas.models.decoder import Decoder
from midas.models.network import DepthNetwork
from midas.models.strip_pooling import StripPooling
from midas.models.zoo import find_model
from midas.training.config import ModelSettings
from midas.training.start import start_network
from midas.training.trainer import Trainer

PIXELS = torch.randn(1, 3, 64, 96, generator=torch.Generator().manual_seed(1))


def strips_of(network: DepthNetwork) -> StripPooling:
    assert isinstance(network.decoder, Decoder)
    assert network.decoder.strips is not None
    return network.decoder.strips


def test_it_sees_rows_and_columns_and_nothing_else() -> None:
    torch.manual_seed(0)
    strips = StripPooling(4, 3).eval()
    torch.nn.init.ones_(strips.join[1].get_parameter("weight"))
    feature = torch.zeros(1, 4, 9, 11)
    touched = feature.clone()
    touched[:, :, 4, 5] = 10
    changed = (strips(touched) - strips(feature)).abs().sum(1)[0] > 1e-6
    rows, columns = torch.zeros(9, 11, dtype=torch.bool), torch.zeros(9, 11, dtype=torch.bool)
    rows[3:6], columns[:, 4:7] = True, True  # a convolution of three along each
    assert changed.any()
    assert not changed[~(rows | columns)].any()


def test_a_trained_network_stays_what_it_was() -> None:
    plain, network = (start_network(ModelSettings("midas_nano_256", strip_pooling=n), 0).eval() for n in (0, 5))
    assert torch.equal(plain(PIXELS), network(PIXELS))


def test_it_learns_and_weights_bring_it_along(tmp_path: Path) -> None:
    chosen = config(tmp_path, epochs=1, pictures_per_epoch=4)
    Trainer(replace(chosen, model=replace(chosen.model, strip_pooling=5)), tmp_path / "run").run()
    file = tmp_path / "run" / "last.safetensors"
    network = create_model("midas_nano_256", weights=file)
    assert strips_of(network).width == 5
    assert strips_of(network).join[1].get_parameter("weight").any()
    export_network(network, find_model("midas_nano_256"), tmp_path / "a.onnx", ExportOptions())
    picture = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
    of_file, of_graph = (midas.load(path, precision="float32")(picture).values for path in (file, tmp_path / "a.onnx"))
    np.testing.assert_allclose(of_file, of_graph, atol=1e-4 * np.ptp(of_file))
    again = start_network(ModelSettings(name="midas_nano_256", weights=file, strip_pooling=5), 0)
    assert torch.equal(again.eval()(PIXELS), network(PIXELS))
    with pytest.raises(ConfigError, match="the weights have one of 5 channels"):
        start_network(ModelSettings(name="midas_nano_256", weights=file, strip_pooling=6), 0)


def test_a_decoder_that_has_no_place_for_it_is_named() -> None:
    with pytest.raises(ConfigError, match="no fusion decoder"):
        start_network(ModelSettings(name="zipdepth_base", strip_pooling=8), 0)
