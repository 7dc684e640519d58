import sys

import numpy as np
import pytest
from PIL import Image

from monai_sfda.transforms.decode import open_picture, read_dicom, read_nifti, sniff, to_uint8


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        (np.array([False, True]), [0, 255]),
        (np.array([0, 7, 255], np.uint8), [0, 7, 255]),
        (np.array([0, 7, 200], np.uint16), [0, 7, 200]),
        (np.array([0, 7, 200], np.int64), [0, 7, 200]),
        (np.array([0, 819, 4095], np.uint16), [0, 51, 255]),  # 12 bit: 819 * 255 / 4095 = 51
        (np.array([0, 257, 65535], np.uint16), [0, 1, 255]),  # 16 bit: 257 * 255 / 65535 = 1
        (np.array([0, 257, 65535], ">u2"), [0, 1, 255]),
        (np.array([0, 0.2, 1.0]), [0, 51, 255]),
        (np.array([0, 51.4, 255.0]), [0, 51, 255]),
        (np.array([-10, 0, 40], np.int16), [0, 51, 255]),
        (np.array([0, 1e5, 5e5]), [0, 51, 255]),
        (np.array([-3.0, -3.0]), [0, 0]),
    ],
)
def test_grey_levels_of_every_type_become_8_bit(levels, expected):
    result = to_uint8(levels)
    assert result.dtype == np.uint8
    assert result.tolist() == expected


def test_a_known_depth_sets_the_scale_unless_the_values_exceed_it():
    assert to_uint8(np.array([0, 512], np.uint16), bits=10).tolist() == [0, 128]  # 512 * 255 / 1023 = 127.6
    assert to_uint8(np.array([0, 4095], np.uint16), bits=8).tolist() == [0, 255]


def test_levels_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match="found NaN or infinity"):
        to_uint8(np.array([0.0, np.nan]))


def test_formats_that_start_programs_are_not_opened(tmp_path):
    (tmp_path / "photo.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 4 4\nshowpage\n")
    with pytest.raises(ValueError, match=r"photo.png, found other content"):
        open_picture(tmp_path / "photo.png")


def test_dicom_is_known_by_its_content_or_suffix(tmp_path):
    (tmp_path / "IM0001").write_bytes(bytes(128) + b"DICM")
    (tmp_path / "old.DCM").write_bytes(b"something")
    (tmp_path / "a.nii.gz").write_bytes(b"something")
    Image.new("L", (2, 2)).save(tmp_path / "a.png")
    assert [sniff(tmp_path / n) for n in ("IM0001", "old.DCM", "a.nii.gz", "a.png")] == [
        "dicom",
        "dicom",
        "nifti",
        "picture",
    ]


def test_reading_dicom_without_pydicom_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(ImportError, match=r"Expected pydicom .* photo.dcm.*pip install pydicom"):
        read_dicom(tmp_path / "photo.dcm")


def write_dicom(path, pixels, kind, bits=8, **extra):
    pydicom = pytest.importorskip("pydicom")
    from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

    data = pydicom.Dataset()
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = SecondaryCaptureImageStorage
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = generate_uid()
    data.Rows, data.Columns = pixels.shape[:2]
    data.SamplesPerPixel = 3 if pixels.ndim == 3 else 1
    if pixels.ndim == 3:
        data.PlanarConfiguration = 0
    data.PhotometricInterpretation = kind
    data.BitsAllocated, data.BitsStored, data.HighBit = pixels.itemsize * 8, bits, bits - 1
    data.PixelRepresentation = 0
    data.PixelData = pixels.tobytes()
    data["PixelData"].VR = "OW" if pixels.itemsize == 2 else "OB"
    for name, value in extra.items():
        setattr(data, name, value)
    data.save_as(path, enforce_file_format=True)
    return path


GREY = np.array([[0, 100, 200], [50, 150, 250]], np.uint8)


