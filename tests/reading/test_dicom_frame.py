import io

import numpy as np
import pytest
from dicom_files import GREY, RGB, dataset, jpeg, shown, write_dicom
from PIL import Image

from monai_sfda.reading.dicom import read_dicom

uid = pytest.importorskip("pydicom.uid")
encaps = pytest.importorskip("pydicom.encaps")

RED = np.full((16, 16, 3), (200, 30, 10), np.uint8)
ADOBE_YBR = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x01"


def without(stream, marker):
    """A JPEG stream without its segment of that marker."""
    place = stream.index(marker)
    return stream[:place] + stream[place + 2 + int.from_bytes(stream[place + 2 : place + 4], "big") :]


JFIF = jpeg()
BARE = without(JFIF, b"\xff\xe0")
RGB_INSIDE = jpeg(keep_rgb=True, subsampling=0)  # APP14 says so, and the components are called R, G and B
STREAMS = {
    "JFIF": JFIF,
    "nothing said": BARE,
    "APP14, YBR": BARE[:2] + ADOBE_YBR + BARE[2:],
    "APP14, RGB": RGB_INSIDE,
    "components R, G, B": without(RGB_INSIDE, b"\xff\xee"),
    "progressive": jpeg(progressive=True),
}


@pytest.mark.parametrize("kind", ["RGB", "YBR_FULL", "YBR_FULL_422"])
@pytest.mark.parametrize("stream", STREAMS)
def test_a_jpeg_says_itself_what_its_colours_are(tmp_path, stream, kind):
    path = write_dicom(tmp_path / "a.dcm", RED, kind, syntax=uid.JPEGBaseline8Bit, frame=STREAMS[stream])
    assert abs(shown(path).astype(int) - RED).max() <= 2


def test_a_jpeg_of_another_size_or_kind_than_the_header_says_is_refused(tmp_path):
    for name, pixels, kind in (("a.dcm", RED[:8], "RGB"), ("b.dcm", RED[..., 0], "MONOCHROME2")):
        path = write_dicom(tmp_path / name, pixels, kind, syntax=uid.JPEGBaseline8Bit, frame=JFIF)
        with pytest.raises(ValueError, match=f"Expected in {name} .* found a jpeg of 16 x 16 pixels of RGB"):
            shown(path)


@pytest.mark.parametrize(
    ("kind", "transformed", "colours"), [("YBR_FULL", 1, "RGB"), ("RGB", 0, "RGB"), ("YBR_RCT", 1, "RGB")]
)
def test_jpeg_2000_says_itself_whether_its_colours_were_transformed(tmp_path, kind, transformed, colours):
    content = io.BytesIO()
    Image.fromarray(RED).save(content, "JPEG2000", no_jp2=True, mct=transformed)
    path = write_dicom(tmp_path / "a.dcm", RED, kind, syntax=uid.JPEG2000Lossless, frame=content.getvalue())
    assert np.array_equal(shown(path), RED)


def test_colours_that_jpeg_2000_did_not_transform_are_those_of_the_header(tmp_path):
    content = io.BytesIO()
    Image.fromarray(RED).convert("YCbCr").save(content, "JPEG2000", no_jp2=True, mct=0)
    path = write_dicom(tmp_path / "a.dcm", RED, "YBR_FULL", syntax=uid.JPEG2000Lossless, frame=content.getvalue())
    assert abs(shown(path).astype(int) - RED).max() <= 2


@pytest.mark.parametrize("number", [None, 1])
@pytest.mark.parametrize("table", [True, False])
def test_compressed_frames_are_counted_whatever_the_header_says(tmp_path, number, table):
    rle = dataset(RED, "RGB")
    rle.compress(uid.RLELossless)
    frame = next(encaps.generate_frames(rle.PixelData, number_of_frames=1))
    for name, syntax, content in (("a.dcm", uid.JPEGBaseline8Bit, JFIF), ("b.dcm", uid.RLELossless, frame)):
        data = dataset(RED, "RGB", syntax=syntax, frame=content)
        data.PixelData = encaps.encapsulate([content, content], has_bot=table)
        if number:
            data.NumberOfFrames = number
        data.save_as(tmp_path / name, enforce_file_format=True)
        with pytest.raises(ValueError, match=f"Expected one DICOM image in {name}, found pixels for 2 frames"):
            shown(tmp_path / name)


def test_a_frame_in_several_fragments_is_one(tmp_path):
    data = dataset(RED, "YBR_FULL_422", syntax=uid.JPEGBaseline8Bit, frame=JFIF)
    data.PixelData = encaps.encapsulate([JFIF + b"\0" * (len(JFIF) % 2)], fragments_per_frame=3, has_bot=False)
    data.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    assert abs(shown(tmp_path / "a.dcm").astype(int) - RED).max() <= 2


@pytest.mark.parametrize("number", [None, 1])
def test_stored_frames_are_counted_whatever_the_header_says(tmp_path, number):
    more = {} if number is None else {"NumberOfFrames": number}
    path = write_dicom(tmp_path / "a.dcm", RED, "RGB", PixelData=RED.tobytes() * 3, **more)
    with pytest.raises(ValueError, match="found pixels for 3 frames"):
        shown(path)


