import csv
import json

import nibabel
import numpy as np
from PIL import Image

from monai_sfda.fingerprint import setup_of
from monai_sfda.prediction.gather import write_results
from monai_sfda.prediction.made_with import UNKNOWN, MadeWith, made_with
from monai_sfda.same_run import refuse_other_masks
from monai_sfda.volumes import VolumeReader


def recorded(folder, **decisive):
    (folder / "weights").write_bytes(b"")
    refuse_other_masks(folder, images=folder / "images", weights=folder / "weights", **decisive)
    return folder


def test_a_prediction_knows_how_its_volumes_were_read(tmp_path):
    reader = VolumeReader([1.5, 1, 1], percentiles=[1, 99], pixel_size=[8, 2, 1])
    assert made_with(recorded(tmp_path, reader=setup_of(reader))) == MadeWith((1.5, 1, 1), (8, 2, 1))
    reader = VolumeReader([2, 2], z_score=3)
    assert made_with(recorded(tmp_path, reader=setup_of(reader))) == MadeWith((2, 2), None)


def test_corrected_masks_are_judged_by_the_limits_that_were_given(tmp_path):
    (tmp_path / "masks").mkdir()
    mask = np.zeros((32, 32), np.uint8)
    mask[4:8, 4:8] = mask[20:24, 20:24] = 1
    Image.fromarray(mask).save(tmp_path / "masks" / "a.png")
    items = [{"case": "a.png", "image": str(tmp_path / "a.png"), "output": "a.png"}]
    Image.fromarray(np.arange(1024, dtype=np.uint8).reshape(32, 32)).save(tmp_path / "a.png")
    (tmp_path / "failures.csv").write_text("case,reason\n")
    for limit, flags in ((0.95, {"in_pieces_nucleus": 1}), (None, {}), ({"nucleus": 0.2}, {})):
        recorded(tmp_path, thresholds={"in_pieces": limit})
        found = write_results(tmp_path, classes={1: "nucleus"}, images=items)
        assert found["flags"] == flags
        (tmp_path / "masks_of.json").unlink()


def test_without_a_record_of_its_reader_nothing_is_known(tmp_path):
    assert made_with(tmp_path) == UNKNOWN
    assert made_with(recorded(tmp_path, image_size=[64, 64])) == UNKNOWN
    (tmp_path / "masks_of.json").write_text(json.dumps({"reader": "of my own"}))
    assert made_with(tmp_path) == UNKNOWN


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
