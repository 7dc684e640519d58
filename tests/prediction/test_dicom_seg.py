import io
import json

import numpy as np
import pytest
from PIL import Image

from monai_sfda.organs.fundus import DiscAndCup
from monai_sfda.prediction.convert_masks import Unsuited
from monai_sfda.prediction.dicom_seg import dicom_seg
from monai_sfda.prediction.no_findings import NO_FINDINGS
from monai_sfda.prediction.segment_codes import one_line
from monai_sfda.prediction.write_dicom_seg import write_dicom_seg

pytest.importorskip("highdicom")
import pydicom
from highdicom.seg import Segmentation
from pydicom import uid

EYE = {1: "optic disc", 2: "cup"}
FUNDUS = DiscAndCup(disc=1, cup=2)
MODEL = ("Optic disc and cup", "0.1.0")
IDS = np.zeros((5, 7), np.uint8)  # 35 pixels, which are no whole number of bytes
IDS[1:4, 2:6], IDS[2, 3:5] = 1, 2

PLACED = {"FrameOfReferenceUID": "1.9", "ImagePositionPatient": [1, 2, 3], "PixelSpacing": [0.5, 0.25]}
PLACED |= {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "SliceThickness": 2}


def photograph(path, kind=uid.OphthalmicPhotography8BitImageStorage, **header):
    """A colour photograph as cameras send it: no place in the patient, one frame of a class that may have several."""
    data = pydicom.Dataset()
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    data.SOPClassUID, data.SOPInstanceUID = kind, "1.2.3.4.5"
    data.StudyInstanceUID, data.SeriesInstanceUID = "1.2.3", "1.2.3.4"
    data.PatientID, data.PatientName, data.StudyDate, data.AccessionNumber = "4711", "Doe^Jane", "20260102", "A7"
    data.Modality, data.Laterality = "OP", "R"
    data.Rows, data.Columns, data.SamplesPerPixel, data.PhotometricInterpretation = 5, 7, 3, "RGB"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 8, 8, 7, 0
    data.PlanarConfiguration, data.PixelData, data.NumberOfFrames = 0, bytes(106), 1
    for name, value in header.items():
        if value is None:
            delattr(data, name)
        else:
            setattr(data, name, value)
    data.save_as(path, enforce_file_format=True)
    return path


@pytest.fixture
def image(tmp_path):
    return photograph(tmp_path / "a.dcm")


def segmented(path, ids=IDS, classes=EYE, findings=FUNDUS, model=MODEL, weights="abc"):
    content = dicom_seg(path, ids, classes=classes, findings=findings, model=model, weights=weights)
    return Segmentation.from_dataset(pydicom.dcmread(io.BytesIO(content)))


def test_the_disc_holds_the_cup(image):
    disc, cup = segmented(image).pixel_array
    np.testing.assert_array_equal(disc, IDS > 0)
    np.testing.assert_array_equal(cup, IDS == 2)


def test_it_names_no_creator(image):
    assert segmented(image).ContentCreatorName == ""


def test_it_is_binary_with_a_segment_for_each_structure(image):
    found = segmented(image)
    assert (found.SOPClassUID, found.Modality, found.SegmentationType) == (uid.SegmentationStorage, "SEG", "BINARY")
    assert (found.Rows, found.Columns, found.NumberOfFrames, found.BitsAllocated) == (5, 7, 2, 1)
    assert [item.SegmentLabel for item in found.SegmentSequence] == ["optic disc", "cup"]
    assert [item.SegmentAlgorithmType for item in found.SegmentSequence] == ["AUTOMATIC"] * 2


def test_highdicom_finds_the_pixels_by_the_photograph(image):
    pixels = segmented(image).get_pixels_by_source_instance(["1.2.3.4.5"])
    np.testing.assert_array_equal(pixels[0], np.stack([IDS > 0, IDS == 2], -1))


def test_every_reference_is_to_the_photograph_and_its_class(image):
    found = segmented(image)
    classes = [item.value for item in found.iterall() if item.keyword == "ReferencedSOPClassUID"]
    instances = [item.value for item in found.iterall() if item.keyword == "ReferencedSOPInstanceUID"]
    assert set(classes) == {uid.OphthalmicPhotography8BitImageStorage}
    assert set(instances) == {"1.2.3.4.5"}
    assert found.ReferencedSeriesSequence[0].SeriesInstanceUID == "1.2.3.4"


