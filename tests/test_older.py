"""A bundle of version 0.1 asks for modules that have moved; one command rewrites it."""

import importlib
import json
import sys

import pytest
from bundle_support import fails

from monai_sfda.older import MOVED, convert, is_older, main

OLD = {
    "imports": ["$from monai_sfda.clinic import class_names", "$from monai_sfda.data import find_images"],
    "reader": {"_target_": "monai_sfda.transforms.PhotoReader"},
    "row": {"_target_": "monai_sfda.clinic.DescribeCased"},
    "views": {"_target_": "monai_sfda.transforms.WeakStrongViews"},
}


@pytest.mark.parametrize("room", sorted({room for rooms in MOVED.values() for room in rooms}))
def test_the_new_names_are_there(room):
    module = importlib.import_module(room)
    names = {name for rooms in MOVED.values() for name in rooms.get(room, ())} - {"describe"}  # now setup_of
    assert all(hasattr(module, name) for name in names)


def test_what_moved_is_renamed_and_nothing_else():
    now = json.loads(convert(json.dumps(OLD)))
    assert now["imports"] == ["$from monai_sfda.prediction import class_names", OLD["imports"][1]]
    assert now["reader"]["_target_"] == "monai_sfda.imageio.PhotoReader"
    assert now["row"]["_target_"] == "monai_sfda.prediction.DescribeCased"
    assert now["views"] == OLD["views"]
    assert is_older(json.dumps(OLD))
    assert not is_older(json.dumps(now))


def test_a_command_on_an_older_bundle_says_how_to_rewrite_it(monkeypatch, tmp_path, capsys):
    configs = tmp_path / "bundle" / "configs"
    configs.mkdir(parents=True)
    for name in ("inference", "predict", "metadata"):
        (configs / f"{name}.json").write_text(json.dumps(OLD))
    (tmp_path / "images").mkdir()
    words = ("predict", tmp_path / "bundle", tmp_path / "images", "--output", tmp_path / "out")
    assert f"python -m monai_sfda.older {tmp_path / 'bundle'}" in fails(monkeypatch, *words)
    monkeypatch.setattr(sys, "argv", ["older", str(tmp_path / "bundle")])
    main()
    assert "Rewritten: inference.json, metadata.json, predict.json." in capsys.readouterr().out
    assert json.loads((configs / "inference.json").read_text()) == json.loads(convert(json.dumps(OLD)))


def test_a_bundle_that_searches_for_the_disc_keeps_its_findings():
    text = """{
    "finder": {
        "_target_": "monai_sfda.transforms.DiscFinder"
    },
    "found": "$pseudonymise(@listed, @salt, table=@pseudonym_table)",
    "row": {
        "_target_": "monai_sfda.clinic.DescribeCased",
        "classes": {"1": "optic disc", "2": "optic cup"},
        "keys": "x"
    }
}"""
    now = json.loads(convert(text, fundus=True))
    assert now["findings"]["_target_"] == "monai_sfda.organs.fundus.DiscAndCup"
    assert now["row"]["findings"] == "@findings"
    assert now["found"].endswith("keep=@findings.keep)")
