"""What is said of a pair from all others, beside what happened."""

import runpy

import pytest
from bundle_support import ROOT

from monai_sfda.benchmark.adaptations import COLUMNS
from monai_sfda.tables import write_csv

MAIN = runpy.run_path(str(ROOT / "scripts" / "measured_adaptations.py"))["main"]
ROWS = [
    ("a", "dpl", 0, "disc", "outline", 1.0, -0.02),
    ("a", "cbmt", 0, "disc", "outline", 1.05, 0.1),
    ("b", "dpl", 0, "disc", "outline", 1.0, 0.0),
    ("b", "dpl", 1, "disc", "keep-source", 0.5, -0.3),
]


def test_a_pair_is_judged_by_the_others_alone(tmp_path, capsys):
    write_csv(tmp_path / "t.csv", COLUMNS, [dict(zip(COLUMNS, row, strict=True)) for row in ROWS])
    MAIN(["--leave-one-pair-out", "--table", str(tmp_path / "t.csv")])
    assert capsys.readouterr().out.splitlines()[2:] == [
        "| a | outline | hardly changed | 0 of 1 | 1 of 2 |",
        "| b | keep-source | changed | 0 of 0 | 1 of 1 |",
        "| b | outline | hardly changed | 1 of 2 | 0 of 1 |",
    ]


@pytest.mark.parametrize("words", [[], ["out", "--leave-one-pair-out"]])
def test_outputs_or_the_option(words, capsys):
    with pytest.raises(SystemExit):
        MAIN(words)
    assert "one of both" in capsys.readouterr().err