def test_it_belongs_to_the_patient_and_study_of_the_photograph_and_to_a_series_of_its_own(image):
    found = segmented(image)
    assert (found.PatientID, found.PatientName, found.StudyInstanceUID) == ("4711", "Doe^Jane", "1.2.3")
    assert (found.StudyDate, found.AccessionNumber) == ("20260102", "A7")
    assert found.SeriesInstanceUID != "1.2.3.4"
    assert found.PatientBirthDate == ""  # has to be there, and may be empty


def test_structures_are_coded_in_snomed_ct(image):
    disc, cup = segmented(image).SegmentSequence
    nucleus = segmented(image, classes={1: "nucleus"}, findings=NO_FINDINGS).SegmentSequence[0]
    other = segmented(image, classes={1: "something new"}, findings=NO_FINDINGS).SegmentSequence[0]
    kinds = [item.SegmentedPropertyTypeCodeSequence[0] for item in (disc, cup, nucleus, other)]
    assert [(code.CodeValue, code.CodeMeaning) for code in kinds] == [
        ("81016008", "Optic nerve head"),
        ("91723000", "Anatomical Structure"),
        ("84640000", "Nucleus"),
        ("85756007", "Tissue"),
    ]
    assert {code.CodingSchemeDesignator for code in kinds} == {"SCT"}
    assert cup.AnatomicRegionSequence[0].CodeValue == "81016008"
    assert other.SegmentLabel == "something new"


def test_it_says_what_made_it(image):
    found = segmented(image, model=("A very long name of a bundle, " * 4, "1.2"), weights="abc")
    algorithm = found.SegmentSequence[0].SegmentationAlgorithmIdentificationSequence[0]
    assert algorithm.AlgorithmName == "A very long name of a bundle, A very long name of a bundle, ..."
    assert algorithm.AlgorithmVersion == "1.2"
    assert algorithm.AlgorithmParameters == "weights=abc"
    assert algorithm.AlgorithmFamilyCodeSequence[0].CodeMeaning == "Artificial Intelligence"
    assert found.ManufacturerModelName == "monai-sfda"


def test_a_line_fits_any_character_set():
    assert one_line("Papille\\é") == "Papille/?"
    assert len(one_line("word " * 40)) <= 64


def test_the_same_result_has_the_same_identity(image, tmp_path):
    first, again = segmented(image), segmented(image)
    assert (first.SOPInstanceUID, first.SeriesInstanceUID) == (again.SOPInstanceUID, again.SeriesInstanceUID)
    mask, weights = segmented(image, IDS * 0), segmented(image, weights="def")
    other = segmented(photograph(tmp_path / "b.dcm", SOPInstanceUID="1.2.3.4.6"))
    assert len({item.SOPInstanceUID for item in (first, mask, weights, other)}) == 4
    assert first.SeriesInstanceUID == mask.SeriesInstanceUID == other.SeriesInstanceUID
    assert first.SeriesInstanceUID != weights.SeriesInstanceUID


def test_an_empty_mask_has_its_frames_too(image):
    assert segmented(image, IDS * 0).pixel_array.shape == (2, 5, 7)


@pytest.mark.parametrize(
    ("kind", "header"),
    [
        (uid.OphthalmicPhotography8BitImageStorage, {"NumberOfFrames": None}),
        (uid.OphthalmicPhotography16BitImageStorage, {}),
        (uid.OphthalmicPhotography8BitImageStorage, {"FrameOfReferenceUID": "1.9", "PixelSpacing": [0.01, 0.02]}),
        (uid.OphthalmicPhotography8BitImageStorage, PLACED),
        (uid.MultiFrameTrueColorSecondaryCaptureImageStorage, PLACED),
        (uid.VLPhotographicImageStorage, {}),
        (uid.SecondaryCaptureImageStorage, {"NumberOfFrames": None}),
        (uid.MultiFrameTrueColorSecondaryCaptureImageStorage, {}),
        (uid.MRImageStorage, {"NumberOfFrames": None}),
        (uid.OphthalmicPhotography8BitImageStorage, {"PatientID": None, "StudyDate": None, "Modality": None}),
        ("1.2.3.999", {}),
    ],
    ids=[
        "no frames",
        "16 bit",
        "frame of reference",
        "placed",
        "placed SC",
        "VL",
        "SC",
        "multi-frame SC",
        "MR",
        "little said",
        "private",
    ],
)
def test_photographs_of_other_kinds_are_segmented_too(tmp_path, kind, header):
    found = segmented(photograph(tmp_path / "b.dcm", kind, **header))
    np.testing.assert_array_equal(found.pixel_array, [IDS > 0, IDS == 2])
    assert found.SourceImageSequence[0].ReferencedSOPClassUID == kind
    assert "FrameOfReferenceUID" not in found


