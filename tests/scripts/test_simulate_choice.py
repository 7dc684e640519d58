"""The intervals and the error of the rule, on gains whose truth is known."""

import runpy

import pytest
from bundle_support import ROOT

SIMULATION = runpy.run_path(str(ROOT / "scripts" / "simulate_choice.py"))


@pytest.mark.parametrize("uniform", [True, False])
def test_intervals_of_symmetric_gains_hold_what_they_state(uniform):
    """Of 300, with a standard error of 1.3 %."""
    after_three, *later = SIMULATION["coverage"]("normal", uniform, 300)
    assert after_three > 88
    assert all(91 < share < 99 for share in later)


def share_of_harm(means, choose, runs):
    found = SIMULATION["several"]("few large losses", means, 0.05, runs, SIMULATION[choose])
    return float(found.split(" / ")[0])


def test_harm_stays_near_the_error_and_only_because_of_the_corrections():
    """10 %, of 200 runs, whose standard deviation is 2.1 %."""
    several = SIMULATION["several"]
    harm = {
        choose: several("normal", [-0.011] * 3, 0.05, 200, SIMULATION[choose]) for choose in ("by_rule", "uncorrected")
    }
    assert float(harm["by_rule"].split(" / ")[0]) < 10 + 2 * 2.1
    assert float(harm["uncorrected"].split(" / ")[0]) > 20


def test_a_clear_gain_is_found():
    found = SIMULATION["several"]("normal", [0.05, -0.04], 0.05, 50, SIMULATION["by_rule"])
    harm, kept, used = map(float, found.split(" / "))
    assert harm == 0
    assert kept > 90
    assert used < 12


def test_betting_does_no_harm_where_the_rule_does_and_finds_a_clear_gain_later():
    assert share_of_harm([-0.011] * 12, "by_rule", 60) > 5
    assert share_of_harm([-0.011] * 12, "bet_on_each", 60) == 0
    adopted, used = SIMULATION["adoptions"]("normal", 0.05, SIMULATION["by_betting"], False, 30).split(" ")
    assert float(adopted) > 90
    assert float(used.strip("()")) < 18
