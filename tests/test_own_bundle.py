"""What docs/own_bundle.md says, done for a task of three classes: train, score, adapt and predict."""

import csv
import json

import numpy as np
import pytest
import torch
from bundle_support import BUNDLES, ROOT, classes, command, run, write_images
from PIL import Image

from monai_sfda.template import write_configs

NUCLEI, FUNDUS = ROOT / "bundles" / "nuclei_fluorescence", ROOT / "bundles" / "fundus_disc_cup"
TYPED = ("--image_size", "[64,64]", "--precision", "float32")


@pytest.fixture
def mine(monkeypatch, tmp_path):
    folder = tmp_path / "mine"
    command(monkeypatch, "new", folder, "--from", NUCLEI, "--structures", "disc,cup")
    task = json.loads((folder / "configs" / "task.json").read_text())
    task["findings"] = {"_target_": "monai_sfda.organs.fundus.DiscAndCup", "disc": 1, "cup": 2}
    write_configs(folder / "configs", task)
    return folder


def test_training_on_few_images_keeps_weights_for_one_is_held_out(tmp_path):
    for bundle in BUNDLES:
        labelled = write_images(tmp_path / bundle.name, 4, classes=classes(bundle))
        run(bundle, "train.json", dataset_dir=str(labelled), ckpt_dir=str(tmp_path / "kept"), epochs=1, batch_size=2)
        (tmp_path / "kept" / "model.pt").unlink()


def test_three_classes_from_training_to_prediction(mine, monkeypatch, tmp_path):
    labelled = write_images(tmp_path / "labelled", 5, classes=2)
    images = labelled / "image"
    weights = mine / "models" / "model.pt"
    command(monkeypatch, "train", mine, labelled, "--epochs", "1", "--batch_size", "2", *TYPED)
    assert weights.exists()

    command(monkeypatch, "evaluate", mine, labelled, "--output", tmp_path / "scores", *TYPED)
    structures = json.loads((tmp_path / "scores" / "summary.json").read_text())["structures"]
    assert list(structures) == ["disc", "cup"]

    command(monkeypatch, "adapt", mine, images, "--output", tmp_path / "run", "--epochs", "1", *TYPED)
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    assert report["structures"] == ["disc", "cup"]
    with open(tmp_path / "run" / "history.csv", encoding="utf-8-sig") as file:
        assert {"balance_weight_disc", "balance_weight_cup"} <= set(next(csv.DictReader(file)))

    adapted = tmp_path / "run" / "bundle"
    command(monkeypatch, "predict", adapted, images, "--output", tmp_path / "out", "--precision", "float32")
    with open(tmp_path / "out" / "results.csv", encoding="utf-8-sig") as file:
        assert {"disc_pixels", "cup_pixels", "vertical_cup_to_disc_ratio"} <= set(next(csv.DictReader(file)))


def test_scores_of_three_classes_are_those_of_the_masks(mine, monkeypatch, tmp_path):
    """A network that says each pixel's class: every Dice is 1, so that no class is taken for another."""
    labelled = tmp_path / "labelled"
    ids = np.zeros((64, 64), np.uint8)
    ids[10:50, 10:50], ids[20:40, 20:40] = 1, 2
    for name, array in (("image", np.stack([ids * 100] * 3, -1)), ("mask", ids)):
        (labelled / name).mkdir(parents=True)
        Image.fromarray(array).save(labelled / name / "a.png")
    step = 2 * 100 / 255  # from one class to the next, in an image scaled to -1 to 1
    (tmp_path / "reader.py").write_text(
        "import torch\n\n\n"
        "class Reader(torch.nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.scale = torch.nn.Parameter(torch.tensor(99.0))\n\n"
        "    def forward(self, image):\n"
        f"        number = (image[:, :1] + 1) / {step}\n"
        "        return torch.cat([-self.scale * (number - k) ** 2 for k in range(3)], 1)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    (mine / "models").mkdir()
    torch.save({"scale": torch.tensor(99.0)}, mine / "models" / "model.pt")
    task = json.loads((mine / "configs" / "task.json").read_text())
    write_configs(mine / "configs", task | {"network_def": {"_target_": "reader.Reader"}})
    command(monkeypatch, "evaluate", mine, labelled, "--output", tmp_path / "scores", *TYPED)
    structures = json.loads((tmp_path / "scores" / "summary.json").read_text())["structures"]
    assert [scores["dice"]["mean"] for scores in structures.values()] == [1.0, 1.0]


def test_sigmoid_channels_that_exclude_each_other(monkeypatch, tmp_path):
    folder = tmp_path / "mine"
    command(monkeypatch, "new", folder, "--from", FUNDUS, "--structures", "left,right", "--head", "sigmoid")
    labelled = write_images(tmp_path / "labelled", 4, classes=2)
    command(monkeypatch, "train", folder, labelled, "--epochs", "1", "--batch_size", "2", *TYPED)
    assert list(json.loads((folder / "models" / "source_ratios.json").read_text())["ratios"]) == ["left", "right"]
    command(monkeypatch, "evaluate", folder, labelled, "--output", tmp_path / "scores", *TYPED)
    assert list(json.loads((tmp_path / "scores" / "summary.json").read_text())["structures"]) == ["left", "right"]
    command(monkeypatch, "adapt", folder, labelled / "image", "--output", tmp_path / "run", "--epochs", "1", *TYPED)
    adapted = tmp_path / "run" / "bundle"
    command(monkeypatch, "predict", adapted, labelled / "image", "--output", tmp_path / "out", "--flips", "True")
    with open(tmp_path / "out" / "results.csv", encoding="utf-8-sig") as file:
        columns = set(next(csv.DictReader(file)))
    assert {"left_pixels", "right_confidence", "right_flip_agreement"} <= columns
    assert "vertical_cup_to_disc_ratio" not in columns
