import sys

import numpy as np
import pytest
from dicom_files import GREY, RGB, dataset, item, shown, write_dicom
from PIL import Image

from monai_sfda.reading.dicom import read_dicom
from monai_sfda.reading.read import read_image


def test_reading_dicom_without_pydicom_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(ImportError, match=r"Expected pydicom .* photo.dcm.*pip install pydicom"):
        read_dicom(tmp_path / "photo.dcm")


def test_dicom_rgb_is_read_as_it_is(tmp_path):
    assert np.array_equal(shown(write_dicom(tmp_path / "a.dcm", RGB, "RGB")), RGB)


def test_dicom_ybr_is_converted_to_rgb(tmp_path):
    ybr = np.asarray(Image.fromarray(RGB).convert("YCbCr"))
    result = shown(write_dicom(tmp_path / "a.dcm", ybr, "YBR_FULL"))
    # Two roundings to 8 bit, there and back.
    np.testing.assert_allclose(result.astype(int), RGB, atol=2)


def test_dicom_without_one_image_is_refused(tmp_path):
    frames = np.concatenate([GREY, GREY])
    path = write_dicom(tmp_path / "film.dcm", frames, "MONOCHROME2", NumberOfFrames=2, Rows=2)
    with pytest.raises(ValueError, match=r"Expected one DICOM image in film.dcm, found 2 frames"):
        read_dicom(path)
    (tmp_path / "text.dcm").write_text("not DICOM at all" * 20)
    with pytest.raises(ValueError, match=r"Expected a DICOM image in text.dcm, found other content"):
        read_dicom(tmp_path / "text.dcm")


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


ELEMENTS = {
    "Rows": "Rows (0028,0010)",
    "Columns": "Columns (0028,0011)",
    "SamplesPerPixel": "Samples per Pixel (0028,0002)",
    "PhotometricInterpretation": "Photometric Interpretation (0028,0004)",
    "BitsAllocated": "Bits Allocated (0028,0100)",
    "BitsStored": "Bits Stored (0028,0101)",
    "PixelRepresentation": "Pixel Representation (0028,0103)",
    "PlanarConfiguration": "Planar Configuration (0028,0006)",
}


@pytest.mark.parametrize("element", ELEMENTS)
def test_an_element_that_is_missing_is_named(tmp_path, element):
    path = write_dicom(tmp_path / "a.dcm", RGB, "RGB", **{element: None})
    with pytest.raises(ValueError, match="found no ") as error:
        read_dicom(path)
    assert ELEMENTS[element] in str(error.value)
    assert "compression" not in str(error.value)


def test_several_elements_that_are_missing_are_all_named(tmp_path):
    path = write_dicom(tmp_path / "a.dcm", GREY, "MONOCHROME2", Rows=None, BitsStored=None)
    with pytest.raises(ValueError, match=r"found no Rows \(0028,0010\), Bits Stored \(0028,0101\); export it again"):
        read_dicom(path)


def test_a_file_without_pixels_or_with_fractions_says_so(tmp_path):
    with pytest.raises(ValueError, match="found no pixels"):
        read_dicom(write_dicom(tmp_path / "a.dcm", GREY, "MONOCHROME2", PixelData=None))
    floats = {"PixelData": None, "FloatPixelData": bytes(24)}
    with pytest.raises(ValueError, match="found floating-point pixels"):
        read_dicom(write_dicom(tmp_path / "b.dcm", GREY, "MONOCHROME2", **floats))


@pytest.mark.parametrize(("kind", "pixels"), [("HSV", RGB), ("ARGB", np.dstack([RGB, GREY])), ("MONOCHROME2", RGB)])
def test_other_colours_are_refused_by_name(tmp_path, kind, pixels):
    samples = pixels.shape[2]
    path = write_dicom(tmp_path / "a.dcm", pixels, kind, SamplesPerPixel=samples)
    with pytest.raises(ValueError, match=f"found {samples} samples per pixel of the kind {kind}"):
        read_dicom(path)


@pytest.mark.parametrize("keep", ["all", "no preamble", "no header"])
@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"])
def test_a_file_without_its_own_header_is_read_by_how_its_elements_are_written(tmp_path, keep, syntax):
    path = tmp_path / "IM0001"  # implicit, explicit, big endian
    write_dicom(path, RGB, "RGB", syntax=syntax)
    content = path.read_bytes()
    length = int.from_bytes(content[140:144], "little")  # of the file's own header, after its first element
    path.write_bytes({"all": content, "no preamble": content[132:], "no header": content[144 + length :]}[keep])
    assert np.array_equal(shown(path), RGB)


