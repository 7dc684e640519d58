"""Bundles that are made of several networks, on tiny ones, through the bundle's own prediction."""

import json

import numpy as np
import pytest
import torch
from bundle_support import fails, write_images
from candidate_support import FUNDUS, copy_bundle
from torch import nn

from monai_sfda.candidates.build import build, parts_of
from monai_sfda.candidates.candidate import Candidate, Mixed
from monai_sfda.candidates.structures import read_structures
from monai_sfda.networks import read_weights
from monai_sfda.passport import write_passport
from monai_sfda.workflow import run_configs

STRUCTURES = read_structures(FUNDUS)
TINY = {"_target_": "torch.nn.Conv2d", "in_channels": 3, "out_channels": 2, "kernel_size": 1}
USED = {"precision": "float32", "finder": None, "image_size": [64, 64]}


def candidate(folder, name, slope, cutoff):
    """Structures are where the picture is bright: at more than -offset / slope in [-1, 1]."""
    bundle = copy_bundle(FUNDUS, folder / name, b"")
    for path in (bundle / "configs").glob("*.json"):
        config = json.loads(path.read_text())
        path.write_text(json.dumps({**config, **({"network_def": TINY} if "network_def" in config else {})}))
    network = nn.Conv2d(3, 2, 1)
    network.weight.data = torch.tensor([slope, slope / 2]).view(2, 1, 1, 1).expand(2, 3, 1, 1) / 3
    network.bias.data = torch.tensor([0.5, -0.5])
    weights = bundle / "models" / "model.pt"
    torch.save(network.state_dict(), weights)
    write_passport(weights, cutoff=cutoff)
    return Candidate(name, bundle, weights, {})


@pytest.fixture
def source(tmp_path):
    return candidate(tmp_path, "source", 4.0, {"disc": 0.5, "cup": 0.5})


@pytest.fixture
def dpl(tmp_path):
    return candidate(tmp_path, "dpl", 9.0, {"disc": 0.5, "cup": 0.4})


def masks(bundle, data, folder):
    """(images, 2, H, W) bool, as the bundle predicts them."""
    places = {"dataset_dir": data / "image", "results_dir": folder}
    run_configs(bundle, ["inference.json", "predict.json"], **USED, **places)
    return np.stack([STRUCTURES.read(path) for path in sorted((folder / "masks").iterdir())])


def test_structures_of_two_networks_are_joined_and_nested(tmp_path, source, dpl):
    data = write_images(tmp_path / "data", 2, classes=2)
    wanted = {"disc": source, "cup": dpl.at(0.6)}
    build(tmp_path / "both", wanted, STRUCTURES)
    config = json.loads((tmp_path / "both" / "configs" / "inference.json").read_text())["network_def"]
    assert (config["channels"], config["_desc_"]) == ([[0], [1]], "disc: source, cup: dpl at 0.6")
    passport = json.loads((tmp_path / "both" / "models" / "passport.json").read_text())
    assert passport["cutoff"] == {"disc": 0.5, "cup": 0.6}
    found = masks(tmp_path / "both", data, tmp_path / "found")
    first = masks(source.bundle, data, tmp_path / "first")
    build(tmp_path / "one", dict.fromkeys(STRUCTURES.names, dpl.at(0.6)), STRUCTURES)
    second = masks(tmp_path / "one", data, tmp_path / "second")
    assert first[:, 0].any()
    assert second[:, 1].any()
    assert not np.array_equal(first[:, 1], second[:, 1])
    assert np.array_equal(found[:, 0], first[:, 0])
    assert np.array_equal(found[:, 1] & second[:, 0], second[:, 1] & first[:, 0])
    assert not (found[:, 1] & ~found[:, 0]).any()
    places = {"dataset_dir": data, "output_dir": tmp_path / "scores"}
    run_configs(tmp_path / "both", ["inference.json", "evaluate.json"], **USED, **places)
    assert (tmp_path / "scores" / "cases.csv").is_file()


def test_a_joined_bundle_cannot_be_adapted_or_trained_again(monkeypatch, tmp_path, source, dpl):
    data = write_images(tmp_path / "data", 2, classes=2)
    build(tmp_path / "both", {"disc": source, "cup": dpl}, STRUCTURES)
    both = tmp_path / "both"
    for words in (["adapt", both, data / "image", "--output", tmp_path / "run"], ["train", both, data]):
        assert "found several in" in fails(monkeypatch, *words)


def test_weights_lie_between_those_of_both(tmp_path, source, dpl):
    half = dpl._replace(name="between source and dpl", mixed=Mixed("weights", source, dpl))
    build(tmp_path / "half", dict.fromkeys(STRUCTURES.names, half), STRUCTURES)
    own = read_weights(tmp_path / "half" / "models" / "model.pt")
    assert own["weight"][0, :, 0, 0].tolist() == pytest.approx([(4 + 9) / 2 / 3] * 3)
    assert json.loads((tmp_path / "half" / "models" / "passport.json").read_text())["cutoff"]["cup"] == 0.4
    torch.save({"weight": torch.ones(1)}, dpl.weights)
    with pytest.raises(ValueError, match="Expected weights of one network"):
        build(tmp_path / "other", dict.fromkeys(STRUCTURES.names, half), STRUCTURES)


def test_a_mean_of_outputs_needs_both_networks_and_shares_them(tmp_path, source, dpl):
    mean = dpl._replace(name="mean of source and dpl", mixed=Mixed("outputs", source, dpl))
    assert parts_of([mean, dpl.at(0.75), source]) == [source, dpl]
    build(tmp_path / "mean", {"disc": mean, "cup": dpl.at(0.75)}, STRUCTURES)
    config = json.loads((tmp_path / "mean" / "configs" / "task.json").read_text())["network_def"]
    assert config["channels"] == [[0, 1], [1]]
    assert len(config["networks"]) == 2
