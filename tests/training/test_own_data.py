"""From a folder of one's own to a run: what is found, what is kept, and what is said at the end."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from PIL import Image
from tests.own_miniatures import nearness, write_pair
from typer.testing import CliRunner

from midas.cli import app
from midas.errors import ConfigError
from midas.evaluation.runs import open_benchmark
from midas.models.network import DepthNetwork
from midas.models.weights import read_safetensors
from midas.models.zoo import DEFAULT_MODEL
from midas.pictures.preprocess import InputSpec
from midas.training.config import parse_config, read_config
from midas.training.config_files import read_tables, to_toml
from midas.training.own_data import FROZEN, look_at, settings, summary
from midas.training.run_folder import prepare_folder
from midas.training.sources import ValidationSet
from midas.training.standing import Position, gain_lines
from midas.training.start import training_mode
from midas.training.validation import validate

SHORT = ("run.epochs=1", "run.pictures_per_epoch=4", "run.batch_size=2", "run.precision=float32")
SMALL = ("data.sizes=[[64, 96]]", "data.validation=[]")


def write_rooms(root: Path) -> Path:
    for scene in ("attic", "cellar", "hall"):
        for number in range(2):
            name = f"{scene}/{number}"
            write_pair(root / "rgb" / f"{name}.jpg", root / "depth" / f"{name}.png", number)
    return root


def only_own(path: Path) -> tuple[str, ...]:
    """Changes that leave the drawn scenes out of a run's settings."""
    entry = read_tables(path)["data"]["sets"][0]
    options = ", ".join(f"{key} = {value!r}" for key, value in entry["options"].items())
    scenes = entry["validation_scenes"]
    kept = f"name = '{entry['name']}', reader = '{entry['reader']}', validation_scenes = {scenes}"
    return (f"data.sets=[{{{kept}, validation_protocol = 'indoor', options = {{{options}}}}}]",)


def short(data: Path, folder: Path) -> list[str]:
    """Options that make a run on a folder so short that a test can wait for it."""
    path = folder / "config.toml"
    path.write_text(to_toml(settings(look_at(data, None, nearness), folder)), encoding="utf-8")
    return [word for change in (*SHORT, *SMALL, *only_own(path)) for word in ("--set", change)]


def test_a_folder_is_summed_up_fact_by_fact(tmp_path: Path) -> None:
    root = write_rooms(tmp_path / "rooms")
    (root / "depth" / "hall" / "1.png").unlink()
    own = look_at(root, None, nearness)
    facts = dict(line.split(": ", 1) for line in summary(own).splitlines())
    said = {name: text.strip() for name, text in facts.items()}
    assert said["layout"] == "folders rgb/ and depth/"
    assert said["pairs"] == "5 in 3 scenes"
    assert said["unpaired"] == "1, such as 1.jpg"
    assert said["sizes"] == "96x72 (5) of 5 looked at"
    assert said["depth maps"].startswith("millimetres: their names say depth, and the median of whole numbers is ")
    assert said["range"].startswith("1.5 to 6 m")
    assert said["valid"] == "100 % of the pixels"
    assert said["held out"] == f"1 of 3 scenes, to measure on: {own.held_out[0]}"
    assert look_at(root, None, nearness).held_out == own.held_out


def test_without_scenes_frames_in_a_row_are_held_out_and_said_to_be(tmp_path: Path) -> None:
    for number in range(10):
        write_pair(tmp_path / "rgb" / f"{number}.jpg", tmp_path / "depth" / f"{number}.png", number)
    own = look_at(tmp_path, None, nearness)
    assert (own.held_out, own.share) == ((), 0.15)
    assert "2 frames in a row, to measure on (there are no scenes to choose from)" in summary(own)
    for number in range(4, 10):
        (tmp_path / "rgb" / f"{number}.jpg").unlink()
        (tmp_path / "depth" / f"{number}.png").unlink()
    assert "1 frame, to measure on" in summary(look_at(tmp_path, None, nearness))


