import numpy as np
import pytest
from dicom_files import GREY, greys, item, table, write_dicom

from monai_sfda.reading.read import read_image


def line(tmp_path, values, kind="MONOCHROME2", bits=12, dtype=np.uint16, **elements):
    """What becomes of one row of stored values."""
    return greys(write_dicom(tmp_path / "a.dcm", np.array([values], dtype), kind, bits, **elements))[0]


def test_dicom_monochrome_of_both_signs_and_depths_is_bright_where_bright(tmp_path):
    deep = (GREY.astype(np.uint16) * 16).astype("<u2")  # 12 bit: 250 * 16 * 255 / 4095 = 249.08
    scaled = np.rint(GREY.astype(float) * 16 * 255 / 4095)
    assert greys(write_dicom(tmp_path / "a.dcm", GREY, "MONOCHROME2")) == GREY.tolist()
    assert greys(write_dicom(tmp_path / "b.dcm", GREY, "MONOCHROME1")) == (255 - GREY).tolist()
    assert greys(write_dicom(tmp_path / "c.dcm", deep, "MONOCHROME2", bits=12)) == scaled.tolist()


def test_grey_dicom_is_shown_through_its_window(tmp_path):
    """Linear window of DICOM PS3.3 C.11.2.1.2: 0 at centre - width / 2, the full scale at centre + width / 2 - 1."""
    deep = np.array([[0, 64, 128, 255]], np.uint16)
    result = greys(write_dicom(tmp_path / "a.dcm", deep, "MONOCHROME2", 16, WindowCenter=128, WindowWidth=256))
    assert result == [[0, 64, 128, 255]]
    narrow = greys(write_dicom(tmp_path / "b.dcm", GREY, "MONOCHROME1", WindowCenter=100, WindowWidth=50))
    assert narrow == [[255, 125, 0], [255, 0, 0]]  # (100 - 99.5) / 49 + 0.5 of the scale, turned round


@pytest.mark.parametrize("window", [{"WindowCenter": "", "WindowWidth": ""}, {"WindowCenter": 128}])
def test_an_empty_or_half_a_window_is_none(tmp_path, window):
    assert greys(write_dicom(tmp_path / "a.dcm", GREY, "MONOCHROME2", **window)) == GREY.tolist()


def test_a_window_is_meant_in_the_rescaled_values(tmp_path):
    """A stored value v means 2 v - 100; the window from 0 to 199 is from stored 50 to 149.5."""
    stored = np.array([[0, 50, 100, 149, 1000]], np.uint16)
    tags = {"RescaleSlope": 2, "RescaleIntercept": -100, "WindowCenter": 100, "WindowWidth": 200}
    result = greys(write_dicom(tmp_path / "a.dcm", stored, "MONOCHROME2", 16, **tags))
    assert result == [[0, 0, 128, 254, 255]]


WINDOW = {"WindowCenter": 100, "WindowWidth": 10}


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        # PS3.3 C.11.2.1.2.1: ((x - 99.5) / 9 + 0.5) * 255, so 98 is 85; 0 up to 95, 255 above 104
        ("LINEAR", [0, 0, 85, 142, 255, 255]),
        # C.11.2.1.3.2: ((x - 100) / 10 + 0.5) * 255, so 98 is 76.5
        ("LINEAR_EXACT", [0, 0, 76, 128, 255, 255]),
        # C.11.2.1.3.1: 255 / (1 + exp(-4 (x - 100) / 10)), so 95 is 255 / (1 + e^2) = 30.4
        ("SIGMOID", [0, 30, 79, 128, 225, 255]),
        ("", [0, 0, 85, 142, 255, 255]),
    ],
)
def test_windows_of_every_function(tmp_path, function, expected):
    assert line(tmp_path, [0, 95, 98, 100, 105, 4095], VOILUTFunction=function, **WINDOW) == expected


def test_a_window_narrower_than_1_is_meant_exactly(tmp_path):
    """Stored v means v / 4095; the window from 0 to 1: v * 255 / 4095."""
    rescale = {"RescaleSlope": str(1 / 4095)[:16], "RescaleIntercept": "0"}
    found = line(tmp_path, [0, 819, 4095], WindowCenter="0.5", WindowWidth="0.99999", **rescale)
    assert found == [0, 51, 255]


@pytest.mark.parametrize("width", [0, -5])
def test_a_window_without_width_is_none(tmp_path, width):
    assert line(tmp_path, [0, 819, 4095], WindowCenter=100, WindowWidth=width) == [0, 51, 255]


def test_the_first_of_several_windows_is_taken(tmp_path):
    windows = {"WindowCenter": [2048, 100], "WindowWidth": [4096, 10]}
    assert line(tmp_path, [0, 819, 4095], **windows) == [0, 51, 255]