def test_dicom_rgb_is_read_as_it_is(tmp_path):
    rgb = np.stack([GREY, GREY // 2, 255 - GREY], -1)
    assert np.array_equal(read_dicom(write_dicom(tmp_path / "a.dcm", rgb, "RGB")), rgb)


def test_dicom_ybr_is_converted_to_rgb(tmp_path):
    rgb = np.stack([GREY, GREY // 2, 255 - GREY], -1)
    ybr = np.asarray(Image.fromarray(rgb).convert("YCbCr"))
    result = read_dicom(write_dicom(tmp_path / "a.dcm", ybr, "YBR_FULL"))
    # Two roundings to 8 bit, there and back.
    np.testing.assert_allclose(result.astype(int), rgb, atol=2)


def test_dicom_monochrome_of_both_signs_and_depths_is_bright_where_bright(tmp_path):
    deep = (GREY.astype(np.uint16) * 16).astype("<u2")  # 12 bit: 250 * 16 * 255 / 4095 = 249.08
    scaled = np.rint(GREY.astype(float) * 16 * 255 / 4095)
    assert np.array_equal(read_dicom(write_dicom(tmp_path / "a.dcm", GREY, "MONOCHROME2")), GREY)
    assert np.array_equal(read_dicom(write_dicom(tmp_path / "b.dcm", GREY, "MONOCHROME1")), 255 - GREY)
    assert np.array_equal(read_dicom(write_dicom(tmp_path / "c.dcm", deep, "MONOCHROME2", bits=12)), scaled)


def test_grey_dicom_is_shown_through_its_window(tmp_path):
    """Linear window of DICOM PS3.3 C.11.2.1.2: 0 at centre - width / 2, the full scale at centre + width / 2 - 1."""
    deep = np.array([[0, 64, 128, 255]], np.uint16)
    shown = read_dicom(write_dicom(tmp_path / "a.dcm", deep, "MONOCHROME2", 16, WindowCenter=128, WindowWidth=256))
    assert shown.tolist() == [[0, 64, 128, 255]]
    narrow = read_dicom(write_dicom(tmp_path / "b.dcm", GREY, "MONOCHROME1", WindowCenter=100, WindowWidth=50))
    assert narrow.tolist() == [[255, 125, 0], [255, 0, 0]]  # (100 - 99.5) / 49 + 0.5 of the scale, turned round


def test_damaged_nifti_is_one_sentence_without_a_folder(tmp_path):
    for name, content in (("a.nii.gz", b"junk"), ("b.nii", b"junk"), ("c.nii", b"\0" * 400)):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(
            ValueError, match=f"Expected a NIfTI image in {name}, found one that cannot be decoded"
        ) as e:
            read_nifti(tmp_path / name)
        assert str(tmp_path) not in str(e.value)


def test_dicom_palettes_are_resolved(tmp_path):
    table = np.arange(256, dtype=np.uint8)
    tables = {}
    for colour, values in {"Red": table, "Green": table // 2, "Blue": 255 - table}.items():
        tables[f"{colour}PaletteColorLookupTableDescriptor"] = [256, 0, 8]
        tables[f"{colour}PaletteColorLookupTableData"] = values.tobytes()
    result = read_dicom(write_dicom(tmp_path / "a.dcm", GREY, "PALETTE COLOR", **tables))
    assert np.array_equal(result, np.stack([GREY, GREY // 2, 255 - GREY], -1))


def test_a_dark_palette_of_16_bits_stays_dark(tmp_path):
    tables = {}
    for colour in ("Red", "Green", "Blue"):
        tables[f"{colour}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        tables[f"{colour}PaletteColorLookupTableData"] = (np.arange(256) * 257 // 20).astype("<u2").tobytes()
    result = read_dicom(write_dicom(tmp_path / "a.dcm", GREY, "PALETTE COLOR", **tables))
    assert np.array_equal(result[..., 0], np.rint((GREY.astype(int) * 257 // 20) / 257))


@pytest.mark.parametrize("window", [{"WindowCenter": None, "WindowWidth": None}, {"WindowCenter": 128}])
def test_an_empty_or_half_a_window_is_none(tmp_path, window):
    assert np.array_equal(read_dicom(write_dicom(tmp_path / "a.dcm", GREY, "MONOCHROME2", **window)), GREY)


def test_dicom_without_one_image_is_refused(tmp_path):
    frames = np.concatenate([GREY, GREY])
    path = write_dicom(tmp_path / "film.dcm", frames, "MONOCHROME2", NumberOfFrames=2, Rows=2)
    with pytest.raises(ValueError, match=r"Expected one DICOM image in film.dcm, found 2 frames"):
        read_dicom(path)
    (tmp_path / "text.dcm").write_text("not DICOM at all" * 20)
    with pytest.raises(ValueError, match=r"Expected a DICOM image in text.dcm, found other content"):
        read_dicom(tmp_path / "text.dcm")


def test_a_window_is_meant_in_the_rescaled_values(tmp_path):
    """A stored value v means 2 v - 100; the window from 0 to 199 is from stored 50 to 149.5."""
    stored = np.array([[0, 50, 100, 149, 1000]], np.uint16)
    tags = {"RescaleSlope": 2, "RescaleIntercept": -100, "WindowCenter": 100, "WindowWidth": 200}
    shown = read_dicom(write_dicom(tmp_path / "a.dcm", stored, "MONOCHROME2", 16, **tags))
    assert shown.tolist() == [[0, 0, 128, 254, 255]]


def test_a_dicom_that_cannot_be_decompressed_says_how_it_is_stored(tmp_path):
    from pydicom import dcmread
    from pydicom.encaps import encapsulate
    from pydicom.uid import JPEGLosslessSV1

    data = dcmread(write_dicom(tmp_path / "a.dcm", GREY, "MONOCHROME2"))
    data.PixelData, data["PixelData"].is_undefined_length = encapsulate([b"\xff\xd8\xff\xd9"]), True
    data.file_meta.TransferSyntaxUID = JPEGLosslessSV1
    data.save_as(tmp_path / "a.dcm")
    with pytest.raises(ValueError, match=r"stored as JPEG Lossless.*\); export it again, without compression"):
        read_dicom(tmp_path / "a.dcm")
