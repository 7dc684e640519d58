"""What the findings of a bundle add to a prediction does not depend on what its classes are called."""

import csv
import json
import shutil

import pytest
from bundle_support import ROOT, run
from PIL import Image

from monai_sfda.organs.fundus.simulated import CAMERAS, simulate_fundus

BUNDLE = ROOT / "bundles" / "fundus_disc_cup"


def rename(bundle, disc, cup):
    for name in ("inference", "metadata"):
        path = bundle / "configs" / f"{name}.json"
        text = path.read_text()
        path.write_text(text.replace('"optic disc"', f'"{disc}"').replace('"optic cup"', f'"{cup}"'))


def predicted(bundle, images, output, **settings):
    """Rows of results.csv and the summary of a folder of photographs."""
    configs = ("inference.json", "predict.json")
    settings |= {"dataset_dir": str(images), "results_dir": str(output), "pseudonym_salt": "a long secret"}
    run(bundle, *configs, image_size=[256, 256], **settings)
    with open(output / "results.csv", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file)), json.loads((output / "summary.json").read_text())


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    (folder / "left").mkdir()
    for index in range(2):
        picture, _ = simulate_fundus(index, camera=CAMERAS["source"], size=256)
        Image.fromarray(picture).save(folder / "left" / f"{index}.png")
    return folder


@pytest.fixture(scope="module")
def named(images, tmp_path_factory):
    return predicted(BUNDLE, images, tmp_path_factory.mktemp("named") / "out")


@pytest.mark.parametrize(("disc", "cup"), [("disc", "cup"), ("Papille", "Exkavation")])
def test_renamed_classes_rename_only_their_own_columns(images, named, tmp_path, disc, cup):
    bundle = shutil.copytree(BUNDLE, tmp_path / "bundle")
    rename(bundle, disc, cup)
    rows, summary = predicted(bundle, images, tmp_path / "out")
    text = json.dumps(named).replace("optic_disc", disc).replace("optic_cup", cup)
    assert [rows, summary] == json.loads(text)
    assert rows[0]["laterality"] == "left"
    assert rows[0]["vertical_cup_to_disc_ratio"]


def test_without_findings_there_are_areas_only(images, named, tmp_path):
    rows, _ = predicted(BUNDLE, images, tmp_path / "out", findings=None)
    assert set(rows[0]) < set(named[0][0])
    missing = set(named[0][0]) - set(rows[0])
    assert {
        "laterality",
        "vertical_cup_to_disc_ratio",
        "rim_min_top_px",
        "disc_at_border",
        "cup_outside_disc",
    } <= missing
    assert not any(name.startswith("optic") for name in missing)
