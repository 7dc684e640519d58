import csv
import json

import nibabel
import numpy as np
from PIL import Image

from monai_sfda.fingerprint import setup_of
from monai_sfda.prediction.gather import write_results
from monai_sfda.prediction.read_with import UNKNOWN, ReadWith, read_with
from monai_sfda.same_run import refuse_other_masks
from monai_sfda.volumes import VolumeReader


def recorded(folder, **decisive):
    (folder / "weights").write_bytes(b"")
    refuse_other_masks(folder, images=folder / "images", weights=folder / "weights", **decisive)
    return folder


def test_a_prediction_knows_how_its_volumes_were_read(tmp_path):
    reader = VolumeReader([1.5, 1, 1], percentiles=[1, 99], pixel_size=[8, 2, 1])
    assert read_with(recorded(tmp_path, reader=setup_of(reader))) == ReadWith((1.5, 1, 1), (8, 2, 1))
    reader = VolumeReader([2, 2], z_score=3)
    assert read_with(recorded(tmp_path, reader=setup_of(reader))) == ReadWith((2, 2), None)


def test_without_a_record_of_its_reader_nothing_is_known(tmp_path):
    assert read_with(tmp_path) == UNKNOWN
    assert read_with(recorded(tmp_path, image_size=[64, 64])) == UNKNOWN
    (tmp_path / "masks_of.json").write_text(json.dumps({"reader": "of my own"}))
    assert read_with(tmp_path) == UNKNOWN


def test_corrected_masks_of_pictures_without_a_distance_of_slices_have_no_ml(tmp_path):
    reader = VolumeReader([2.5, 2.5], percentiles=[1, 99], pixel_size=[1.25, 1.25])
    recorded(tmp_path, reader=setup_of(reader))
    (tmp_path / "masks").mkdir()
    mask = nibabel.Nifti1Image(np.ones((8, 6, 2), np.uint8), np.diag([-1.25, -1.25, 1, 1]))
    mask.header.set_xyzt_units("mm")  # as ITK writes it into every file
    nibabel.save(mask, tmp_path / "masks" / "p.nii.gz")
    paths = [str(tmp_path / f"p_{number}.png") for number in range(2)]
    for path in paths:
        Image.fromarray(np.arange(48, dtype=np.uint8).reshape(6, 8)).save(path)
    (tmp_path / "failures.csv").write_text("case,reason\n")
    write_results(tmp_path, classes={1: "x"}, images=[{"case": "p", "image": paths, "output": "p.nii.gz"}])
    with open(tmp_path / "results.csv", encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["x_voxels"], row["x_ml"]) == ("96", "")
