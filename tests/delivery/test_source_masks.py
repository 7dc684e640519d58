import json

import pytest
from bundle_support import ROOT
from monai.bundle import ConfigParser

from monai_sfda.delivery import source_masks


@pytest.fixture
def models(tmp_path):
    folder = tmp_path / "bundle" / "models"
    folder.mkdir(parents=True)
    content = {"data": "camera A", "images": 12, "ratios": {"disc": 0.17, "cup": 0.04}}
    (folder / "source_ratios.json").write_text(json.dumps(content))
    return folder


def read(models, name="source_ratios.json", checkpoint="model.pt"):
    return source_masks(models / name, bundle_root=models.parent, checkpoint=models / checkpoint)


def test_a_bundle_knows_the_masks_of_its_own_weights(models):
    assert read(models) == {"shares": {"disc": 0.17, "cup": 0.04}, "data": "camera A", "images": 12}


@pytest.mark.parametrize(
    ("name", "structures"), [("fundus_disc_cup", {"disc", "cup"}), ("nuclei_fluorescence", {"nucleus"})]
)
def test_the_recipes_of_a_bundle_read_its_own(name, structures):
    parser = ConfigParser()
    parser.read_config(str(ROOT / "bundles" / name / "configs" / "adapt.json"))
    parser["bundle_root"] = str(ROOT / "bundles" / name)
    assert structures <= set(parser.get_parsed_content("source_masks")["shares"])
    assert "@source_masks" in parser["initialize"][1]  # a damaged file is seen before the work
    parser = ConfigParser(parser.get() | {"checkpoint": "released.pt"})
    assert parser.get_parsed_content("source_masks") == {}


def test_of_other_weights_the_file_of_the_bundle_says_nothing(models):
    assert read(models, checkpoint="released.pt") == {}


def test_of_other_weights_a_file_that_was_named_for_them_is_read(models):
    (models / "other.json").write_text('{"ratios": {"cup": 0.2}}')
    assert read(models, "other.json", "released.pt")["shares"] == {"cup": 0.2}


def test_a_bundle_without_the_file_knows_nothing(models):
    (models / "source_ratios.json").unlink()
    assert read(models) == {}


def test_a_file_that_was_named_and_is_not_there_is_one_sentence(models):
    with pytest.raises(FileNotFoundError, match="Expected a file at"):
        read(models, "mistyped.json")


@pytest.mark.parametrize("content", ['{"ratios": {"cup": 20}}', '{"ratios": [0.2]}', "{}"])
def test_a_file_of_another_kind_is_one_sentence(models, content):
    (models / "source_ratios.json").write_text(content)
    with pytest.raises(ValueError, match="Expected ratios, a share between 0 and 1"):
        read(models)
