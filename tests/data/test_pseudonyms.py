import pytest

from monai_sfda.data import pseudonymise

ITEMS = [{"image": "/x/s/a.png", "case": "s/a.png", "output": "s/a.png"}, {"image": "/x/b", "case": "b", "output": "b"}]


def test_names_are_keyed_hashes_without_folders():
    items = pseudonymise(ITEMS, "a long secret")
    assert [len(item["case"]) for item in items] == [16, 16]
    assert items[0]["output"] == f"{items[0]['case']}.png"
    assert items[0]["image"] == "/x/s/a.png"
    assert items == pseudonymise(ITEMS, "a long secret")
    assert items[0]["case"] != pseudonymise(ITEMS, "another secret")[0]["case"]


def test_what_a_name_may_say_is_kept_and_nothing_else():
    kept = [item["kept"] for item in pseudonymise(ITEMS, "a long secret", keep=lambda case: case[0])]
    assert kept == ["s", "b"]
    assert [item["kept"] for item in pseudonymise(ITEMS, "a long secret")] == ["", ""]


def test_the_hash_is_hmac_sha256():
    # printf s/a.png | openssl dgst -sha256 -hmac "a long secret"
    import hashlib
    import hmac

    expected = hmac.new(b"a long secret", b"s/a.png", hashlib.sha256).hexdigest()[:16]
    assert pseudonymise(ITEMS, "a long secret")[0]["case"] == expected


def test_a_table_without_a_salt_or_of_something_else_is_refused(tmp_path):
    with pytest.raises(ValueError, match="names would not be hidden"):
        pseudonymise(ITEMS, None, table=tmp_path / "table.csv")
    (tmp_path / "table.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="Expected the columns case and pseudonym"):
        pseudonymise(ITEMS, "a long secret", table=tmp_path / "table.csv")


def test_the_table_is_written_only_on_request(tmp_path):
    items = pseudonymise(ITEMS, "a long secret", table=tmp_path / "table.csv")
    assert (tmp_path / "table.csv").read_text().splitlines()[1] == f"s/a.png,{items[0]['case']}"


def test_the_table_keeps_the_cases_of_earlier_runs(tmp_path):
    before = pseudonymise(ITEMS[:1], "a long secret", table=tmp_path / "table.csv")
    after = pseudonymise(ITEMS[1:], "a long secret", table=tmp_path / "table.csv")
    rows = [f"s/a.png,{before[0]['case']}", f"b,{after[0]['case']}"]
    assert (tmp_path / "table.csv").read_text(encoding="utf-8-sig").splitlines() == ["case,pseudonym", *rows]


def test_a_spreadsheet_runs_no_formula_from_the_table(tmp_path):
    items = [{"image": "/x/a", "case": "=1+1.png", "output": "=1+1.png"}]
    for _ in range(2):  # what is there already is not changed again
        named = pseudonymise(items, "a long secret", table=tmp_path / "names.csv")
        text = (tmp_path / "names.csv").read_text(encoding="utf-8-sig")
        assert text == f"case,pseudonym\n'=1+1.png,{named[0]['case']}\n"


def test_without_a_salt_names_stay():
    assert pseudonymise(ITEMS, None) == ITEMS


def test_a_short_salt_is_refused():
    with pytest.raises(ValueError, match="at least 8 characters, found 3"):
        pseudonymise(ITEMS, "abc")


def test_the_mask_of_a_volume_stays_a_volume():
    volume = {"image": ["/x/1", "/x/2"], "case": "x/series_1", "output": "x/series_1.nii.gz"}
    (item,) = pseudonymise([volume], "a long secret")
    assert item["output"] == f"{item['case']}.nii.gz"
