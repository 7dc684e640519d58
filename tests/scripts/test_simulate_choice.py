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


def test_harm_stays_below_the_error_and_only_because_of_the_corrections():
    several = SIMULATION["several"]
    harm = {corrected: several("normal", [-0.011] * 3, 0.05, 200, corrected=corrected) for corrected in (True, False)}
    assert float(harm[True].split(" / ")[0]) < 10
    assert float(harm[False].split(" / ")[0]) > 20


def test_a_clear_gain_is_found():
    harm, kept, used = map(float, SIMULATION["several"]("normal", [0.05, -0.04], 0.05, 50, corrected=True).split(" / "))
    assert harm == 0
    assert kept > 90
    assert used < 12
