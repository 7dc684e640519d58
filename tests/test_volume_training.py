"""A network of volumes, and one of their slices, learns from labelled volumes."""

import json
import math

import pytest
import torch
from bundle_support import VOLUME_SIZES, network_of, run, size_of, volume_bundle, write_volumes

from monai_sfda.data import find_pairs
from monai_sfda.tables import read_csv
from monai_sfda.training import class_ratios


@pytest.fixture(params=VOLUME_SIZES)
def bundle(request, tmp_path):
    return volume_bundle(tmp_path / "bundle", request.param)


@pytest.fixture
def labelled(tmp_path):
    return write_volumes(tmp_path / "labelled", 5, classes=2, shape=(14, 16, 6))


def test_weights_passport_and_curves_are_left(bundle, labelled, tmp_path):
    settings = {"epochs": 2, "batch_size": 2, "val_interval": 1, "val_share": 0.4, "image_size": size_of(bundle)}
    item = run(bundle, "train.json", dataset_dir=str(labelled), ckpt_dir=str(bundle / "models"), **settings)
    parts = item.parser.get_parsed_content("train::dataset")
    assert parts.sampled == ("6 windows of 3 volumes" if len(size_of(bundle)) == 3 else "18 slices of 3 volumes")
    assert all(math.isfinite(float(row["loss"])) for row in read_csv(bundle / "models" / "training.csv"))
    assert all(tensor.isfinite().all() for tensor in network_of(bundle).state_dict().values())
    passport = json.loads((bundle / "models" / "passport.json").read_text())
    assert passport["images"] == 2  # volumes, not their parts
    assert set(passport["cutoff"]) == {"outer", "inner"}


def test_patients_are_kept_together(bundle, labelled, tmp_path):
    settings = {"image_size": size_of(bundle), "patient": "case_([01234])", "val_share": 0.4, "epochs": 1}
    for kind in ("image", "mask"):
        (labelled / kind / "case_4.nii.gz").rename(labelled / kind / "case_0_again.nii.gz")
    item = run(bundle, "train.json", dataset_dir=str(labelled), ckpt_dir=str(tmp_path), batch_size=2, **settings)
    patients = [{pair["case"][:6] for pair in part} for part in item.parser.get_parsed_content("split")]
    assert not patients[0] & patients[1]
    assert patients[0] | patients[1] == {f"case_{number}" for number in range(4)}


def test_a_denoiser_learns_from_label_maps_of_volumes(bundle, labelled, tmp_path):
    size = [32] * len(size_of(bundle))
    settings = {"epochs": 1, "batch_size": 2, "val_interval": 1, "val_share": 0.4, "size": size}
    run(
        bundle, "train_denoiser.json", dataset_dir=str(labelled), ckpt_dir=str(tmp_path), image_size=size_of(bundle),
        **settings,
    )  # fmt: skip
    atlas = torch.load(tmp_path / "atlas.pt", weights_only=True)
    assert atlas.shape == (3, *size)
    torch.testing.assert_close(atlas.sum(0), torch.ones(size))
    assert (tmp_path / "model.pt").exists()


def test_class_ratios_are_those_of_what_the_network_sees(bundle, labelled):
    pairs = find_pairs(labelled)
    ratios, _, count = class_ratios(pairs, {"background": [0], "outer": [1], "inner": [2]}, bundle)
    assert count == (10 if len(size_of(bundle)) == 3 else 30)
    assert sum(ratios.values()) == pytest.approx(1, abs=1e-5)
    assert ratios["outer"] > ratios["inner"] > 0
