"""What is said of adaptations that looked like yours."""

import re

import pytest

from monai_sfda.candidates.like_it import MEASURED, like_it
from monai_sfda.tables import read_csv, write_csv

COLUMNS = ["pair", "method", "seed", "structure", "decision", "area_ratio", "gain"]
ROWS = [
    ("a", "dpl", 0, "disc", "outline", 1.05, 0.02),
    ("a", "dpl", 0, "cup", "outline", None, -0.011),
    ("a", "dpl", 1, "disc", "outline", 0.95, -0.009),
    ("a", "cbmt", 0, "disc", "outline", 1.0, 0.1),
    ("a", "cbmt", 0, "cup", "outline", 0.9, -0.2),
    ("b", "cbmt", 0, "disc", "keep-source", 1.0, -0.2),
]


@pytest.fixture
def table(tmp_path):
    write_csv(tmp_path / "t.csv", COLUMNS, [dict(zip(COLUMNS, row, strict=True)) for row in ROWS])
    return tmp_path / "t.csv"


@pytest.mark.parametrize(
    ("decision", "ratios", "said"),
    [
        ("outline", {"disc": 1.09, "cup": None}, "of 2 measured .* sizes hardly changed.*, 1 lost more than a point"),
        ("outline", {"disc": 1.2}, "of 1 measured .* shrank by more than a tenth.*, 1 lost"),
        ("keep-source", {}, "of 1 measured .*evidence of a collapse, sizes hardly changed.*, 1 lost"),
        ("keep-source", {"disc": 0.5}, "of 4 measured adaptations none looked like this one"),
    ],
)
def test_adaptations_are_alike_by_their_checks_and_by_how_sizes_changed(table, decision, ratios, said):
    assert re.match(said, like_it(decision, ratios, table))


def test_the_table_of_the_package_has_all_columns():
    rows = read_csv(MEASURED, COLUMNS)
    assert rows
    assert {row["decision"] for row in rows} <= {"outline", "keep-source"}
    assert "'" not in MEASURED.read_text(encoding="utf-8")  # gains are numbers, not text that is made harmless
