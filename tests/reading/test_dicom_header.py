import warnings

import pytest

from monai_sfda.reading.dicom_header import dicom_header

pydicom = pytest.importorskip("pydicom")


@pytest.fixture
def path(tmp_path):
    data = pydicom.Dataset()
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    data.SOPClassUID, data.SOPInstanceUID = pydicom.uid.VLPhotographicImageStorage, "1.2.3"
    data.Laterality, data.BitsAllocated, data.PixelData = "R", 8, b"12"
    data.PatientSex = "JANE"
    data.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    content = (tmp_path / "a.dcm").read_bytes()
    (tmp_path / "a.dcm").write_bytes(content.replace(b"JANE", b"Jane"))  # which DICOM does not allow
    return tmp_path / "a.dcm"


def test_it_holds_what_is_asked_for(path):
    assert "PixelData" not in dicom_header(path)
    assert "Laterality" in dicom_header(path)
    assert "Laterality" not in dicom_header(path, tags=["PatientSex"])


def test_a_value_that_does_not_fit_is_not_quoted(path, caplog):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        copied = pydicom.DataElement("PatientSex", "CS", dicom_header(path).PatientSex)
    assert copied.value == "Jane"
    assert not said
    assert not caplog.text


def test_another_file_is_refused(tmp_path):
    (tmp_path / "a.dcm").write_bytes(b"no header")
    with pytest.raises(pydicom.errors.InvalidDicomError):
        dicom_header(tmp_path / "a.dcm")
