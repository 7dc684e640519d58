"""The bundles that were trained on phantoms say so wherever somebody could take their masks for more."""

import json

import pytest
from bundle_support import ROOT, command
from monai.bundle import ConfigParser

from monai_sfda.json_file import read_json
from monai_sfda.losses import source_ratios
from monai_sfda.organs.phantoms import write_phantoms
from monai_sfda.organs.prostate import draw_prostate

BUNDLES = [ROOT / "bundles" / name for name in ("prostate_mri", "spine_disc_mri")]
CAUTION = "phantoms: shows the workflow, means nothing for patients"


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda path: path.name)
def test_page_licence_and_metadata_have_the_caution(bundle):
    texts = [bundle / "docs" / "README.md", bundle / "docs" / "data_license.txt", bundle / "configs" / "metadata.json"]
    assert all(CAUTION in text.read_text().lower() for text in texts)
    assert CAUTION in read_json(bundle / "configs" / "metadata.json")["caution"].lower()


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda path: path.name)
def test_the_settings_of_adami_are_those_published_for_the_task(bundle):
    parser = ConfigParser(read_json(bundle / "configs" / "adapt.json"))
    method = parser["method"]
    expected = {
        "epochs": 100,
        "batch_size": 24,
        "learning_rate": 1e-6,
        "learning_rate_decay": 0.9,
        "weight_decay": 1e-4,
    }
    assert method["name"] == "adami"
    assert expected.items() <= method["settings"].items()
    assert method["settings"]["ratio_weight"] == 1
    assert method["learning_rate_step"] == 20
    weight = "method::criterion::criteria::entropy::class_weight"
    assert parser.get_parsed_content(weight) == [0.1, 0.9]


@pytest.mark.parametrize(("bundle", "share"), [(BUNDLES[0], 8000 / 148225), (BUNDLES[1], 579 / 65536)])
def test_the_published_prior_fits_the_structures(bundle, share):
    structures = read_json(bundle / "configs" / "task.json")["structures"]
    prior = source_ratios(bundle / "models" / "published_ratios.json", structures=structures)(["any"])
    assert prior[0].tolist() == pytest.approx([1 - share, share], abs=1e-5)


def test_reports_of_adaptation_and_prediction_have_the_caution(tmp_path, monkeypatch):
    write_phantoms(tmp_path / "target", draw_prostate, "endorectal", count=2, seed=5)
    images, run = tmp_path / "target" / "image", tmp_path / "run"
    command(monkeypatch, "adapt", BUNDLES[0], images, "--output", run, "--epochs", 1)
    command(monkeypatch, "predict", run / "bundle", images, "--output", tmp_path / "masks")
    assert CAUTION in json.loads((run / "report.json").read_text())["caution"]
    for report in (run / "report.html", tmp_path / "masks" / "report.html"):
        assert CAUTION in report.read_text()
