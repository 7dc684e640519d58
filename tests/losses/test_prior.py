import json

import pytest
import torch

from monai_sfda.fingerprint import setup_of
from monai_sfda.losses import FixedRatio, RatioTable, for_cases, source_ratios

TABLE = """val_ids;val_gt_size;dumbpredwtags;dumbprednotags
a.nii;[60000.0, 5536.0, 0.0];[61108, 4428, 0];[56112, 4428, 4996]
b.nii;[60000.0, 4536.0, 1000.0];[56112, 4428, 4996];[56112, 4428, 4996]
"""


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "sizes.csv"
    path.write_text(TABLE)
    return path


@pytest.fixture
def statistics(tmp_path):
    path = tmp_path / "source_ratios.json"
    path.write_text(json.dumps({"images": 3, "ratios": {"disc": 0.2, "cup": 0.05}}))
    return path


def test_a_fixed_ratio_is_the_same_for_every_image():
    prior = FixedRatio([0.7, 0.3])
    assert torch.equal(prior(["a", "b"]), torch.tensor([[0.7, 0.3]] * 2))
    assert not prior.uses_target_tags


@pytest.mark.parametrize("ratio", [[64957, 579], [-0.1, 1.1], [[0.7, 0.3]]])
def test_what_is_no_share_of_pixels_is_refused(ratio):
    with pytest.raises(ValueError, match="divide sizes by pixels"):
        FixedRatio(ratio)


def test_source_statistics_are_read_in_the_order_of_channels(statistics):
    prior = source_ratios(statistics, structures={"disc": 0, "cup": 1})
    torch.testing.assert_close(prior(["a"]), torch.tensor([[0.2, 0.05]]))


def test_a_scaled_prior_leaves_the_rest_to_background(tmp_path):
    path = tmp_path / "ratios.json"
    path.write_text('{"ratios": {"background": 0.9, "nucleus": 0.1}}')
    prior = source_ratios(path, structures={"nucleus": 1}, scale=1.5)
    torch.testing.assert_close(prior(["a"]), torch.tensor([[0.85, 0.15]]))
    with pytest.raises(ValueError, match="class ratio"):
        source_ratios(path, structures={"nucleus": 1}, scale=11.0)


@pytest.mark.parametrize("structures", [{"cup": 0, "disc": 1}, {"nucleus": 1}, {"disc": 0, "cup": 1, "rim": 2}])
def test_source_statistics_of_another_task_are_refused(statistics, structures):
    with pytest.raises(ValueError, match=r"found \['disc', 'cup'\]; measure"):
        source_ratios(statistics, structures=structures)


def test_missing_source_statistics_say_how_to_measure_them(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"scripts/class_ratios\.py"):
        source_ratios(tmp_path / "none.json", structures={"disc": 0})


def test_a_table_gives_each_image_its_sizes_as_shares(table):
    prior = RatioTable(table, column="dumbpredwtags", uses_target_tags=True)
    sizes = torch.tensor([[56112.0, 4428, 4996], [61108, 4428, 0]])
    torch.testing.assert_close(prior(["b.nii", "a.nii"]), sizes / 65536)
    assert prior.uses_target_tags


def test_sizes_that_exceed_the_image_become_shares_too(tmp_path):
    path = tmp_path / "sizes.csv"
    path.write_text("val_ids;sizes\na;[51625, 4428, 4996, 4487,3706]\n")
    ratio = RatioTable(path, column="sizes", uses_target_tags=False)(["a"])
    torch.testing.assert_close(ratio, torch.tensor([[51625, 4428, 4996, 4487, 3706]]) / 69242)


def test_a_comma_separated_table_with_quoted_lists_is_read(tmp_path):
    path = tmp_path / "sizes.csv"
    path.write_text('val_ids,dumbpredwtags\na.png,"[64957, 579]"\n')
    ratio = RatioTable(path, column="dumbpredwtags", uses_target_tags=True)(["a.png"])
    torch.testing.assert_close(ratio, torch.tensor([[64957, 579]]) / 65536)


def test_quoted_lists_between_semicolons_are_read_as_released_for_the_spine(tmp_path):
    path = tmp_path / "ivd.csv"
    path.write_text('val_ids;val_gt_size;dumbpredwtags\nSubj_0_0.png;"[65536,0]";"[64957, 579]"\n')
    ratio = RatioTable(path, column="dumbpredwtags", uses_target_tags=True)(["Subj_0_0.png"])
    torch.testing.assert_close(ratio, torch.tensor([[64957, 579]]) / 65536)


def test_overlapping_channels_add_their_classes_up(table):
    prior = RatioTable(table, column="dumbprednotags", uses_target_tags=False, ids=[[1, 2], [2]])
    torch.testing.assert_close(prior(["a.nii"]), torch.tensor([[9424, 4996]]) / 65536)