def test_a_number_of_frames_that_is_empty_or_0_is_one(tmp_path):
    for number in ("", 0):
        path = write_dicom(tmp_path / "a.dcm", RGB, "RGB", NumberOfFrames=number)
        assert np.array_equal(shown(path), RGB)


@pytest.mark.parametrize("change", [-1, 12])
def test_pixels_of_another_length_than_the_header_says_are_refused(tmp_path, change):
    content = (RED.tobytes() + bytes(999))[: RED.size + 4 * change]
    path = write_dicom(tmp_path / "a.dcm", RED, "RGB", PixelData=content)
    with pytest.raises(ValueError, match=rf"Expected 768 bytes of pixels in a\.dcm \(16 x 16\), found {len(content)}"):
        shown(path)


def test_compressed_pixels_without_their_transfer_syntax_are_refused_by_its_name(tmp_path):
    path = write_dicom(tmp_path / "a.dcm", RED, "YBR_FULL_422", syntax=uid.JPEGBaseline8Bit, frame=JFIF)
    content = path.read_bytes()
    length = int.from_bytes(content[140:144], "little")  # of the file's own header, after its first element
    path.write_bytes(content[144 + length :])
    with pytest.raises(ValueError, match=r"a\.dcm the Transfer Syntax UID \(0002,0010\)"):
        shown(path)


def test_padding_behind_the_pixels_is_nothing(tmp_path):
    path = write_dicom(tmp_path / "a.dcm", GREY[:1], "MONOCHROME2", PixelData=GREY[:1].tobytes() + b"\0")
    assert shown(path)[..., 0].tolist() == GREY[:1].tolist()


def test_a_jpeg_whose_components_have_other_names_is_what_the_header_says(tmp_path):
    """As pathology scanners write RGB: components 0, 1 and 2, and no marker."""
    stream = without(RGB_INSIDE, b"\xff\xee")
    for component, name in enumerate(b"RGB"):
        stream = stream.replace(bytes([name, 0x11]), bytes([component, 0x11]))  # in the frame
        stream = stream.replace(bytes([name, 0x00]), bytes([component, 0x00]))  # in the scan
    path = write_dicom(tmp_path / "a.dcm", RED, "RGB", syntax=uid.JPEGBaseline8Bit, frame=stream)
    assert abs(shown(path).astype(int) - RED).max() <= 2


def test_compressed_colours_need_no_planar_configuration(tmp_path):
    data = dataset(RGB, "RGB")
    data.compress(uid.RLELossless)
    del data.PlanarConfiguration
    data.save_as(tmp_path / "a.dcm")
    assert np.array_equal(shown(tmp_path / "a.dcm"), RGB)


@pytest.mark.parametrize("signed", [0, 1])
def test_run_lengths_hold_the_same_bits_as_pixels_without_compression(tmp_path, signed):
    stored = np.array([[0x8005, 0xFFF, 0x801, 7]], np.uint16)
    data = dataset(stored, "MONOCHROME2", 12, PixelRepresentation=signed)
    data.add_new(0x60000102, "US", 15)  # Overlay Bit Position
    data.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    data.compress(uid.RLELossless)
    data.save_as(tmp_path / "b.dcm", enforce_file_format=True)
    plain, compressed = (read_dicom(tmp_path / name).levels.tolist() for name in ("a.dcm", "b.dcm"))
    assert compressed == plain == ([[5, -1, -2047, 7]] if signed else [[5, 4095, 2049, 7]])


def test_bits_that_are_no_whole_bytes_are_named_and_no_frames(tmp_path):
    path = write_dicom(tmp_path / "a.dcm", GREY.astype(np.uint16), "MONOCHROME2", 12, BitsAllocated=12)
    with pytest.raises(ValueError, match=r"Expected whole bytes as Bits Allocated in a\.dcm, found 12 bits"):
        shown(path)


def test_a_file_of_jpeg_2000_says_itself_whether_its_colours_were_transformed(tmp_path):
    content = io.BytesIO()
    Image.fromarray(RED).save(content, "JPEG2000", no_jp2=False, mct=1)
    path = write_dicom(tmp_path / "a.dcm", RED, "YBR_FULL", syntax=uid.JPEG2000Lossless, frame=content.getvalue())
    assert np.array_equal(shown(path), RED)
    data = dataset(RED, "YBR_RCT", syntax=uid.JPEG2000Lossless, frame=content.getvalue())
    data.PixelData = encaps.encapsulate([content.getvalue()] * 2, has_bot=False)
    data.save_as(tmp_path / "b.dcm", enforce_file_format=True)
    with pytest.raises(ValueError, match=r"Expected one DICOM image in b\.dcm, found pixels for 2 frames"):
        shown(tmp_path / "b.dcm")


@pytest.mark.parametrize("stream", [JFIF[: len(JFIF) // 2], b"\xff\xd8\xff\xc0\0\x11\x08no jpeg"])
def test_a_damaged_jpeg_is_one_sentence_without_what_pillow_says(tmp_path, stream):
    path = write_dicom(tmp_path / "a.dcm", RED, "YBR_FULL", syntax=uid.JPEGBaseline8Bit, frame=stream)
    with pytest.raises(ValueError, match=r"Expected a DICOM image in a\.dcm, .* stored as JPEG Baseline") as error:
        shown(path)
    assert "0x" not in str(error.value)
