"""What a person types to get label maps in other formats, and what happens when it is wrong."""

import shutil

import nibabel
import numpy as np
import pytest
import torch
from bundle_support import ROOT, command, fails, random_weights, run, write_images
from PIL import Image

from monai_sfda.prediction import formats
from monai_sfda.root_cause import root_cause

BUNDLE = ROOT / "bundles" / "nuclei_fluorescence"


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return random_weights(BUNDLE, tmp_path_factory.mktemp("weights") / "model.pt")


@pytest.fixture
def predict(monkeypatch, tmp_path, weights):
    """Predict a folder of two pictures, a DICOM and a NIfTI image."""
    images = write_images(tmp_path / "images", 2)
    picture = np.asarray(Image.open(images / "case_0.png"))
    mask = nibabel.Nifti1Image(picture[..., 0].T, np.diag([-0.5, -0.25, 1, 1]))
    nibabel.save(mask, images / "grey.nii.gz")
    small = ["--checkpoint", weights, "--image_size", "[64,64]", "--precision", "float32"]
    words = ["predict", BUNDLE, images, "--output", tmp_path / "out", *small]
    return lambda *more, act=command: act(monkeypatch, *words, *more)


def add_dicom(folder):
    pydicom = pytest.importorskip("pydicom")
    picture = np.asarray(Image.open(folder / "case_0.png"))
    data = pydicom.Dataset()
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    data.SOPClassUID = pydicom.uid.OphthalmicPhotography8BitImageStorage
    data.SOPInstanceUID, data.SeriesInstanceUID, data.StudyInstanceUID = "1.2.3.4.5", "1.2.3.4", "1.2.3"
    data.Rows, data.Columns, data.SamplesPerPixel, data.PhotometricInterpretation = *picture.shape, "RGB"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 8, 8, 7, 0
    data.PlanarConfiguration, data.NumberOfFrames, data.PixelData = 0, 1, picture.tobytes()
    data.save_as(folder / "photo.dcm", enforce_file_format=True)


def ids(path):
    return np.asarray(Image.open(path))


@pytest.mark.parametrize(
    "typed", ["nifti", "nifti,", "['nifti']", "nifti,dicom_seg", "('dicom_seg','nifti')", "[nifti, dicom_seg]"]
)
def test_formats_are_typed_as_a_name_or_several(predict, capsys, tmp_path, typed):
    if "dicom_seg" in typed:
        pytest.importorskip("highdicom")
    predict("--formats", typed)
    assert {path.name for path in (tmp_path / "out" / "nifti").iterdir()} == {
        "case_0.nii.gz",
        "case_1.nii.gz",
        "grey.nii.gz",
    }
    printed = capsys.readouterr().out
    assert f"Also     {tmp_path / 'out' / 'nifti'} (3 files)\n" in printed
    assert ("(0 files; 3 images have none, see" in printed) == ("dicom_seg" in typed)


def test_masks_of_a_mixed_folder_are_the_same_in_every_format(predict, tmp_path):
    pytest.importorskip("highdicom")
    from highdicom.seg import Segmentation
    from pydicom import dcmread

    add_dicom(tmp_path / "images")
    predict("--formats=nifti,dicom_seg")
    out = tmp_path / "out"
    for name in ("case_0", "case_1", "grey", "photo"):
        saved = np.asarray(nibabel.load(out / "nifti" / f"{name}.nii.gz").dataobj).squeeze()
        np.testing.assert_array_equal(saved, ids(out / "masks" / f"{name}.png").T)
    image, mask = nibabel.load(tmp_path / "images" / "grey.nii.gz"), nibabel.load(out / "nifti" / "grey.nii.gz")
    np.testing.assert_array_equal(mask.affine, image.affine)
    assert mask.shape == image.shape
    found = Segmentation.from_dataset(dcmread(out / "dicom_seg" / "photo.dcm"))
    np.testing.assert_array_equal(np.squeeze(found.pixel_array), ids(out / "masks" / "photo.png"))
    assert found.SegmentSequence[0].SegmentedPropertyTypeCodeSequence[0].CodeMeaning == "Nucleus"
    assert found.SeriesDescription == "Nuclei in fluorescence microscopy, adaptable without source data"
    assert len((out / "dicom_seg_failures.csv").read_text().splitlines()) == 4


