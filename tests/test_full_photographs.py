"""Full photographs, not cut by hand, adapted to and scored: the disc is found first."""

import csv
import json

import pytest
from bundle_support import ROOT, run
from monai.bundle import ConfigParser
from monai.transforms import Compose
from PIL import Image

from monai_sfda.organs.fundus.simulated import CAMERAS
from monai_sfda.organs.fundus.simulated.full_photograph import simulate_full
from monai_sfda.root_cause import root_cause

FUNDUS = ROOT / "bundles" / "fundus_disc_cup"
NO_DISC = "eye_3.png"


@pytest.fixture(scope="module")
def clinic(tmp_path_factory):
    """Labelled photographs of three eyes, and a fourth turned away."""
    folder = tmp_path_factory.mktemp("clinic")
    for name in ("image", "mask"):
        (folder / name).mkdir()
    for index in range(4):
        eye = simulate_full(index, camera=CAMERAS["source"], disc=f"eye_{index}.png" != NO_DISC)
        Image.fromarray(eye.image).save(folder / "image" / f"eye_{index}.png")
        Image.fromarray(eye.mask).save(folder / "mask" / f"eye_{index}.png")
    return folder


def test_adaptation_sees_the_disc_and_leaves_out_what_shows_none(clinic, tmp_path):
    places = {"dataset_dir": str(clinic / "image"), "output_dir": str(tmp_path / "run")}
    run(FUNDUS, "adapt.json", "methods/bn_stats.json", epochs=1, batch_size=2, image_size=[256, 256], **places)
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    assert report["data"]["images"] == 3
    assert [row["case"] for row in report["data"]["skipped"]] == [NO_DISC]
    assert report["data"]["skipped"][0]["reason"].startswith("Expected an optic disc in the photograph, found none")
    assert 0.1 < report["change"]["disc"]["area_before"] < 0.4  # as in crops; of the whole photograph it is 2 % or less


def test_scores_of_full_photographs_are_those_of_the_disc_found(clinic, tmp_path):
    output = tmp_path / "scores"
    places = {"dataset_dir": str(clinic), "output_dir": str(output)}
    run(FUNDUS, "inference.json", "evaluate.json", image_size=[256, 256], **places)
    with (output / "cases.csv").open(encoding="utf-8-sig") as file:
        rows = {row["case"]: row for row in csv.DictReader(file)}
    found = [row for case, row in rows.items() if not case.endswith(NO_DISC)]
    assert len(found) == 3
    assert min(float(row["disc_dice"]) for row in found) > 0.9  # 0.95 to 0.98 with the shipped weights
    turned_away = rows[NO_DISC]
    assert turned_away["disc_empty_reference"] == "1"  # counted, not left out


def test_masks_with_and_without_a_search_for_the_disc_are_not_mixed(clinic, tmp_path):
    places = {"dataset_dir": str(clinic / "image"), "results_dir": str(tmp_path / "out"), "image_size": [64, 64]}
    run(FUNDUS, "inference.json", "predict.json", finder=None, **places)
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["images"] == 4
    with pytest.raises(Exception) as error:  # noqa: PT011 - whatever MONAI wraps the sentence in
        run(FUNDUS, "inference.json", "predict.json", **places)
    assert "found other finder" in str(root_cause(error.value))


def test_training_sees_the_disc_at_the_scale_of_prediction(clinic):
    parser = ConfigParser()
    parser.read_config(str(FUNDUS / "configs" / "train.json"))
    parser.update({"bundle_root": str(FUNDUS), "dataset_dir": str(clinic)})
    read = Compose(parser.get_parsed_content("reading"))
    items = [read(pair) for pair in parser.get_parsed_content("pairs")]
    shares = {float(item["label"][0].mean()) for item in items if item["label"].any()}
    assert {item["image"].shape for item in items} == {(3, 256, 256)}
    assert len(shares) == 3
    assert 0.1 < min(shares) <= max(shares) < 0.4  # of the whole photographs it is 2 % or less