def test_the_settings_for_a_folder_are_those_that_were_found_and_are_read_back(tmp_path: Path) -> None:
    own = look_at(write_rooms(tmp_path / "rooms"), None, nearness)
    tables = settings(own, tmp_path / "run")
    (tmp_path / "config.toml").write_text(to_toml(tables), encoding="utf-8")
    for entry in tables["data"]["sets"]:
        entry.pop("validation_share", None)  # which is None beside scenes
    parsed = parse_config(tables)
    assert read_config(tmp_path / "config.toml") == parsed
    mine, general = parsed.data.sets
    assert general.reader == "synthetic"
    assert general.weight / (mine.weight + general.weight) == pytest.approx(1 / 3)
    assert parsed.optimizer.encoder_rate < parsed.optimizer.decoder_rate
    assert 0 < parsed.run.patience < parsed.run.epochs
    assert parsed.run.start_share == 0.5


def test_the_frozen_parts_of_the_settings_are_the_first_of_the_network_and_learn_nothing() -> None:
    from midas.models import create_model
    from midas.training.config import ModelSettings

    network = create_model(DEFAULT_MODEL, weights=None)
    training_mode(network, ModelSettings(name=DEFAULT_MODEL, frozen=tuple(FROZEN[DEFAULT_MODEL])))
    still = [name for name, parameter in network.named_parameters() if not parameter.requires_grad]
    assert any("conv_stem" in name for name in still)
    assert all(name.startswith(tuple(FROZEN[DEFAULT_MODEL])) for name in still)
    assert len(still) < 0.2 * len(list(network.parameters()))


def test_what_is_in_the_folder_is_drawn_and_the_settings_written_before_the_first_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from midas.training.trainer import Trainer

    there: list[set[str]] = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Trainer, "run", lambda self: there.append({path.name for path in self.folder.iterdir()}))
    result = CliRunner().invoke(app, ["train", "--data", "rooms", *short(write_rooms(Path("rooms")), tmp_path)])
    assert result.exit_code == 0, result.output
    assert there == [{"config.toml", "data.png"}]
    with Image.open(tmp_path / "runs" / "rooms" / "data.png") as sheet:
        assert sheet.width > 400