def test_a_slice_keeps_its_place_and_spacing(tmp_path):
    found = segmented(photograph(tmp_path / "b.dcm", uid.MRImageStorage, **PLACED, NumberOfFrames=None))
    assert found.FrameOfReferenceUID == "1.9"
    shared = found.SharedFunctionalGroupsSequence[0]
    assert list(shared.PixelMeasuresSequence[0].PixelSpacing) == [0.5, 0.25]
    groups = [*found.PerFrameFunctionalGroupsSequence, shared]
    positions = [group.PlanePositionSequence[0] for group in groups if "PlanePositionSequence" in group]
    assert all(list(position.ImagePositionPatient) == [1, 2, 3] for position in positions)


@pytest.mark.parametrize(
    ("charset", "name"),
    [
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎"),
        ("ISO_IR 100", "Müller^Jürgen"),
        ("ISO_IR 192", "王^小东"),
        ("ISO_IR 126", "Διονυσιος"),
        (None, "Doe^Jane"),
    ],
)
def test_names_of_every_script_are_written_in_unicode(tmp_path, charset, name):
    charset = {} if charset is None else {"SpecificCharacterSet": charset}
    found = segmented(photograph(tmp_path / "b.dcm", PatientName=name, ReferringPhysicianName=name, **charset))
    assert found.SpecificCharacterSet == "ISO_IR 192"
    assert str(found.PatientName) == str(found.ReferringPhysicianName) == name


@pytest.mark.parametrize(
    ("element", "value"),
    [
        ("PatientBirthDate", "19500000"),
        ("PatientBirthDate", "unknown"),
        ("StudyDate", "20261345"),
        ("StudyTime", "99"),
        ("PatientSex", "W"),
    ],
)
def test_what_cannot_be_read_stays_empty(tmp_path, element, value):
    path = photograph(tmp_path / "b.dcm", **{element: "1" * len(value)})
    path.write_bytes(path.read_bytes().replace(b"1" * len(value), value.encode(), 1))
    found = segmented(path)
    assert not found[element].value
    assert found.PatientName == "Doe^Jane"


def test_what_names_no_study_is_unsuited(tmp_path):
    with pytest.raises(Unsuited, match="found no StudyInstanceUID"):
        segmented(photograph(tmp_path / "b.dcm", StudyInstanceUID=None))
    Image.new("RGB", (7, 5)).save(tmp_path / "a.png")
    with pytest.raises(Unsuited, match="Expected a DICOM image"):
        segmented(tmp_path / "a.png")


def test_files_are_named_as_masks_and_rows_say_which_are_missing(tmp_path, capfd, caplog):
    (tmp_path / "masks" / "b").mkdir(parents=True)
    for name in ("a.png", "b/c.png", "d.png"):
        Image.fromarray(IDS).save(tmp_path / "masks" / name)
    (tmp_path / "masks_of.json").write_text(json.dumps({"weights": "0123"}))
    Image.new("RGB", (7, 5)).save(tmp_path / "a.png")
    images = {
        "a.png": tmp_path / "a.png",
        "b/c.dcm": photograph(tmp_path / "c.dcm", PatientName="Doe Jane"),
        "d.dcm": photograph(tmp_path / "d.dcm", PatientName="Doe Jane", StudyInstanceUID=None),
    }
    rows = [{"file": name, "mask": name.replace(".dcm", ".png")} for name in images]
    items = {name: {"image": path} for name, path in images.items()}
    write_dicom_seg(tmp_path, rows, items, EYE, FUNDUS, model=MODEL)
    target = tmp_path / "dicom_seg" / "b" / "c.dcm"
    written = target.stat().st_mtime_ns
    write_dicom_seg(tmp_path, rows, items, EYE, FUNDUS, model=MODEL)
    assert target.stat().st_mtime_ns == written
    assert [path.name for path in (tmp_path / "dicom_seg").rglob("*.dcm")] == ["c.dcm"]
    assert "weights=0123" in target.read_bytes().decode("latin-1")
    table = (tmp_path / "dicom_seg_failures.csv").read_text(encoding="utf-8-sig")
    assert [line.partition(",")[0] for line in table.splitlines()] == ["case", "a.png", "d.dcm"]
    assert "Jane" not in table + "".join(capfd.readouterr()) + caplog.text