def test_a_negative_slope_turns_the_levels_round_with_and_without_a_window(tmp_path):
    """Stored v means 4095 - v."""
    slope = {"RescaleSlope": -1, "RescaleIntercept": 4095}
    window = {"WindowCenter": 2048, "WindowWidth": 4096}
    assert line(tmp_path, [0, 3276, 4095], **slope) == [255, 51, 0]
    assert line(tmp_path, [0, 3276, 4095], **slope, **window) == [255, 51, 0]
    assert line(tmp_path, [0, 3276, 4095], "MONOCHROME1", **slope, **window) == [0, 204, 255]


@pytest.mark.parametrize("slope", [0, ""])
def test_a_slope_of_nothing_is_none(tmp_path, slope):
    assert line(tmp_path, [0, 819, 4095], RescaleSlope=slope, RescaleIntercept=0) == [0, 51, 255]


ROUND = 4095 - np.arange(4096)


@pytest.mark.parametrize(
    ("voi", "first"),
    [
        ((ROUND, 0, 12), 0),
        ((ROUND >> 4, 0, 8), 0),
        ((ROUND >> 4, 0, 16), 0),  # 8-bit entries, said to have 16
        ((ROUND >> 4, 0, 8, "u1"), 0),
        ((ROUND, 1000, 12), 1000),
        ((ROUND, 65536 - 1000, 12), -1000),  # a negative first value, written without its sign
    ],
    ids=["12", "8", "8 as 16", "8 packed", "offset", "negative offset"],
)
def test_a_table_of_values_of_interest_is_used(tmp_path, voi, first):
    elements = {"RescaleSlope": 1, "RescaleIntercept": first, "VOILUTSequence": table(*voi)}
    assert line(tmp_path, [0, 3276, 4095], **elements) == [255, 51, 0]
    assert line(tmp_path, [0, 3276, 4095], "MONOCHROME1", **elements) == [0, 204, 255]


def test_values_beyond_a_table_take_its_ends(tmp_path):
    assert line(tmp_path, [0, 100, 101, 102, 4095], VOILUTSequence=table([0, 51, 255], 100, 8)) == [0, 0, 51, 255, 255]


