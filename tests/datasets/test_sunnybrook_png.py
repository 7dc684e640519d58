"""The PNG form of the Sunnybrook data."""

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from monai_sfda.datasets.sunnybrook_png import find_png, load_png


@pytest.fixture
def repository(tmp_path):
    """A patient with end diastole (phase 20) and end systole (phase 8) in two slices, and a brighter second slice."""
    for number, side in ((20, 4), (8, 2), (40, 4), (28, 2)):
        for kind in ("Images", "Labels"):
            pixels = np.full((8, 6, 3), 10 + number, np.uint8)
            if kind == "Labels":
                pixels[:] = 0
                pixels[1 : 1 + side, 2 : 2 + side] = 255
            path = tmp_path / f"Data/Train/{kind}/Sunnybrook_Part1/SC-HF-I-01-IM-0001-{number:04d}.dcm.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
    return tmp_path


def test_slices_of_a_phase_are_stacked_as_they_are_seen(repository):
    found = find_png(repository)
    assert {name: case.about["frame"] for name, (case, _) in found.items()} == {
        "SC-HF-I-01_phase08": "ES",
        "SC-HF-I-01_phase20": "ED",
    }
    case, slices = found["SC-HF-I-01_phase08"]
    image, ids = load_png(slices)
    assert image.shape == ids.shape == (6, 8, 2)
    assert np.asarray(image.dataobj)[0, 0].tolist() == [18, 38]
    assert ids[2, 1, 0] == ids[3, 2, 1] == 1
    assert ids.sum() == 8
    assert case.about["part"] == "Sunnybrook_Part1"


def test_the_header_says_that_the_spacing_was_set(repository, tmp_path):
    image, _ = load_png(find_png(repository)["SC-HF-I-01_phase08"][1], spacing=1.5)
    nib.save(image, tmp_path / "a.nii.gz")
    header = nib.load(tmp_path / "a.nii.gz").header
    assert np.allclose(header.get_zooms(), (1.5, 1.5, 8))
    assert (
        header["descrip"].item().decode() == "spacing set to 1.5 mm, position unknown, slices without contour left out"
    )
    assert np.allclose(header.get_qform(), header.get_sform())


def test_a_picture_without_its_label_is_named(repository):
    (repository / "Data/Train/Labels/Sunnybrook_Part1/SC-HF-I-01-IM-0001-0028.dcm.png").unlink()
    with pytest.raises(ValueError, match=r"a mask for each image, found none for 1 \(SC-HF-I-01-IM-0001-0028\)"):
        find_png(repository)
