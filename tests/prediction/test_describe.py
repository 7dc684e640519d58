import json

import nibabel
import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from monai_sfda.organs.fundus import DiscAndCup
from monai_sfda.prediction.describe import DescribeCased

CLASSES = {"1": "optic disc", "2": "optic cup"}  # as JSON has it
EYE = DiscAndCup(disc=1, cup=2)


def eye(height=96, width=128):
    rows, columns = np.mgrid[:height, :width]
    distance = np.hypot(rows - 48, columns - 64)
    return ((distance < 30).astype(np.uint8) + (distance < 15)).astype(np.uint8)


def item(**more):
    """A photograph of 96 x 128 whose network works at 48 x 48 and is sure of a disc and a cup."""
    ids = eye()
    small = torch.from_numpy(eye()[::2, ::2][:, 8:56])
    image = torch.rand(3, 48, 48, generator=torch.Generator().manual_seed(0)) - 0.5
    prob = torch.stack([small > 0, small > 1]).float() * 0.98 + 0.01
    return {"pred": torch.from_numpy(ids.T.copy())[None], "image": image, "prob": prob, "case": "a/1_OD.png", **more}


def row_of(classes=CLASSES, **more):
    return DescribeCased("pred", classes=classes, findings=EYE, cutoff=0.75)(item(**more))["row"]


def test_the_row_of_a_sure_prediction():
    row = row_of()
    assert (row["file"], row["status"], row["flags"]) == ("a/1_OD.png", "ok", {})
    assert (row["height"], row["width"]) == (96, 128)
    assert row["vertical_cup_to_disc_ratio"] == round(29 / 59, 4)  # pixels closer than 15 and 30: 29 and 59 rows
    assert (row["laterality"], row["laterality_from"], row["nasal_side"]) == ("right", "name", "right")
    assert row["cup_outside_disc"] == 0


def test_the_eye_is_that_of_the_name_that_a_pseudonym_hides():
    row = row_of(case="0f2a_OS", kept="right")
    assert (row["laterality"], row["laterality_from"]) == ("right", "name")
    assert row_of(case="0f2a_OS", kept="")["laterality"] is None


def test_a_name_that_contradicts_the_header_is_to_be_looked_at():
    row = row_of(laterality="L")
    assert (row["laterality"], row["laterality_from"], row["eye_conflict"]) == ("left", "DICOM", True)
    assert (row["status"], list(row["flags"])) == ("review", ["eye_conflict"])
    assert row_of(laterality="R")["eye_conflict"] is False
    assert row_of()["eye_conflict"] is None
    assert row_of(laterality="L", case="7.dcm")["eye_conflict"] is None


def test_the_row_is_plain_json_and_complete():
    row = row_of(located={"found": True, "centre": [64.0, 48.0], "confidence": 0.8}, spacing=(0.01, 0.01))
    assert row["located_confidence"] == 0.8
    assert json.loads(json.dumps(row, allow_nan=False)) == row
    assert row["located"] is True
    assert row_of(located={"found": None, "confidence": None})["located"] is None  # a crop, where nothing is searched
    assert row["optic_disc_mm2"] == round(row["optic_disc_pixels"] * 1e-4, 4)


def test_a_disc_that_fills_the_square_that_was_cut_out_is_cut_off():
    rows, columns = (np.flatnonzero(eye().any(axis)) for axis in (1, 0))
    box = [int(columns[0]), int(rows[0]) - 5, int(columns[-1]) + 5, int(rows[-1]) + 5]  # 67 wide: 1 pixel is 1.5 %
    assert "cut_off" in row_of(located={"found": True, "box": box})["flags"]
    box[0] -= 2
    assert row_of(located={"found": True, "box": box})["flags"] == {}


@pytest.mark.parametrize(
    ("cropped", "photograph", "agreed", "flags"),
    [
        (True, True, True, []),
        (True, False, True, ["cut_again"]),
        (True, True, False, ["looks_disagree"]),
        (False, False, False, ["looks_disagree"]),
        (False, False, None, []),
    ],
)
def test_a_picture_that_was_cut_says_so(cropped, photograph, agreed, flags):
    row = row_of(located={"found": True, "cropped": cropped, "photograph": photograph, "agreed": agreed})
    assert row["cut"] is cropped
    assert list(row["flags"]) == flags
    assert row["status"] == ("review" if flags else "ok")


def test_a_picture_that_was_not_looked_at_was_not_cut_and_raises_no_flag():
    row = row_of(located=dict.fromkeys(("found", "cropped", "photograph", "agreed")))
    assert (row["cut"], row["cut_again"], row["looks_disagree"]) == (None, None, None)
    assert row["flags"] == {}


def test_confidence_is_the_dice_of_probabilities_and_their_mask():
    prob = torch.zeros(2, 48, 48)
    prob[0, :10, :10], prob[0, 10:12, :10] = 0.9, 0.5  # 100 pixels of disc; 20 more that it half holds for disc
    prob[1, :5, :10] = 0.8
    row = row_of(prob=prob)
    assert row["optic_disc_confidence"] == round(2 * 90 / (90 + 10 + 100), 4)
    assert row["optic_cup_confidence"] == round(2 * 40 / (40 + 50), 4)