@pytest.mark.parametrize(("entries", "bits"), [(ROUND, 12), (ROUND * 65535 // 4095, 16)])
def test_the_table_of_the_modality_is_used_with_and_without_a_window(tmp_path, entries, bits):
    modality, full = {"ModalityLUTSequence": table(entries, 0, bits)}, 2**bits
    assert line(tmp_path, [0, 3276, 4095], **modality) == [255, 51, 0]
    window = {"WindowCenter": full // 2, "WindowWidth": full}
    assert line(tmp_path, [0, 3276, 4095], **modality, **window) == [255, 51, 0]


def test_tables_come_before_windows(tmp_path):
    assert line(tmp_path, [0, 3276, 4095], VOILUTSequence=table(ROUND, 0, 12), **WINDOW) == [255, 51, 0]


def test_an_enhanced_image_says_in_its_groups_how_to_show_it(tmp_path):
    window = item(FrameVOILUTSequence=item(WindowCenter=2048, WindowWidth=4096))
    turned = item(PixelValueTransformationSequence=item(RescaleSlope=-1, RescaleIntercept=4095, RescaleType="US"))
    shared, own = "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"
    assert line(tmp_path, [0, 819, 4095], **WINDOW, **{shared: window}) == [0, 51, 255]
    assert line(tmp_path, [0, 819, 4095], **WINDOW, **{own: window}) == [0, 51, 255]
    assert line(tmp_path, [0, 3276, 4095], **{shared: turned, own: window}) == [255, 51, 0]
    looked_up = item(FrameVOILUTSequence=item(VOILUTSequence=table(ROUND, 0, 12)))
    assert line(tmp_path, [0, 3276, 4095], **WINDOW, **{own: looked_up}) == [255, 51, 0]


def test_signed_levels_are_shown_through_their_window(tmp_path):
    window = {"WindowCenter": 0, "WindowWidth": 4096}  # from -2048 to 2047
    assert line(tmp_path, [-2048, -1229, 2047], dtype=np.int16, **window) == [0, 51, 255]
    unextended = np.array([-2048, -1229, 2047]) & 4095  # 12 bits, the sign at the twelfth
    assert line(tmp_path, unextended, PixelRepresentation=1, **window) == [0, 51, 255]


def test_levels_need_not_begin_at_the_lowest_bit(tmp_path):
    assert line(tmp_path, [0, 819 << 4, 4095 << 4], HighBit=15) == [0, 51, 255]


def test_an_overlay_in_the_spare_bits_is_no_level(tmp_path):
    pydicom = pytest.importorskip("pydicom")
    path = write_dicom(tmp_path / "a.dcm", np.array([[0, 819 | 0x8000, 4095]], np.uint16), "MONOCHROME2", 12)
    data = pydicom.dcmread(path)
    data.add_new(0x60000102, "US", 15)  # Overlay Bit Position
    data.save_as(path)
    assert greys(path) == [[0, 51, 255]]


def test_an_overlay_above_a_signed_level_is_no_level(tmp_path):
    pydicom = pytest.importorskip("pydicom")
    window = {"WindowCenter": 0, "WindowWidth": 4096, "PixelRepresentation": 1}
    values = np.array([[2048 | 0x8000, 2867, 2047]], np.uint16)  # -2048, -1229, 2047 in 12 bits
    path = write_dicom(tmp_path / "a.dcm", values, "MONOCHROME2", 12, **window)
    data = pydicom.dcmread(path)
    data.add_new(0x60000102, "US", 15)  # Overlay Bit Position
    data.save_as(path)
    assert greys(path) == [[0, 51, 255]]


def test_levels_deeper_than_the_header_says_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"Expected levels of 12 bits in a\.dcm, .* found the level 5000"):
        line(tmp_path, [0, 5000])


def test_the_header_says_the_depth(tmp_path):
    facts = read_image(write_dicom(tmp_path / "a.dcm", GREY.astype(np.uint16), "MONOCHROME2", 10)).facts
    assert (facts.black, facts.white, facts.scale_from) == (0, 1023, "file")


@pytest.mark.parametrize(
    ("values", "dtype", "kind", "padding", "expected"),
    [
        ([-2000, -1000, 0, 1000], np.int16, "MONOCHROME2", {"PixelPaddingValue": -2000}, [0, 0, 128, 255]),
        ([63536, 0, 2048, 4095], np.uint16, "MONOCHROME2", {"PixelPaddingValue": 63536}, [0, 0, 128, 255]),
        ([0, 1024, 4095], np.uint16, "MONOCHROME1", {"PixelPaddingValue": 0}, [0, 191, 0]),
        (
            [65000, 65535, 0, 255],
            np.uint16,
            "MONOCHROME2",
            {"PixelPaddingValue": 65535, "PixelPaddingRangeLimit": 65000},
            [0, 0, 0, 255],
        ),
        ([7, 7], np.uint16, "MONOCHROME2", {"PixelPaddingValue": 7}, [7, 7]),
    ],
    ids=["signed", "unsigned", "inverted", "a range", "everywhere"],
)
def test_padding_is_dark_and_does_not_count_for_the_scale(tmp_path, values, dtype, kind, padding, expected):
    assert line(tmp_path, values, kind, 16, dtype, **padding) == expected


def test_padding_of_a_signed_image_may_be_written_without_its_sign(tmp_path):
    from pydicom import DataElement, Dataset

    from monai_sfda.reading.dicom_greys import shown_greys

    data = Dataset()
    data.PhotometricInterpretation, data.BitsStored, data.PixelRepresentation = "MONOCHROME2", 16, 1
    data["PixelPaddingValue"] = DataElement(0x00280120, "US", 63536)  # -2000
    assert shown_greys(np.array([[-2000, -1000, 1000]], np.int16), data).levels.tolist() == [[-1000, -1000, 1000]]


def test_padding_outside_a_window_is_dark(tmp_path):
    window = {"WindowCenter": 128, "WindowWidth": 256, "PixelPaddingValue": 63536}
    assert line(tmp_path, [63536, 0, 64], bits=16, **window) == [0, 0, 64]


def test_an_unknown_function_of_a_window_is_linear(tmp_path):
    window = {"WindowCenter": 128, "WindowWidth": 256, "VOILUTFunction": "GAMMA"}
    assert line(tmp_path, [0, 64, 255], **window) == [0, 64, 255]


@pytest.mark.parametrize("name", ["WindowCenter", "RescaleSlope"])
def test_text_in_place_of_a_number_is_named(tmp_path, name):
    path = write_dicom(
        tmp_path / "a.dcm", GREY, "MONOCHROME2", **{"WindowCenter": "12.5", "WindowWidth": 9, name: "77.5"}
    )
    path.write_bytes(path.read_bytes().replace(b"77.5", b"77,5"))
    with pytest.raises(ValueError, match=f"Expected a number as {name}, found other text; export the file again"):
        read_image(path)


@pytest.mark.parametrize("signed", [0, 1])
def test_where_a_table_begins_has_a_sign_if_levels_have_one_also_where_none_is_below_0(tmp_path, signed):
    """Entries for -400 and up; in an image without a sign the same number is 65136, beyond all levels."""
    entries = np.concatenate([np.zeros(400, int), np.arange(2048) >> 3])
    sequence = table(entries, 0, 8)
    sequence[0].add_new(0x00283002, "US", [len(entries), 65136, 8])  # pydicom would not write it with a sign
    tables = {"VOILUTSequence": sequence, "PixelRepresentation": signed}
    assert line(tmp_path, [0, 816, 2040], bits=16, **tables) == ([0, 102, 255] if signed else [0, 0, 0])


@pytest.mark.parametrize("shape", ["INVERSE", "IDENTITY"])
def test_the_shape_of_the_presentation_does_not_turn_the_levels_round(tmp_path, shape):
    """Files of several makers state a wrong one."""
    assert line(tmp_path, [0, 3276, 4095], PresentationLUTShape=shape) == [0, 204, 255]
    assert line(tmp_path, [0, 3276, 4095], "MONOCHROME1", PresentationLUTShape=shape) == [255, 51, 0]
