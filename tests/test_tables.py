"""CSV tables: what is written comes back, spreadsheets show it and run nothing."""

import csv

import pytest

from monai_sfda.tables import harmless, original, read_csv, write_csv

NAMES = [
    *("P-001.png", "a=b", "x+1", "_@", "'P-001.png", "'s-Gravenhage.png", "Müller_OD.png", "名前.png", "new\nline.png"),
    *("=1+1.png", "+1", "-lead.png", "@y.png", "\ttab", "\rreturn", "\nline", " =1+1", "\u3000=1", "＝1+1", "＠x"),  # noqa: RUF001
    *("'=1+1.png", "''=1", "'", "''", "'a", "", " ", 'a,"b";c', "a;=1+1"),
]


def test_every_name_comes_back_as_it_was(tmp_path):
    write_csv(tmp_path / "t.csv", ["case", "reason"], ({"case": name, "reason": name} for name in NAMES))
    assert read_csv(tmp_path / "t.csv") == [{"case": name, "reason": name} for name in NAMES]


@pytest.mark.parametrize("name", NAMES)
def test_protection_is_undone_exactly_and_differs_for_different_names(name):
    assert original(harmless(name)) == name
    assert len({harmless(other) for other in NAMES}) == len(NAMES)


def test_no_cell_and_no_heading_begins_as_a_formula(tmp_path):
    write_csv(tmp_path / "t.csv", ["=a", *map(str, range(3))], [{"=a": name, "0": -1.5} for name in NAMES])
    with open(tmp_path / "t.csv", encoding="utf-8-sig", newline="") as file:
        cells = [row[0] for row in csv.reader(file)]
    assert not [cell for cell in cells if cell.strip().startswith(("=", "+", "-", "@", "＝", "＠"))]  # noqa: RUF001
    assert read_csv(tmp_path / "t.csv")[0] == {"=a": "P-001.png", "0": "-1.5", "1": "", "2": ""}


def test_names_that_need_no_protection_stay_as_they_are():
    plain = ["P-001.png", "'s-Gravenhage.png", "a=b", "1-2.png"]
    assert [harmless(name) for name in plain] == plain


def test_excel_is_told_that_the_text_is_unicode(tmp_path):
    write_csv(tmp_path / "t.csv", ["case"], [{"case": "Müller"}])
    assert (tmp_path / "t.csv").read_bytes() == b"\xef\xbb\xbfcase\r\nM\xc3\xbcller\r\n"


def test_a_name_that_is_no_text_costs_no_table(tmp_path):
    write_csv(tmp_path / "t.csv", ["case"], [{"case": "b\udcff.png"}])
    assert read_csv(tmp_path / "t.csv") == [{"case": "b\\udcff.png"}]


def test_tables_without_a_byte_order_mark_are_read_too(tmp_path):
    (tmp_path / "t.csv").write_text("case,reason\nä,b\n\n", encoding="utf-8")
    assert read_csv(tmp_path / "t.csv", ["case"]) == [{"case": "ä", "reason": "b"}]


def test_cells_that_a_row_lacks_are_empty(tmp_path):
    (tmp_path / "t.csv").write_text("case,reason,image\na\nb,c,d,e\n", encoding="utf-8")
    rows = [{"case": "a", "reason": "", "image": ""}, {"case": "b", "reason": "c", "image": "d"}]
    assert read_csv(tmp_path / "t.csv", ["image"]) == rows


def test_other_content_is_one_sentence(tmp_path):
    (tmp_path / "t.csv").write_bytes(b"case\nM\xfcller\n")
    with pytest.raises(ValueError, match=r"Expected a table in .*t.csv, found other content; save it as CSV in UTF-8"):
        read_csv(tmp_path / "t.csv")
    (tmp_path / "t.csv").write_bytes(b"")
    with pytest.raises(ValueError, match=r"Expected the columns case and reason in .*, found others"):
        read_csv(tmp_path / "t.csv", ["case", "reason"])


def test_a_table_that_excel_saved_in_europe_is_read(tmp_path):
    (tmp_path / "t.csv").write_text('case;reason\na,b;"c;d"\n', encoding="utf-8-sig")
    assert read_csv(tmp_path / "t.csv", ["case"]) == [{"case": "a,b", "reason": "c;d"}]


@pytest.mark.parametrize(
    "header", ['case;"size, px";reason', "case;size, px;reason", '"case";"a,b,c,size, px";"reason"']
)
def test_a_comma_in_a_heading_between_semicolons_is_text(tmp_path, header):
    (tmp_path / "t.csv").write_text(f"{header}\na;1;b\n", encoding="utf-8")
    (row,) = read_csv(tmp_path / "t.csv", ["case", "reason"])
    assert list(row.values()) == ["a", "1", "b"]


def test_a_quoted_semicolon_in_a_heading_between_commas_is_text(tmp_path):
    (tmp_path / "t.csv").write_text('case,"a;b;c"\na,1\n', encoding="utf-8")
    assert read_csv(tmp_path / "t.csv") == [{"case": "a", "a;b;c": "1"}]
