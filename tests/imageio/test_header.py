import nibabel
import numpy as np
import pytest
from PIL import Image

from monai_sfda.imageio.header import header_facts

NOTHING = {"spacing": None, "laterality": None}


def dicom(path, **tags):
    pydicom = pytest.importorskip("pydicom")
    data = pydicom.Dataset()
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = "1.2.840.10008.5.1.4.1.1.77.1.5.1"
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = "1.2.3"
    for name, value in tags.items():
        setattr(data, name, value)
    data.save_as(path, enforce_file_format=True)
    return path


def test_dicom_says_the_size_of_a_pixel_and_the_eye(tmp_path):
    path = dicom(tmp_path / "a.dcm", PixelSpacing=[0.01, 0.02], ImageLaterality="L", Laterality="R")
    assert header_facts(path) == {"spacing": [0.01, 0.02], "laterality": "L"}
    assert header_facts(dicom(tmp_path / "b", Laterality="R"))["laterality"] == "R"
    assert header_facts(dicom(tmp_path / "c.dcm")) == NOTHING


@pytest.mark.parametrize("spacing", [[0, 0], [-0.1, -0.1], [0.1, 0]])
def test_a_size_of_nothing_counts_as_none(tmp_path, spacing):
    assert header_facts(dicom(tmp_path / "a.dcm", PixelSpacing=spacing)) == NOTHING


def test_nifti_says_the_size_of_a_pixel_if_it_names_the_unit(tmp_path):
    image = nibabel.Nifti1Image(np.zeros((4, 6), np.uint8), np.diag([0.2, 0.1, 1, 1]))
    nibabel.save(image, tmp_path / "unknown.nii")
    assert header_facts(tmp_path / "unknown.nii") == NOTHING
    image.header.set_xyzt_units("mm")
    nibabel.save(image, tmp_path / "mm.nii.gz")
    assert header_facts(tmp_path / "mm.nii.gz")["spacing"] == pytest.approx([0.1, 0.2])


def test_pictures_damaged_and_lost_files_say_nothing(tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png", dpi=(72, 72))
    (tmp_path / "bad.dcm").write_bytes(b"junk")
    (tmp_path / "bad.nii").write_bytes(b"junk")
    (tmp_path / "empty.png").touch()
    for name in ("a.png", "bad.dcm", "bad.nii", "empty.png", "lost.png"):
        assert header_facts(tmp_path / name) == NOTHING


def test_an_enhanced_image_says_the_size_of_a_pixel_and_the_eye_in_its_groups(tmp_path):
    pydicom = pytest.importorskip("pydicom")
    size, eye, group = pydicom.Dataset(), pydicom.Dataset(), pydicom.Dataset()
    size.PixelSpacing, eye.FrameLaterality = [0.01, 0.02], "L"
    group.PixelMeasuresSequence, group.FrameAnatomySequence = pydicom.Sequence([size]), pydicom.Sequence([eye])
    path = dicom(tmp_path / "a.dcm", SharedFunctionalGroupsSequence=pydicom.Sequence([group]))
    assert header_facts(path) == {"spacing": [0.01, 0.02], "laterality": "L"}


def test_a_file_without_a_preamble_says_as_much(tmp_path):
    path = dicom(tmp_path / "a", PixelSpacing=[0.01, 0.02], Laterality="R")
    path.write_bytes(path.read_bytes()[132:])
    assert header_facts(path) == {"spacing": [0.01, 0.02], "laterality": "R"}


def test_nifti_says_the_size_that_its_affine_says(tmp_path):
    image = nibabel.Nifti1Image(np.zeros((4, 6), np.uint8), np.diag([0.2, 0.1, 1, 1]))
    image.header.set_xyzt_units("mm")
    nibabel.save(image, tmp_path / "a.nii")
    content = bytearray((tmp_path / "a.nii").read_bytes())
    content[80:92] = np.array([1, 1, 1], "<f4").tobytes()  # pixdim
    (tmp_path / "a.nii").write_bytes(content)
    assert header_facts(tmp_path / "a.nii")["spacing"] == pytest.approx([0.1, 0.2])
