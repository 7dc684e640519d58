"""Weights for a site from unlabelled images, without MONAI Label."""

import json
import shutil

import pytest
import torch
from bundle_support import ROOT, network_of, random_weights, write_images

from monai_sfda.label import adapt_site, methods_for_site, site_models
from monai_sfda.networks import load_network

SMALL = {"image_size": [64, 64], "precision": "float32", "epochs": 1}


@pytest.fixture
def bundle(tmp_path):
    source = ROOT / "bundles" / "nuclei_fluorescence"
    folder = shutil.copytree(source, tmp_path / "bundle", ignore=shutil.ignore_patterns("eval", "__pycache__"))
    random_weights(folder, folder / "models" / "model.pt")
    return folder


@pytest.fixture
def images(tmp_path):
    folder = write_images(tmp_path / "images")
    return {path.stem: str(path) for path in folder.iterdir()}


def test_the_weights_of_a_site_lie_beside_untouched_source_weights(tmp_path, bundle, images, capsys):
    source = (bundle / "models" / "model.pt").read_bytes()
    weights = adapt_site(bundle, images, site="clinic", runs=tmp_path / "runs", **SMALL)
    assert weights == bundle / "models" / "model_clinic.pt"
    assert (bundle / "models" / "model.pt").read_bytes() == source
    adapted, before = load_network(network_of(bundle), weights).state_dict(), network_of(bundle).state_dict()
    assert any(not torch.equal(adapted[name], before[name]) for name in before)
    assert "adapting: epoch 1 of 1" in capsys.readouterr().out
    assert json.loads((tmp_path / "runs" / "progress.json").read_text())["epoch"] == 1
    assert json.loads((tmp_path / "runs" / "clinic" / "report.json").read_text())["data"]["images"] == 3


def test_only_the_given_images_are_used(tmp_path, bundle, images):
    del images["case_1"]
    adapt_site(bundle, images, site="two", runs=tmp_path / "runs", method="bn_stats", **SMALL)
    listed = json.loads((tmp_path / "runs" / "two" / "datalist.json").read_text())["images"]
    assert [item["case"] for item in listed] == ["case_0", "case_2"]


def test_a_run_that_was_stopped_before_the_last_copy_is_finished(tmp_path, bundle, images):
    weights = adapt_site(bundle, images, site="clinic", runs=tmp_path / "runs", **SMALL)
    content = weights.read_bytes()
    weights.unlink()
    (tmp_path / "runs" / "progress.json").unlink()
    assert adapt_site(bundle, images, site="clinic", runs=tmp_path / "runs", **SMALL).read_bytes() == content
    assert not (tmp_path / "runs" / "progress.json").exists()  # nothing was learnt again


def test_a_finished_run_does_not_answer_another_request(tmp_path, bundle, images):
    weights = adapt_site(bundle, images, site="clinic", runs=tmp_path / "runs", method="bn_stats", **SMALL)
    weights.unlink()
    for other in ({"method": "tent"}, {"method": "bn_stats", "epochs": 2}):
        with pytest.raises(FileExistsError, match="found others; choose another site"):
            adapt_site(bundle, images, site="clinic", runs=tmp_path / "runs", **{**SMALL, **other})
    del images["case_1"]
    with pytest.raises(FileExistsError, match="found others; choose another site"):
        adapt_site(bundle, images, site="clinic", runs=tmp_path / "runs", method="bn_stats", **SMALL)
    assert not weights.exists()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"site": "../clinic"}, ValueError, "Expected a site of letters"),
        ({"site": ""}, ValueError, "Expected a site of letters"),
        ({"method": "dae"}, ValueError, "Expected a method that keeps the network"),
        ({"images": {"case_0": "case_0.png"}}, ValueError, "Expected at least 2 images to adapt to, found 1"),
        ({"site": "there"}, FileExistsError, "found model_there.pt already there"),
    ],
)
def test_a_mistake_is_refused_before_anything_is_written(tmp_path, bundle, images, change, error, message):
    (bundle / "models" / "model_there.pt").write_bytes(b"kept")
    given = {"images": images, "site": "clinic", "runs": tmp_path / "runs", **change}
    with pytest.raises(error, match=message):
        adapt_site(bundle, given.pop("images"), **given)
    assert not (tmp_path / "runs").exists()
    assert (bundle / "models" / "model_there.pt").read_bytes() == b"kept"


def test_weights_of_other_networks_are_no_choice(bundle):
    for name in ("model_b.pt", "model_a.pt", "denoiser.pt"):
        (bundle / "models" / name).touch()
    assert site_models(bundle) == ["model.pt", "model_a.pt", "model_b.pt"]


def test_recipes_that_change_the_network_are_no_choice(bundle):
    methods = methods_for_site(bundle)
    assert methods[0] == "cbmt"
    assert "bn_stats" in methods
    assert "dae" not in methods
