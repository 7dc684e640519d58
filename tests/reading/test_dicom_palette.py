import numpy as np
import pytest
from dicom_files import GREY, RGB, shown, write_dicom


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
