import pytest
from bundle_support import ALL_BUNDLES, recipe_id
from monai.bundle import ConfigParser
from monai.transforms import Compose

from monai_sfda.json_file import read_json
from monai_sfda.prediction import DescribeCased
from monai_sfda.prediction.metadata import class_names, model_name, same_classes


def test_background_is_no_structure():
    names = {"0": "background", "1": "optic disc", "2": "optic cup"}
    metadata = {"network_data_format": {"outputs": {"pred": {"channel_def": names}}}}
    assert class_names(metadata) == {1: "optic disc", 2: "optic cup"}


@pytest.mark.parametrize("metadata", [{}, {"network_data_format": None}, {"network_data_format": {"outputs": {}}}])
def test_metadata_without_classes_are_refused(metadata):
    with pytest.raises(ValueError, match="found no channel_def"):
        class_names(metadata)


def test_an_adapted_bundle_says_so():
    metadata = {"name": "eyes", "version": "0.3"}
    assert model_name(metadata) == ("eyes", "0.3")
    assert model_name(metadata | {"adaptation": {"method": "cbmt"}}) == ("eyes", "0.3, adapted with cbmt")
    assert model_name({}) == ("unknown", "unknown")


@pytest.mark.parametrize("classes", [{1: "cup", 2: "disc"}, {0: "disc", 1: "cup"}, {1: "disc"}])
def test_metadata_of_other_classes_than_the_label_map_are_refused(classes):
    steps = Compose([DescribeCased("pred", classes={"2": "cup", "1": "disc"})])
    same_classes({1: "disc", 2: "cup"}, steps)
    with pytest.raises(ValueError, match=r"Expected the classes of the label map .*1: 'disc'.* as channel_def"):
        same_classes(classes, steps)


@pytest.mark.parametrize("bundle", ALL_BUNDLES, ids=recipe_id)
def test_metadata_of_the_shipped_bundles_name_the_classes_of_their_label_maps(bundle):
    names = ConfigParser(read_json(bundle / "configs" / "inference.json")).get_parsed_content("class_names")
    found = class_names(read_json(bundle / "configs" / "metadata.json"))
    assert found == {int(number): name for number, name in names.items()}
