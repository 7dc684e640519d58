"""What MONAI Label asks of a bundle of volumes, without MONAI Label."""

import json

import nibabel
import numpy as np
import pytest
import torch
from bundle_support import VOLUME_BUNDLES, VOLUME_SIZES, random_weights, run, size_of, volume_bundle, write_volumes
from monai.bundle import ConfigParser
from monai.transforms import SaveImaged

from monai_sfda.label import adapt_site
from monai_sfda.networks import load_network

SMALL = {"precision": "float32", "epochs": 1, "batch_size": 4}


@pytest.fixture(params=VOLUME_SIZES)
def bundle(request, tmp_path):
    folder = volume_bundle(tmp_path / "bundle", request.param)
    random_weights(folder, folder / "models" / "model.pt")
    return folder


def parsed(bundle):
    """The config that MONAI Label reads, with its own ``bundle_root``."""
    parser = ConfigParser()
    parser.read_config(str(bundle / "configs" / "inference.json"))
    parser["bundle_root"] = str(bundle)
    return parser


def test_a_request_for_one_volume_gives_a_mask_on_its_voxels(bundle, tmp_path):
    affine = np.array([[0, 0, 3, 5], [0, -1.0, 0, 8], [1, 0, 0, -2], [0, 0, 0, 1]])
    values = np.random.default_rng(0).random((18, 20, 6), np.float32)
    nibabel.save(nibabel.Nifti1Image(values, affine), tmp_path / "scan.nii.gz")
    parser = parsed(bundle)
    network = load_network(parser.get_parsed_content("network_def"), bundle / "models" / "model.pt").eval()
    # the request, whose options are not ours
    item = {"image": str(tmp_path / "scan.nii.gz"), "device": "cpu", "model": "bundle", "result_extension": ".nii.gz"}
    for step in parser.get_parsed_content("preprocessing").transforms:
        item = step(item)
    with torch.no_grad():
        item["pred"] = parser.get_parsed_content("inferer")(item["image"][None], network)[0]
    steps = parser.get_parsed_content("postprocessing").transforms
    saving = [step for step in steps if isinstance(step, SaveImaged)]
    assert saving == [steps[-1]]  # what MONAI Label leaves out
    for step in steps[:-1]:
        item = step(item)
    assert item["pred"].shape == (1, 18, 20, 6)
    assert item["pred"].dtype == torch.uint8
    np.testing.assert_allclose(item["pred"].affine, affine)
    assert "spatial_shape" not in item["image"].meta  # by which MONAI Label would resize the mask


def test_masks_are_asked_for_as_nifti(bundle):
    assert parsed(bundle)["displayable_configs"]["result_extension"] == ".nii.gz"


def test_training_takes_the_studies_that_have_a_label(bundle, tmp_path):
    folder = write_volumes(tmp_path / "studies", 5, classes=2)
    names = [path.name for path in sorted((folder / "image").iterdir())]
    studies = [{"image": str(folder / "image" / name), "label": str(folder / "mask" / name)} for name in names]
    lists = {"train::dataset::data": studies[:3], "validate::dataset::data": studies[3:]}
    settings = {"train::trainer::max_epochs": 1, "batch_size": 2, "val_interval": 1, "image_size": size_of(bundle)}
    item = run(bundle, "train.json", ckpt_dir=str(tmp_path), **lists, **settings)
    seen = [item.parser.get_parsed_content(f"{kind}::dataset") for kind in ("train", "validate")]
    assert [{names.index(part["volume"].split("/")[-1]) for part in parts} for parts in seen] == [{0, 1, 2}, {3, 4}]
    assert json.loads((tmp_path / "passport.json").read_text())["images"] == 2


def test_the_weights_of_a_site_come_from_its_volumes(bundle, tmp_path):
    folder = write_volumes(tmp_path / "volumes")
    volumes = {path.name.removesuffix(".nii.gz"): str(path) for path in folder.iterdir()}
    weights = adapt_site(bundle, volumes, site="clinic", runs=tmp_path / "runs", image_size=size_of(bundle), **SMALL)
    assert weights == bundle / "models" / "model_clinic.pt"
    data = json.loads((tmp_path / "runs" / "clinic" / "report.json").read_text())["data"]
    assert data["sampled"].endswith(f"{'windows' if len(size_of(bundle)) == 3 else 'slices'} of 3 volumes")


@pytest.mark.parametrize("path", VOLUME_BUNDLES, ids=lambda path: path.name)
def test_segments_have_the_names_of_the_classes_and_images_the_axes_of_the_network(path):
    task, metadata = (json.loads((path / "configs" / name).read_text()) for name in ("task.json", "metadata.json"))
    formats = metadata["network_data_format"]
    names = task.get("class_names") or {str(number): name for name, number in task["structures"].items()}
    assert formats["outputs"]["pred"]["channel_def"] == {"0": "background", **names}
    assert formats["inputs"]["image"]["spatial_shape"] == task["image_size"]