def test_a_structure_that_is_not_there_has_no_confidence():
    row = row_of(prob=torch.full((2, 48, 48), 0.2), pred=torch.zeros(1, 128, 96, dtype=torch.uint8))
    assert row["optic_disc_confidence"] is None
    assert row["status"] == "review"
    assert list(row["flags"]) == ["missing_optic_disc", "missing_optic_cup"]


def test_cup_outside_the_disc_is_seen_in_the_probabilities():
    prob = torch.zeros(2, 48, 48)
    prob[0, :10, :10] = 0.9
    prob[1, 5:15, :10] = 0.9  # 100 pixels, half of them below the disc
    row = row_of(prob=prob)
    assert row["cup_outside_disc"] == 0.5
    assert "cup_outside_disc" in row["flags"]


def test_softmax_with_background_and_one_class():
    logits = torch.zeros(2, 48, 48)
    logits[1, :10] = 2
    logits[0, 10:] = 2
    pred = torch.zeros(1, 48, 48, dtype=torch.uint8)
    pred[0, :, :10] = 1
    data = {**item(), "prob": logits.softmax(0), "pred": pred}
    row = DescribeCased("pred", classes={1: "nucleus"})(data)["row"]
    p = torch.tensor(2.0).sigmoid().item()
    assert row["nucleus_pixels"] == 480
    assert row["nucleus_confidence"] == pytest.approx(2 * p * 480 / (480 + p * 480 + (1 - p) * 38 * 48), abs=1e-4)
    assert not {"laterality", "vertical_cup_to_disc_ratio", "cup_outside_disc", "disc_at_border"} & set(row)


def test_the_tag_of_a_dicom_file_goes_before_its_name():
    row = row_of(laterality="L")
    assert (row["laterality"], row["laterality_from"], row["nasal_side"]) == ("left", "DICOM", "left")


def test_what_is_not_there_is_left_out_or_empty():
    data = {"pred": item()["pred"], "case": "a.png"}
    row = DescribeCased("pred", classes=CLASSES, findings=EYE)(data)["row"]
    assert row["status"] == "ok"
    assert "located" not in row  # nor is it a column of a task that searches for nothing
    assert "located_confidence" not in row
    assert "sharpness" not in row


def test_metatensors_will_do_and_the_item_is_not_changed():
    data = item(image=MetaTensor(item()["image"]), pred=MetaTensor(item()["pred"]))
    keys = set(data)
    assert DescribeCased("pred", classes=CLASSES, findings=EYE, cutoff=0.75)(data)["row"] == row_of()
    assert set(data) == keys


def test_thresholds_are_a_plain_dictionary():
    strict = DescribeCased("pred", classes=CLASSES, findings=EYE, cutoff=0.75, thresholds={"unusual_ratio": [0.6, 0.9]})
    assert list(strict(item())["row"]["flags"]) == ["unusual_ratio"]
    with pytest.raises(ValueError, match="Expected thresholds of"):
        DescribeCased("pred", classes=CLASSES, findings=EYE, thresholds={"nonsense": 1})


def test_the_header_of_the_file_is_read_where_the_item_says_nothing(tmp_path):
    nifti = nibabel.Nifti1Image(np.zeros((4, 4), np.uint8), np.diag([0.02, 0.01, 1, 1]))
    nifti.header.set_xyzt_units("mm")
    nibabel.save(nifti, tmp_path / "a.nii")
    image = MetaTensor(item()["image"], meta={"filename_or_obj": str(tmp_path / "a.nii")})
    row = row_of(image=image)
    assert row["optic_disc_mm2"] == pytest.approx(row["optic_disc_pixels"] * 2e-4, abs=1e-4)
    assert "optic_disc_mm2" not in row_of(image=image, spacing=None)


def test_findings_of_a_class_that_is_not_there_are_refused():
    with pytest.raises(ValueError, match=r"Expected findings of classes of the label map .*, found the id 3; correct"):
        DescribeCased("pred", classes=CLASSES, findings=DiscAndCup(disc=1, cup=3))


def test_the_columns_of_the_organ_keep_their_names_whatever_its_structures_are_called():
    named, papilla = row_of(), row_of(classes={"1": "Papille", "2": "cup"})
    assert papilla["vertical_cup_to_disc_ratio"] == named["vertical_cup_to_disc_ratio"]
    assert papilla["Papille_pixels"] == named["optic_disc_pixels"]
    renamed = [name.replace("optic_disc", "Papille").replace("optic_cup", "cup") for name in named]
    assert list(papilla) == renamed


def test_classes_are_those_of_the_channels_in_whatever_order_they_are_named():
    assert row_of(classes=dict(reversed(CLASSES.items()))) == row_of()