def test_one_command_trains_says_what_was_gained_and_refuses_to_do_it_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    data, run = write_rooms(tmp_path / "rooms"), Path("runs", "rooms")
    first = CliRunner().invoke(app, ["train", "--data", str(data), "--look"])
    assert first.exit_code == 0, first.output
    assert [path.name for path in tmp_path.iterdir()] == ["rooms"]
    arguments = ["train", "--data", str(data), *short(data, tmp_path)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert {"config.toml", "data.png", "best.safetensors", "last.safetensors", "log.csv"} <= {
        path.name for path in run.iterdir()
    }
    assert re.search(r"^start; validation [\d.]+ % \(best so far\): rooms [\d.]+$", result.stderr, re.MULTILINE)
    assert re.search(r"^epoch 1/1: loss .* validation [\d.]+ %.*: rooms [\d.]+$", result.stderr, re.MULTILINE)
    assert "over the start" in result.output
    assert f"midas export --model {run / 'best.safetensors'} -o rooms.onnx" in result.stdout
    again = CliRunner().invoke(app, arguments)
    assert again.exit_code == 2
    assert "--resume" in again.output
    assert "--overwrite" in again.output
    repeated = CliRunner().invoke(app, ["train", str(run / "config.toml"), "-o", "again"])
    assert repeated.exit_code == 0, repeated.output
    first_weights, second_weights = (read_safetensors(folder / "last.safetensors") for folder in (run, Path("again")))
    assert all(torch.equal(first_weights[name], value) for name, value in second_weights.items())


def test_a_run_that_gains_nothing_keeps_the_weights_of_its_start(tmp_path: Path) -> None:
    from midas.models import create_model
    from midas.training.trainer import Trainer

    tables = settings(look_at(write_rooms(tmp_path / "rooms"), None, nearness), tmp_path / "run")
    tables["data"] |= {"sets": tables["data"]["sets"][:1], "validation": [], "sizes": [[64, 96]]}
    tables["run"] |= {"epochs": 2, "pictures_per_epoch": 4, "batch_size": 2, "ema_decay": 0.0, "start_share": 0.0}
    tables["optimizer"] = {"decoder_rate": 0.5, "encoder_rate": 0.5}  # which no network survives
    for entry in tables["data"]["sets"]:
        entry.pop("validation_share")
    trainer = Trainer(parse_config(tables), tmp_path / "run")
    trainer.run()
    kept = read_safetensors(tmp_path / "run" / "best.safetensors")
    start = create_model("midas_nano_256", weights="pretrained").state_dict()
    assert all(torch.equal(kept[name], value) for name, value in start.items())
    assert "nothing was gained" in gain_lines(trainer.position)[0]


def test_the_gain_is_a_difference_over_the_same_pictures_with_its_interval() -> None:
    position = Position()
    position.begin(20.0, {"mine": [10.0, 30.0, 20.0], "other": [5.0, 5.0, 5.0]})
    position.finish_epoch(15.0, {"mine": [5.0, 25.0, 15.0], "other": [4.0, 6.0, 5.0]})
    position.finish_epoch(16.0, {"mine": [6.0, 26.0, 16.0], "other": [4.0, 6.0, 5.0]})
    first, mine, other = gain_lines(position)
    assert "epoch 1" in first
    assert "20.00 -> 15.00 %, -5.00 (95 % interval -5.00 to -5.00 over 3 pictures): better" in mine
    assert other.endswith("no sure difference")


def test_a_start_with_near_and_far_the_wrong_way_round_is_no_start_to_be_kept() -> None:
    position = Position()
    position.begin(10.0, {"mine": [10.0]}, opposed=True)
    position.finish_epoch(9.0, {"mine": [9.0]}, opposed=True)
    assert (position.best_epoch, position.best, position.best_opposed) == (1, 9.0, True)
    assert "wrong way round in the best weights too" in gain_lines(position)[0]
    position.finish_epoch(20.0, {"mine": [20.0]})
    assert (position.best_epoch, position.best, position.waited) == (2, 20.0, 0)
    position.finish_epoch(5.0, {"mine": [5.0]}, opposed=True)
    assert (position.best_epoch, position.best, position.waited) == (2, 20.0, 1)
    assert "no start to be kept" in gain_lines(position)[0]


class Brightness(DepthNetwork):
    """Brighter is nearer, or with a negative sign farther."""

    def __init__(self, sign: float) -> None:
        torch.nn.Module.__init__(self)  # without the parts of a real one
        self.sign = torch.nn.Parameter(torch.tensor(sign))

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.sign * pixels.mean(1)


def test_a_validation_sees_what_its_figure_is_blind_to(tmp_path: Path) -> None:
    mine = ValidationSet(open_benchmark("folder", write_rooms(tmp_path / "rooms"), protocol="indoor"))
    rule = InputSpec(size=(72, 96), resize="lower_bound", interpolation="area")
    upright, turned = (validate(Brightness(sign), [mine], rule) for sign in (1.0, -1.0))
    assert (upright.opposed, turned.opposed) == ([], [mine.name])
    assert turned.figures == pytest.approx(upright.figures, rel=1e-3)


class Collapsed(Brightness):
    """One value but for the first row, as a network gives whose gradients have all gone flat."""

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        found = torch.ones_like(pixels[:, 0])
        found[:, 0] = 30 * self.sign
        return found


def test_a_validation_tells_a_collapsed_network(tmp_path: Path) -> None:
    mine = ValidationSet(open_benchmark("folder", write_rooms(tmp_path / "rooms"), protocol="indoor"))
    rule = InputSpec(size=(72, 96), resize="lower_bound", interpolation="area")
    assert validate(Brightness(1.0), [mine], rule).unrelated == []
    assert validate(Collapsed(1.0), [mine], rule).unrelated == [mine.name]


def test_a_folder_that_holds_a_run_is_left_alone_unless_asked_for(tmp_path: Path) -> None:
    for name in ("log.csv", "best.safetensors", "epoch_003.safetensors", "notes.txt"):
        (tmp_path / name).touch()
    with pytest.raises(ConfigError, match="holds a run already"):
        prepare_folder(tmp_path, resume=False, overwrite=False)
    prepare_folder(tmp_path, resume=True, overwrite=False)
    assert (tmp_path / "log.csv").exists()
    prepare_folder(tmp_path, resume=False, overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_model_that_sees_the_pictures_the_wrong_way_round_is_told_and_learns_by_a_loss_that_cannot(
    tmp_path: Path,
) -> None:
    data = write_rooms(tmp_path / "rooms")
    right, wrong = (look_at(data, "mm", lambda picture, sign=sign: sign * nearness(picture)) for sign in (1, -1))
    assert (right.agreement > 0.9, wrong.agreement < -0.9) == (True, True)
    assert "the other way round" in summary(wrong)
    assert [settings(own, tmp_path)["loss"]["data"] for own in (right, wrong)] == ["ssi_mse", "ssi_mae"]
