"""Which outline is of which image, and which cannot be used."""

import nibabel
import numpy as np
import pytest
from PIL import Image

from monai_sfda.candidates.order import Drawn
from monai_sfda.candidates.outlines import read_outlines
from monai_sfda.candidates.structures import Structures

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
    assert found[1:] == ([], [])
    first = found.masks["p/a.png"]
    assert first.sum((1, 2)).tolist() == [36, 6]
    assert all(np.array_equal(mask, first) for mask in found.masks.values())


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
        "d.png": "found one that was not drawn",
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
