import logging

import pytest

from monai_sfda.data import find_images


def listed(root, caplog, *names):
    """Cases of a folder of such files, and what was said."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"pixels")
    with caplog.at_level(logging.WARNING):
        return [item["case"] for item in find_images(root)], caplog.text


def test_the_layout_of_nnunet(tmp_path, caplog):
    labels = ["labelsTr/c_0.png", "labelsTr/c_1.png", "labelsTs/c_2.png"]
    images = ["imagesTr/c_0_0000.png", "imagesTr/c_1_0000.png", "imagesTs/c_2_0000.png"]
    found, said = listed(tmp_path, caplog, *labels, *images)
    assert found == images
    assert "are left out: 2 labelsTr, 1 labelsTs; to read them all the same" in said


NAMES = [
    *(
        "labels",
        "masks",
        "Masks",
        "annotations",
        "gt",
        "GT",
        "segmentations",
        "Ground Truth",
        "groundTruth",
        "ground-truth",
    ),
    *(
        "SegmentationClass",
        "2. All Segmentation Groundtruths",
        "1st_manual",
        "train_masks",
        "labels-ah",
        "seg",
        "predsTs",
    ),
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("images", ["images", "1. Original Images", "img", "JPEGImages"])
def test_label_folders_beside_image_folders(tmp_path, caplog, name, images):
    found, said = listed(tmp_path, caplog, f"x/{images}/a.jpg", f"x/{name}/other.png")
    assert found == [f"x/{images}/a.jpg"]
    assert f"are left out: 1 x/{name};" in said


@pytest.mark.parametrize("photo", ["a.jpg", "scans/a.jpg", "scans/a_0000.jpg", "scans/IMG_0001.jpg"])
@pytest.mark.parametrize("suffix", ["", "_mask", "-gt", " seg"])
def test_label_folders_beside_images_of_the_same_names(tmp_path, caplog, photo, suffix):
    label = photo.split("/")[-1].split(".")[0].removesuffix("_0000") + suffix
    found, said = listed(tmp_path, caplog, photo, f"labels/{label}.png")
    assert found == [photo]
    assert "are left out: 1 labels;" in said


def test_label_folders_have_folders_of_their_own(tmp_path, caplog):
    found, said = listed(tmp_path, caplog, "images/train/a.jpg", "labels/train/a.png", "labels/val/b.png")
    assert found == ["images/train/a.jpg"]
    assert "are left out: 2 labels;" in said


def test_a_folder_of_such_a_name_alone_is_read_and_named(tmp_path, caplog):
    found, said = listed(tmp_path, caplog, "labels/1.png", "scans/2.png")
    assert found == ["labels/1.png", "scans/2.png"]
    assert "are read as photographs: 1 labels; if they hold label maps, move them elsewhere." in said


def test_images_inside_a_folder_of_such_a_name_are_images(tmp_path, caplog):
    inside = [
        "A. Segmentation/1. Images/a.jpg",
        "A. Segmentation/2. Groundtruths/a_EX.tif",
        "B. Grading/1. Images/b.jpg",
    ]
    found, said = listed(tmp_path, caplog, *inside)
    assert found == [inside[0], inside[2]]
    assert "2. Groundtruths" in said


def test_a_patient_whose_initials_are_gt_is_not_lost(tmp_path, caplog):
    names = [f"{patient}/{eye}.png" for patient in ("AB", "CD", "GT") for eye in ("OD", "OS")]
    found, said = listed(tmp_path, caplog, *names)
    assert found == names
    assert "2 GT;" in said


def test_masks_that_begin_with_the_word_mask(tmp_path, caplog):
    found, said = listed(tmp_path, caplog, "a.jpg", "mask_a.png", "GT-a.png", "mask_b.png", "pred a.png")
    assert found == ["a.jpg", "mask_b.png"]
    assert "3 named as GT-a.png;" in said


def test_masks_beside_their_images_in_one_folder(tmp_path, caplog):
    found, said = listed(
        tmp_path, caplog, "a.jpg", "a_mask.png", "b.jpg", "b_Mask.png", "c_mask.png", "d_1.png", "d.png"
    )
    assert found == ["a.jpg", "b.jpg", "c_mask.png", "d.png", "d_1.png"]
    assert "are left out: 2 named as a_mask.png;" in said


@pytest.mark.parametrize(
    "name", ["unlabelled", "labelled", "magentas", "maskelyne", "gtx", "images_2", "manually sorted"]
)
def test_other_names_mean_nothing(tmp_path, caplog, name):
    found, said = listed(tmp_path, caplog, "images/a.png", f"{name}/a.png")
    assert len(found) == 2
    assert not said


def test_odd_names_are_no_obstacle(tmp_path, caplog):
    names = ("new\nline.png", "_mask.png", "mask.png", "a b.png", "a_.png", "名前.png", "-lead.png", "a_0000\n.png")
    assert len(listed(tmp_path, caplog, *names)[0]) == len(names)
    assert listed(tmp_path / "x", caplog, "new\nline.png", "new\nline_mask.png")[0] == ["new\nline.png"]
