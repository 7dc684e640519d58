"""The app folder: copies of bundles, none of the leftovers."""

import json
import runpy
import shutil
import sys

import pytest
from bundle_support import ROOT

from monai_sfda.label import make_app

BUNDLE = ROOT / "bundles" / "nuclei_fluorescence"


@pytest.fixture
def bundle(tmp_path):
    return shutil.copytree(BUNDLE, tmp_path / "bundle", ignore=shutil.ignore_patterns("eval", "__pycache__"))


def test_the_folder_holds_main_and_a_copy_without_outputs(tmp_path, bundle):
    (bundle / "eval").mkdir()
    (bundle / "models" / "model_elsewhere.pt").touch()
    app = make_app(tmp_path / "app", [bundle])
    compile((app / "main.py").read_text(), "main.py", "exec")
    copy = app / "model" / "bundle"
    assert (copy / "models" / "model.pt").read_bytes() == (bundle / "models" / "model.pt").read_bytes()
    assert not (copy / "eval").exists()
    assert not (copy / "models" / "model_elsewhere.pt").exists()


def test_a_second_call_adds_bundles_and_keeps_adapted_weights(tmp_path, bundle):
    app = make_app(tmp_path / "app", [bundle])
    (app / "model" / "bundle" / "models" / "model_clinic.pt").write_bytes(b"adapted")
    make_app(app, [bundle, BUNDLE])
    assert (app / "model" / "bundle" / "models" / "model_clinic.pt").read_bytes() == b"adapted"
    assert json.loads((app / "model" / BUNDLE.name / "configs" / "metadata.json").read_text())["version"]


@pytest.mark.parametrize("missing", ["inference.json", "adapt.json"])
def test_what_cannot_be_adapted_is_refused_before_anything_is_written(tmp_path, bundle, missing):
    (bundle / "configs" / missing).unlink()
    with pytest.raises(FileNotFoundError, match=f"Expected a bundle with configs/{missing}"):
        make_app(tmp_path / "app", [bundle])
    assert not (tmp_path / "app").exists()


def test_an_app_without_bundles_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="Expected a bundle for the app"):
        make_app(tmp_path / "app", [])


def test_the_command_says_how_to_start(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["monai_sfda.label", str(tmp_path / "app"), str(BUNDLE)])
    runpy.run_module("monai_sfda.label", run_name="__main__")
    assert (
        f"monailabel start_server --app {tmp_path / 'app'} --studies IMAGES --host 127.0.0.1" in capsys.readouterr().out
    )
