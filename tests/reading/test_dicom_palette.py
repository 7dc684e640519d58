import numpy as np
import pytest
from dicom_files import GREY, RGB, dataset, shown, write_dicom


def test_dicom_palettes_are_resolved(tmp_path):
    table = np.arange(256, dtype=np.uint8)
    tables = {}
    for colour, values in {"Red": table, "Green": table // 2, "Blue": 255 - table}.items():
        tables[f"{colour}PaletteColorLookupTableDescriptor"] = [256, 0, 8]
        tables[f"{colour}PaletteColorLookupTableData"] = values.tobytes()
    result = shown(write_dicom(tmp_path / "a.dcm", GREY, "PALETTE COLOR", **tables))
    assert np.array_equal(result, RGB)


def test_a_dark_palette_of_16_bits_stays_dark(tmp_path):
    tables = {}
    for colour in ("Red", "Green", "Blue"):
        tables[f"{colour}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        tables[f"{colour}PaletteColorLookupTableData"] = (np.arange(256) * 257 // 20).astype("<u2").tobytes()
    result = shown(write_dicom(tmp_path / "a.dcm", GREY, "PALETTE COLOR", **tables))
    assert np.array_equal(result[..., 0], np.rint((GREY.astype(int) * 257 // 20) / 257))


@pytest.mark.parametrize(
    ("factor", "bits", "kind", "first"),
    [(1, 16, "<u2", 0), (1, 8, "<u2", 0), (1, 8, "u1", 500), (257, 16, "<u2", 500), (257, 16, "<u2", 0)],
    ids=["8 as 16", "8 in words", "8, offset", "16, offset", "16"],
)
def test_entries_of_8_bits_are_known_by_their_values(tmp_path, factor, bits, kind, first):
    tables = {}
    for colour, values in {"Red": np.arange(256), "Green": np.arange(256) // 2, "Blue": 255 - np.arange(256)}.items():
        tables[f"{colour}PaletteColorLookupTableDescriptor"] = [256, first, bits]
        tables[f"{colour}PaletteColorLookupTableData"] = (values * factor).astype(kind).tobytes()
    indices = GREY.astype(np.uint16) + first
    assert np.array_equal(shown(write_dicom(tmp_path / "a.dcm", indices, "PALETTE COLOR", 16, **tables)), RGB)


def test_one_colour_may_be_dark_in_a_palette_of_16_bits(tmp_path):
    tables = {}
    for colour, factor in {"Red": 257, "Green": 1, "Blue": 257}.items():
        tables[f"{colour}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        tables[f"{colour}PaletteColorLookupTableData"] = (np.arange(256) * factor).astype("<u2").tobytes()
    pixels = shown(write_dicom(tmp_path / "a.dcm", GREY, "PALETTE COLOR", **tables))
    assert np.array_equal(pixels, np.stack([GREY, np.rint(GREY / 257), GREY], -1))


def test_where_a_palette_begins_has_a_sign_if_indices_have_one(tmp_path):
    table = np.concatenate([np.zeros(100, int), np.arange(256)])  # for -100 and up
    data = dataset(GREY.astype(np.int16), "PALETTE COLOR", 16)
    for place, colour in enumerate(("Red", "Green", "Blue")):
        data.add_new(0x00281101 + place, "US", [len(table), 65436, 16])  # pydicom would not write it with a sign
        setattr(data, f"{colour}PaletteColorLookupTableData", (table * 257).astype("<u2").tobytes())
    data.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    assert np.array_equal(shown(tmp_path / "a.dcm")[..., 0], GREY)
