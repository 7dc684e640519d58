"""Which outline is of which image, and which cannot be used."""

import sys

import nibabel
import numpy as np
import pytest
from PIL import Image

from monai_sfda.candidates.order import Drawn
from monai_sfda.candidates.outlines import read_outlines
from monai_sfda.candidates.structures import Structures
from monai_sfda.files import sha256

FUNDUS = Structures(["disc", "cup"], [[1, 2], [2]], "sigmoid", True)
IDS = np.zeros((10, 14), np.uint8)
IDS[2:8, 3:9] = 1
IDS[4:6, 5:8] = 2
ORDER = [
    Drawn("p/a.png", 0.5, "001_p_a.png"),
    Drawn("b.png", 0.4, "002_b.png"),
    Drawn("c.nii.gz", 0.3, "003_c.nii.gz"),
    Drawn("d.png", 0.2, ""),
]


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "image"
    folder.mkdir()
    picture = Image.fromarray(np.stack([IDS * 90] * 3, -1))
    picture.save(folder / "001_p_a.png")
    picture.save(folder / "002_b.png")
    nibabel.save(nibabel.Nifti1Image(IDS.T[:, ::-1] * 90, np.eye(4)), folder / "003_c.nii.gz")
    return folder


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "drawn").mkdir()
    return tmp_path / "drawn"


def save(path, ids=IDS):
    path.parent.mkdir(exist_ok=True, parents=True)
    Image.fromarray(ids).save(path)


def test_outlines_are_named_as_the_copies_or_as_the_images(folder, images):
    save(folder / "p" / "a.png")
    save(folder / "002_b.tif")
    nibabel.save(nibabel.Nifti1Image(IDS.T[:, ::-1], np.eye(4)), folder / "003_c.nii")
    found = read_outlines(folder, ORDER, images, FUNDUS)
    assert list(found.masks) == ["p/a.png", "b.png", "c.nii.gz"]
    assert (found.left_out, found.skipped) == ([], [])
    assert found.checksums["p/a.png"] == sha256(folder / "p" / "a.png")
    first = found.masks["p/a.png"]
    assert first.sum((1, 2)).tolist() == [36, 6]
    assert all(np.array_equal(mask, first) for mask in found.masks.values())


def test_a_file_that_is_no_dicom_costs_itself_alone(folder, images):
    pytest.importorskip("pydicom")
    save(folder / "001_p_a.png")
    (folder / "002_b.dcm").write_bytes((folder / "001_p_a.png").read_bytes())
    (folder / "003_c.dcm").write_bytes(bytes(128) + b"DICM" + bytes(200))
    found = read_outlines(folder, ORDER, images, FUNDUS)
    assert list(found.masks) == ["p/a.png"]
    assert [line.split(" is left out")[0] for line in found.left_out] == ["002_b.dcm", "003_c.dcm"]


def test_without_pydicom_an_outline_in_dicom_costs_itself_alone(folder, images, monkeypatch):
    save(folder / "001_p_a.png")
    (folder / "002_b.dcm").write_bytes(bytes(128) + b"DICM" + bytes(200))
    monkeypatch.setitem(sys.modules, "pydicom", None)
    found = read_outlines(folder, ORDER, images, FUNDUS)
    assert list(found.masks) == ["p/a.png"]
    assert "Expected pydicom to read the DICOM file 002_b.dcm" in found.left_out[0]


def test_a_folder_of_images_and_masks_is_read_as_its_masks(folder, images):
    save(folder / "mask" / "002_b.png")
    save(folder / "image" / "001_p_a.png")
    assert list(read_outlines(folder, ORDER, images, FUNDUS).masks) == ["b.png"]


def test_what_cannot_be_used_costs_itself_alone(folder, images):
    save(folder / "001_p_a.png", IDS[:5])
    save(folder / "002_b.png")
    save(folder / "b.png")
    save(folder / "003_c.png", IDS + 5)
    save(folder / "d.png")
    save(folder / "stranger.png")
    (folder / "note.txt").write_text("not a mask")
    found = read_outlines(folder, ORDER, images, FUNDUS)
    assert list(found.masks) == ["b.png"]
    assert found.skipped == ["p/a.png"]
    expected = {
        "001_p_a.png": "found image 14x10, label 14x5; save the mask at the size of the image",
        "b.png": "found another one of 002_b.png",
        "003_c.png": "Expected the class ids 0, 1, 2 in the mask of 003_c.png, found 5, 6, 7",
        "d.png": "found one that is not among the selected images",
        "stranger.png": "found no image of that name",
    }
    assert len(found.left_out) == len(expected)
    for name, words in expected.items():
        (sentence,) = [text for text in found.left_out if text.startswith(f"{name} is left out: ")]
        assert words in sentence
        assert len(sentence.splitlines()) == 1


def test_an_empty_outline_counts(folder, images):
    save(folder / "001_p_a.png", IDS * 0)
    assert not read_outlines(folder, ORDER, images, FUNDUS).masks["p/a.png"].any()


def test_a_folder_without_a_usable_outline_is_one_sentence(folder, images):
    with pytest.raises(FileNotFoundError, match="found none; save label maps there"):
        read_outlines(folder, ORDER, images, FUNDUS)
    save(folder / "x.png")
    with pytest.raises(ValueError, match=r"found none of 1: x\.png is left out: Expected the name"):
        read_outlines(folder, ORDER, images, FUNDUS)


VOLUMES = Structures(["one", "two"], [[1], [2]], "softmax", False, volumes=True)
SHAPE = (6, 5, 4)


def test_an_outline_of_a_volume_is_read_on_its_voxels(folder, tmp_path):
    (tmp_path / "image").mkdir()
    affine = np.diag([-2.0, -2.0, 8.0, 1.0])
    order = [Drawn(f"{name}.nii.gz", 0.5, f"00{n}_{name}.nii.gz") for n, name in enumerate("abcdef", 1)]
    for drawn in order:
        nibabel.save(nibabel.Nifti1Image(np.ones(SHAPE, np.int16), affine), tmp_path / "image" / drawn.image)
    ids = np.zeros(SHAPE, np.uint8)
    ids[1:3, 2, 3], ids[4, 4, 0] = 1, 2
    outline = nibabel.Nifti1Image(ids, affine)
    nibabel.save(outline, folder / "001_a.nii.gz")
    nibabel.save(outline.as_reoriented(np.array([[1, -1], [0, 1], [2, -1]])), folder / "b.nii")
    nibabel.save(nibabel.Nifti1Image(ids[:5], affine), folder / "c.nii.gz")
    nibabel.save(nibabel.Nifti1Image(ids, affine + np.eye(4)[:, [3, 0, 1, 2]] * 9), folder / "d.nii.gz")
    nibabel.save(nibabel.Nifti1Image(ids + 1, affine), folder / "e.nii.gz")
    save(folder / "f.png", ids[..., 3])
    found = read_outlines(folder, order, tmp_path / "image", VOLUMES)
    assert list(found.masks) == ["a.nii.gz", "b.nii.gz"]
    expected = np.stack([ids == 1, ids == 2])
    assert all(np.array_equal(mask, expected) for mask in found.masks.values())
    sentences = " ".join(found.left_out)
    assert "found 5 x 5 x 4 for 6 x 5 x 4" in sentences
    assert "found other places in its affine" in sentences
    assert "Expected the class ids 0, 1, 2 in the mask of e.nii.gz, found 1, 2, 3; save" in sentences
    assert "Expected the outline of a volume as NIfTI or DICOM Segmentation, found another kind of file" in sentences
