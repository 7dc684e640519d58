"""The table of sizes: written from masks, read as a prior, used by an adaptation to volumes."""

import json

import nibabel as nib
import numpy as np
import pytest
import torch
from bundle_support import random_weights, run, volume_bundle, workflow, write_volumes

from monai_sfda.losses import RatioTable
from monai_sfda.root_cause import root_cause
from monai_sfda.training import write_sizes

CHANNELS = {"background": [0], "outer": [1], "inner": [2]}
SIDES = (16, 32)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """Sees slices of 16 x 32 pixels of 1 mm."""
    return volume_bundle(tmp_path_factory.mktemp("slices") / "bundle", "slices")


def labelled(folder, *slices):
    """A volume whose slices hold so many voxels of class 1 and of class 2."""
    values = np.random.default_rng(0).normal(0, 1, (32, 16, len(slices))).astype(np.float32)
    ids = np.zeros(values.shape, np.uint8)
    for number, (outer, inner) in enumerate(slices):
        ids[10 : 10 + outer, 4, number], ids[10 : 10 + inner, 8, number] = 1, 2
    for name, array in (("image", values), ("mask", ids)):
        (folder / name).mkdir(parents=True, exist_ok=True)
        nib.save(nib.Nifti1Image(array, np.diag([-1.0, -1, 3, 1])), folder / name / "p1.nii.gz")
    return folder


def test_sizes_are_the_means_of_the_slices_that_show_a_class(bundle, tmp_path):
    source = labelled(tmp_path / "source", (8, 0), (4, 2), (0, 4))
    target = labelled(tmp_path / "target", (1, 0), (0, 0), (9, 9))
    table = tmp_path / "sizes.csv"
    assert write_sizes(table, source, target, CHANNELS, bundle) == {"background": 503, "outer": 6, "inner": 3}
    assert table.read_text() == (
        "val_ids;dumbpredwtags;dumbprednotags\n"
        "p1.nii.gz slice 1;[506, 6, 0];[503, 6, 3]\n"
        "p1.nii.gz slice 2;[512, 0, 0];[503, 6, 3]\n"
        "p1.nii.gz slice 3;[503, 6, 3];[503, 6, 3]\n"
    )
    prior = RatioTable(table, column="dumbpredwtags", uses_target_tags=True)
    assert torch.allclose(prior(["p1.nii.gz slice 1"]), torch.tensor([[506, 6, 0]]) / 512)


def test_images_without_masks_have_no_tags(bundle, tmp_path):
    source = labelled(tmp_path / "source", (8, 0), (4, 2))
    write_sizes(tmp_path / "sizes.csv", source, source / "image", CHANNELS, bundle)
    assert (tmp_path / "sizes.csv").read_text().splitlines()[:2] == [
        "val_ids;dumbprednotags",
        "p1.nii.gz slice 1;[504, 6, 2]",
    ]


@pytest.mark.parametrize("channels", [{"outer": [1], "background": [0]}, {"background": [0], "a": [1, 2], "b": [2]}])
def test_overlapping_classes_are_refused(bundle, tmp_path, channels):
    source = labelled(tmp_path / "source", (8, 2))
    with pytest.raises(ValueError, match="Expected exclusive classes with the background first"):
        write_sizes(tmp_path / "sizes.csv", source, source, channels, bundle)


def test_a_class_that_the_source_never_shows_is_named_and_nothing_is_written(bundle, tmp_path):
    source = labelled(tmp_path / "source", (8, 0))
    with pytest.raises(ValueError, match=r"Expected inner in a mask of .*, found it in none"):
        write_sizes(tmp_path / "sizes.csv", source, source, CHANNELS, bundle)
    assert not (tmp_path / "sizes.csv").exists()


def adaptation(bundle, tmp_path, table):
    source = write_volumes(tmp_path / "volumes", 2, classes=2)
    write_sizes(table, source, source, CHANNELS, bundle)
    return {
        "dataset_dir": str(source / "image"),
        "output_dir": str(tmp_path / "run"),
        "checkpoint": str(random_weights(bundle, tmp_path / "model.pt")),
        "image_size": list(SIDES),
        "epochs": 1,
        "batch_size": 4,
        "method::parts::prior": {
            "_target_": "monai_sfda.losses.RatioTable",
            "path": str(table),
            "column": "dumbpredwtags",
            "uses_target_tags": True,
        },
    }


@pytest.mark.parametrize("method", ["adami", "adaent"])
def test_an_adaptation_with_tags_says_so_in_record_and_report(bundle, tmp_path, method):
    run(bundle, "adapt.json", f"methods/{method}.json", **adaptation(bundle, tmp_path, tmp_path / "sizes.csv"))
    facts = json.loads((tmp_path / "run/report.json").read_text())["method"]
    assert facts["uses_target_tags"] is True
    assert facts["reconstruction"] is False  # exclusive classes, as published for the heart
    assert "Image-level labels of these images" in (tmp_path / "run/report.html").read_text()


def test_a_slice_that_the_table_lacks_is_named_before_the_first_step(bundle, tmp_path):
    table = tmp_path / "sizes.csv"
    item = workflow(bundle, "adapt.json", "methods/adami.json", **adaptation(bundle, tmp_path, table))
    table.write_text("".join(row for row in table.read_text().splitlines(True) if "case_1.nii.gz slice 3" not in row))
    with pytest.raises(RuntimeError) as error:
        item.initialize()
    assert "found none for 1 (case_1.nii.gz slice 3)" in str(root_cause(error.value))
    assert not (tmp_path / "run/history.csv").exists()
