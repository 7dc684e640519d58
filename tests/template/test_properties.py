"""The configs of every bundle have the properties that MONAI asks for, under the names by which it looks for them."""

import pytest
from bundle_support import ALL_BUNDLES, VOLUME_SIZES, recipe_id, volume_bundle
from monai.bundle import ConfigWorkflow


@pytest.fixture(params=[*ALL_BUNDLES, *VOLUME_SIZES], ids=recipe_id)
def bundle(request, tmp_path):
    return request.param if request.param in ALL_BUNDLES else volume_bundle(tmp_path / "bundle", request.param)


@pytest.mark.parametrize("name", ["train", "train_denoiser", "inference"])
def test_properties_are_found_where_they_are_referred_to(bundle, name):
    kind = "inference" if name == "inference" else "train"
    item = ConfigWorkflow(
        str(bundle / "configs" / f"{name}.json"), logging_file=False, bundle_root=str(bundle), workflow_type=kind
    )
    item.parser.parse()
    asked = item.properties.items()
    missing = [about["id"] for _, about in asked if about["required"] and about["id"] not in item.parser]
    wrong = [property for property, about in asked if not item._check_optional_id(property, about)]
    assert [*missing, *wrong] == []