def test_a_format_can_be_added_later_and_a_lost_file_is_made_again(predict, tmp_path):
    predict()
    out = tmp_path / "out"
    assert not (out / "nifti").exists()
    masks = {path: path.stat().st_mtime_ns for path in (out / "masks").iterdir()}
    predict("--formats", "nifti")
    kept = (out / "nifti" / "case_0.nii.gz").stat().st_mtime_ns
    (out / "nifti" / "case_1.nii.gz").unlink()
    predict("--formats", "nifti")
    assert (out / "nifti" / "case_1.nii.gz").exists()
    assert (out / "nifti" / "case_0.nii.gz").stat().st_mtime_ns == kept
    assert {path: path.stat().st_mtime_ns for path in (out / "masks").iterdir()} == masks


@pytest.mark.parametrize("typed", ["png", "['nifti','stl']", "--overlays", "''", "3", "[['nifti']]"])
def test_an_unknown_format_is_named_before_the_run(predict, tmp_path, typed):
    sentence = predict("--formats", typed, act=fails)
    assert "Expected --formats of nifti, dicom_seg, found" in sentence
    assert not (tmp_path / "out" / "masks").exists()


def test_a_dicom_object_is_refused_where_names_are_pseudonyms(predict, tmp_path):
    sentence = predict("--formats", "dicom_seg", "--pseudonym_salt", "long secret", act=fails)
    assert "--pseudonym_salt" in sentence
    assert not (tmp_path / "out" / "masks").exists()


def test_a_dicom_object_is_refused_where_the_bundle_has_the_salt(monkeypatch, tmp_path, weights):
    bundle = shutil.copytree(BUNDLE, tmp_path / "bundle")
    config = bundle / "configs" / "inference.json"
    config.write_text(config.read_text().replace('"pseudonym_salt": null', '"pseudonym_salt": "long secret"'))
    images = write_images(tmp_path / "images", 1)
    words = ["predict", bundle, images, "--output", tmp_path / "out", "--checkpoint", weights]
    assert "--pseudonym_salt" in fails(monkeypatch, *words, "--formats", "dicom_seg")


def test_pseudonyms_are_kept_in_nifti(predict, tmp_path):
    predict("--formats", "nifti", "--pseudonym_salt", "long secret")
    masks = {path.stem for path in (tmp_path / "out" / "masks").iterdir()}
    found = {path.name for path in (tmp_path / "out" / "nifti").iterdir()}
    assert found == {f"{name}.nii.gz" for name in masks}
    assert not any("case_" in name or "grey" in name for name in found)


def test_missing_highdicom_is_said_before_the_run(predict, monkeypatch, tmp_path):
    monkeypatch.setattr(formats, "find_spec", lambda name: None)
    sentence = predict("--formats", "dicom_seg", act=fails)
    assert "Expected highdicom" in sentence
    assert "pip install highdicom" in sentence
    assert not (tmp_path / "out" / "masks").exists()


def test_the_overlay_refuses_an_unknown_format_before_the_first_mask(tmp_path, weights):
    places = {"dataset_dir": str(write_images(tmp_path / "images", 2)), "results_dir": str(tmp_path / "out")}
    with pytest.raises(Exception) as error:  # noqa: PT011 - whatever MONAI wraps the sentence in
        run(BUNDLE, "inference.json", "predict.json", checkpoint=str(weights), formats=["nfti"], **places)
    assert "Expected --formats of nifti, dicom_seg, found nfti" in str(root_cause(error.value))
    assert not (tmp_path / "out").exists()


def test_the_overlay_refuses_masks_of_another_network(tmp_path, weights):
    places = {"dataset_dir": str(write_images(tmp_path / "images", 2)), "results_dir": str(tmp_path / "out")}
    run(BUNDLE, "inference.json", "predict.json", checkpoint=str(weights), **places)
    others = tmp_path / "others.pt"
    torch.save({name: 2 * value for name, value in torch.load(weights, weights_only=True).items()}, others)
    with pytest.raises(Exception) as error:  # noqa: PT011 - whatever MONAI wraps the sentence in
        run(BUNDLE, "inference.json", "predict.json", checkpoint=str(others), **places)
    assert "found other weights" in str(root_cause(error.value))
    with pytest.raises(Exception) as error:  # noqa: PT011 - as above
        run(BUNDLE, "inference.json", "predict.json", "inference_tent.json", checkpoint=str(weights), **places)
    assert "found other inferer" in str(root_cause(error.value))