def test_a_table_is_told_apart_by_column_classes_and_content(table):
    def described(column="dumbprednotags", **kwargs):
        return str(setup_of(RatioTable(table, column=column, uses_target_tags=True, **kwargs)))

    seen = {described(), described("dumbpredwtags"), described(ids=[[1, 2], [2]])}
    table.write_text(TABLE.replace("56112", "56113"))
    assert len(seen | {described()}) == 4


def test_a_class_that_comes_and_goes_must_be_declared(table):
    with pytest.raises(ValueError, match="uses_target_tags=True"):
        RatioTable(table, column="dumbpredwtags", uses_target_tags=False)
    assert not RatioTable(table, column="dumbprednotags", uses_target_tags=False).uses_target_tags


def test_the_true_sizes_are_refused(table):
    with pytest.raises(ValueError, match="target labels"):
        RatioTable(table, column="val_gt_size", uses_target_tags=True)


def test_a_missing_image_is_noticed_at_once_and_later(table):
    with pytest.raises(ValueError, match=r"none for 1 \(c\.nii\)"):
        RatioTable(table, column="dumbprednotags", uses_target_tags=False, cases=["a.nii", "c.nii"])
    with pytest.raises(ValueError, match=r"none for 1 \(c\.nii\)"):
        RatioTable(table, column="dumbprednotags", uses_target_tags=False)(["c.nii"])


def test_a_prior_is_asked_for_all_cases_before_it_is_used(table):
    prior = RatioTable(table, column="dumbprednotags", uses_target_tags=False)
    assert for_cases(prior, ["b.nii", "a.nii"]) is prior
    with pytest.raises(ValueError, match=r"none for 1 \(p1\.nii slice 4\); .* such as 'p1\.nii\.gz slice 4'"):
        for_cases(prior, ["a.nii", "p1.nii slice 4"])


def test_a_missing_column_lists_those_there_are(table):
    with pytest.raises(ValueError, match=r"column dumbpred in .* found val_ids, val_gt_size, dumbpredwtags"):
        RatioTable(table, column="dumbpred", uses_target_tags=False)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("a;[1, 2]\nb;[1]\n", "equal length"),
        ("", "equal length"),
        ("a;[0, 0]\n", "not all 0"),
        ("a;[3, -1]\n", "all 0"),
    ],
)
def test_rows_without_meaning_are_refused(tmp_path, rows, message):
    path = tmp_path / "sizes.csv"
    path.write_text("val_ids;sizes\n" + rows)
    with pytest.raises(ValueError, match=message):
        RatioTable(path, column="sizes", uses_target_tags=False)


@pytest.mark.parametrize("text", ["no json", "[0.1]", '{"disc": 0.1}', '{"ratios": {"disc": "much"}}'])
def test_a_file_that_holds_no_ratios_is_told_what_it_lacks(tmp_path, text):
    (tmp_path / "ratios.json").write_text(text)
    with pytest.raises(ValueError, match=r"JSON with 'ratios', .* found another file; measure the source masks"):
        source_ratios(tmp_path / "ratios.json", structures={"disc": 0})


@pytest.mark.parametrize("cell", ["much", "3", '["a"]'])
def test_a_cell_without_sizes_is_named(tmp_path, cell):
    (tmp_path / "sizes.csv").write_text(f"val_ids;sizes\na;{cell}\n")
    with pytest.raises(ValueError, match=r"Expected lists such as \[51625, 4428\] in .*, column sizes, found another"):
        RatioTable(tmp_path / "sizes.csv", column="sizes", uses_target_tags=False)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_a_table_in_another_encoding_says_how_to_save_it(tmp_path, encoding):
    (tmp_path / "sizes.csv").write_text("val_ids;sizes\nMüller.png;[1, 2]\n", encoding=encoding)
    with pytest.raises(ValueError, match=r"Expected a table in .*, found other content; save it as CSV in UTF-8"):
        RatioTable(tmp_path / "sizes.csv", column="sizes", uses_target_tags=False)


def test_two_rows_of_one_image_are_refused(tmp_path):
    (tmp_path / "sizes.csv").write_text("val_ids;sizes\na;[1, 2]\na;[2, 1]\n")
    with pytest.raises(ValueError, match=r"Expected one row for each image in .*, found several of one that differ"):
        RatioTable(tmp_path / "sizes.csv", column="sizes", uses_target_tags=False)


def test_a_row_that_is_there_twice_counts_once(tmp_path):
    (tmp_path / "sizes.csv").write_text("val_ids;sizes\na;[1, 3]\nb;[3, 1]\na;[1,3]\n")
    prior = RatioTable(tmp_path / "sizes.csv", column="sizes", uses_target_tags=False)
    torch.testing.assert_close(prior(["b", "a"]), torch.tensor([[0.75, 0.25], [0.25, 0.75]]))