def test_an_enhanced_image_says_in_its_groups_how_large_a_pixel_is(tmp_path):
    both, own = (item(PixelMeasuresSequence=item(PixelSpacing=[size, 0.03])) for size in (0.01, 0.02))
    shared = write_dicom(tmp_path / "a.dcm", GREY, "MONOCHROME2", SharedFunctionalGroupsSequence=both)
    assert read_dicom(shared).spacing == (0.01, 0.03)
    groups = {"SharedFunctionalGroupsSequence": both, "PerFrameFunctionalGroupsSequence": own}
    frame = write_dicom(tmp_path / "b.dcm", GREY, "MONOCHROME2", **groups)
    assert read_image(frame).facts.spacing == (0.02, 0.03)
    assert read_image(frame).facts.spacing_from == "DICOM Pixel Spacing"


def test_two_images_without_a_number_of_frames_are_refused(tmp_path):
    data = dataset(RGB, "RGB")
    data.PixelData = RGB.tobytes() * 2
    data.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    with pytest.raises(ValueError, match=r"Expected one DICOM image in a\.dcm, found pixels for 2 frames"):
        read_dicom(tmp_path / "a.dcm")


def test_a_palette_without_one_of_its_tables_names_it(tmp_path):
    tables = {f"{colour}PaletteColorLookupTableDescriptor": [256, 0, 8] for colour in ("Red", "Green", "Blue")}
    tables |= {f"{colour}PaletteColorLookupTableData": bytes(256) for colour in ("Red", "Blue")}
    path = write_dicom(tmp_path / "a.dcm", GREY, "PALETTE COLOR", **tables)
    with pytest.raises(ValueError, match=r"found no Green Palette Color Lookup Table Data \(0028,1202\)"):
        read_dicom(path)


@pytest.mark.parametrize("kind", ["66.4", "66.7"])
def test_a_dicom_segmentation_is_no_photograph(tmp_path, kind):
    path = write_dicom(tmp_path / "a.dcm", GREY, "MONOCHROME2", SOPClassUID=f"1.2.840.10008.5.1.4.1.1.{kind}")
    with pytest.raises(ValueError, match=r"Expected a photograph in a.dcm, found a DICOM Segmentation"):
        read_dicom(path)


def test_a_dicom_that_is_no_image_is_not_called_damaged(tmp_path):
    data = dataset(GREY, "MONOCHROME2")
    for element in ("SOPClassUID", "Rows", "PixelData"):  # a DICOMDIR has none of them
        delattr(data, element)
    data.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    with pytest.raises(ValueError, match=r"Expected a DICOM image in a.dcm, found other content"):
        read_dicom(tmp_path / "a.dcm")


@pytest.mark.parametrize("dtype", [np.uint16, np.uint32])
def test_as_many_bits_as_there_is_room_say_nothing_of_the_depth(tmp_path, dtype):
    """Of 12-bit levels: 2048 * 255 / 4095 = 127.5, rounded to even."""
    path = write_dicom(tmp_path / "a.dcm", np.array([[0, 2048, 4095]], dtype), "MONOCHROME2", 8 * dtype().itemsize)
    result = read_image(path)
    assert result.pixels[0, :, 0].tolist() == [0, 128, 255]
    assert result.facts.scale_from == "values"


@pytest.mark.parametrize("spacing", [b"0.01", b"0,01\\0,01 ", b"0\\0 "])
def test_a_spacing_that_cannot_be_read_is_none(tmp_path, spacing):
    data = dataset(GREY, "MONOCHROME2", PixelSpacing=[77, 77])
    data.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    content = (tmp_path / "a.dcm").read_bytes()
    element = b"\x28\0\x30\0DS"
    place = content.index(element) + len(element)
    length = int.from_bytes(content[place : place + 2], "little")
    rest = content[place + 2 + length :]
    written = content[:place] + len(spacing).to_bytes(2, "little") + spacing + rest
    (tmp_path / "a.dcm").write_bytes(written)
    result = read_image(tmp_path / "a.dcm")
    assert result.facts.spacing is None
    assert np.array_equal(result.pixels[..., 0], GREY)


def test_a_photograph_cut_in_its_header_is_not_called_a_film(tmp_path):
    photograph = {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.77.1.5.1", "PixelData": None}
    with pytest.raises(ValueError, match=r"a\.dcm, found no pixels, as in a file cut short; export or copy it again"):
        read_dicom(write_dicom(tmp_path / "a.dcm", GREY, "MONOCHROME2", **photograph))


def test_colours_of_no_known_kind_are_not_quoted(tmp_path):
    with pytest.raises(ValueError, match=r"found 3 samples per pixel of an unknown kind; export it as RGB") as error:
        read_dicom(write_dicom(tmp_path / "a.dcm", RGB, "DOE JANE"))
    assert "DOE" not in str(error.value)
